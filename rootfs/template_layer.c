/*
 * Layers of images: what one removes from those below it. Runs in the sandbox of template_unpack.c,
 * whose root is the tree. Source: OCI image-spec 1.1, layer.md, "Whiteouts".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "rootfs/template_room.h"

#define WHITEOUT ".wh."
#define AUFS_OWN ".wh..wh."
#define OPAQUE ".wh..wh..opq"

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

bool layer_is_whiteout(const char *name)
{
	return str_has_prefix(last_part(name), WHITEOUT);
}

/* The directory of an entry, without following links. *ret_fd -1: the lower layers have none. */
static struct err *open_parent(int root_fd, const char *name, int *ret_fd)
{
	const char *last = last_part(name);
	OWN(str) char *dir = NULL;
	struct err *err;

	*ret_fd = -1;
	TRY(str_format(&dir, "./%.*s", (int)(last - name), name));
	err = path_open_beneath(root_fd, dir, O_RDONLY | O_DIRECTORY, ret_fd);
	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == ENOTDIR ||
		    err_errno(err) == ELOOP)) {
		err_drop(err); /* nothing there to remove; a link in the way is refused later */
		return NULL;
	}
	return err;
}

static struct err *empty(int parent_fd)
{
	int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "list an opaque directory");
	while ((errno = 0, entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			TRY(path_remove_tree(parent_fd, entry->d_name));
	return errno ? err_sys(errno, "list an opaque directory") : NULL;
}

static struct err *apply_whiteout(int parent_fd, const char *last)
{
	const char *target = last + strlen(WHITEOUT);

	if (str_eq(last, OPAQUE))
		return empty(parent_fd);
	/* aufs's own files mean nothing to others */
	if (str_has_prefix(last, AUFS_OWN))
		return NULL;
	if (!*target || str_eq(target, ".") || str_eq(target, ".."))
		return err_new(ERR_INVALID, "archive refused: a whiteout of nothing");
	return path_remove_tree(parent_fd, target);
}

/* A directory is never replaced by a file, nor a file by a directory, without removing it first. */
static struct err *make_way(int parent_fd, const char *last, bool is_dir)
{
	struct stat st;

	if (!*last || str_eq(last, ".") || fstatat(parent_fd, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	return S_ISDIR(st.st_mode) == is_dir ? NULL : path_remove_tree(parent_fd, last);
}

static struct err *prepare_entry(int root_fd, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	bool is_dir = archive_entry_filetype(entry) == S_IFDIR;
	OWN(str) char *trimmed = NULL;
	OWN(fd) int parent_fd = -1;
	size_t len;

	TRY(template_check_name(name, name ? name : "?"));
	/* "dir/" is "dir" */
	for (len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
		;
	TRY(str_format(&trimmed, "%.*s", (int)len, name));
	TRY(open_parent(root_fd, trimmed, &parent_fd));
	if (parent_fd < 0)
		return NULL;
	return layer_is_whiteout(trimmed) ? apply_whiteout(parent_fd, last_part(trimmed)) :
					    make_way(parent_fd, last_part(trimmed), is_dir);
}

static void own_reader(struct archive **reader)
{
	if (*reader)
		archive_read_free(*reader);
}

struct err *layer_prepare(int archive_fd, int root_fd)
{
	OWN(reader) struct archive *reader = NULL;

	TRY(template_open_reader(archive_fd, &reader));
	for (;;) {
		struct archive_entry *entry;
		int rc = archive_read_next_header(reader, &entry);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return template_archive_error(reader, "read the layer");
		TRY(prepare_entry(root_fd, entry));
	}
	if (lseek(archive_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind the layer");
	return NULL;
}
