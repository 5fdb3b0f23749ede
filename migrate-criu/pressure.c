/* Thresholds of pressure, which hang on open files and are lost with them; see groups.h. Sources:
 * psi.rst, "Monitoring for pressure thresholds"; systemd's "Memory Pressure Handling". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "migrate-criu/groups.h"

/* systemd's default: some task waited for memory for 200 ms of 2 s. */
#define THRESHOLD "some 200000 2000000"

OWN_KIND(pids, pid_t *, free)

static bool is_pressure_file(const char *link)
{
	size_t len = strlen(link), tail = strlen(".pressure");

	return len > tail && str_eq(link + len - tail, ".pressure");
}

static struct err *arm_file(int pidfd, const char *number)
{
	OWN(fd) int fd = -1;
	struct statfs fs;
	uint64_t there;

	TRY(parse_u64("descriptor", number, 0, INT_MAX, &there));
	fd = pidfd_getfd(pidfd, (int)there, 0);
	if (fd < 0)
		return err_sys(errno, "take descriptor %s", number);
	if (fstatfs(fd, &fs) < 0)
		return err_sys(errno, "look at descriptor %s", number);
	if (fs.f_type != CGROUP2_SUPER_MAGIC || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return NULL;
	/* busy: the same open file, of another process */
	if (write(fd, THRESHOLD, sizeof(THRESHOLD)) < 0 && errno != EBUSY)
		return err_sys(errno, "set its threshold");
	return NULL;
}

static struct err *arm_process(pid_t pid)
{
	OWN(str) char *path = NULL;
	OWN(dir) DIR *dir = NULL;
	OWN(fd) int pidfd = -1;
	const struct dirent *entry;

	TRY(str_format(&path, "/proc/%d/fd", (int)pid));
	TRY(proc_open_any(pid, &pidfd));
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char link[PATH_MAX];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[len < 0 ? 0 : len] = '\0';
		if (is_pressure_file(link))
			TRY(err_wrap(arm_file(pidfd, entry->d_name), "%s", link));
	}
	return NULL;
}

void cr_pressure_arm(const struct cgroup *cgroup)
{
	OWN(pids) pid_t *pids = NULL;
	size_t count = 0;

	log_warn(cgroup_pids(cgroup, &pids, &count));
	for (size_t i = 0; i < count; i++)
		log_warn(err_wrap(arm_process(pids[i]), "process %d", (int)pids[i]));
}
