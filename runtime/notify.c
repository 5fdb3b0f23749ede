/*
 * sd_notify(3) for a container: a directory with a socket is bound to /run/notify inside. `start`,
 * `run --detach`, and `run` beside its other work relay the first READY=1 to the host's
 * NOTIFY_SOCKET, with the main pid that the host knows. The first two leave then: what the
 * container says later finds no listener, as with other runtimes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/birth.h"

#define NOTIFY_DIR "notify"
#define NOTIFY_NAME "notify.sock"
#define NOTIFY_INSIDE "/run/notify/" NOTIFY_NAME

struct err *notify_make_dir(int dir_fd)
{
	if (mkdirat(dir_fd, NOTIFY_DIR, 0755) < 0)
		return err_sys(errno, "make the notify directory");
	return NULL;
}

struct err *notify_listen(int dir_fd, int *ret_fd)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (fd < 0)
		return err_sys(errno, "make the notify socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path),
		 "/proc/self/fd/%d/" NOTIFY_DIR "/" NOTIFY_NAME, dir_fd);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(errno, "bind the notify socket");
	/* any user of the container may say that it is ready */
	if (fchmodat(AT_FDCWD, addr.sun_path, 0777, 0) < 0)
		return err_sys(errno, "open the notify socket to all");
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *notify_add_env(struct strlist *env)
{
	return strlist_add(env, "NOTIFY_SOCKET=" NOTIFY_INSIDE);
}

struct err *ct_notify_host(const char *host_socket, const char *text)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(host_socket);

	if (fd < 0)
		return err_sys(errno, "make a socket");
	if (len >= sizeof(addr.sun_path))
		return err_new(ERR_INVALID, "NOTIFY_SOCKET %s is too long", host_socket);
	memcpy(addr.sun_path, host_socket, len);
	/* sd_notify(3): "@" stands for the abstract namespace's leading NUL */
	if (addr.sun_path[0] == '@')
		addr.sun_path[0] = '\0';
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&addr,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_sys(errno, "send to NOTIFY_SOCKET %s", host_socket);
	return NULL;
}

static bool says_ready(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "READY=1", 7) && (line[7] == '\n' || line[7] == '\0'))
			return true;
	}
	return false;
}

struct err *notify_take(int socket_fd, const char *host_socket, pid_t pid, bool *ret_ready)
{
	OWN(str) char *ready = NULL;
	char text[4096];
	ssize_t got = recv(socket_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (got < 0 && errno != EINTR && errno != EAGAIN)
		return err_sys(errno, "read the notify socket");
	text[got < 0 ? 0 : got] = '\0';
	*ret_ready = says_ready(text);
	if (!*ret_ready)
		return NULL;
	TRY(str_format(&ready, "READY=1\nMAINPID=%d\n", (int)pid));
	return ct_notify_host(host_socket, ready);
}

struct err *notify_relay(int socket_fd, const char *host_socket, pid_t pid, int pidfd)
{
	struct pollfd fds[2] = { { .fd = socket_fd, .events = POLLIN },
				 { .fd = pidfd, .events = POLLIN } };
	bool ready = false;

	while (!ready) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_sys(errno, "wait for READY=1");
		if (fds[0].revents)
			TRY(notify_take(socket_fd, host_socket, pid, &ready));
		else if (fds[1].revents)
			return NULL; /* it was started; whether its end is a failure, the waiter
					knows */
	}
	return NULL;
}
