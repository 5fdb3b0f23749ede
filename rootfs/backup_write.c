/* Writing a backup, in one pass; the form is drawn in backup.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "rootfs/backup_room.h"

OWN_KIND(writer, struct archive *, archive_write_free)
OWN_KIND(entry, struct archive_entry *, archive_entry_free)

/* The file, and the digest of what was written to it. */
struct sink {
	int fd;
	struct backup_sink *other; /* instead of the file */
	struct sha256 sha;
	uint64_t bytes;
};

struct work {
	struct pack pack; /* first: note() is called with it */
	struct sink sink;
	const struct backup_write *request;
	unsigned int depth;    /* of this backup */
	int index_fd;	       /* compressed, until its place in the file comes */
	struct archive *index; /* its writer; borrowed */
};

static struct err *put_raw(struct sink *sink, const void *data, size_t len)
{
	sink->bytes += len;
	return sink->fd < 0 ? sink->other->put(sink->other, data, len) :
			      fd_write_all(sink->fd, "the backup", data, len);
}

static struct err *put(struct sink *sink, const void *data, size_t len)
{
	sha256_add(&sink->sha, data, len);
	return put_raw(sink, data, len);
}

static la_ssize_t put_block(struct archive *archive, void *context, const void *data, size_t len)
{
	struct err *err = put(context, data, len);

	if (!err)
		return (la_ssize_t)len;
	archive_set_error(archive, err_errno(err), "%s", err_text(err));
	err_drop(err); /* libarchive says it */
	return -1;
}

/* One frame of zstd and nothing after it. */
static struct err *compress_only(struct archive *writer)
{
	if (archive_write_add_filter_zstd(writer) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(writer, 1) != ARCHIVE_OK)
		return template_archive_error(writer, "write the backup");
	return NULL;
}

static struct err *end_writer(struct archive *writer)
{
	return archive_write_close(writer) == ARCHIVE_OK ?
		       NULL :
		       template_archive_error(writer, "write the backup");
}

/* --- the archive, and the index meanwhile --- */

static struct err *put_record(struct work *work, const struct index_record *record)
{
	OWN(buf) struct buf text = { 0 };

	TRY(index_record_format(record, &text));
	if (archive_write_data(work->index, text.data, text.len) != (la_ssize_t)text.len)
		return template_archive_error(work->index, "write the index");
	return NULL;
}

static struct err *note(struct pack *pack, struct archive_entry *entry, const char *digest)
{
	struct work *work = (struct work *)pack;
	struct index_record record = index_record_of(entry, digest);

	record.in = work->depth;
	if (pack->torn) /* no file has this one: the next round reads it again */
		record.inode = 0;
	TRY(index_attributes_of(entry, record.attributes));
	return put_record(work, &record);
}

/* Directories are always written: what is unpacked into one changes its times. So are further names
 * of a file, which may be new ones of an old file. */
static bool may_be_left_out(const struct index_record *record)
{
	return record->type != 'd' && record->type != 'h';
}

/* What it has without its holes. */
static uint64_t stored_bytes(int tree_fd, const struct index_record *record)
{
	struct stat st;
	uint64_t bytes;

	if (record->type != 'f' || fstatat(tree_fd, record->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	bytes = (uint64_t)st.st_blocks * 512;
	return bytes < record->size_bytes ? bytes : record->size_bytes;
}

/* An increment leaves out what its base has, and says so in the index. */
static struct err *ask_base(struct pack *pack, struct archive_entry *entry, bool *ret_leave_out)
{
	struct work *work = (struct work *)pack;
	struct index_record record = index_record_of(entry, NULL);
	uint64_t read_bytes;

	if (!may_be_left_out(&record))
		return NULL;
	TRY(index_attributes_of(entry, record.attributes));
	TRY(backup_base_has(work->request->base, work->request->tree_fd, &record, ret_leave_out,
			    &read_bytes));
	pack_pace(pack, read_bytes);
	if (!*ret_leave_out)
		return NULL;
	pack->counts.entries++;
	pack->counts.bytes += record.size_bytes;
	pack->left_out_bytes += stored_bytes(work->request->tree_fd, &record);
	return put_record(work, &record);
}

static struct err *write_conf(struct archive *writer, const struct backup_info *info)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();
	size_t len = strlen(info->conf);

	if (!entry)
		return err_sys(ENOMEM, "write the backup");
	archive_entry_set_pathname(entry, BACKUP_CONF);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_mtime(entry, (time_t)(info->created_ns / 1000000000), 0);
	if (archive_write_header(writer, entry) != ARCHIVE_OK ||
	    archive_write_data(writer, info->conf, len) != (la_ssize_t)len)
		return template_archive_error(writer, "write the backup");
	return NULL;
}

static struct err *write_archive(struct work *work, int tree_fd, const struct backup_info *info)
{
	OWN(writer) struct archive *writer = archive_write_new();

	if (!writer)
		return err_sys(ENOMEM, "write the backup");
	TRY(pack_format(writer));
	TRY(compress_only(writer));
	if (archive_write_open(writer, &work->sink, NULL, put_block, NULL) != ARCHIVE_OK)
		return template_archive_error(writer, "write the backup");
	TRY(write_conf(writer, info));
	work->pack.writer = writer;
	TRY(pack_tree(&work->pack, tree_fd));
	return end_writer(writer);
}

static struct err *open_index(int fd, struct archive *writer)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return err_sys(ENOMEM, "write the index");
	TRY(compress_only(writer));
	archive_entry_set_filetype(entry, AE_IFREG);
	if (archive_write_set_format_raw(writer) != ARCHIVE_OK ||
	    archive_write_open_fd(writer, fd) != ARCHIVE_OK ||
	    archive_write_header(writer, entry) != ARCHIVE_OK)
		return template_archive_error(writer, "write the index");
	return NULL;
}

