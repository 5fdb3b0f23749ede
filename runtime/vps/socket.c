/* The socket of a VPS's console, .vps/NAME.console in the directory of locks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse.h"
#include "runtime/vps/watcher.h"

struct err *console_socket_name(const char *name, char **ret_file)
{
	TRY(parse_container_id(name));
	return str_format(ret_file, "%s.console", name);
}

/* sun_path is too short for a VPS's longest name, but a rename is not. */
struct err *console_listen(const struct vps_host *host, const char *name, int *ret_fd)
{
	OWN(fd) int dir_fd = open(host->monitor_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	OWN(str) char *file = NULL;
	char temp[32];

	TRY(console_socket_name(name, &file));
	if (dir_fd < 0 || fd < 0)
		return err_sys(errno, "make the console's socket in %s", host->monitor_dir);
	snprintf(temp, sizeof(temp), ".socket-%d", (int)getpid());
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir_fd, temp);
	/* left by a process of the same number */
	unlinkat(dir_fd, temp, 0);
	/* the mode before the name: nobody else may ever connect */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(errno, "bind the console's socket in %s", host->monitor_dir);
	if (listen(fd, CONSOLE_CLIENTS_MAX) < 0 || renameat(dir_fd, temp, dir_fd, file) < 0) {
		struct err *err = err_sys(errno, "make %s/%s", host->monitor_dir, file);

		unlinkat(dir_fd, temp, 0);
		return err;
	}
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *console_connect(const struct vps_host *host, const char *name, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	OWN(str) char *file = NULL, *path = NULL;
	OWN(fd) int path_fd = -1, fd = -1;

	*ret_fd = -1;
	TRY(console_socket_name(name, &file));
	TRY(str_format(&path, "%s/%s", host->monitor_dir, file));
	path_fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (path_fd < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "open %s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(errno, "make a socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d", path_fd);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		/* a monitor that was killed left it */
		if (errno == ECONNREFUSED || errno == ENOENT)
			return NULL;
		return err_sys(errno, "connect to %s", path);
	}
	*ret_fd = fd_take(&fd);
	return NULL;
}

void console_forget(const struct vps_host *host, const char *name)
{
	OWN(str) char *path = NULL;
	struct err *err = str_format(&path, "%s/%s.console", host->monitor_dir, name);

	if (!err)
		unlink(path);
	err_drop(err); /* a socket that nobody listens on does no harm */
}
