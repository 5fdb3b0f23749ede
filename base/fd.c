/* Reading, writing and passing descriptors; see fd.h. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>

struct err *fd_read_all(int fd, const char *what, size_t max, struct buf *buf)
{
	char chunk[4096]; /* most files are small, and the compiler clears all of it */
	size_t total = 0;

	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(errno, "read %s", what);
		if (got == 0)
			break;
		total += (size_t)got;
		if (total > max)
			return err_new(ERR_INVALID, "%s is larger than %zu bytes", what, max);
		TRY(buf_add(buf, chunk, (size_t)got));
	}
	return buf_add(buf, "", 0);
}

struct err *fd_write_all(int fd, const char *what, const void *data, size_t len)
{
	const char *next = data;

	while (len > 0) {
		ssize_t put = write(fd, next, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(errno, "write %s", what);
		next += put;
		len -= (size_t)put;
	}
	return NULL;
}

struct err *fd_write_once(int fd, const char *what, const char *text)
{
	ssize_t put;

	do {
		put = write(fd, text, strlen(text));
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		return err_sys(errno, "write '%s' to %s", text, what);
	if ((size_t)put != strlen(text))
		return err_sys(EIO, "write '%s' to %s", text, what);
	return NULL;
}

/* copy_file_range(2) shares blocks where it can, but does not lead from one ext4 to another since
 * Linux 5.19; sendfile(2) leads everywhere. */
struct err *fd_copy_range(int from_fd, int to_fd, const char *what, off_t start, off_t end)
{
	bool shares = true;

	if (lseek(to_fd, start, SEEK_SET) < 0)
		return err_sys(errno, "seek in %s", what);
	while (start < end) {
		size_t len = (size_t)(end - start);
		ssize_t done = shares ? copy_file_range(from_fd, &start, to_fd, NULL, len, 0) :
					sendfile(to_fd, from_fd, &start, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && shares && (errno == EXDEV || errno == EOPNOTSUPP)) {
			shares = false;
			continue;
		}
		if (done < 0)
			return err_sys(errno, "copy %s", what);
		if (done == 0)
			return err_new(ERR_STATE, "copy %s: the file became shorter", what);
	}
	return NULL;
}

struct err *fd_dup(int fd, int *ret_fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return err_sys(errno, "copy descriptor %d", fd);
	*ret_fd = copy;
	return NULL;
}

struct err *fd_send(int socket_fd, const void *data, size_t len, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t put;

	if (fd >= 0) {
		struct cmsghdr *head;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(int));
	}
	do {
		put = sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		return err_sys(errno, "send a message of %zu bytes", len);
	return NULL;
}

struct err *fd_recv(int socket_fd, void *data, size_t room, size_t *ret_len, int *ret_fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = data, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	ssize_t got;
	int fd = -1;

	do {
		got = recvmsg(socket_fd, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(errno, "receive a message");
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(head), sizeof(int));
	*ret_len = (size_t)got;
	*ret_fd = fd;
	return NULL;
}

struct err *fd_connect_unix(const char *path, int *ret_fd)
{
	OWN(fd) int path_fd = open(path, O_PATH | O_CLOEXEC);
	OWN(fd) int fd = -1;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (path_fd < 0)
		return err_sys(errno, "open socket %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(errno, "make a socket for %s", path);
	/* sun_path holds 108 bytes, paths can be longer: go through the descriptor. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d", path_fd);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(errno, "connect to socket %s", path);
	*ret_fd = fd_take(&fd);
	return NULL;
}
