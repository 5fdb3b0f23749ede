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

static struct err *open_resolved(int dir_fd, const char *path, int flags, uint64_t resolve,
				 int *ret_fd)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC, .resolve = resolve };
	long fd;

	do {
		/* EAGAIN: a rename raced with "..", openat2(2) asks to try again */
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open %s: No such file or directory", path);
	if (fd < 0)
		return err_sys(errno, "open %s", path);
	*ret_fd = (int)fd;
	return NULL;
}

struct err *path_open_in(int root_fd, const char *path, int flags, int *ret_fd)
{
	return open_resolved(root_fd, *path ? path : ".", flags, RESOLVE_IN, ret_fd);
}

struct err *path_open_beneath(int dir_fd, const char *path, int flags, int *ret_fd)
{
	return open_resolved(dir_fd, path, flags, RESOLVE_OWN, ret_fd);
}

/* Links followed while making a path, as many as the kernel follows while resolving one. */
#define LINKS_MAX 40

static struct err *make_dirs(int root_fd, const char *path, mode_t mode, int links, int *ret_fd);

/* The path that the link NAME in PARENT leads to, from the root; the kernel keeps it inside. */
static struct err *link_target(int parent_fd, const char *parent, const char *name, char **ret_path)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(parent_fd, name, text, sizeof(text) - 1);

	if (len < 0)
		return err_sys(errno, "read link %s/%s", parent, name);
	text[len] = '\0';
	if (text[0] == '/')
		return str_dup(text, ret_path);
	return str_format(ret_path, "%s/%s", parent, text);
}

/* Make one missing directory at the end of prefix, whose parent exists. */
static struct err *make_one_dir(int root_fd, const char *prefix, mode_t mode, int links,
				int *ret_fd)
{
	OWN(str) char *parent = NULL, *target = NULL;
	OWN(fd) int parent_fd = -1;
	const char *slash = strrchr(prefix, '/');
	const char *name = slash ? slash + 1 : prefix;

	TRY(str_format(&parent, "%.*s", slash ? (int)(slash - prefix) : 0, prefix));
	TRY(path_open_in(root_fd, parent, O_PATH | O_DIRECTORY, &parent_fd));
	if (mkdirat(parent_fd, name, mode) < 0) {
		struct stat st;

		if (errno != EEXIST)
			return err_sys(errno, "make directory %s", prefix);
		/* there, and yet not found: a dangling link, or somebody was faster */
		if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(errno, "look at %s", prefix);
		if (S_ISLNK(st.st_mode)) {
			TRY(link_target(parent_fd, parent, name, &target));
			return make_dirs(root_fd, target, mode, links + 1, ret_fd);
		}
	}
	/* O_NOFOLLOW: what was just made must be what is opened */
	return open_resolved(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_OWN,
			     ret_fd);
}

static struct err *make_dirs(int root_fd, const char *path, mode_t mode, int links, int *ret_fd)
{
	OWN(str) char *prefix = NULL;
	OWN(fd) int fd = -1;
	size_t len = strlen(path);

	if (links > LINKS_MAX)
		return err_sys(ELOOP, "make directory %s", path);
	TRY(str_dup(path, &prefix));
	while (len > 1 && prefix[len - 1] == '/')
		prefix[--len] = '\0';
	for (size_t end = 0; end < len; end++) {
		struct err *err;

		if (prefix[end] == '/')
			continue;
		end += strcspn(prefix + end, "/");
		prefix[end] = '\0';
		own_fd(&fd);
		fd = -1;
		err = path_open_in(root_fd, prefix, O_PATH | O_DIRECTORY, &fd);
		if (err && err_kind(err) == ERR_NOT_FOUND) {
			err_drop(err); /* missing: make it */
			err = make_one_dir(root_fd, prefix, mode, links, &fd);
		}
		if (err)
			return err;
		if (end < len)
			prefix[end] = '/';
	}
	if (fd < 0) /* only slashes, or nothing: the root */
		return path_open_in(root_fd, ".", O_PATH | O_DIRECTORY, ret_fd);
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *path_make_dir_in(int root_fd, const char *path, mode_t mode, int *ret_fd)
{
	struct err *err = path_open_in(root_fd, path, O_PATH | O_DIRECTORY, ret_fd);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* the usual case for a new mount point: make it piece by piece */
	return make_dirs(root_fd, path, mode, 0, ret_fd);
}

/* The parent's own path as well when ret_parent is not NULL; owned by the caller. */
static struct err *open_parent(int root_fd, const char *path, char **ret_parent, int *ret_fd,
			       const char **ret_name)
{
	OWN(str) char *parent = NULL;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return err_new(ERR_INVALID, "path %s does not name a file", path);
	TRY(str_format(&parent, "%.*s", slash ? (int)(slash - path) : 0, path));
	TRY(path_make_dir_in(root_fd, parent, 0755, ret_fd));
	*ret_name = name;
	if (ret_parent)
		*ret_parent = TAKE(parent);
	return NULL;
}

struct err *path_open_parent_in(int root_fd, const char *path, int *ret_fd, const char **ret_name)
{
	return open_parent(root_fd, path, NULL, ret_fd, ret_name);
}

static struct err *make_file(int root_fd, const char *path, mode_t mode, int links, int *ret_fd)
{
	OWN(str) char *parent = NULL, *target = NULL;
	OWN(fd) int parent_fd = -1;
	const char *name;
	struct stat st;
	struct err *err = path_open_in(root_fd, path, O_PATH, ret_fd);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* missing: make it */
	if (links > LINKS_MAX)
		return err_sys(ELOOP, "create %s", path);
	TRY(open_parent(root_fd, path, &parent, &parent_fd, &name));
	/* mknod(2) makes it without opening, follows no link and is exclusive */
	if (mknodat(parent_fd, name, S_IFREG | mode, 0) < 0) {
		if (errno != EEXIST)
			return err_sys(errno, "create %s", path);
		if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(errno, "look at %s", path);
		if (S_ISLNK(st.st_mode)) {
			TRY(link_target(parent_fd, parent, name, &target));
			return make_file(root_fd, target, mode, links + 1, ret_fd);
		}
	}
	return open_resolved(parent_fd, name, O_PATH | O_NOFOLLOW, RESOLVE_OWN, ret_fd);
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
