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

/* sun_path holds 108 bytes and the state root may be longer: then through the directory's
 * descriptor, which costs a look-up in procfs. */
static struct sockaddr_un address(const struct ct_root *root, const char *id, int dir_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s/" START_SOCKET, root->path,
			   id);

	if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
		snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" START_SOCKET,
			 dir_fd);
	return addr;
}

struct err *start_socket_listen(const struct ct_root *root, const char *id, int dir_fd, int *ret_fd)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = address(root, id, dir_fd);

	if (fd < 0)
		return err_sys(errno, "make the start socket");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_sys(errno, "listen on the start socket");
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *start_socket_connect(const struct ct_root *root, const char *id, int dir_fd,
				 int *ret_fd)
{
	OWN(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = address(root, id, dir_fd);

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
