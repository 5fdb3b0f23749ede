/* Whole small files, read and replaced; see fd.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

#define TEMP_SUFFIX ".tmp"

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

/* The temporary files of NAME are "NAME.PID.tmp". */
static bool is_temp(const char *file, const char *name)
{
	size_t len = strlen(name), digits;

	if (strncmp(file, name, len) != 0 || file[len] != '.')
		return false;
	digits = strspn(file + len + 1, "0123456789");
	return digits && str_eq(file + len + 1 + digits, TEMP_SUFFIX);
}

struct err *file_sweep(int dir_fd, const char *name)
{
	int dup_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "open the directory of %s", name);
	while ((errno = 0, entry = readdir(dir)))
		if (is_temp(entry->d_name, name) && unlinkat(dir_fd, entry->d_name, 0) < 0 &&
		    errno != EISDIR && errno != ENOENT)
			return err_sys(errno, "remove %s", entry->d_name);
	return errno ? err_sys(errno, "read the directory of %s", name) : NULL;
}

static struct err *sync_dir_of(int dir_fd, const char *name)
{
	const char *slash = strrchr(name, '/');
	OWN(str) char *dir = NULL;
	OWN(fd) int parent_fd = -1;

	if (slash)
		TRY(str_format(&dir, "%.*s", (int)(slash - name) + (slash == name), name));
	parent_fd = openat(dir_fd, dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0 || fsync(parent_fd) < 0)
		return err_sys(errno, "sync the directory of %s", name);
	return NULL;
}

static struct err *replace_contents(int dir_fd, const char *temp, const struct file_new *new,
				    struct buf *data)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	OWN(fd) int fd = openat(dir_fd, temp, flags, new->mode);
	struct statfs fs;
	int durable;

	if (fd < 0)
		return err_sys(errno, "create %s", temp);
	TRY(fd_write_all(fd, temp, data->data, data->len));
	if (new->owner && fchown(fd, new->owner->st_uid, new->owner->st_gid) < 0)
		return err_sys(errno, "give %s its owner", temp);
	durable = fstatfs(fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC;
	if (durable && fsync(fd) < 0)
		return err_sys(errno, "sync %s", temp);
	if (renameat(dir_fd, temp, dir_fd, new->name) < 0)
		return err_sys(errno, "rename %s to %s", temp, new->name);
	return durable ? sync_dir_of(dir_fd, new->name) : NULL;
}

struct err *file_put(int dir_fd, const struct file_new *new)
{
	OWN(str) char *temp = NULL;
	OWN(buf) struct buf copy = { 0 };
	struct err *err;

	TRY(str_format(&temp, "%s.%d" TEMP_SUFFIX, new->name, (int)getpid()));
	TRY(buf_add(&copy, new->data, new->len));
	/* made anew, never opened: in a tenant's directory the name may be a fifo that waits for us
	 */
	if (unlinkat(dir_fd, temp, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s", temp);
	err = replace_contents(dir_fd, temp, new, &copy);
	if (err)
		unlinkat(dir_fd, temp, 0);
	return err;
}

struct err *file_replace(int dir_fd, const char *name, mode_t mode, const void *data, size_t len)
{
	return file_put(dir_fd,
			&(struct file_new){ .name = name, .mode = mode, .data = data, .len = len });
}
