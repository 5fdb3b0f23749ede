/* A template's tree as an archive; the other way round than template_archive.c. The tree is hostile
 * only in its names and contents, which are copied as they are; links are not followed. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "base/fd.h"
#include "rootfs/template_room.h"

static const struct ending {
	const char *suffix;
	int (*add_filter)(struct archive *writer);
} endings[] = {
	{ ".tar", archive_write_add_filter_none },     { ".tar.gz", archive_write_add_filter_gzip },
	{ ".tgz", archive_write_add_filter_gzip },     { ".tar.xz", archive_write_add_filter_xz },
	{ ".tar.zst", archive_write_add_filter_zstd },
};

static const struct ending *find_ending(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t end = strlen(endings[i].suffix);

		if (len > end && str_eq(name + len - end, endings[i].suffix))
			return &endings[i];
	}
	return NULL;
}

static void own_writer(struct archive **writer)
{
	if (*writer)
		archive_write_free(*writer);
}

static void own_disk(struct archive **disk)
{
	if (*disk)
		archive_read_free(*disk);
}

static void own_entry(struct archive_entry **entry)
{
	if (*entry)
		archive_entry_free(*entry);
}

struct job {
	struct archive *writer, *disk; /* borrowed */
	struct template_progress *progress;
	uint64_t total_bytes, done_bytes;
};

/* Holes of a sparse file: the writer wants every byte, and leaves out itself what the header's map
 * says.
 */
static struct err *write_zeros(struct job *job, uint64_t len)
{
	static const char zeros[65536];

	while (len > 0) {
		size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		if (archive_write_data(job->writer, zeros, part) < 0)
			return template_archive_error(job->writer, "write the archive");
		len -= part;
	}
	return NULL;
}

static struct err *copy_data(struct job *job, uint64_t size_bytes)
{
	uint64_t at = 0;

	for (;;) {
		const void *block;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(job->disk, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return write_zeros(job, size_bytes - at);
		if (rc != ARCHIVE_OK)
			return template_archive_error(job->disk, "read the template");
		TRY(write_zeros(job, (uint64_t)offset - at));
		if (archive_write_data(job->writer, block, len) < 0)
			return template_archive_error(job->writer, "write the archive");
		at = (uint64_t)offset + len;
		job->done_bytes += len;
		if (job->progress)
			job->progress->report(job->progress, job->done_bytes, job->total_bytes);
	}
}

static struct err *write_tree(struct job *job)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return err_sys(ENOMEM, "write the archive");
	for (;;) {
		int rc = archive_read_next_header2(job->disk, entry);

		if (rc == ARCHIVE_EOF)
			return NULL;
		if (rc != ARCHIVE_OK)
			return template_archive_error(job->disk, "read the template");
		archive_read_disk_descend(job->disk);
		/* users have names inside alone */
		archive_entry_set_uname(entry, NULL);
		archive_entry_set_gname(entry, NULL);
		if (archive_write_header(job->writer, entry) != ARCHIVE_OK)
			return template_archive_error(job->writer, "write the archive");
		if (archive_entry_filetype(entry) == AE_IFREG && archive_entry_size(entry) > 0)
			TRY(copy_data(job, (uint64_t)archive_entry_size(entry)));
	}
}

/* In the tree, which is the current directory. */
static struct err *write_archive(const struct ending *ending, int fd, struct job *job)
{
	OWN(writer) struct archive *writer = archive_write_new();
	OWN(disk) struct archive *disk = archive_read_disk_new();

	if (!writer || !disk)
		return err_sys(ENOMEM, "write the archive");
	setlocale(LC_CTYPE, "C.UTF-8");
	archive_write_set_format_pax_restricted(writer);
	if (ending->add_filter(writer) != ARCHIVE_OK ||
	    archive_write_open_fd(writer, fd) != ARCHIVE_OK)
		return template_archive_error(writer, "write the archive");
	archive_read_disk_set_symlink_physical(disk);
	if (archive_read_disk_open(disk, ".") != ARCHIVE_OK)
		return template_archive_error(disk, "read the template");
	job->writer = writer;
	job->disk = disk;
	TRY(write_tree(job));
	return archive_write_close(writer) == ARCHIVE_OK ?
		       NULL :
		       template_archive_error(writer, "write the archive");
}

struct err *template_export(const struct template_store *store, const struct template *template,
			    const char *file_name, int fd, struct template_progress *progress)
{
	const struct ending *ending = find_ending(file_name);
	struct job job = { .progress = progress, .total_bytes = template->bytes };
	OWN(fd) int tree_fd = -1, here_fd = -1;
	struct err *err;

	if (!ending)
		return err_new(ERR_INVALID,
			       "%.200s is not called .tar, .tar.gz, .tar.xz or .tar.zst",
			       file_name);
	TRY(template_open_tree(store, template, &tree_fd));
	here_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here_fd < 0 || fchdir(tree_fd) < 0)
		return err_sys(errno, "enter the template's tree");
	err = write_archive(ending, fd, &job);
	if (fchdir(here_fd) < 0)
		err = err_first(err, err_sys(errno, "go back to the working directory"));
	return err;
}
