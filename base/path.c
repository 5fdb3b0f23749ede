/* Paths below a root that somebody else controls, resolved by openat2(2); see path.h. */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/str.h"

#define RESOLVE_IN (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define RESOLVE_OWN (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int try_open(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC, .resolve = resolve };
	long fd;

	do {
		/* EAGAIN: a rename raced with "..", openat2(2) asks to try again */
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

static struct err *open_resolved(int dir_fd, const char *path, int flags, uint64_t resolve,
				 int *ret_fd)
{
	int fd = try_open(dir_fd, path, flags, resolve);

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open %s: No such file or directory", path);
	if (fd < 0)
		return err_sys(errno, "open %s", path);
	*ret_fd = fd;
	return NULL;
}

struct err *path_open_in(int root_fd, const char *path, int flags, int *ret_fd)
{
	return open_resolved(root_fd, *path ? path : ".", flags, RESOLVE_IN, ret_fd);
}

struct err *path_find_in(int root_fd, const char *path, int flags, int *ret_fd)
{
	int fd = try_open(root_fd, *path ? path : ".", flags, RESOLVE_IN);

	if (fd < 0 && errno != ENOENT)
		return err_sys(errno, "open %s", path);
	*ret_fd = fd < 0 ? -1 : fd;
	return NULL;
}

struct err *path_open_beneath(int dir_fd, const char *path, int flags, int *ret_fd)
{
	return open_resolved(dir_fd, path, flags, RESOLVE_OWN, ret_fd);
}

/* Links followed while making a path, as many as the kernel follows while resolving one. */
#define LINKS_MAX 40

/* A path cut before its last component. */
struct cut_path {
	char *parent;	  /* owned; "" for the root */
	const char *name; /* in the path that was cut */
};

static void own_cut_path(struct cut_path *cut)
{
	free(cut->parent);
}

static struct err *cut_path(const char *path, struct cut_path *ret_cut)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	char *parent = strndup(path, len);

	if (!parent)
		return err_sys(ENOMEM, "copy path %s", path);
	*ret_cut = (struct cut_path){ parent, slash ? slash + 1 : path };
	return NULL;
}

/*
 * mkdir or mknod said that NAME of parent_fd exists, which openat2 had not found: a dangling link,
 * whose target is given as a path from the root (the kernel keeps it inside), or somebody was
 * faster: NULL.
 */
static struct err *read_dangling(int parent_fd, const struct cut_path *cut, char **ret_target)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(parent_fd, cut->name, text, sizeof(text) - 1);

	*ret_target = NULL;
	if (len < 0)
		return errno == EINVAL ? NULL :
					 err_sys(errno, "read link %s/%s", cut->parent, cut->name);
	text[len] = '\0';
	if (text[0] == '/')
		return str_dup(text, ret_target);
	return str_format(ret_target, "%s/%s", cut->parent, text);
}

/* links: how many were followed on the way here. Goes up to what exists, and makes on the way back;
 * as deep as a path has components. */
static struct err *make_dir(int root_fd, const char *path, mode_t mode, int links, int *ret_fd)
{
	__attribute__((cleanup(own_cut_path))) struct cut_path cut = { 0 };
	OWN(str) char *target = NULL;
	OWN(fd) int parent_fd = -1;
	int fd;

	TRY(path_find_in(root_fd, path, O_PATH | O_DIRECTORY, &fd));
	if (fd >= 0) {
		*ret_fd = fd;
		return NULL;
	}
	if (links > LINKS_MAX)
		return err_sys(ELOOP, "make directory %s", path);
	TRY(cut_path(path, &cut));
	TRY(make_dir(root_fd, cut.parent, mode, links, &parent_fd));
	if (!*cut.name || str_eq(cut.name, ".") || str_eq(cut.name, ".."))
		return path_open_in(root_fd, path, O_PATH | O_DIRECTORY, ret_fd);
	if (mkdirat(parent_fd, cut.name, mode) < 0) {
		if (errno != EEXIST)
			return err_sys(errno, "make directory %s", path);
		TRY(read_dangling(parent_fd, &cut, &target));
		if (target)
			return make_dir(root_fd, target, mode, links + 1, ret_fd);
	}
	/* O_NOFOLLOW: what was just made must be what is opened */
	return open_resolved(parent_fd, cut.name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_OWN,
			     ret_fd);
}

