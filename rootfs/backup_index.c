/* The index of a backup: a record per entry, in the order of the archive; see backup_room.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/backup_room.h"

#define RECORD_MAX ((size_t)16 << 10) /* two names of 4096 bytes, and numbers */
#define ID_MAX 65535

/* --- one record --- */

struct err *index_record_format(const struct index_record *record, struct buf *text)
{
	TRY(buf_format(text,
		       "%c %o %" PRId64 " %" PRId64 " %" PRIu64 " %" PRId64 ".%09ld %" PRId64
		       ".%09ld %" PRIu64 " %s %s %u",
		       record->type, record->mode, record->uid, record->gid, record->size_bytes,
		       record->mtime.s, record->mtime.ns, record->ctime.s, record->ctime.ns,
		       record->inode, record->digest, record->attributes, record->in));
	TRY(buf_add(text, "", 1));
	TRY(buf_add(text, record->name, strlen(record->name) + 1));
	return buf_add(text, record->target, strlen(record->target) + 1);
}

static bool parse_numbers(const char *text, struct index_record *record)
{
	int used = 0;

	return sscanf(text,
		      "%c %o %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNd64 ".%9ld %" SCNd64
		      ".%9ld %" SCNu64 " %64s %64s %u%n",
		      &record->type, &record->mode, &record->uid, &record->gid, &record->size_bytes,
		      &record->mtime.s, &record->mtime.ns, &record->ctime.s, &record->ctime.ns,
		      &record->inode, record->digest, record->attributes, &record->in,
		      &used) == 13 &&
	       text[used] == '\0';
}

static bool is_time(const struct index_time *time)
{
	return time->ns >= 0 && time->ns < 1000000000;
}

static bool is_good(const struct index_record *record)
{
	return strchr("fdlpch", record->type) && record->mode <= 07777 && is_time(&record->mtime) &&
	       is_time(&record->ctime) && record->uid >= 0 && record->uid <= ID_MAX &&
	       record->gid >= 0 && record->gid <= ID_MAX && *record->name &&
	       record->in < BACKUP_CHAIN_MAX &&
	       (record->type == 'f' ? backup_is_digest(record->digest) :
				      str_eq(record->digest, "-")) &&
	       (backup_is_digest(record->attributes) || str_eq(record->attributes, "-"));
}

/* The byte after the string's NUL; NULL: it has none. */
static const char *after(const char *text, const char *end)
{
	const char *nul = text && text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	return nul ? nul + 1 : NULL;
}

struct err *index_record_parse(const char *data, size_t len, struct index_record *ret_record,
			       size_t *ret_used)
{
	const char *name = after(data, data + len), *target = after(name, data + len),
		   *next = after(target, data + len);
	struct index_record record = { .name = name, .target = target };

	*ret_used = 0;
	if (!next)
		return len < RECORD_MAX ?
			       NULL :
			       err_new(ERR_INVALID, "the index has a record without end");
	if (!parse_numbers(data, &record) || !is_good(&record))
		return err_new(ERR_INVALID, "the index is damaged");
	*ret_record = record;
	*ret_used = (size_t)(next - data);
	return NULL;
}

/* --- of an entry --- */

static char type_of(struct archive_entry *entry)
{
	static const struct {
		unsigned int filetype;
		char type;
	} types[] = { { AE_IFREG, 'f' },
		      { AE_IFDIR, 'd' },
		      { AE_IFLNK, 'l' },
		      { AE_IFIFO, 'p' },
		      { AE_IFCHR, 'c' } };

	if (archive_entry_hardlink(entry))
		return 'h';
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].filetype == archive_entry_filetype(entry))
			return types[i].type;
	return '?';
}

/* "root/etc" to "etc", "root" to ".". */
static const char *below_tree(const char *name)
{
	size_t len = strlen(BACKUP_TREE);

	if (!name || strncmp(name, BACKUP_TREE, len) != 0)
		return "?";
	return name[len] == '/' && name[len + 1] ? name + len + 1 : ".";
}

static const char *target_of(struct archive_entry *entry)
{
	const char *link = archive_entry_symlink(entry);

	if (archive_entry_hardlink(entry))
		return below_tree(archive_entry_hardlink(entry));
	return link ? link : "";
}

