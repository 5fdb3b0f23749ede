/* What a caller is told of a new process: the pid file, the pidfd; and the host interfaces that are
 * handed to it. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "runtime/birth.h"

struct err *pid_file_write(const char *path, pid_t pid)
{
	OWN(str) char *for_dir = NULL, *for_name = NULL;
	OWN(fd) int dir_fd = -1;
	char text[16];

	TRY(str_dup(path, &for_dir));
	TRY(str_dup(path, &for_name));
	dir_fd = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(errno, "open the directory of pid file %s", path);
	/* digits only: callers parse the whole file as a number */
	snprintf(text, sizeof(text), "%d", (int)pid);
	return err_wrap(file_replace(dir_fd, basename(for_name), 0644, text, strlen(text)),
			"pid file %s", path);
}

struct err *pidfd_socket_send(const char *path, int pidfd)
{
	OWN(fd) int fd = -1;

	TRY(fd_connect_unix(path, &fd));
	return fd_send(fd, "pidfd", 5, pidfd);
}

static struct err *move_device(const struct net_device *device, const char *netns)
{
	OWN(buf) struct buf output = { 0 };
	char program[] = CELLA_LIBEXECDIR "/cella-helper", verb[] = "netdev-move";
	char *argv[] = { program,
			 verb,
			 device->host_name,
			 device->name ? device->name : device->host_name,
			 (char *)(uintptr_t)netns,
			 NULL };
	struct proc_run run = {
		.path = program, .argv = argv, .output = &output, .timeout_ms = 30000
	};
	int status;

	TRY(proc_run(&run, &status));
	if (status == 0)
		return NULL;
	if (output.data)
		output.data[strcspn(output.data, "\n")] = '\0';
	return err_new(ERR_PEER, "linux.netDevices.%s: %s", device->host_name,
		       output.data && *output.data ? output.data : "cella-helper failed");
}

struct err *net_devices_move(const struct spec *spec, pid_t pid)
{
	char netns[40];

	snprintf(netns, sizeof(netns), "/proc/%d/ns/net", (int)pid);
	for (size_t i = 0; i < spec->net_device_count; i++)
		TRY(move_device(&spec->net_devices[i], netns));
	return NULL;
}
