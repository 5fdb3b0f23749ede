/*
 * CVE-2019-5736: a container whose program is a link or script interpreter "/proc/self/exe" makes
 * the kernel run our own file inside it, and may then write to that file through /proc/PID/exe. So
 * the commands that end in a container's execve run from a read-only clone of their own mount:
 * writing through it fails with EROFS. One more execve of a static file (0.3 M instructions), and
 * none where the file lies on a read-only mount or the caller is not the host's root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/runtime.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

extern char **environ;

static struct err *clone_read_only(int *ret_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV };
	OWN(fd)
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe",
			      OPEN_TREE_CLONE | O_CLOEXEC);

	if (fd < 0)
		return err_sys(errno, "clone the mount of /proc/self/exe");
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(errno, "make the clone of /proc/self/exe read-only");
	*ret_fd = fd_take(&fd);
	return NULL;
}

/* Where mounts may not be cloned: a sealed copy in memory, which nobody can write either. */
static struct err *copy_sealed(int *ret_fd)
{
	OWN(fd) int source_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	OWN(fd) int fd = memfd_create("cella", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	struct stat st;

	/* MFD_EXEC is refused by kernels before 6.3, where every memfd may be executed */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("cella", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (source_fd < 0 || fd < 0 || fstat(source_fd, &st) < 0)
		return err_sys(errno, "copy /proc/self/exe");
	for (off_t done = 0; done < st.st_size;) {
		if (sendfile(fd, source_fd, &done, (size_t)(st.st_size - done)) <= 0)
			return err_sys(errno, "copy /proc/self/exe");
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(errno, "seal the copy of /proc/self/exe");
	*ret_fd = fd_take(&fd);
	return NULL;
}

/*
 * A container never has more rights to our file than we have ourselves. So there is nothing to
 * protect where we may not write to it: on a read-only mount (which the clone is, too), in a user
 * namespace that does not own the file, or as an ordinary user, unless the file is his: an owner
 * could give himself the right.
 */
static struct err *is_protected(bool *ret_protected)
{
	OWN(fd) int fd = -1;
	struct stat st;
	int seals;

	if (faccessat(AT_FDCWD, "/proc/self/exe", W_OK, AT_EACCESS) < 0) {
		*ret_protected = errno == EROFS;
		if (*ret_protected)
			return NULL;
		if (stat("/proc/self/exe", &st) < 0)
			return err_sys(errno, "look at /proc/self/exe");
		*ret_protected = st.st_uid != geteuid();
		return NULL;
	}
	/* a sealed copy in memory looks writable */
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
	*ret_protected = seals >= 0 && (seals & F_SEAL_WRITE);
	return NULL;
}

struct err *ct_protect_executable(char *const *argv)
{
	OWN(fd) int fd = -1;
	bool protected = false;
	struct err *err;

	TRY(is_protected(&protected));
	if (protected)
		return NULL;
	err = clone_read_only(&fd);
	if (err) {
		err_drop(err); /* no right to clone mounts: rootless */
		TRY(copy_sealed(&fd));
	}
	execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(errno, "run again from a read-only copy of /proc/self/exe");
}
