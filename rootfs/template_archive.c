/* The loop over a hostile archive, run in the sandbox of template_unpack.c; see template.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/str.h"
#include "rootfs/template_room.h"

#define ID_MAX 65535
#define RATIO_FREE_BYTES ((uint64_t)64 << 20)
#define REPORT_EVERY_BYTES ((uint64_t)4 << 20)
#define XATTRS_MAX 64

/*
 * Libarchive's own defences, all of them, on top of the sandbox and of check_name(). Not UNLINK: it
 * would quietly replace a symlink in the middle of a name, where we want the archive refused. A
 * file that exists is unlinked before it is made again in any case, so nothing is written through a
 * hard link.
 */
#define DISK_FLAGS                                                                       \
	(ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |           \
	 ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS | \
	 ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS)

const struct template_limits template_default_limits = {
	.max_entries = 2000000,
	.max_bytes = (uint64_t)256 << 30,
	.max_ratio = 200,
};

static void free_reader(struct archive *reader)
{
	archive_read_free(reader);
}
OWN_KIND(archive_reader, struct archive *, free_reader)

static void free_disk(struct archive *disk)
{
	archive_write_free(disk);
}
OWN_KIND(archive_disk, struct archive *, free_disk)

struct extraction {
	struct archive *reader, *disk; /* borrowed from template_extract() */
	const struct template_limits *limits;
	struct template_progress *progress;
	struct template_counts counts;
	uint64_t reported_bytes;
	const struct template_sandbox *sandbox; /* with its limits; what is wanted of it */
	bool matched;				/* something that was asked for was there */
	struct timespec root_times[2];		/* of the tree's root, access and change */
	bool has_root_times;
};

/* Text of a name for an error line: bounded, control bytes made visible. */
static struct err *refuse(const char *name, const char *why)
{
	OWN(str) char *safe = NULL;

	TRY(str_escape(name, &safe));
	return err_new(ERR_INVALID, "archive refused: entry '%.200s' %s", safe, why);
}

struct err *template_archive_error(struct archive *archive, const char *act)
{
	const char *text = archive_error_string(archive);
	OWN(str) char *safe = NULL;

	TRY(str_escape(text ? text : "unknown error", &safe));
	return err_new(ERR_INVALID, "%s: %.300s", act, safe);
}

static bool has_dotdot(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += len;
		path += strspn(path, "/");
	}
	return false;
}

/* A name or hard link target: relative, no "..", not empty, of a length that a path can have. */
struct err *template_check_name(const char *name, const char *shown)
{
	if (!name || !*name)
		return refuse(shown, "has no usable name");
	if (name[0] == '/')
		return refuse(shown, "has an absolute path");
	if (has_dotdot(name))
		return refuse(shown, "leads out of the tree by '..'");
	if (strlen(name) >= 4096)
		return refuse(shown, "has a name of 4096 bytes or more");
	return NULL;
}

static struct err *check_entry(const struct extraction *x, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	const char *link = archive_entry_hardlink(entry);
	int64_t size = archive_entry_size(entry);

	TRY(template_check_name(name, name ? name : "?"));
	if (link)
		TRY(template_check_name(link, name));
	if (archive_entry_uid(entry) < 0 || archive_entry_uid(entry) > ID_MAX ||
	    archive_entry_gid(entry) < 0 || archive_entry_gid(entry) > ID_MAX)
		return refuse(name, "belongs to an id outside 0..65535");
	if (size < 0 || (uint64_t)size > x->limits->max_bytes - x->counts.bytes)
		return refuse(name, "is larger than what is left of the size limit");
	if (x->counts.entries >= x->limits->max_entries)
		return refuse(name, "is one entry more than the limit");
	return NULL;
}

static bool xattr_allowed(const char *name)
{
	return str_has_prefix(name, "user.") || str_eq(name, "security.capability");
}

