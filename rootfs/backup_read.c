/* Reading a backup back: compare all of it with its digest and index, and the index with that of
 * its base. What libarchive does happens in the sandbox of template_unpack.c. */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "rootfs/backup_room.h"

#define REPORT_EVERY_BYTES ((uint64_t)4 << 20)
#define BLOCK_BYTES ((size_t)256 << 10)

OWN_KIND(reader, struct archive *, archive_read_free)

/* --- the digest --- */

static struct err *hash(int fd, uint64_t bytes, struct template_progress *progress, char *hex)
{
	OWN(str) char *block = malloc(BLOCK_BYTES);
	struct sha256 sha;
	uint64_t at = 0;

	if (!block)
		return err_sys(ENOMEM, "read a backup");
	sha256_init(&sha);
	while (at < bytes) {
		uint64_t left = bytes - at;
		ssize_t got = pread(fd, block, left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES,
				    (off_t)at);

		if (got <= 0)
			return got < 0 ? err_sys(errno, "read") :
					 err_new(ERR_INVALID, "it became shorter");
		sha256_add(&sha, block, (size_t)got);
		at += (uint64_t)got;
		progress->report(progress, at, 0);
	}
	sha256_hex(&sha, hex);
	return NULL;
}

static struct err *check_digest(int fd, const struct backup_info *info,
				struct template_progress *progress)
{
	char end[BACKUP_END_BYTES], wanted[SHA256_HEX_MAX], got[SHA256_HEX_MAX];
	uint64_t bytes = info->file_bytes - sizeof(end), info_offset;

	if (pread(fd, end, sizeof(end), (off_t)bytes) != (ssize_t)sizeof(end))
		return err_sys(errno, "read");
	TRY(backup_end_parse(end, sizeof(end), &info_offset, wanted));
	TRY(hash(fd, bytes, progress, got));
	return str_eq(wanted, got) ?
		       NULL :
		       err_new(ERR_INVALID, "it is damaged: its bytes are not those that were "
					    "written");
}

/* --- entry by entry, in the sandbox --- */

struct check {
	const struct sandbox_inside *inside;
	const struct backup_info *info;
	struct index_table base; /* empty: it is a full one */
	struct archive *reader;
	struct index_reader *index;
	uint64_t reported_bytes;
	struct template_counts counts;
};

static void report(struct check *check)
{
	uint64_t done = (uint64_t)archive_filter_bytes(check->reader, -1);

	if (done < check->reported_bytes + REPORT_EVERY_BYTES)
		return;
	check->reported_bytes = done;
	check->inside->progress->report(check->inside->progress, done, 0);
}

static void add_zeros(struct sha256 *sha, uint64_t len)
{
	static const char zeros[65536];

	while (len > 0) {
		size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		sha256_add(sha, zeros, part);
		len -= part;
	}
}

/* The digest of the entry's content, holes read as zeros. */
static struct err *digest_of(struct check *check, uint64_t size_bytes, char *hex)
{
	struct sha256 sha;
	uint64_t at = 0;

	sha256_init(&sha);
	for (;;) {
		const void *block;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(check->reader, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return template_archive_error(check->reader, "read the archive");
		if ((uint64_t)offset < at || (uint64_t)offset + len > size_bytes)
			return err_new(ERR_INVALID, "its data lie outside of it");
		add_zeros(&sha, (uint64_t)offset - at);
		sha256_add(&sha, block, len);
		at = (uint64_t)offset + len;
		report(check);
	}
	add_zeros(&sha, size_bytes - at);
	sha256_hex(&sha, hex);
	return NULL;
}

/* What is not in this archive must be in the base's index, as it is in ours. */
static struct err *check_in_base(struct check *check, const struct index_record *record)
{
	const struct table_entry *entry = index_table_find(&check->base, record->name);
	OWN(str) char *name = NULL;

	if (entry && entry->in == record->in && index_table_is_same(entry, record) &&
	    str_eq(entry->digest, record->digest))
		return NULL;
	TRY(str_escape(record->name, &name));
	return err_new(ERR_INVALID, "%.200s: it is not in the backup that this one builds upon",
		       name);
}

/* The next record of an entry that is in this archive. */
static struct err *next_record(struct check *check, struct index_record *ret_record, bool *ret_more)
{
	for (;;) {
		TRY(index_reader_next(check->index, ret_record, ret_more));
		if (!*ret_more)
			return NULL;
		if (ret_record->in > check->info->depth)
			return err_new(ERR_INVALID, "the index is damaged");
		check->counts.entries++;
		if (ret_record->in == check->info->depth)
			return NULL;
		TRY(check_in_base(check, ret_record));
	}
}

static struct err *check_entry(struct check *check, struct archive_entry *entry)
{
	struct index_record wanted, got = index_record_of(entry, NULL);
	OWN(str) char *name = NULL;
	const char *difference;
	bool more;

