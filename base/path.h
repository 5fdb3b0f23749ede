/*
 * The one module that resolves paths below a root or directory which somebody else may control.
 * Everything goes through openat2(2): no symlink, "..", magic link or race leads out of root_fd.
 * tests/lint/paths forbids path-based calls on roots anywhere else.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Open path as a process chrooted to root_fd would see it: symlinks are followed inside the root,
 * absolute ones start at the root, magic links are refused. flags: open(2) flags, O_CLOEXEC is
 * added; O_CREAT is not accepted (use path_make_*). Errors: ERR_NOT_FOUND (ENOENT), ERR_SYS.
 * Source: openat2(2), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS.
 */
MUST_CHECK struct err *path_open_in(int root_fd, const char *path, int flags, int *ret_fd);

/* The same, but what does not exist is no error: *ret_fd is -1 then. */
MUST_CHECK struct err *path_find_in(int root_fd, const char *path, int flags, int *ret_fd);

/*
 * Open path strictly below dir_fd without following any symlink: for our own state directories and
 * for procfs, where a link is a lie. Errors as above. Source: openat2(2), RESOLVE_BENEATH |
 * RESOLVE_NO_SYMLINKS.
 */
MUST_CHECK struct err *path_open_beneath(int dir_fd, const char *path, int flags, int *ret_fd);

/*
 * Open the directory path in root_fd as O_PATH, making what is missing with mode. Components that
 * exist may be symlinks and are resolved inside the root; where a link leads to nothing, what it
 * names is made, inside the root (images have /etc/resolv.conf pointing into an empty /run).
 */
MUST_CHECK struct err *path_make_dir_in(int root_fd, const char *path, mode_t mode, int *ret_fd);
/* The same, but the last component is made as an empty regular file. */
MUST_CHECK struct err *path_make_file_in(int root_fd, const char *path, mode_t mode, int *ret_fd);

/* Open the parent directory of path in root_fd (made when missing) and give the last component,
 * borrowed from path. */
MUST_CHECK struct err *path_open_parent_in(int root_fd, const char *path, int *ret_fd,
					   const char **ret_name);

/*
 * Write path as an absolute one without "//", "." and "..", by its text alone: for comparing paths
 * of a configuration, never for opening ("a/.." is not "." when a is a link). *ret_path is owned.
 */
MUST_CHECK struct err *path_clean(const char *path, char **ret_path);

/* "/proc/self/fd/N" for calls that take only a path. */
#define PATH_FD_MAX 32
struct path_fd {
	char text[PATH_FD_MAX];
};
struct path_fd path_of_fd(int fd);

/*
 * Remove a tree below dir_fd, of any depth, without following links. Missing is success. ERR_STATE
 * when there is a mount below it: nothing on the other side is touched.
 */
MUST_CHECK struct err *path_remove_tree(int dir_fd, const char *name);
/* mkdir -p for a path of our own configuration (trusted); existing is success. */
MUST_CHECK struct err *path_make_own_dirs(const char *path, mode_t mode);

#endif
