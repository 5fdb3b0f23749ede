/* A file among the first ones of an archive, read in the sandbox; see template.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "rootfs/template_room.h"

#define PEEK_ENTRIES 64

/* What parent and child share. */
struct peek_result {
	size_t index, len;
	uint32_t first;
	char text[TEMPLATE_PEEK_MAX];
};

OWN_KIND(archive_reader, struct archive *, archive_read_free)

static bool is_root(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	return (str_eq(name, ".") || str_eq(name, "./")) &&
	       archive_entry_uid(entry) == archive_entry_gid(entry) &&
	       archive_entry_uid(entry) > 0 && archive_entry_uid(entry) <= INT32_MAX;
}

static size_t find(const char *const *names, const char *name)
{
	size_t i = 0;

	while (names[i] && !str_eq(names[i], template_plain_name(name)))
		i++;
	return i;
}

static struct err *read_text(struct archive *reader, const char *name, struct peek_result *result)
{
	for (;;) {
		size_t room = sizeof(result->text) - result->len;
		la_ssize_t len = archive_read_data(reader, result->text + result->len, room);

		if (len < 0)
			return template_archive_error(reader, "read the archive");
		if (len == 0)
			return NULL;
		result->len += (size_t)len;
		if (result->len == sizeof(result->text))
			return err_new(ERR_INVALID, "archive refused: %s in it is too large", name);
	}
}

static struct err *peek(const struct sandbox_job *job, const struct sandbox_inside *inside,
			struct template_counts *ret_counts)
{
	const char *const *names = job->context;
	struct peek_result *result = job->result;
	OWN(archive_reader) struct archive *reader = NULL;

	*ret_counts = (struct template_counts){ 0 };
	TRY(template_open_reader(inside->archive_fd, &reader));
	for (unsigned int i = 0; i < PEEK_ENTRIES; i++) {
		struct archive_entry *entry;
		int rc = archive_read_next_header(reader, &entry);

		if (rc == ARCHIVE_EOF)
			return NULL;
		if (rc != ARCHIVE_OK)
			return template_archive_error(reader, "read the archive");
		if (is_root(entry))
			result->first = (uint32_t)archive_entry_uid(entry);
		result->index = find(names, archive_entry_pathname(entry));
		if (names[result->index])
			return read_text(reader, names[result->index], result);
	}
	return NULL;
}

struct err *template_peek(int archive_fd, uint32_t id_first, const char *const *names,
			  size_t *ret_index, uint32_t *ret_first, struct buf *text)
{
	const struct template_sandbox sandbox = { .id_first = id_first };
	struct peek_result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct sandbox_job job = { .archive_fd = archive_fd,
					 .dest_fd = -1,
					 .sandbox = &sandbox,
					 .run = peek,
					 .context = names,
					 .result = result };
	struct template_counts counts;
	size_t count = 0;
	struct err *err;

	if (result == MAP_FAILED)
		return err_sys(errno, "make room for a file of the archive");
	while (names[count])
		count++;
	result->index = count;
	err = template_in_sandbox(&job, NULL, &counts);
	/* who has read hostile bytes is not believed */
	if (!err && (result->index > count || result->len >= sizeof(result->text)))
		err = err_new(ERR_PEER, "the unpacking process said what cannot be");
	if (!err && result->index < count)
		err = buf_add(text, result->text, result->len);
	if (!err) {
		*ret_index = result->index;
		*ret_first = result->first;
	}
	munmap(result, sizeof(*result));
	return err;
}
