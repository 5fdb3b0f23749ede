/* A tree into an archive; the other way round than template_archive.c. The tree is hostile in its
 * names and contents, which are copied as they are; links are not followed. It must stand still. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "rootfs/template_room.h"

OWN_KIND(disk, struct archive *, archive_read_free)
OWN_KIND(entry, struct archive_entry *, archive_entry_free)
OWN_KIND(links, struct archive_entry_linkresolver *, archive_entry_linkresolver_free)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Not faster than bytes_per_s, over the whole of the work. */
void pack_pace(struct pack *pack, uint64_t len)
{
	double wanted_ns;
	int64_t ahead_ns;

	pack->read_bytes += len;
	if (!pack->bytes_per_s)
		return;
	wanted_ns = (double)pack->read_bytes / (double)pack->bytes_per_s * 1e9;
	ahead_ns = (int64_t)wanted_ns - (now_ns() - pack->began_ns);
	if (ahead_ns > 0)
		nanosleep(&(struct timespec){ .tv_sec = ahead_ns / 1000000000,
					      .tv_nsec = ahead_ns % 1000000000 },
			  NULL);
}

static void advance(struct pack *pack, size_t len)
{
	pack->done_bytes += len;
	if (pack->progress)
		pack->progress->report(pack->progress, pack->done_bytes + pack->left_out_bytes,
				       pack->total_bytes);
	pack_pace(pack, len);
}

static struct err *write_bytes(struct pack *pack, const void *data, size_t len)
{
	sha256_add(&pack->sha, data, len);
	if (archive_write_data(pack->writer, data, len) < 0)
		return template_archive_error(pack->writer, "write the archive");
	return NULL;
}

/* Holes of a sparse file: the writer wants every byte, and leaves out itself what the header's map
 * says. */
static struct err *write_zeros(struct pack *pack, uint64_t len)
{
	static const char zeros[65536];

	while (len > 0) {
		size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		TRY(write_bytes(pack, zeros, part));
		len -= part;
	}
	return NULL;
}

static struct err *write_from_disk(struct pack *pack, struct archive *disk, uint64_t size_bytes)
{
	uint64_t at = 0;

	for (;;) {
		const void *block;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(disk, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return write_zeros(pack, size_bytes - at);
		if (rc != ARCHIVE_OK)
			return template_archive_error(disk, "read the tree");
		TRY(write_zeros(pack, (uint64_t)offset - at));
		TRY(write_bytes(pack, block, len));
		at = (uint64_t)offset + len;
		advance(pack, len);
	}
}

/* A part of a file, which may have become shorter, or unreadable, meanwhile. */
static struct err *write_part(struct pack *pack, int fd, uint64_t at, uint64_t len)
{
	char block[65536];

