/*
 * A pty for the container: from its own devpts, so that the tenant's /dev/pts and the slave's name
 * agree. The slave is had from the master by TIOCGPTPEER and bound by descriptor, never by a path
 * (CVE-2025-52565). Rests on ioctl_tty(2), pts(4).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "rootfs/build.h"

/* Inside a devpts nothing can be planted: its ptmx is the kernel's. */
static struct err *open_own_ptmx(int root_fd, int *ret_fd)
{
	OWN(fd) int pts_fd = -1;
	struct statfs fs;
	int fd;

	TRY(path_open_in(root_fd, "dev/pts", O_PATH | O_DIRECTORY, &pts_fd));
	if (fstatfs(pts_fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_new(ERR_NOT_FOUND, "/dev/pts is no devpts");
	fd = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open /dev/pts/ptmx");
	*ret_fd = fd;
	return NULL;
}

/* Looked at before it is opened: exec calls this inside a container, where the file may be
 * anything. */
static struct err *open_caller_ptmx(int *ret_fd)
{
	OWN(fd) int path_fd = open("/dev/ptmx", O_PATH | O_CLOEXEC);
	struct path_fd path = path_of_fd(path_fd);
	struct stat st;
	int fd;

	if (path_fd < 0 || fstat(path_fd, &st) < 0)
		return err_sys(errno, "open /dev/ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(TTYAUX_MAJOR, 2))
		return err_new(ERR_STATE, "/dev/ptmx is not the pty multiplexer");
	fd = open(path.text, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open /dev/ptmx");
	*ret_fd = fd;
	return NULL;
}

static struct err *open_ptmx(int root_fd, int *ret_fd)
{
	struct err *err = open_own_ptmx(root_fd, ret_fd);

	if (!err)
		return NULL;
	if (err_kind(err) != ERR_NOT_FOUND && err_errno(err) != ENOTDIR)
		return err;
	err_drop(err); /* a container without devpts gets a pty of the caller's */
	return open_caller_ptmx(ret_fd);
}

struct err *rootfs_open_pty(int root_fd, int *ret_master_fd, int *ret_slave_fd)
{
	OWN(fd) int master_fd = -1;
	int unlock = 0, slave_fd;

	TRY(open_ptmx(root_fd, &master_fd));
	if (ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		return err_sys(errno, "unlock the pty");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return err_sys(errno, "open the pty's slave");
	*ret_master_fd = fd_take(&master_fd);
	*ret_slave_fd = slave_fd;
	return NULL;
}

/* Bind the slave where rootfs_build() made a file for it, or where a bound /dev has its console. */
static struct err *bind_console(int root_fd, int slave_fd)
{
	OWN(fd) int dev_fd = -1, target_fd = -1, tree_fd = -1;
	struct err *err;

	TRY(path_open_in(root_fd, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW, &dev_fd));
	err = path_open_beneath(dev_fd, "console", O_PATH | O_NOFOLLOW, &target_fd);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* a foreign /dev without one is left as it is */
		return NULL;
	}
	if (err)
		return err;
	TRY(tree_find(&(struct target){ slave_fd, "" }, 0, &tree_fd));
	return tree_attach_fd(tree_fd, target_fd, "/dev/console");
}

struct err *rootfs_open_console(int root_fd, const struct rootfs_env *env, int *ret_master_fd,
				int *ret_slave_fd)
{
	OWN(fd) int master_fd = -1, slave_fd = -1;

	TRY(rootfs_open_pty(root_fd, &master_fd, &slave_fd));
	if (env->own_mount_ns)
		TRY(bind_console(root_fd, slave_fd));
	*ret_master_fd = fd_take(&master_fd);
	*ret_slave_fd = fd_take(&slave_fd);
	return NULL;
}