struct err *path_make_dir_in(int root_fd, const char *path, mode_t mode, int *ret_fd)
{
	return make_dir(root_fd, path, mode, 0, ret_fd);
}

static struct err *check_names_file(const char *path, const char *name)
{
	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return err_new(ERR_INVALID, "path %s does not name a file", path);
	return NULL;
}

struct err *path_open_parent_in(int root_fd, const char *path, int *ret_fd, const char **ret_name)
{
	__attribute__((cleanup(own_cut_path))) struct cut_path cut = { 0 };

	TRY(cut_path(path, &cut));
	TRY(check_names_file(path, cut.name));
	TRY(make_dir(root_fd, cut.parent, 0755, 0, ret_fd));
	*ret_name = cut.name;
	return NULL;
}

static struct err *make_file(int root_fd, const char *path, mode_t mode, int links, int *ret_fd)
{
	__attribute__((cleanup(own_cut_path))) struct cut_path cut = { 0 };
	OWN(str) char *target = NULL;
	OWN(fd) int parent_fd = -1;
	int fd;

	TRY(path_find_in(root_fd, path, O_PATH, &fd));
	if (fd >= 0) {
		*ret_fd = fd;
		return NULL;
	}
	if (links > LINKS_MAX)
		return err_sys(ELOOP, "create %s", path);
	TRY(cut_path(path, &cut));
	TRY(check_names_file(path, cut.name));
	TRY(make_dir(root_fd, cut.parent, 0755, links, &parent_fd));
	/* mknod(2) makes it without opening, follows no link and is exclusive */
	if (mknodat(parent_fd, cut.name, S_IFREG | mode, 0) < 0) {
		if (errno != EEXIST)
			return err_sys(errno, "create %s", path);
		TRY(read_dangling(parent_fd, &cut, &target));
		if (target)
			return make_file(root_fd, target, mode, links + 1, ret_fd);
	}
	return open_resolved(parent_fd, cut.name, O_PATH | O_NOFOLLOW, RESOLVE_OWN, ret_fd);
}

struct err *path_make_file_in(int root_fd, const char *path, mode_t mode, int *ret_fd)
{
	return make_file(root_fd, path, mode, 0, ret_fd);
}

struct err *path_clean(const char *path, char **ret_path)
{
	OWN(str) char *clean = malloc(strlen(path) + 2);
	size_t len = 0;

	if (!clean)
		return err_sys(ENOMEM, "copy path %s", path);
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && clean[--len] != '/')
				;
		} else if (part > 1 || (part == 1 && path[0] != '.')) {
			clean[len++] = '/';
			memcpy(clean + len, path, part);
			len += part;
		}
		path += part + (path[part] == '/');
	}
	if (len == 0)
		clean[len++] = '/';
	clean[len] = '\0';
	*ret_path = TAKE(clean);
	return NULL;
}

struct path_fd path_of_fd(int fd)
{
	struct path_fd path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

/*
 * One directory on the way down. Only the last OPEN_MAX_LEVELS of them keep their descriptor, so
 * that a tree of any depth can be removed: the others are reached again through "..", and must then
 * still be what they were.
 */
struct level {
	DIR *dir; /* NULL while closed */
	dev_t device;
	ino_t inode;
	char name[NAME_MAX + 1]; /* in the level above */
};

#define OPEN_MAX_LEVELS 32

struct removal {
	struct level *levels; /* owned */
	size_t depth, room;
};

static void removal_release(struct removal *removal)
{
	for (size_t i = 0; i < removal->depth; i++)
		if (removal->levels[i].dir)
			closedir(removal->levels[i].dir);
	free(removal->levels);
}

/* The directory NAME of dir_fd; what is mounted on it is refused. */
static struct err *open_for_removal(int dir_fd, const char *name, int *ret_fd)
{
	OWN(fd) int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statx st;