/* Keep the allowed extended attributes of an entry: copy them out, clear all, put them back. */
static struct err *filter_xattrs(struct archive_entry *entry, uint32_t first)
{
	struct {
		char *name, *value;
		size_t len;
	} kept[XATTRS_MAX];
	const char *name;
	const void *value;
	size_t count = 0, len;
	struct err *err = NULL;

	archive_entry_xattr_reset(entry);
	while (!err && archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		struct buf copy = { 0 };

		if (!xattr_allowed(name) || count == XATTRS_MAX)
			continue;
		err = str_dup(name, &kept[count].name);
		if (err)
			break;
		err = buf_add(&copy, value, len);
		kept[count].value = copy.data;
		if (first && !err && str_eq(name, "security.capability"))
			len = template_shift_capability(copy.data, len, first);
		kept[count++].len = len;
	}
	archive_entry_xattr_clear(entry);
	for (size_t i = 0; i < count; i++) {
		if (!err)
			archive_entry_xattr_add_entry(entry, kept[i].name, kept[i].value,
						      kept[i].len);
		free(kept[i].name);
		free(kept[i].value);
	}
	return err;
}

/* A whiteout (0, 0) is no device: containers inside a VPS have them in their layers. */
static bool is_skipped(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return !archive_entry_hardlink(entry) &&
	       ((type == S_IFCHR && archive_entry_rdev(entry) != 0) || type == S_IFBLK ||
		type == S_IFSOCK);
}

static void report(struct extraction *x)
{
	uint64_t done = (uint64_t)archive_filter_bytes(x->reader, -1);

	if (!x->progress || done < x->reported_bytes + REPORT_EVERY_BYTES)
		return;
	x->reported_bytes = done;
	x->progress->report(x->progress, done, 0);
}

/* A bomb shows itself by what it unpacks to per byte read. */
static struct err *check_ratio(const struct extraction *x, const char *name)
{
	uint64_t read_bytes = (uint64_t)archive_filter_bytes(x->reader, -1) + 1;

	if (x->counts.bytes > RATIO_FREE_BYTES &&
	    x->counts.bytes / x->limits->max_ratio > read_bytes)
		return refuse(name, "unpacks to far more than its archive holds (a bomb)");
	return NULL;
}

static struct err *copy_data(struct extraction *x, const char *name)
{
	uint64_t before = x->counts.bytes, end = 0;

	for (;;) {
		const void *block;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(x->reader, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return NULL;
		if (rc != ARCHIVE_OK)
			return template_archive_error(x->reader, "read the archive");
		end = (uint64_t)offset + len > end ? (uint64_t)offset + len : end;
		if (end > x->limits->max_bytes - before)
			return refuse(name, "is larger than what is left of the size limit");
		x->counts.bytes = before + end;
		TRY(check_ratio(x, name));
		if (archive_write_data_block(x->disk, block, len, offset) != ARCHIVE_OK)
			return template_archive_error(x->disk, "write");
		report(x);
	}
}

/* Libarchive gives a directory that was there before its times at once, and what comes into it
 * changes them again. */
static void note_root(struct extraction *x, struct archive_entry *entry, const char *name)
{
	if (!str_eq(name, ".") && !str_eq(name, "./"))
		return;
	x->has_root_times = archive_entry_mtime_is_set(entry);
	x->root_times[0].tv_nsec = UTIME_OMIT;
	x->root_times[1].tv_sec = archive_entry_mtime(entry);
	x->root_times[1].tv_nsec = archive_entry_mtime_nsec(entry);
}

static struct err *extract_entry(struct extraction *x, struct archive_entry *entry)
{
	const char *name;
	bool wanted;

