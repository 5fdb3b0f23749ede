/* CPUs and memory nodes. Source: cgroup-v2.rst, "Cpuset Interface Files"; cpuset(7), "List format".
 */
#include <string.h>

#include "cgroups/files.h"
#include "cgroups/limits.h"

static controllers cpuset_needs(const struct cgroup_limits *limits)
{
	return limits->cpuset_cpus || limits->cpuset_mems ? CONTROLLER(CPUSET) : 0;
}

/* The kernel judges the list itself; this only keeps other bytes (and a second line) away from it.
 */
static struct err *check_list(const char *file, const char *list)
{
	if (!list || list[strspn(list, "0123456789,-:/")] == '\0')
		return NULL;
	return err_new(ERR_INVALID, "%s: '%.64s' is not a list such as 0-3,7", file, list);
}

static struct err *cpuset_check(const struct cgroup_limits *limits)
{
	TRY(check_list("cpuset.cpus", limits->cpuset_cpus));
	return check_list("cpuset.mems", limits->cpuset_mems);
}

static struct err *write_list(int dir_fd, const char *file, const char *list)
{
	if (!list)
		return NULL;
	/* a write of no bytes never reaches the kernel's handler; a line end clears the list */
	return file_write_text(dir_fd, file, *list ? list : "\n");
}

static struct err *cpuset_apply(int dir_fd, const struct cgroup_limits *limits)
{
	TRY(write_list(dir_fd, "cpuset.cpus", limits->cpuset_cpus));
	return write_list(dir_fd, "cpuset.mems", limits->cpuset_mems);
}

const struct limit_group cpuset_limits = { cpuset_needs, cpuset_check, NULL, cpuset_apply };
