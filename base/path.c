/* Paths below a root that somebody else controls, resolved by openat2(2); see path.h. */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
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

/* Make one missing directory at the end of prefix, whose parent exists. */
static struct err *make_one_dir(int root_fd, const char *prefix, mode_t mode, int *ret_fd)
{
	OWN(str) char *parent = NULL;
	OWN(fd) int parent_fd = -1;
	const char *slash = strrchr(prefix, '/');
	const char *name = slash ? slash + 1 : prefix;

	TRY(str_format(&parent, "%.*s", slash ? (int)(slash - prefix) : 0, prefix));
	TRY(path_open_in(root_fd, parent, O_PATH | O_DIRECTORY, &parent_fd));
	if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return err_sys(errno, "make directory %s", prefix);
	/* O_NOFOLLOW: what was just made must be what is opened */
	return open_resolved(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_OWN,
			     ret_fd);
}

struct err *path_make_dir_in(int root_fd, const char *path, mode_t mode, int *ret_fd)
{
	OWN(str) char *prefix = NULL;
	size_t len = strlen(path);
	struct err *err = path_open_in(root_fd, path, O_PATH | O_DIRECTORY, ret_fd);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* the usual case for a new mount point: make it piece by piece */
	TRY(str_dup(path, &prefix));
	while (len > 1 && prefix[len - 1] == '/')
		prefix[--len] = '\0';
	for (size_t end = 0; end < len; end++) {
		OWN(fd) int fd = -1;

		if (prefix[end] == '/')
			continue;
		end += strcspn(prefix + end, "/");
		prefix[end] = '\0';
		err = path_open_in(root_fd, prefix, O_PATH | O_DIRECTORY, &fd);
		if (err && err_kind(err) == ERR_NOT_FOUND) {
			err_drop(err); /* missing: make it */
			err = make_one_dir(root_fd, prefix, mode, &fd);
		}
		if (err)
			return err;
		if (end >= len)
			*ret_fd = fd_take(&fd);
		else
			prefix[end] = '/';
	}
	return NULL;
}

struct err *path_open_parent_in(int root_fd, const char *path, int *ret_fd, const char **ret_name)
{
	OWN(str) char *parent = NULL;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return err_new(ERR_INVALID, "path %s does not name a file", path);
	TRY(str_format(&parent, "%.*s", slash ? (int)(slash - path) : 0, path));
	TRY(path_make_dir_in(root_fd, *parent ? parent : ".", 0755, ret_fd));
	*ret_name = name;
	return NULL;
}

struct err *path_make_file_in(int root_fd, const char *path, mode_t mode, int *ret_fd)
{
	OWN(fd) int parent_fd = -1, made_fd = -1;
	const char *name;
	struct err *err = path_open_in(root_fd, path, O_PATH, ret_fd);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* missing: make it */
	TRY(path_open_parent_in(root_fd, path, &parent_fd, &name));
	made_fd = openat(parent_fd, name,
			 O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
	if (made_fd < 0)
		return err_sys(errno, "create %s", path);
	return open_resolved(parent_fd, name, O_PATH | O_NOFOLLOW, RESOLVE_OWN, ret_fd);
}

struct path_fd path_of_fd(int fd)
{
	struct path_fd path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

static struct err *remove_entries(int dir_fd, const char *name, dev_t device)
{
	OWN(fd) int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;

	if (fd < 0)
		return err_sys(errno, "open directory %s", name);
	if (fstat(fd, &st) < 0 || st.st_dev != device)
		return err_new(ERR_STATE, "directory %s is a mount point; unmount it first", name);
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read directory %s", name);
	fd = -1; /* closedir() closes it */
	while ((errno = 0, entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return err_sys(errno, "remove %s/%s", name, entry->d_name);
		TRY(remove_entries(dirfd(dir), entry->d_name, device));
		if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s/%s", name, entry->d_name);
	}
	return errno ? err_sys(errno, "read directory %s", name) : NULL;
}

struct err *path_remove_tree(int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "look at %s", name);
	if (S_ISDIR(st.st_mode))
		TRY(remove_entries(dir_fd, name, st.st_dev));
	if (unlinkat(dir_fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s", name);
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
