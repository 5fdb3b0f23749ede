/*
 * The working directory inside the container. A path such as /proc/self/fd/7 must not lead to a
 * descriptor of the host (CVE-2024-21626): magic links are refused on the way, and what was reached
 * is checked afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"
#include "runtime/process/process.h"

/* Made when missing, for everybody to enter, whatever umask we were started with. */
static struct err *open_cwd(int root_fd, const char *cwd, int *ret_fd)
{
	mode_t old = umask(022);
	struct err *err = path_make_dir_in(root_fd, cwd, 0755, ret_fd);

	umask(old);
	return err;
}

struct err *process_enter_cwd(const char *cwd)
{
	OWN(fd) int root_fd = -1, cwd_fd = -1;
	char reached[PATH_MAX] = "";

	if (cwd[0] != '/')
		return err_new(ERR_INVALID, "working directory '%s' is not an absolute path", cwd);
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open the root directory");
	TRY(err_wrap(open_cwd(root_fd, cwd, &cwd_fd), "working directory"));
	if (fchdir(cwd_fd) < 0)
		return err_sys(errno, "change to working directory %s", cwd);
	/* the system call itself: the C library turns "(unreachable)/dir" into a search for a name
	 */
	if (syscall(SYS_getcwd, reached, sizeof(reached)) < 0)
		return err_sys(errno, "look at working directory %s", cwd);
	if (reached[0] != '/')
		return err_new(ERR_INVALID,
			       "working directory %s is outside of the container's root", cwd);
	return NULL;
}
