/* Nothing of ours is left open for the program: close_range(2); CVE-2024-21626. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

static struct err *seal_one(int fd)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
		return err_sys(errno, "make descriptor %d close-on-exec", fd);
	return NULL;
}

/* Kernels before 5.11 have no CLOSE_RANGE_CLOEXEC: look at what is open. */
static struct err *seal_listed(unsigned int first)
{
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd;

	TRY(procfs_open("self/fd", O_RDONLY | O_DIRECTORY, &fd));
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(ENOMEM, "list /proc/self/fd");
	}
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t number;

		if (entry->d_name[0] == '.')
			continue;
		TRY(parse_u64("descriptor", entry->d_name, 0, INT32_MAX, &number));
		if (number >= first)
			TRY(seal_one((int)number));
	}
	return errno ? err_sys(errno, "list /proc/self/fd") : NULL;
}

struct err *process_seal_fds(unsigned int preserve_fds)
{
	unsigned int first = 3 + preserve_fds;

	if (first < preserve_fds)
		return err_new(ERR_INVALID, "%u descriptors cannot be preserved", preserve_fds);
	if (close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return NULL;
	if (errno != ENOSYS && errno != EINVAL)
		return err_sys(errno, "make descriptors from %u on close-on-exec", first);
	return seal_listed(first);
}