	TRY(str_escape(got.name, &name));
	TRY(next_record(check, &wanted, &more));
	if (!more)
		return err_new(ERR_INVALID, "%.200s is not in the index", name);
	/* before its content is read: what the index says bounds that */
	memcpy(got.digest, wanted.digest, sizeof(got.digest));
	/* an archive says them in its own way; the file's digest stands for them */
	memcpy(got.attributes, wanted.attributes, sizeof(got.attributes));
	difference = index_record_differs(&wanted, &got);
	if (!difference && got.type == 'f') {
		TRY(err_wrap(digest_of(check, got.size_bytes, got.digest), "%.200s", name));
		difference = index_record_differs(&wanted, &got);
	}
	if (difference)
		return err_new(ERR_INVALID, "%.200s: its %s is not what the index says", name,
			       difference);
	return NULL;
}

static bool is_of_tree(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	return name && str_has_prefix(name, BACKUP_TREE) &&
	       (name[strlen(BACKUP_TREE)] == '/' || !name[strlen(BACKUP_TREE)]);
}

static struct err *check_entries(struct check *check)
{
	struct index_record record;
	struct archive_entry *entry;
	bool more;
	int rc;

	while ((rc = archive_read_next_header(check->reader, &entry)) == ARCHIVE_OK)
		if (is_of_tree(entry))
			TRY(check_entry(check, entry));
	if (rc != ARCHIVE_EOF)
		return template_archive_error(check->reader, "read the archive");
	TRY(next_record(check, &record, &more));
	return more ? err_new(ERR_INVALID, "it has fewer files than its index says") : NULL;
}

static struct err *check_inside(const struct sandbox_job *job, const struct sandbox_inside *inside,
				struct template_counts *ret_counts)
{
	const struct backup_link *link = job->context;
	OWN(index_reader) struct index_reader *index = NULL;
	OWN(reader) struct archive *reader = NULL;
	OWN(index_table) struct index_table base = { 0 };
	struct check check = { .inside = inside, .info = &link->info };

	if (job->more_count > 0) {
		TRY(index_table_new(&link[-1].info, &base));
		TRY(index_table_fill(inside->more_fd, &link[-1].info, &base));
	}
	TRY(index_reader_open(inside->archive_fd, link->info.index_offset, link->info.index_bytes,
			      &index));
	TRY(template_open_reader(inside->archive_fd, &reader));
	check.reader = reader;
	check.index = index;
	check.base = base; /* borrowed */
	TRY(check_entries(&check));
	*ret_counts = check.counts;
	return NULL;
}

/* A part of the work reports where the whole is. */
struct part {
	struct template_progress base;
	struct template_progress *whole; /* NULL: nobody wants to know */
	uint64_t before_bytes, whole_bytes;
};

static void report_part(struct template_progress *base, uint64_t done, uint64_t total)
{
	struct part *part = (void *)base;

	(void)total;
	if (part->whole)
		part->whole->report(part->whole, part->before_bytes + done, part->whole_bytes);
}

/* One of the chain; the one before it, if there is one, is its base. */
static struct err *verify(const struct backup_link *link, uint32_t id_first, struct part *part)
{
	const struct template_sandbox sandbox = { .id_first = id_first };
	const struct sandbox_job job = { .archive_fd = link->fd,
					 .dest_fd = -1,
					 .more_fds = link->info.base ? &link[-1].fd : NULL,
					 .more_count = link->info.base ? 1 : 0,
					 .sandbox = &sandbox,
					 .run = check_inside,
					 .context = link };
	struct template_counts counts;

	TRY(check_digest(link->fd, &link->info, &part->base));
	part->before_bytes += link->info.file_bytes;
	if (lseek(link->fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "seek");
	TRY(template_in_sandbox(&job, &part->base, &counts));
	part->before_bytes += link->info.file_bytes;
	return counts.entries == link->info.entries ?
		       NULL :
		       err_new(ERR_INVALID, "it has not as many files as it says");
}

struct err *backup_verify(const struct backup_chain *chain, uint32_t id_first,
			  struct template_progress *progress)
{
	struct part part = { .base.report = report_part, .whole = progress };

	for (size_t i = 0; i < chain->count; i++) /* each is read twice */
		part.whole_bytes += 2 * chain->links[i].info.file_bytes;
	for (size_t i = 0; i < chain->count; i++)
		TRY(err_wrap(verify(&chain->links[i], id_first, &part), "%s",
			     chain->links[i].path));
	return NULL;
}