	TRY(template_select(x->sandbox, entry, &wanted, &x->matched));
	if (!wanted)
		return NULL;
	name = archive_entry_pathname(entry);
	TRY(template_shift(entry, x->sandbox->archive_first));
	TRY(check_entry(x, entry));
	if (x->sandbox->is_layer && layer_is_whiteout(name))
		return NULL;
	x->counts.entries++;
	if (is_skipped(entry)) {
		x->counts.skipped++;
		return NULL;
	}
	TRY(filter_xattrs(entry, x->sandbox->archive_first));
	note_root(x, entry, name);
	if (archive_write_header(x->disk, entry) != ARCHIVE_OK)
		return err_wrap(template_archive_error(x->disk, "unpack"), "archive refused");
	if (archive_entry_size(entry) > 0 || !archive_entry_size_is_set(entry))
		TRY(copy_data(x, name));
	if (archive_write_finish_entry(x->disk) != ARCHIVE_OK)
		return template_archive_error(x->disk, "unpack");
	report(x);
	return NULL;
}

/* Only formats and filters that run inside libarchive: no "program" filters, which start commands.
 */
struct err *template_open_reader(int archive_fd, struct archive **ret_reader)
{
	OWN(archive_reader) struct archive *reader = archive_read_new();

	if (!reader)
		return err_sys(ENOMEM, "read the archive");
	archive_read_support_format_tar(reader);
	archive_read_support_filter_gzip(reader);
	archive_read_support_filter_bzip2(reader);
	archive_read_support_filter_xz(reader);
	archive_read_support_filter_lzma(reader);
	archive_read_support_filter_zstd(reader);
	archive_read_support_filter_lz4(reader);
	if (archive_read_open_fd(reader, archive_fd, (size_t)64 << 10) != ARCHIVE_OK)
		return template_archive_error(reader, "not a tar archive");
	*ret_reader = TAKE(reader);
	return NULL;
}

static struct err *extract(int archive_fd, struct extraction *x)
{
	OWN(archive_reader) struct archive *reader = NULL;
	OWN(archive_disk) struct archive *disk = archive_write_disk_new();

	if (!disk)
		return err_sys(ENOMEM, "unpack the archive");
	archive_write_disk_set_options(disk, DISK_FLAGS);
	TRY(template_open_reader(archive_fd, &reader));
	x->reader = reader;
	x->disk = disk;
	for (;;) {
		struct archive_entry *entry;
		int rc = archive_read_next_header(reader, &entry);

		if (rc == ARCHIVE_EOF)
			break;
		/* ARCHIVE_WARN is refused too: it means a name or number that could not be taken as
		 * it is */
		if (rc != ARCHIVE_OK)
			return template_archive_error(reader, "read the archive");
		TRY(extract_entry(x, entry));
	}
	/* directories get their final modes and times here */
	if (archive_write_close(disk) != ARCHIVE_OK)
		return template_archive_error(disk, "unpack");
	if (x->has_root_times && utimensat(AT_FDCWD, ".", x->root_times, 0) < 0)
		return err_sys(errno, "give the root its times");
	return NULL;
}

struct err *template_extract_in(const struct sandbox_inside *inside,
				const struct template_sandbox *sandbox,
				struct template_counts *ret_counts)
{
	struct extraction x = { .limits = sandbox->limits ? sandbox->limits :
							    &template_default_limits,
				.progress = inside->progress,
				.sandbox = sandbox };

	if (sandbox->is_layer)
		TRY(layer_prepare(inside->archive_fd, inside->root_fd));
	TRY(extract(inside->archive_fd, &x));
	if (sandbox->only && !x.matched)
		return err_new(ERR_NOT_FOUND, "there is no %.200s in it", sandbox->only);
	if (!sandbox->is_layer && !sandbox->filter && x.counts.entries == 0)
		return err_new(ERR_INVALID, "the archive is empty");
	*ret_counts = x.counts;
	return NULL;
}

struct err *template_extract(int archive_fd, const struct template_limits *limits,
			     struct template_progress *progress, struct template_counts *ret_counts)
{
	const struct template_sandbox sandbox = { .limits = limits };
	const struct sandbox_inside inside = { .archive_fd = archive_fd,
					       .root_fd = -1,
					       .progress = progress };

	return template_extract_in(&inside, &sandbox, ret_counts);
}