	while (len > 0 && !pack->torn) {
		ssize_t got = pread(fd, block, len < sizeof(block) ? (size_t)len : sizeof(block),
				    (off_t)at);

		if (got <= 0 && pack->walk != PACK_LIVE)
			return got < 0 ? err_sys(errno, "read a file of the tree") :
					 err_new(ERR_STATE, "a file of the tree became shorter");
		pack->torn = got <= 0;
		if (pack->torn)
			break;
		TRY(write_bytes(pack, block, (size_t)got));
		advance(pack, (size_t)got);
		at += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return write_zeros(pack, len);
}

/* Zeros where the header's map has a hole, whatever is there by now: so says the archive. */
static struct err *write_from_file(struct pack *pack, struct archive_entry *entry, int fd,
				   uint64_t size_bytes)
{
	la_int64_t offset, len;
	uint64_t at = 0;

	if (archive_entry_sparse_reset(entry) == 0)
		return write_part(pack, fd, 0, size_bytes);
	while (archive_entry_sparse_next(entry, &offset, &len) == ARCHIVE_OK) {
		TRY(write_zeros(pack, (uint64_t)offset - at));
		TRY(write_part(pack, fd, (uint64_t)offset, (uint64_t)len));
		at = (uint64_t)offset + (uint64_t)len;
	}
	return write_zeros(pack, size_bytes - at);
}

/* "./etc" to "PREFIX/etc". */
static struct err *rename_entry(const struct pack *pack, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	OWN(str) char *full = NULL;

	if (!pack->prefix)
		return NULL;
	TRY(str_format(&full, "%s%s", pack->prefix, name + strcspn(name, "/")));
	archive_entry_set_pathname(entry, full);
	return NULL;
}

/* What other hosts would not understand, and what is not restored. */
static void strip(struct archive_entry *entry)
{
	/* users have names inside alone */
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
	archive_entry_unset_atime(entry);
	archive_entry_unset_birthtime(entry);
}

static struct err *write_entry(struct pack *pack, struct archive_entry *entry,
			       const struct pack_source *source)
{
	bool is_file = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
	uint64_t size_bytes = is_file ? (uint64_t)archive_entry_size(entry) : 0;
	char digest[SHA256_HEX_MAX];
	int rc = archive_write_header(pack->writer, entry);

	/* a warning: the name is no UTF-8; it is written as it is, and marked as binary */
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return template_archive_error(pack->writer, "write the archive");
	sha256_init(&pack->sha);
	pack->torn = false;
	if (size_bytes > 0)
		TRY(source->disk ? write_from_disk(pack, source->disk, size_bytes) :
				   write_from_file(pack, entry, source->fd, size_bytes));
	sha256_hex(&pack->sha, digest);
	pack->counts.entries++;
	pack->counts.bytes += size_bytes;
	return pack->note ? pack->note(pack, entry, is_file ? digest : NULL) : NULL;
}

/* A whiteout of an overlay inside (containers in a VPS) is a file like others. */
static bool is_left_out(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return type == AE_IFSOCK || type == AE_IFBLK ||
	       (type == AE_IFCHR && archive_entry_rdev(entry) != 0);
}

struct err *pack_put(struct pack *pack, struct archive_entry_linkresolver *links,
		     struct archive_entry **entry, const struct pack_source *source)
{
	struct archive_entry *spare = NULL;
	bool leave_out = false;

	if (is_left_out(*entry)) {
		pack->counts.skipped++;
		return NULL;
	}
	TRY(rename_entry(pack, *entry));
	strip(*entry);
	/* with tar the first name of a file has the data, at once */
	archive_entry_linkify(links, entry, &spare);
	if (pack->ask)
		TRY(pack->ask(pack, *entry, &leave_out));
	return leave_out ? NULL : write_entry(pack, *entry, source);
}

static struct err *write_tree(struct pack *pack, struct archive *disk)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();
	OWN(links) struct archive_entry_linkresolver *links = archive_entry_linkresolver_new();

	if (!entry || !links)
		return err_sys(ENOMEM, "write the archive");
	archive_entry_linkresolver_set_strategy(links, archive_format(pack->writer));
	for (;;) {
		int rc = archive_read_next_header2(disk, entry);

		if (rc == ARCHIVE_EOF)
			return NULL;
		if (rc != ARCHIVE_OK)
			return template_archive_error(disk, "read the tree");
		archive_read_disk_descend(disk);
		TRY(pack_put(pack, links, &entry, &(struct pack_source){ .disk = disk }));
	}
}

/* In the tree, which is the current directory. */
static struct err *write_here(struct pack *pack)
{
	OWN(disk) struct archive *disk = archive_read_disk_new();

	if (!disk)
		return err_sys(ENOMEM, "write the archive");
	archive_read_disk_set_symlink_physical(disk);
	archive_read_disk_set_behavior(disk, ARCHIVE_READDISK_NO_FFLAGS);
	if (archive_read_disk_open(disk, ".") != ARCHIVE_OK)
		return template_archive_error(disk, "read the tree");
	return write_tree(pack, disk);
}

struct err *pack_tree(struct pack *pack, int tree_fd)
{
	OWN(fd) int here_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err *err;

	pack->began_ns = now_ns();
	if (pack->walk != PACK_STILL)
		return pack_walk(pack, tree_fd);
	if (here_fd < 0 || fchdir(tree_fd) < 0)
		return err_sys(errno, "enter the tree");
	err = write_here(pack);
	if (fchdir(here_fd) < 0)
		err = err_first(err, err_sys(errno, "go back to the working directory"));
	return err;
}

struct err *pack_format(struct archive *writer)
{
	/* names are bytes, mostly UTF-8; the C locale would call all that is not ASCII binary */
	setlocale(LC_CTYPE, "C.UTF-8");
	/* all of pax, for times to the nanosecond */
	if (archive_write_set_format_pax(writer) != ARCHIVE_OK)
		return template_archive_error(writer, "write the archive");
	return NULL;
}
