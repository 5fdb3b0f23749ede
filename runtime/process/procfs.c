/* Files of a procfs that may be the tenant's own making; see procfs.h. */
#include "runtime/process/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/fd.h"

#define PROCFS_ROOT_INODE 1 /* PROC_ROOT_INO in the kernel's linux/proc_fs.h */

static struct err *open_root(int *ret_fd)
{
	OWN(fd) int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open /proc: No such file or directory");
	if (fd < 0)
		return err_sys(errno, "open /proc");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return err_sys(errno, "look at /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROCFS_ROOT_INODE)
		return err_new(ERR_INVALID, "/proc is not a proc file system");
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *procfs_open(const char *name, int flags, int *ret_fd)
{
	/* "self" and "thread-self" are symbolic links, so those are followed; nothing that is
	 * mounted over a part of the real procfs is entered */
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };
	OWN(fd) int root_fd = -1;
	long fd;

	TRY(open_root(&root_fd));
	do {
		fd = syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open /proc/%s: No such file or directory", name);
	if (fd < 0 && errno == EXDEV)
		return err_new(ERR_INVALID, "open /proc/%s: something is mounted over it", name);
	if (fd < 0)
		return err_sys(errno, "open /proc/%s", name);
	*ret_fd = (int)fd;
	return NULL;
}

struct err *procfs_write(const char *name, const char *text)
{
	OWN(fd) int fd = -1;
	char path[64];

	TRY(procfs_open(name, O_WRONLY, &fd));
	snprintf(path, sizeof(path), "/proc/%s", name);
	return fd_write_once(fd, path, text);
}
