/* The console of a running VPS and those who look at it; see monitor.h. Nothing here waits: a
 * client that does not read loses output, a VPS that does not read loses input. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/own.h"
#include "runtime/monitor/monitor.h"

/* So that a VPS that writes without end does not keep us from seeing anything else. */
#define READS_AT_ONCE 16

static const char lost_text[] = "\r\n[cella: output was lost here]\r\n";
static const char full_text[] = "[cella: the console has too many viewers]\r\n";

static int open_slave(int master_fd)
{
	return ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

void console_init(struct console *console, int master_fd, int listen_fd)
{
	console->master_fd = master_fd;
	console->listen_fd = listen_fd;
	console->slave_fd = -1;
	console->log = (struct console_log)CONSOLE_LOG_INIT;
	for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		console->clients[i].fd = -1;
	if (master_fd < 0)
		return;
	fcntl(master_fd, F_SETFL, O_RDWR | O_NONBLOCK);
	console->slave_fd = open_slave(master_fd);
}

void console_close(struct console *console)
{
	for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++) {
		own_fd(&console->clients[i].fd);
		console->clients[i].fd = -1;
	}
	own_fd(&console->slave_fd);
	own_fd(&console->master_fd);
	own_fd(&console->listen_fd);
	console->slave_fd = console->master_fd = console->listen_fd = -1;
	console_log_close(&console->log);
}

bool console_revive(struct console *console)
{
	own_fd(&console->slave_fd);
	console->slave_fd = open_slave(console->master_fd);
	return console->slave_fd >= 0;
}

static void drop_client(struct console *console, size_t i)
{
	close(fd_take(&console->clients[i].fd));
}

static void send_some(struct console *console, size_t i, const char *data, size_t len)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	int fd = console->clients[i].fd;

	if (fd < 0 || len == 0)
		return;
	if (console->clients[i].lost) {
		if (send(fd, lost_text, strlen(lost_text), flags) < 0)
			return;
		console->clients[i].lost = false;
	}
	if (send(fd, data, len, flags) >= 0)
		return;
	if (errno == EAGAIN || errno == ENOBUFS)
		console->clients[i].lost = true;
	else
		drop_client(console, i);
}

void console_read(struct console *console)
{
	char data[CONSOLE_MESSAGE_MAX];

	for (size_t reads = 0; console->master_fd >= 0 && reads < READS_AT_ONCE; reads++) {
		ssize_t len = read(console->master_fd, data, sizeof(data));

		if (len <= 0)
			return;
		console_log_add(&console->log, data, (size_t)len);
		ring_add(&console->ring, data, (size_t)len);
		for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
			send_some(console, i, data, (size_t)len);
	}
}

/* The ring in messages of a size that every client takes. */
static void replay(struct console *console, size_t i)
{
	struct ring_piece pieces[2];

	ring_pieces(&console->ring, pieces);
	for (size_t p = 0; p < ARRAY_SIZE(pieces); p++)
		for (size_t at = 0; at < pieces[p].len; at += CONSOLE_MESSAGE_MAX) {
			size_t left = pieces[p].len - at;

			send_some(console, i, pieces[p].data + at,
				  left < CONSOLE_MESSAGE_MAX ? left : CONSOLE_MESSAGE_MAX);
		}
}

void console_accept(struct console *console)
{
	int fd = accept4(console->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++) {
		if (console->clients[i].fd >= 0)
			continue;
		console->clients[i].fd = fd;
		console->clients[i].lost = false;
		replay(console, i);
		return;
	}
	(void)!send(fd, full_text, strlen(full_text), MSG_NOSIGNAL);
	close(fd);
}

void console_serve(struct console *console, size_t i)
{
	char data[CONSOLE_MESSAGE_MAX];
	ssize_t len = recv(console->clients[i].fd, data, sizeof(data), MSG_DONTWAIT);
	struct winsize size;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		drop_client(console, i);
		return;
	}
	if (console->master_fd < 0)
		return;
	if (data[0] == CONSOLE_INPUT) {
		(void)!write(console->master_fd, data + 1, (size_t)len - 1);
	} else if (data[0] == CONSOLE_WINDOW_SIZE && (size_t)len == 1 + sizeof(size)) {
		memcpy(&size, data + 1, sizeof(size));
		ioctl(console->master_fd, TIOCSWINSZ, &size);
	}
}
