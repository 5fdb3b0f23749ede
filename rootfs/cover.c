/*
 * Mounts of the host's on files of a container that runs, as of lxcfs on those of /proc. What is
 * done in the container's mount namespace is done by a child, which is killed when it takes too
 * long: a tenant can make a file system that does not answer, and so can who serves the sources.
 * The child runs no code of the tenant's, and where a tenant has bent the directory, it is the
 * tenant's own mounts that suffer. Rests on open_tree(2), move_mount(2), setns(2), umount2(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/proc.h"
#include "rootfs/tree.h"

#define CHILD_MS 10000

/* A mount that is nowhere yet; -1: errno says why. Nothing is closed: the child ends. */
static int open_source(const char *source)
{
	/* private: what a tenant mounts on it would come to be on the source as well */
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				   .propagation = MS_PRIVATE };
	int fd = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return fd;
}

static bool enter(int init_pidfd, const char *dir)
{
	int fd;

	if (setns(init_pidfd, CLONE_NEWNS) < 0)
		return false;
	fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fchdir(fd) == 0;
}

/* In the directory. */
static bool cover(const struct rootfs_cover *file, int tree_fd)
{
	if (file->uncover && umount2(file->name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return false;
	return tree_fd < 0 ||
	       move_mount(tree_fd, "", AT_FDCWD, file->name, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static bool cover_all(int init_pidfd, const char *dir, const struct rootfs_cover *files,
		      size_t count)
{
	int trees[ROOTFS_COVERS_MAX];

	for (size_t i = 0; i < count; i++) {
		trees[i] = -1;
		if (files[i].source && (trees[i] = open_source(files[i].source)) < 0)
			return false;
	}
	if (!enter(init_pidfd, dir))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!cover(&files[i], trees[i]))
			return false;
	return true;
}

static struct err *wait_for(int pidfd, const char *dir)
{
	bool ended;
	int status;

	TRY(proc_wait_end(pidfd, CHILD_MS, &ended));
	if (!ended)
		TRY(proc_signal(pidfd, SIGKILL));
	TRY(proc_reap(pidfd, &status));
	if (status == 0)
		return NULL;
	return err_sys(ended ? status : ETIMEDOUT, "mount on files of %s inside", dir);
}

struct err *rootfs_cover_files(int init_pidfd, const char *dir, const struct rootfs_cover *files,
			       size_t count)
{
	OWN(fd) int pidfd = -1;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid == 0)
		proc_exit(cover_all(init_pidfd, dir, files, count) ? 0 : errno);
	TRY(proc_open_any(pid, &pidfd));
	return wait_for(pidfd, dir);
}
