/* The parts of a backup's file that we read ourselves: the end, what it is, records of the index.
 * What can be read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "rootfs/backup_room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void records(const char *data, size_t size)
{
	struct index_record record, again;
	size_t used, used_again;

	while (size > 0) {
		OWN(buf) struct buf text = { 0 };
		struct err *err = index_record_parse(data, size, &record, &used);

		err_drop(err); /* refused */
		if (err || used == 0)
			return;
		if (used > size || index_record_format(&record, &text) ||
		    index_record_parse(text.data, text.len, &again, &used_again) ||
		    used_again != text.len || index_record_differs(&record, &again) ||
		    record.in != again.in)
			abort();
		data += used;
		size -= used;
	}
}

static void info(const char *data, size_t size)
{
	OWN(backup_info) struct backup_info read = { 0 }, again = { 0 };
	OWN(str) char *text = NULL;
	struct err *err = backup_info_parse(data, size, &read);

	err_drop(err); /* refused */
	if (err)
		return;
	if (backup_info_format(&read, &text) || backup_info_parse(text, strlen(text), &again) ||
	    !str_eq(read.name, again.name) || read.index_bytes != again.index_bytes ||
	    read.depth != again.depth || !read.base != !again.base)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char digest[SHA256_HEX_MAX];
	uint64_t offset;

	records((const char *)data, size);
	info((const char *)data, size);
	err_drop(backup_end_parse((const char *)data, size, &offset, digest)); /* refused */
	return 0;
}
