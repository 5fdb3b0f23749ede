/* The monitor's poll loop; see monitor.h. It wakes when something happened or its errand is due. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/monitor/monitor.h"

#define LAST_WORDS_MS 50

enum { AT_END, AT_CONSOLE, AT_LISTEN, AT_CLIENTS, POLL_COUNT = AT_CLIENTS + CONSOLE_CLIENTS_MAX };

/* With a pty whose other end is gone for ever, poll(2) would return at once each time. */
static void fill(struct pollfd *fds, int init_pidfd, const struct console *console)
{
	fds[AT_END] = (struct pollfd){ .fd = init_pidfd, .events = POLLIN };
	fds[AT_CONSOLE] = (struct pollfd){ .fd = console->slave_fd >= 0 ? console->master_fd : -1,
					   .events = POLLIN };
	fds[AT_LISTEN] = (struct pollfd){ .fd = console->listen_fd, .events = POLLIN };
	for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		fds[AT_CLIENTS + i] =
			(struct pollfd){ .fd = console->clients[i].fd, .events = POLLIN };
}

/* What was written just before the end may still be on its way: a worker of the kernel's hands it
 * to the master (flush_to_ldisc() in drivers/tty/tty_buffer.c). */
static void read_last_words(struct console *console)
{
	struct pollfd master = { .fd = console->master_fd, .events = POLLIN };

	while (poll(&master, 1, LAST_WORDS_MS) == 1 && master.revents & POLLIN)
		console_read(console);
}

void monitor_watch(int init_pidfd, struct console *console, struct errand *errand)
{
	struct pollfd fds[POLL_COUNT];

	for (;;) {
		fill(fds, init_pidfd, console);
		if (poll(fds, POLL_COUNT, errand_run(errand)) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[AT_CONSOLE].revents & POLLIN)
			console_read(console);
		else if (fds[AT_CONSOLE].revents)
			(void)console_revive(console);
		for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
			if (fds[AT_CLIENTS + i].revents)
				console_serve(console, i);
		if (fds[AT_LISTEN].revents)
			console_accept(console);
		if (fds[AT_END].revents) {
			read_last_words(console);
			return;
		}
	}
}

void monitor_ending(int init_pidfd, char text[MONITOR_ENDING_MAX])
{
	siginfo_t info = { 0 };
	const char *word = "unknown";
	int ret;

	do {
		ret = waitid(P_PIDFD, (id_t)init_pidfd, &info, WEXITED);
	} while (ret < 0 && errno == EINTR);
	if (ret == 0 && info.si_code == CLD_EXITED) {
		snprintf(text, MONITOR_ENDING_MAX, "exit-%d", info.si_status);
		return;
	}
	if (ret == 0 && info.si_status == SIGHUP)
		word = "reboot";
	else if (ret == 0 && info.si_status == SIGINT)
		word = "halt";
	else if (ret == 0) {
		snprintf(text, MONITOR_ENDING_MAX, "signal-%d", info.si_status);
		return;
	}
	snprintf(text, MONITOR_ENDING_MAX, "%s", word);
}
