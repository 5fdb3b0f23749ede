/*
 * The mounted cgroup2 hierarchy: where it is, which controllers it has, and switching controllers
 * on along a path. Sources: cgroup-v2.rst ("Enabling and Disabling", "No Internal Process
 * Constraint"), cgroups(7).
 */
#ifndef CGROUPS_HIERARCHY_H
#define CGROUPS_HIERARCHY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

enum controller {
	CONTROLLER_CPU,
	CONTROLLER_CPUSET,
	CONTROLLER_DMEM,
	CONTROLLER_HUGETLB,
	CONTROLLER_IO,
	CONTROLLER_MEMORY,
	CONTROLLER_MISC,
	CONTROLLER_PIDS,
	CONTROLLER_RDMA,
	CONTROLLER_COUNT
};
/* A set of controllers. */
typedef unsigned int controllers;
#define CONTROLLER(name) ((controllers)1 << CONTROLLER_##name)

extern const char *const controller_names[CONTROLLER_COUNT];
/* Words of cgroup.controllers; unknown ones are skipped. */
controllers controllers_parse(const char *text);
/* The controller of a file such as "memory.max"; empty for "cgroup.*" and for unknown names. */
controllers controller_of_file(const char *file);

/* Open the hierarchy's root. ERR_UNSUPPORTED, with the cure, on a host with cgroup v1 or none. */
MUST_CHECK struct err *hierarchy_open(int *ret_root_fd);
/* "/a/b" to "a/b", "/" to ".": names below the root descriptor. Borrowed. */
const char *hierarchy_relative(const char *path);
/* A clean absolute path: no empty, "." or ".." components, no control bytes, not the root itself.
 * *ret_path is owned. ERR_INVALID. */
MUST_CHECK struct err *hierarchy_clean(const char *path, char **ret_path);
/* The cgroup of a process as this process sees it (cgroup namespaces); owned. pid 0: ourselves. */
MUST_CHECK struct err *hierarchy_path_of(pid_t pid, char **ret_path);

/*
 * Make sure that the cgroup path has the files of the controllers in need, by writing to
 * cgroup.subtree_control of its ancestors where something is missing. What of wish cannot be had is
 * left out silently: it is for statistics only.
 *
 * root_fd: the hierarchy's root; dir_fd: the open directory of path; both borrowed
 *
 * Errors: ERR_UNSUPPORTED (a needed controller is not offered, or its parent has processes),
 * ERR_SYS.
 */
MUST_CHECK struct err *hierarchy_enable(int root_fd, const char *path, controllers need,
					controllers wish);
/* Which of want the open cgroup dir_fd lacks. */
MUST_CHECK struct err *hierarchy_missing(int dir_fd, controllers want, controllers *ret_missing);

#endif
