/*
 * The socket in the container's state directory on which a created init waits: whoever connects
 * (only `start` can: the directory is 0700 and no container sees it) releases it, hears its errors,
 * and hears its execve as end of file.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/birth.h"

/* sun_path holds 108 bytes and the state root may be longer: go through the directory's descriptor.
 */
static struct sockaddr_un address(int dir_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir_fd, START_SOCKET);
	return addr;
}

struct err *start_socket_listen(int dir_fd, int *ret_fd)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = address(dir_fd);

	if (fd < 0)
		return err_sys(errno, "make the start socket");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_sys(errno, "listen on the start socket");
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *start_socket_connect(int dir_fd, int *ret_fd)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = address(dir_fd);

	if (fd < 0)
		return err_sys(errno, "make a socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_new(ERR_STATE, "it was started already");
		return err_sys(errno, "connect to the start socket");
	}
	*ret_fd = fd_take(&fd);
	return NULL;
}
