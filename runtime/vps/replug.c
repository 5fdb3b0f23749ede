/*
 * A new console for a VPS whose monitor was killed. The pty's master died with it, and a slave
 * without a master is dead for ever: systemd would wait a second for every line it logs. So a child
 * enters the VPS, opens a pty in its devpts, binds the slave over /dev/console as init did once,
 * and sends the master out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "runtime/vps/watcher.h"

/* In the VPS's user and mount namespace, as its root; the pid namespace stays ours, so it cannot
 * trace us. */
static struct err *plug(int init_pidfd, int socket_fd)
{
	const struct rootfs_env env = { .own_mount_ns = true };
	OWN(fd) int root_fd = -1, master_fd = -1, slave_fd = -1;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	TRY(ns_enter_rest(init_pidfd, CLONE_NEWUSER | CLONE_NEWNS));
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open the VPS's root");
	/*
	 * The dead slave's place cannot be mounted on: its inode is gone. By path, because a
	 * descriptor has no name in this procfs, where we do not appear; whatever the tenant made
	 * of /dev, only its own mounts are in reach.
	 */
	if (umount2("/dev/console", MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return err_sys(errno, "unmount the dead console");
	TRY(rootfs_open_console(root_fd, &env, &master_fd, &slave_fd));
	return fd_send(socket_fd, "ok", 2, master_fd);
}

static struct err *receive(int socket_fd, int *ret_master_fd)
{
	char text[512];
	size_t len;

	*ret_master_fd = -1;
	TRY(fd_recv(socket_fd, text, sizeof(text) - 1, &len, ret_master_fd));
	if (*ret_master_fd >= 0)
		return NULL;
	text[len] = '\0';
	return err_new(ERR_PEER, "no new console: %s",
		       len ? text : "the process that makes it died");
}

struct err *console_replug(int init_pidfd, int *ret_master_fd)
{
	OWN(fd) int ours = -1, theirs = -1;
	struct err *err;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid == 0) {
		err = plug(init_pidfd, theirs);
		if (err)
			err_drop(fd_send(theirs, err_text(err), strlen(err_text(err)), -1));
		proc_exit(err != NULL);
	}
	close(fd_take(&theirs));
	err = receive(ours, ret_master_fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}
