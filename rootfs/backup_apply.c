/*
 * Making a tree, which is that of one backup, that of the next, without unpacking the first one
 * again: what the next one's index does not have, or has anew, is removed, and then what its
 * archive has is unpacked. All of it in the sandbox, whose root the tree is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/backup_room.h"

#define XATTR_NAMES_MAX 65536 /* XATTR_LIST_MAX, xattr(7) */

struct prune {
	const struct index_table *table;
	unsigned int depth; /* of the backup that is applied */
	struct buf path;    /* "etc/x", with a NUL */
};

/* A directory stays, and what it is said to have is given to it; what it had before must go. What
 * may not be removed by the sandbox was not put there by it either. */
static struct err *remove_attributes(int dir_fd)
{
	OWN(str) char *names = malloc(XATTR_NAMES_MAX);
	ssize_t len;

	if (!names)
		return err_sys(ENOMEM, "list extended attributes");
	len = flistxattr(dir_fd, names, XATTR_NAMES_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? NULL : err_sys(errno, "list extended attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1)
		(void)fremovexattr(dir_fd, name);
	return NULL;
}

static struct err *prune_dir(struct prune *prune, int dir_fd);

static struct err *prune_name(struct prune *prune, int dir_fd, const char *name)
{
	const struct table_entry *entry = index_table_find(prune->table, prune->path.data);
	OWN(fd) int fd = -1;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at a file of the tree");
	if (!S_ISDIR(st.st_mode) && entry && entry->in < prune->depth && entry->type != 'd')
		return NULL; /* it stays as it is */
	if (!S_ISDIR(st.st_mode) || !entry || entry->type != 'd')
		return path_remove_tree(dir_fd, name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open a directory of the tree");
	return prune_dir(prune, fd);
}

/* prune->path becomes that of a name in the directory whose path has len bytes. */
static struct err *set_name(struct prune *prune, size_t len, const char *name)
{
	prune->path.len = len;
	if (len > 0)
		TRY(buf_add(&prune->path, "/", 1));
	return buf_add(&prune->path, name, strlen(name) + 1);
}

static struct err *prune_dir(struct prune *prune, int dir_fd)
{
	const size_t len = prune->path.len > 0 ? strlen(prune->path.data) : 0;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *dirent;

	if (!dir)
		return err_sys(errno, "list a directory of the tree");
	TRY(remove_attributes(dir_fd));
	while ((errno = 0, dirent = readdir(dir))) {
		if (str_eq(dirent->d_name, ".") || str_eq(dirent->d_name, ".."))
			continue;
		TRY(set_name(prune, len, dirent->d_name));
		TRY(prune_name(prune, dir_fd, dirent->d_name));
	}
	return errno ? err_sys(errno, "list a directory of the tree") : NULL;
}

static struct err *prune_tree(int root_fd, const struct index_table *table, unsigned int depth)
{
	struct prune prune = { .table = table, .depth = depth };
	OWN(fd) int dir_fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err *err;

	if (dir_fd < 0)
		return err_sys(errno, "open the tree");
	err = prune_dir(&prune, dir_fd);
	buf_release(&prune.path);
	return err;
}

static struct err *apply_inside(const struct sandbox_job *job, const struct sandbox_inside *inside,
				struct template_counts *ret_counts)
{
	const struct backup_info *info = job->context;
	OWN(index_table) struct index_table table = { 0 };
	struct backup_choice choice = { .table = &table, .in = (unsigned int)info->depth };

	TRY(index_table_new(info, &table));
	TRY(index_table_fill(inside->archive_fd, info, &table));
	TRY(prune_tree(inside->root_fd, &table, choice.in));
	TRY(backup_extract(inside, job->sandbox, &choice, ret_counts));
	/* once more the directories, whose times what came into them has changed */
	choice.only_dirs = true;
	return backup_extract(inside, job->sandbox, &choice, ret_counts);
}

struct err *backup_apply(const struct backup_unpack *request)
{
	const struct backup_link *last = backup_chain_last(request->chain);
	/* as in backup_unpack() */
	const struct template_limits limits = { .max_entries = last->info.entries,
						.max_bytes = last->info.sparse_bytes,
						.max_ratio = UINT64_MAX };
	const struct template_sandbox sandbox = { .id_first = request->id_first,
						  .limits = &limits,
						  .dest_is_mount = request->dest_is_mount,
						  .below = BACKUP_TREE };
	const struct sandbox_job job = { .archive_fd = last->fd,
					 .dest_fd = request->dest_fd,
					 .sandbox = &sandbox,
					 .run = apply_inside,
					 .context = &last->info };
	struct template_counts counts;

	return template_in_sandbox(&job, request->progress, &counts);
}
