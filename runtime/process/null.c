/*
 * A caller's /dev/null as standard input, output or error is a file of the host's /dev. Opened anew
 * in the container it is one of the container's own: nothing of the host's mounts is left open
 * inside, and CRIU finds the mount of each descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/process/process.h"

static bool is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

struct err *process_reopen_null(void)
{
	for (int fd = 0; fd < 3; fd++) {
		OWN(fd) int own = -1;

		if (!is_null_device(fd))
			continue;
		/* looked at before it is used: the image's /dev/null may be anything */
		own = open("/dev/null", O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		/* a container without one, or not for it, keeps the caller's */
		if (own < 0 || !is_null_device(own))
			continue;
		if (fcntl(own, F_SETFL, 0) < 0 || dup2(own, fd) < 0)
			return err_sys(errno, "open /dev/null as descriptor %d", fd);
	}
	return NULL;
}
