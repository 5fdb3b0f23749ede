/*
 * criu swrk: a process of our own that serves requests on a socket it has inherited. criu(8);
 * unix(7), SOCK_SEQPACKET: a message is one packet.
 */
#include "migrate-criu/swrk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "runtime/process/process.h"
#include "runtime/sync.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SOCKET_NUMBER 3
#define MESSAGE_MAX 65536

struct err *criu_pass_fd(struct criu_start *start, int fd, int *ret_number)
{
	if (start->fd_count == ARRAY_SIZE(start->fds))
		return err_new(ERR_INVALID, "more than %zu descriptors for criu",
			       ARRAY_SIZE(start->fds));
	start->fds[start->fd_count] = fd;
	*ret_number = CRIU_FIRST_FD + (int)start->fd_count++;
	return NULL;
}

struct err *criu_check_root(void)
{
	if (geteuid() == 0)
		return NULL;
	return err_new(ERR_UNSUPPORTED, "this needs root: CRIU looks into processes and makes them "
					"anew");
}

struct err *criu_find(char **ret_path)
{
	const char *dirs = getenv("PATH");

	if (!dirs || !*dirs)
		dirs = DEFAULT_PATH;
	while (*dirs) {
		size_t len = strcspn(dirs, ":");
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%.*s/criu", (int)len, dirs));
		if (path[0] == '/' && access(path, X_OK) == 0) {
			*ret_path = TAKE(path);
			return NULL;
		}
		dirs += len + (dirs[len] == ':');
	}
	return err_new(ERR_UNSUPPORTED, "there is no criu on this host: install the package criu");
}

struct err *criu_check_host(void)
{
	OWN(str) char *path = NULL;

	TRY(criu_check_root());
	return criu_find(&path);
}

/* Put them where criu expects them; out of each other's way first. */
static struct err *place_fds(const struct criu_start *start, int socket_fd)
{
	int high[ARRAY_SIZE(start->fds) + 1];
	const int first_free = SOCKET_NUMBER + (int)ARRAY_SIZE(high);

	for (size_t i = 0; i <= start->fd_count; i++) {
		high[i] =
			fcntl(i == 0 ? socket_fd : start->fds[i - 1], F_DUPFD_CLOEXEC, first_free);
		if (high[i] < 0)
			return err_sys(errno, "duplicate a descriptor for criu");
	}
	for (size_t i = 0; i <= start->fd_count; i++)
		if (dup2(high[i], SOCKET_NUMBER + (int)i) < 0)
			return err_sys(errno, "give criu a descriptor");
	return process_seal_fds((unsigned int)start->fd_count + 1);
}

/* criu waits for its children, whatever our caller does with signals. */
static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

/* In the child; returns only on error. */
static struct err *run_criu(const char *path, const struct criu_start *start, int socket_fd)
{
	char name[] = "criu", verb[] = "swrk", number[] = "3";
	char *argv[] = { name, verb, number, NULL };

	reset_signals();
	/* it looks for ip, iptables and tar there */
	if (setenv("PATH", DEFAULT_PATH, 0) < 0)
		return err_sys(errno, "set PATH for criu");
	if (start->umask_bits)
		umask(start->umask_bits);
	TRY(place_fds(start, socket_fd));
	execv(path, argv);
	return err_sys(errno, "run %s", path);
}

struct err *criu_spawn(const char *path, const struct criu_start *start, struct criu *ret_criu)
{
	OWN(fd) int host_fd = -1, child_fd = -1, parent_sync = -1, child_sync = -1;
	OWN(criu) struct criu criu = CRIU_INIT;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(errno, "make a socket for criu");
	host_fd = pair[0];
	child_fd = pair[1];
	TRY(sync_pair(&parent_sync, &child_sync));
	criu.pid = fork();
	if (criu.pid < 0)
		return err_sys(errno, "start criu");
	if (criu.pid == 0) {
		/* ours alone: criu must see it close when we end */
		own_fd(&host_fd);
		sync_fail(child_sync, run_criu(path, start, child_fd));
		proc_exit(1);
	}
	criu.pidfd = pidfd_open(criu.pid, 0);
	if (criu.pidfd < 0)
		return err_sys(errno, "open criu's process");
	criu.socket_fd = fd_take(&host_fd);
	own_fd(&child_sync);
	child_sync = -1;
	TRY(sync_wait_exec(parent_sync));
	*ret_criu = criu;
	criu = (struct criu)CRIU_INIT;
	return NULL;
}

static struct err *send_bytes(const struct criu *criu, const struct buf *bytes)
{
	if (send(criu->socket_fd, bytes->data, bytes->len, MSG_NOSIGNAL) != (ssize_t)bytes->len)
		return err_sys(errno, "talk to criu");
	return NULL;
}

static struct err *receive(const struct criu *criu, struct criu_message *ret_message, int *ret_fd)
{
	OWN(fd) int fd = -1;
	char data[MESSAGE_MAX];
	size_t len;

	TRY(fd_recv(criu->socket_fd, data, sizeof(data), &len, &fd));
	if (len == 0)
		return err_new(ERR_PEER, "criu ended before its work was done");
	TRY(criu_message_parse(data, len, ret_message));
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *answer(const struct criu *criu, bool success)
{
	OWN(buf) struct buf bytes = { 0 };

	TRY(criu_answer_format(success, &bytes));
	return send_bytes(criu, &bytes);
}

struct err *criu_clean_error(const char *text, char **ret_line)
{
	OWN(str) char *line = NULL;
	const char *place = strstr(text, "Error ("), *end = text + strcspn(text, "\n");
	const char *said = place ? strstr(place, "): ") : NULL;

	if (said && said < end)
		text = said + strlen("): ");
	TRY(str_format(&line, "%.*s", (int)(end - text), text));
	return str_escape(line, ret_line);
}

static struct err *result_of(const struct criu_message *message)
{
	OWN(str) char *line = NULL;

	if (message->is_success)
		return NULL;
	TRY(criu_clean_error(message->error_text, &line));
	if (*line)
		return err_new(ERR_PEER, "criu: %s", line);
	if (message->error_number)
		return err_new(ERR_PEER, "criu: %s", strerror(message->error_number));
	return err_new(ERR_PEER, "criu failed");
}

struct err *criu_talk(struct criu *criu, const struct criu_request *request,
		      criu_notice_fn *on_notice, void *arg)
{
	OWN(buf) struct buf bytes = { 0 };
	struct err *refused = NULL;

	TRY(criu_request_format(request, &bytes));
	TRY(send_bytes(criu, &bytes));
	for (;;) {
		OWN(fd) int fd = -1;
		struct criu_message message;
		struct err *err = receive(criu, &message, &fd);

		if (!err && !message.is_notice)
			return err_first(refused, result_of(&message));
		if (!err) {
			log_debug("criu: %s", message.event);
			if (!refused)
				refused = on_notice(arg, &message, fd);
			err = answer(criu, refused == NULL);
		}
		if (err)
			return err_first(refused, err);
	}
}

void criu_stop(struct criu *criu)
{
	int status;

	own_fd(&criu->socket_fd);
	if (criu->pidfd >= 0)
		/* its status says less than its result did */
		err_drop(proc_reap(criu->pidfd, &status));
	own_fd(&criu->pidfd);
	*criu = (struct criu)CRIU_INIT;
}
