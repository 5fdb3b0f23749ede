/* A template's tree as an archive. */
#include <errno.h>
#include <fcntl.h>
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

static struct err *find_ending(const char *name, const struct ending **ret_ending)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t end = strlen(endings[i].suffix);

		if (len <= end || !str_eq(name + len - end, endings[i].suffix))
			continue;
		*ret_ending = &endings[i];
		return NULL;
	}
	return err_new(ERR_INVALID, "%.200s is not called .tar, .tar.gz, .tar.xz or .tar.zst",
		       name);
}

struct err *template_check_ending(const char *file_name)
{
	const struct ending *ending;

	return find_ending(file_name, &ending);
}

OWN_KIND(writer, struct archive *, archive_write_free)

/* A tree, or the image whose layer is in layer_fd. */
struct content {
	struct pack *pack;
	int tree_fd;
	const char *image;
	int layer_fd;
};

static struct err *write_archive(const struct ending *ending, int fd, const struct content *content)
{
	OWN(writer) struct archive *writer = archive_write_new();

	if (!writer)
		return err_sys(ENOMEM, "write the archive");
	TRY(pack_format(writer));
	if (ending->add_filter(writer) != ARCHIVE_OK ||
	    archive_write_open_fd(writer, fd) != ARCHIVE_OK)
		return template_archive_error(writer, "write the archive");
	content->pack->writer = writer;
	TRY(content->image ? image_write(writer, content->layer_fd, content->image) :
			     pack_tree(content->pack, content->tree_fd));
	return archive_write_close(writer) == ARCHIVE_OK ?
		       NULL :
		       template_archive_error(writer, "write the archive");
}

/* The tree, uncompressed, in a file that is gone with its descriptor. */
static struct err *write_layer(const struct template_export *export, struct content *content)
{
	const struct ending plain = { NULL, archive_write_add_filter_none };

	content->layer_fd = openat(export->scratch_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (content->layer_fd < 0)
		return err_sys(errno, "make a file for the layer beside %s", export->file_name);
	TRY(write_archive(&plain, content->layer_fd, content));
	content->image = export->image;
	return NULL;
}

static void own_content(struct content *content)
{
	own_fd(&content->layer_fd);
}

struct err *template_export_tree(int tree_fd, const struct template_export *export)
{
	const struct ending *ending;
	struct pack pack = { .progress = export->progress, .total_bytes = export->total_bytes };
	OWN(content)
	struct content content = { .pack = &pack, .tree_fd = tree_fd, .layer_fd = -1 };

	TRY(find_ending(export->file_name, &ending));
	if (export->image)
		TRY(write_layer(export, &content));
	TRY(write_archive(ending, export->fd, &content));
	if (export->ret_counts)
		*export->ret_counts = pack.counts;
	return NULL;
}

struct err *template_export(const struct template_store *store, const struct template *template,
			    const char *file_name, int fd, struct template_progress *progress)
{
	const struct template_export export = { .file_name = file_name,
						.fd = fd,
						.total_bytes = template->bytes,
						.progress = progress };
	OWN(fd) int tree_fd = -1;

	TRY(template_open_tree(store, template, &tree_fd));
	return template_export_tree(tree_fd, &export);
}