static struct err *write_both(struct work *work, int tree_fd, const struct backup_info *info)
{
	OWN(writer) struct archive *index = archive_write_new();

	if (!index)
		return err_sys(ENOMEM, "write the index");
	TRY(open_index(work->index_fd, index));
	work->index = index;
	TRY(write_archive(work, tree_fd, info));
	return end_writer(index);
}

/* --- the frames after it --- */

static struct err *put_frame(struct sink *sink, enum backup_frame frame, const char *text)
{
	struct frame_header header;

	TRY(frame_header(frame, strlen(text), &header));
	TRY(put(sink, header.bytes, sizeof(header.bytes)));
	return put(sink, text, strlen(text));
}

static struct err *put_index(struct work *work, struct backup_info *info)
{
	struct frame_header header;
	char block[65536];
	struct stat st;
	ssize_t got;

	if (fstat(work->index_fd, &st) < 0)
		return err_sys(errno, "look at the index");
	TRY(frame_header(FRAME_INDEX, (uint64_t)st.st_size, &header));
	TRY(put(&work->sink, header.bytes, sizeof(header.bytes)));
	info->index_offset = work->sink.bytes;
	info->index_bytes = (uint64_t)st.st_size;
	for (off_t at = 0; at < st.st_size; at += got) {
		got = pread(work->index_fd, block, sizeof(block), at);
		if (got <= 0)
			return err_sys(got < 0 ? errno : EIO, "read the index");
		TRY(put(&work->sink, block, (size_t)got));
	}
	return NULL;
}

static struct err *put_end(struct work *work, struct backup_info *info)
{
	struct sink *sink = &work->sink;
	char digest[SHA256_HEX_MAX], end[BACKUP_END_BYTES];
	OWN(str) char *text = NULL;
	uint64_t info_offset;

	TRY(put_index(work, info));
	TRY(put_frame(sink, FRAME_CONF, info->conf));
	TRY(backup_info_format(info, &text));
	info_offset = sink->bytes;
	TRY(put_frame(sink, FRAME_INFO, text));
	sha256_hex(&sink->sha, digest);
	TRY(backup_end_format(info_offset, digest, end));
	TRY(put_raw(sink, end, sizeof(end)));
	info->file_bytes = sink->bytes;
	memcpy(info->digest, digest, sizeof(digest));
	return sink->fd >= 0 && fsync(sink->fd) < 0 ? err_sys(errno, "sync the backup") : NULL;
}

struct err *backup_write(const struct backup_write *request, struct backup_info *info)
{
	static const enum pack_walk walks[] = { [BACKUP_ALONE] = PACK_STILL,
						[BACKUP_ROUND] = PACK_LIVE,
						[BACKUP_LAST_ROUND] = PACK_SETTLED };
	OWN(fd) int index_fd = memfd_create("cella-index", MFD_CLOEXEC);
	struct work work = { .pack = { .prefix = BACKUP_TREE,
				       .walk = walks[request->what],
				       .progress = request->progress,
				       .total_bytes = request->total_bytes,
				       .bytes_per_s = request->bytes_per_s,
				       .ask = request->base ? ask_base : NULL,
				       .note = note },
			     .request = request,
			     .sink = { .fd = request->fd, .other = request->sink },
			     .index_fd = index_fd };

	if (index_fd < 0)
		return err_sys(errno, "make room for the index");
	TRY(backup_base_say(request->base, info));
	work.depth = (unsigned int)info->depth;
	sha256_init(&work.sink.sha);
	TRY(write_both(&work, request->tree_fd, info));
	info->entries = work.pack.counts.entries;
	info->skipped = work.pack.counts.skipped;
	info->sparse_bytes = work.pack.counts.bytes;
	info->bytes = work.pack.done_bytes + work.pack.left_out_bytes;
	TRY(put_end(&work, info));
	if (request->ret_index_fd)
		*request->ret_index_fd = fd_take(&index_fd);
	return NULL;
}
