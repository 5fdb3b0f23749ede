/*
 * Sitting at a VPS's console: what is typed goes to its monitor, what comes back to the terminal,
 * until the escape. The VPS may stop and start meanwhile; the monitor that comes then is found by
 * watching for its socket.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/vps/escape.h"
#include "runtime/vps/watcher.h"

enum { AT_SIGNAL, AT_INPUT, AT_MONITOR, AT_SOCKETS, POLL_COUNT };

struct seat {
	const struct vps_host *host;
	const char *name;
	int monitor_fd;	 /* -1: the VPS is down */
	int signal_fd;	 /* of those that would leave the terminal raw, and of its size */
	int sockets_fd;	 /* inotify: a socket took its name */
	bool input_over; /* standard input is at its end */
	bool left;
	int status;
	struct escape escape;
	bool raw; /* the terminal was changed and must be put back */
	struct termios saved;
};

static void own_seat(struct seat *seat)
{
	if (seat->raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &seat->saved);
	own_fd(&seat->monitor_fd);
	own_fd(&seat->signal_fd);
	own_fd(&seat->sockets_fd);
}

/* For people, so nothing where output is not a terminal. */
static struct err *say(const struct seat *seat, const char *what)
{
	OWN(str) char *line = NULL;

	if (!isatty(STDOUT_FILENO))
		return NULL;
	TRY(str_format(&line, "\r\n[VPS %s: %s]\r\n", seat->name, what));
	return fd_write_all(STDOUT_FILENO, "standard output", line, strlen(line));
}

static void send_message(struct seat *seat, enum console_message kind, const void *data, size_t len)
{
	char message[CONSOLE_MESSAGE_MAX];

	if (seat->monitor_fd < 0 || len >= sizeof(message))
		return;
	message[0] = (char)kind;
	memcpy(message + 1, data, len);
	/* a monitor that has gone is noticed by reading */
	(void)!send(seat->monitor_fd, message, len + 1, MSG_NOSIGNAL);
}

static void send_size(struct seat *seat)
{
	struct winsize size;

	/* not a terminal: no size */
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		send_message(seat, CONSOLE_WINDOW_SIZE, &size, sizeof(size));
}

static struct err *find_monitor(struct seat *seat)
{
	TRY(console_connect(seat->host, seat->name, &seat->monitor_fd));
	if (seat->monitor_fd >= 0)
		send_size(seat);
	return NULL;
}

static struct err *from_monitor(struct seat *seat)
{
	char data[CONSOLE_MESSAGE_MAX];
	ssize_t len = recv(seat->monitor_fd, data, sizeof(data), 0);

	if (len > 0)
		return fd_write_all(STDOUT_FILENO, "standard output", data, (size_t)len);
	if (len < 0 && errno == EINTR)
		return NULL;
	close(fd_take(&seat->monitor_fd));
	/* nobody is left who could leave */
	seat->left = seat->input_over;
	if (seat->left)
		return NULL;
	TRY(say(seat, "it is down, or its monitor is; waiting for its next start, ~. leaves"));
	return find_monitor(seat); /* in case that was already */
}

static struct err *from_terminal(struct seat *seat)
{
	char in[1024], out[sizeof(in) + 1];
	ssize_t len = read(STDIN_FILENO, in, sizeof(in));

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (len <= 0) {
		seat->input_over = true;
		return NULL;
	}
	for (size_t at = 0; at < (size_t)len && !seat->left;) {
		size_t used, out_len;
		enum escape_wish wish =
			escape_feed(&seat->escape, in + at, (size_t)len - at, out, &out_len, &used);

		at += used;
		if (out_len)
			send_message(seat, CONSOLE_INPUT, out, out_len);
		if (wish == ESCAPE_HELP)
			TRY(say(seat, "~. leaves, ~~ sends ~; both at the start of a line"));
		seat->left = wish == ESCAPE_LEAVE;
	}
	return NULL;
}

static void from_signal(struct seat *seat)
{
	struct signalfd_siginfo info;

	if (read(seat->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		send_size(seat);
		return;
	}
	seat->left = true;
	seat->status = 128 + (int)info.ssi_signo;
}

static struct err *from_directory(struct seat *seat)
{
	char events[4096];

	if (read(seat->sockets_fd, events, sizeof(events)) < 0 && errno != EAGAIN)
		return err_sys(errno, "watch %s", seat->host->monitor_dir);
	return seat->monitor_fd < 0 ? find_monitor(seat) : NULL;
}

static struct err *sit(struct seat *seat)
{
	while (!seat->left) {
		struct pollfd fds[POLL_COUNT] = {
			[AT_SIGNAL] = { .fd = seat->signal_fd, .events = POLLIN },
			[AT_INPUT] = { .fd = seat->input_over ? -1 : STDIN_FILENO,
				       .events = POLLIN },
			[AT_MONITOR] = { .fd = seat->monitor_fd, .events = POLLIN },
			[AT_SOCKETS] = { .fd = seat->sockets_fd, .events = POLLIN },
		};

		if (poll(fds, POLL_COUNT, -1) < 0 && errno != EINTR)
			return err_sys(errno, "wait for the console");
		if (fds[AT_SIGNAL].revents)
			from_signal(seat);
		if (fds[AT_MONITOR].revents)
			TRY(from_monitor(seat));
		if (fds[AT_INPUT].revents)
			TRY(from_terminal(seat));
		if (fds[AT_SOCKETS].revents)
			TRY(from_directory(seat));
	}
	return NULL;
}

static struct err *take_signals(struct seat *seat)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(errno, "block signals");
	seat->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return seat->signal_fd < 0 ? err_sys(errno, "make a signalfd") : NULL;
}

/* Before the first look for the socket, so that none is missed in between. */
static struct err *watch_sockets(struct seat *seat)
{
	const char *dir = seat->host->monitor_dir;

	seat->sockets_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (seat->sockets_fd < 0 || inotify_add_watch(seat->sockets_fd, dir, IN_MOVED_TO) < 0)
		return err_sys(errno, "watch %s", dir);
	return NULL;
}

static void make_raw(struct seat *seat)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &seat->saved) < 0)
		return;
	raw = seat->saved;
	cfmakeraw(&raw);
	seat->raw = tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0;
}

struct err *vps_console(const struct vps_host *host, const char *name, int *ret_status)
{
	OWN(seat)
	struct seat seat = {
		.host = host, .name = name, .monitor_fd = -1, .signal_fd = -1, .sockets_fd = -1
	};
	bool exists;

	TRY(store_exists(host, name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
	TRY(take_signals(&seat));
	TRY(watch_sockets(&seat));
	make_raw(&seat);
	TRY(find_monitor(&seat));
	TRY(say(&seat, seat.monitor_fd < 0 ? "it is down; waiting for its start, ~. leaves" :
					     "the console; ~. after a line break leaves"));
	TRY(sit(&seat));
	*ret_status = seat.status;
	return say(&seat, "left");
}