struct index_record index_record_of(struct archive_entry *entry, const char *digest)
{
	struct index_record record = {
		.type = type_of(entry),
		.mode = archive_entry_perm(entry),
		.uid = archive_entry_uid(entry),
		.gid = archive_entry_gid(entry),
		.inode = (uint64_t)archive_entry_ino64(entry),
		.mtime = { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) },
		.ctime = { archive_entry_ctime(entry), archive_entry_ctime_nsec(entry) },
		.name = below_tree(archive_entry_pathname(entry)),
		.target = target_of(entry),
		.attributes = "-",
	};

	if (record.type == 'f')
		record.size_bytes = (uint64_t)archive_entry_size(entry);
	snprintf(record.digest, sizeof(record.digest), "%s", digest ? digest : "-");
	return record;
}

const char *index_record_differs(const struct index_record *a, const struct index_record *b)
{
	if (!str_eq(a->name, b->name))
		return "name";
	if (a->type != b->type)
		return "type";
	if (a->mode != b->mode)
		return "mode";
	if (a->uid != b->uid || a->gid != b->gid)
		return "owner";
	if (a->size_bytes != b->size_bytes)
		return "size";
	if (a->mtime.s != b->mtime.s || a->mtime.ns != b->mtime.ns)
		return "time";
	if (!str_eq(a->target, b->target))
		return "link";
	if (!str_eq(a->attributes, b->attributes))
		return "attributes";
	return str_eq(a->digest, b->digest) ? NULL : "content";
}

/* --- reading --- */

struct index_reader {
	struct archive *archive;
	int fd;
	uint64_t at, end; /* in the file */
	char block[32768];
	char data[2 * RECORD_MAX]; /* what was not used yet */
	size_t from, len;
};

static la_ssize_t read_block(struct archive *archive, void *context, const void **block)
{
	struct index_reader *reader = context;
	uint64_t left = reader->end - reader->at;
	ssize_t got = pread(reader->fd, reader->block,
			    left < sizeof(reader->block) ? left : sizeof(reader->block),
			    (off_t)reader->at);

	if (got < 0) {
		archive_set_error(archive, errno, "read the index");
		return -1;
	}
	reader->at += (uint64_t)got;
	*block = reader->block;
	return got;
}

void index_reader_close(struct index_reader *reader)
{
	archive_read_free(reader->archive);
	free(reader);
}

struct err *index_reader_open(int fd, uint64_t offset, uint64_t len,
			      struct index_reader **ret_reader)
{
	OWN(index_reader) struct index_reader *reader = calloc(1, sizeof(*reader));
	struct archive_entry *entry;

	if (!reader)
		return err_sys(ENOMEM, "read the index");
	reader->fd = fd;
	reader->at = offset;
	reader->end = offset + len;
	reader->archive = archive_read_new();
	if (!reader->archive)
		return err_sys(ENOMEM, "read the index");
	archive_read_support_format_raw(reader->archive);
	archive_read_support_filter_zstd(reader->archive);
	if (archive_read_open(reader->archive, reader, NULL, read_block, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(reader->archive, &entry) != ARCHIVE_OK)
		return template_archive_error(reader->archive, "read the index");
	*ret_reader = TAKE(reader);
	return NULL;
}

/* *ret_end: nothing more came. */
static struct err *fill(struct index_reader *reader, bool *ret_end)
{
	la_ssize_t got;

	memmove(reader->data, reader->data + reader->from, reader->len);
	reader->from = 0;
	got = archive_read_data(reader->archive, reader->data + reader->len,
				sizeof(reader->data) - reader->len);
	if (got < 0)
		return template_archive_error(reader->archive, "read the index");
	reader->len += (size_t)got;
	*ret_end = got == 0;
	return NULL;
}

struct err *index_reader_next(struct index_reader *reader, struct index_record *ret_record,
			      bool *ret_more)
{
	bool end = false;
	size_t used;

	for (;;) {
		TRY(index_record_parse(reader->data + reader->from, reader->len, ret_record,
				       &used));
		*ret_more = used > 0;
		reader->from += used;
		reader->len -= used;
		if (used > 0 || end)
			break;
		TRY(fill(reader, &end));
	}
	if (!*ret_more && reader->len > 0)
		return err_new(ERR_INVALID, "the index ends in a record");
	return NULL;
}
