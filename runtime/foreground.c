/*
 * Staying with a process that we started: its signals, its terminal, its end. One poll loop, no
 * threads, no polling intervals.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "runtime/birth.h"

enum { AT_END, AT_SIGNAL, AT_INPUT, AT_OUTPUT, AT_NOTIFY, POLL_COUNT };

struct relay {
	struct ct_started *started;
	int signal_fd;
	bool raw; /* the caller's terminal was changed and must be put back */
	struct termios saved;
};

static void copy_window_size(const struct relay *relay)
{
	struct winsize size;

	/* not a terminal: nothing to copy */
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(relay->started->master_fd, TIOCSWINSZ, &size);
}

static void make_raw(struct relay *relay)
{
	struct termios raw;

	if (relay->started->master_fd < 0 || tcgetattr(STDIN_FILENO, &relay->saved) < 0)
		return;
	raw = relay->saved;
	cfmakeraw(&raw);
	relay->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	copy_window_size(relay);
}

static void own_relay(struct relay *relay)
{
	own_fd(&relay->signal_fd);
	if (relay->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &relay->saved);
}

static struct err *forward_signal(struct relay *relay)
{
	struct signalfd_siginfo info;
	struct err *err;

	if (read(relay->signal_fd, &info, sizeof(info)) != sizeof(info))
		return NULL;
	if (info.ssi_signo == SIGWINCH && relay->started->master_fd >= 0) {
		copy_window_size(relay);
		return NULL;
	}
	if (info.ssi_signo == SIGCHLD)
		return NULL;
	err = proc_signal(relay->started->pidfd, (int)info.ssi_signo);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it has just ended, which the loop sees next */
		return NULL;
	}
	return err;
}

/* Copy what is there; false at end of file (for a pty master: EIO once the last slave is closed).
 */
static bool copy_some(int from_fd, int to_fd)
{
	char chunk[8192];
	ssize_t got = read(from_fd, chunk, sizeof(chunk));
	struct err *err;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got <= 0)
		return false;
	err = fd_write_all(to_fd, "terminal", chunk, (size_t)got);
	if (!err)
		return true;
	err_drop(err); /* a reader that went away ends the copying, not the container */
	return false;
}

static struct err *loop(struct relay *relay)
{
	int master_fd = relay->started->master_fd;
	struct pollfd fds[POLL_COUNT] = {
		[AT_END] = { .fd = relay->started->pidfd, .events = POLLIN },
		[AT_SIGNAL] = { .fd = relay->signal_fd, .events = POLLIN },
		[AT_INPUT] = { .fd = master_fd >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
		[AT_OUTPUT] = { .fd = master_fd, .events = POLLIN },
		[AT_NOTIFY] = { .fd = relay->started->notify_fd, .events = POLLIN },
	};
	bool ready = false;

	for (;;) {
		if (poll(fds, POLL_COUNT, -1) < 0 && errno != EINTR)
			return err_sys(errno, "wait for the container");
		if (fds[AT_SIGNAL].revents)
			TRY(forward_signal(relay));
		if (fds[AT_INPUT].revents && !copy_some(STDIN_FILENO, master_fd))
			fds[AT_INPUT].fd = -1;
		if (fds[AT_OUTPUT].revents && !copy_some(master_fd, STDOUT_FILENO))
			fds[AT_OUTPUT].fd = -1;
		if (fds[AT_NOTIFY].revents)
			TRY(notify_take(relay->started->notify_fd, relay->started->notify_socket,
					relay->started->pid, &ready));
		if (ready)
			fds[AT_NOTIFY].fd = -1;
		/* the last words may still lie in the pty when the process has gone */
		if (fds[AT_END].revents &&
		    (fds[AT_OUTPUT].fd < 0 || !(fds[AT_OUTPUT].revents & POLLIN)))
			return NULL;
	}
}

struct err *ct_foreground(struct ct_started *started, int *ret_status)
{
	OWN(relay) struct relay relay = { .started = started, .signal_fd = -1 };
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return err_sys(errno, "block signals");
	relay.signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (relay.signal_fd < 0)
		return err_sys(errno, "make a signalfd");
	make_raw(&relay);
	TRY(loop(&relay));
	return proc_reap(started->pidfd, ret_status);
}