	/* by the mount, not by the device: a bind mount of the same file system counts too */
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return err_sys(errno, "open directory %s", name);
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return err_new(ERR_STATE, "directory %s is a mount point; unmount it first", name);
	*ret_fd = fd_take(&fd);
	return NULL;
}

/* Open NAME below dir_fd as the next level. */
static struct err *push_level(struct removal *removal, int dir_fd, const char *name)
{
	OWN(fd) int fd = -1;
	struct level *level;
	struct stat st;

	if (removal->depth == removal->room) {
		size_t room = removal->room ? removal->room * 2 : 16;
		struct level *grown = realloc(removal->levels, room * sizeof(*grown));

		if (!grown)
			return err_sys(ENOMEM, "remove a tree %zu levels deep", room);
		removal->levels = grown;
		removal->room = room;
	}
	TRY(open_for_removal(dir_fd, name, &fd));
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at directory %s", name);
	level = &removal->levels[removal->depth];
	*level = (struct level){ .device = st.st_dev, .inode = st.st_ino };
	snprintf(level->name, sizeof(level->name), "%s", name);
	level->dir = fdopendir(fd);
	if (!level->dir)
		return err_sys(errno, "read directory %s", name);
	fd = -1; /* closedir() closes it */
	removal->depth++;
	if (removal->depth > OPEN_MAX_LEVELS) {
		struct level *old = &removal->levels[removal->depth - OPEN_MAX_LEVELS - 1];

		if (old->dir)
			closedir(old->dir);
		old->dir = NULL;
	}
	return NULL;
}

/* Leave the emptied last level and remove it from the one above. */
static struct err *pop_level(struct removal *removal)
{
	struct level *gone = &removal->levels[removal->depth - 1];
	struct level *above = gone - 1;

	if (!above->dir) {
		OWN(fd) int fd = openat(dirfd(gone->dir), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(errno, "go back from directory %s", gone->name);
		if (st.st_dev != above->device || st.st_ino != above->inode)
			return err_new(ERR_STATE, "directory %s was moved while being removed",
				       gone->name);
		above->dir = fdopendir(fd);
		if (!above->dir)
			return err_sys(errno, "read directory %s", above->name);
		fd = -1; /* closedir() closes it */
	}
	closedir(TAKE(gone->dir));
	removal->depth--;
	if (unlinkat(dirfd(above->dir), gone->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(errno, "remove directory %s", gone->name);
	return NULL;
}

/* Remove one entry of the last level, or go down into it. */
static struct err *remove_entry(struct removal *removal, const char *name)
{
	int fd = dirfd(removal->levels[removal->depth - 1].dir);

	if (str_eq(name, ".") || str_eq(name, "..") || unlinkat(fd, name, 0) == 0 ||
	    errno == ENOENT)
		return NULL;
	/* EPERM: what POSIX asks of unlink(2) on a directory; Linux says EISDIR */
	if (errno != EISDIR && errno != EPERM)
		return err_sys(errno, "remove %s", name);
	return push_level(removal, fd, name);
}

static struct err *remove_levels(struct removal *removal)
{
	for (;;) {
		struct level *level = &removal->levels[removal->depth - 1];
		struct dirent *entry;

		errno = 0;
		entry = readdir(level->dir);
		if (entry)
			TRY(remove_entry(removal, entry->d_name));
		else if (errno)
			return err_sys(errno, "read directory %s", level->name);
		else if (removal->depth == 1)
			return NULL;
		else
			TRY(pop_level(removal));
	}
}

struct err *path_remove_tree(int dir_fd, const char *name)
{
	struct removal removal = { 0 };
	struct err *err;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(errno, "remove %s", name);
	err = push_level(&removal, dir_fd, name);
	if (!err)
		err = remove_levels(&removal);
	removal_release(&removal);
	if (err)
		return err;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(errno, "remove directory %s", name);
	return NULL;
}

struct err *path_make_own_dirs(const char *path, mode_t mode)
{
	OWN(str) char *prefix = NULL;

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return NULL;
	if (errno != ENOENT)
		return err_sys(errno, "make directory %s", path);
	TRY(str_dup(path, &prefix));
	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(prefix, mode) < 0 && errno != EEXIST)
			return err_sys(errno, "make directory %s", prefix);
		*slash = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(errno, "make directory %s", path);
	return NULL;
}
