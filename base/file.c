/* Whole small files, read and replaced; see fd.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

static int is_kernel_file(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return 0;
	return fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP2_SUPER_MAGIC;
}

struct err *file_read(int dir_fd, const char *name, size_t max, struct buf *buf)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	OWN(fd) int fd = openat(dir_fd, name, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open %s: No such file or directory", name);
	if (fd < 0)
		return err_sys(errno, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at %s", name);
	if (!S_ISREG(st.st_mode) && !is_kernel_file(fd))
		return err_new(ERR_INVALID, "%s is not a regular file", name);
	return fd_read_all(fd, name, max, buf);
}

struct err *file_write_once(int dir_fd, const char *name, const char *text)
{
	OWN(fd) int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(errno, "open %s", name);
	return fd_write_once(fd, name, text);
}

static struct err *replace_contents(int dir_fd, const char *temp, const char *name, mode_t mode,
				    struct buf *data)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	OWN(fd) int fd = openat(dir_fd, temp, flags, mode);
	struct statfs fs;
	int durable;

	if (fd < 0)
		return err_sys(errno, "create %s", temp);
	TRY(fd_write_all(fd, temp, data->data, data->len));
	durable = fstatfs(fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC;
	if (durable && fsync(fd) < 0)
		return err_sys(errno, "sync %s", temp);
	if (renameat(dir_fd, temp, dir_fd, name) < 0)
		return err_sys(errno, "rename %s to %s", temp, name);
	if (durable) {
		OWN(fd) int parent_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (parent_fd < 0 || fsync(parent_fd) < 0)
			return err_sys(errno, "sync the directory of %s", name);
	}
	return NULL;
}

struct err *file_replace(int dir_fd, const char *name, mode_t mode, const void *data, size_t len)
{
	OWN(str) char *temp = NULL;
	OWN(buf) struct buf copy = { 0 };
	struct err *err;

	TRY(str_format(&temp, "%s.%d.tmp", name, (int)getpid()));
	TRY(buf_add(&copy, data, len));
	/* made anew, never opened: in a tenant's directory the name may be a fifo that waits for us
	 */
	if (unlinkat(dir_fd, temp, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s", temp);
	err = replace_contents(dir_fd, temp, name, mode, &copy);
	if (err)
		unlinkat(dir_fd, temp, 0);
	return err;
}
