/*
 * Standard input, output and error: a pty as controlling terminal (ioctl_tty(2)), and who may open
 * them again through /proc/self/fd.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/process/process.h"

struct err *process_size_terminal(int tty_fd, const struct process_spec *process)
{
	const struct winsize size = { .ws_row = process->console_rows,
				      .ws_col = process->console_columns };

	if ((size.ws_row || size.ws_col) && ioctl(tty_fd, TIOCSWINSZ, &size) < 0)
		return err_sys(errno, "set the terminal to %u rows of %u columns", size.ws_row,
			       size.ws_col);
	return NULL;
}

struct err *process_attach_terminal(int slave_fd)
{
	/* EPERM: leads its session already */
	if (setsid() < 0 && errno != EPERM)
		return err_sys(errno, "start a session");
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return err_sys(errno, "make the pty the controlling terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave_fd, fd) < 0)
			return err_sys(errno, "make the pty descriptor %d", fd);
	return NULL;
}

/* What a program of another user may want to open anew (/dev/stdout): pipes, and its own pty. Never
 * a file or a terminal that is somebody else's. */
static bool is_ours_to_give(const struct stat *st, const struct process_spec *process)
{
	return S_ISFIFO(st->st_mode) || (S_ISCHR(st->st_mode) && process->terminal);
}

struct err *process_own_stdio(const struct process_spec *process)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0) {
			if (errno == EBADF)
				continue; /* closed by the caller, and so it stays */
			return err_sys(errno, "look at descriptor %d", fd);
		}
		if (st.st_uid == process->uid || !is_ours_to_give(&st, process))
			continue;
		if (fchown(fd, process->uid, (gid_t)-1) == 0)
			continue;
		/* the owner is not mapped here, or a read-only devpts: the descriptors themselves
		 * still work */
		if (errno != EPERM && errno != EROFS && errno != EINVAL && errno != ENOSYS)
			return err_sys(errno, "give descriptor %d to user %u", fd, process->uid);
	}
	return NULL;
}
