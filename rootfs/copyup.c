/*
 * tmpcopyup: fill a tmpfs with what the directory below it holds. The tree belongs to the image:
 * no link is followed, nothing but regular files is opened, depth is bounded; the size is bounded
 * by the tmpfs. Hard links become files of their own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/log.h"
#include "base/path.h"
#include "rootfs/build.h"

#define DEPTH_MAX 64
#define XATTR_MAX 65536 /* XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h */

/* Where the copy stands; what: for the error text. */
struct copy {
	int from_fd, to_fd; /* the two directories; borrowed */
	const char *what;
	unsigned int depth;
};

static struct err *copy_dir(const struct copy *copy);

/* Attributes that this file system or this user namespace does not take are left out. */
static struct err *copy_xattrs(int from_fd, int to_fd)
{
	OWN(str) char *names = NULL, *value = NULL;
	ssize_t len = flistxattr(from_fd, NULL, 0);

	if (len <= 0)
		return NULL;
	names = malloc(XATTR_MAX);
	value = malloc(XATTR_MAX);
	if (!names || !value)
		return err_sys(ENOMEM, "copy extended attributes");
	len = flistxattr(from_fd, names, XATTR_MAX);
	for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		ssize_t value_len = fgetxattr(from_fd, name, value, XATTR_MAX);

		if (value_len >= 0 && fsetxattr(to_fd, name, value, (size_t)value_len, 0) < 0 &&
		    errno != EOPNOTSUPP && errno != EPERM && errno != EINVAL)
			return err_sys(errno, "copy extended attribute %s", name);
	}
	return NULL;
}

/* Owner before mode: chown(2) takes set-id bits away. Owner ids that have no name here stay ours.
 */
static struct err *copy_attributes(int from_fd, int to_fd, const struct stat *st, const char *name)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchown(to_fd, st->st_uid, st->st_gid) < 0 && errno != EINVAL && errno != EPERM)
		return err_sys(errno, "set owner of %s", name);
	if (fchmod(to_fd, st->st_mode & 07777) < 0)
		return err_sys(errno, "set mode of %s", name);
	TRY(copy_xattrs(from_fd, to_fd));
	if (futimens(to_fd, times) < 0)
		return err_sys(errno, "set times of %s", name);
	return NULL;
}

static struct err *copy_regular(const struct copy *copy, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	OWN(fd) int from_fd = openat(copy->from_fd, name, flags);
	OWN(fd) int to_fd = -1;
	struct stat st;
	ssize_t sent;

	if (from_fd < 0 || fstat(from_fd, &st) < 0)
		return err_sys(errno, "open %s", name);
	if (!S_ISREG(st.st_mode)) /* swapped since it was looked at */
		return NULL;
	to_fd = openat(copy->to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	if (to_fd < 0)
		return err_sys(errno, "create %s", name);
	do {
		sent = sendfile(to_fd, from_fd, NULL, 1 << 24);
	} while (sent > 0 || (sent < 0 && errno == EINTR));
	if (sent < 0)
		return err_sys(errno, "copy %s", name);
	return copy_attributes(from_fd, to_fd, &st, name);
}

static struct err *copy_subdir(const struct copy *copy, const char *name)
{
	OWN(fd) int from_fd = -1, to_fd = -1;
	struct stat st;

	if (copy->depth >= DEPTH_MAX)
		return err_new(ERR_INVALID, "%s is more than %d directories deep", name, DEPTH_MAX);
	TRY(path_open_beneath(copy->from_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &from_fd));
	if (fstat(from_fd, &st) < 0)
		return err_sys(errno, "look at %s", name);
	if (mkdirat(copy->to_fd, name, 0700) < 0)
		return err_sys(errno, "make directory %s", name);
	TRY(path_open_beneath(copy->to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &to_fd));
	TRY(copy_dir(&(struct copy){ from_fd, to_fd, copy->what, copy->depth + 1 }));
	return copy_attributes(from_fd, to_fd, &st, name); /* last: the times */
}

static struct err *copy_link(const struct copy *copy, const char *name, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(copy->from_fd, name, text, sizeof(text) - 1);

	if (len < 0)
		return err_sys(errno, "read link %s", name);
	text[len] = '\0';
	if (symlinkat(text, copy->to_fd, name) < 0)
		return err_sys(errno, "make link %s", name);
	if (fchownat(copy->to_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EINVAL && errno != EPERM)
		return err_sys(errno, "set owner of %s", name);
	return NULL;
}

/* Devices, fifos and sockets: made anew; a user namespace may not make devices. */
static struct err *copy_node(const struct copy *copy, const char *name, const struct stat *st)
{
	if (mknodat(copy->to_fd, name, st->st_mode, st->st_rdev) < 0) {
		if (errno != EPERM)
			return err_sys(errno, "make node %s", name);
		log_warning("tmpcopyup of %s: device %s left out", copy->what, name);
		return NULL;
	}
	if (fchownat(copy->to_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EINVAL && errno != EPERM)
		return err_sys(errno, "set owner of %s", name);
	return NULL;
}

static struct err *copy_entry(const struct copy *copy, const char *name)
{
	struct stat st;

	if (fstatat(copy->from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(copy, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(copy, name, &st);
	if (S_ISREG(st.st_mode))
		return copy_regular(copy, name);
	return copy_node(copy, name, &st);
}

static struct err *copy_dir(const struct copy *copy)
{
	OWN(fd) int fd = openat(copy->from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;

	if (fd < 0)
		return err_sys(errno, "open directory %s", copy->what);
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read directory %s", copy->what);
	fd = -1; /* closedir() closes it */
	while ((errno = 0, entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			TRY(copy_entry(copy, entry->d_name));
	return errno ? err_sys(errno, "read directory %s", copy->what) : NULL;
}

struct err *copy_up_tree(const struct target *from, int to_fd, const char *what)
{
	const char *name = *from->name ? from->name : ".";
	OWN(fd) int source_fd = -1;
	struct stat st;
	struct err *err;

	source_fd = openat(from->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source_fd < 0)
		return err_sys(errno, "open directory %s", what);
	if (fstat(source_fd, &st) < 0 ||
	    (fchownat(to_fd, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0 && errno != EINVAL &&
	     errno != EPERM))
		return err_sys(errno, "set owner of %s", what);
	err = copy_dir(&(struct copy){ source_fd, to_fd, what, 0 });
	return err ? err_wrap(err, "tmpcopyup of %s", what) : NULL;
}
