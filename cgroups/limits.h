/*
 * Limits as tables: a row is one file with one number; a group is one controller with its rows and
 * its own rules. cgroup_apply() walks the groups; adding a limit is adding a row.
 */
#ifndef CGROUPS_LIMITS_H
#define CGROUPS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroups/cgroups.h"
#include "cgroups/hierarchy.h"

struct limit_row {
	const char *file; /* in the cgroup directory */
	size_t offset;	  /* of a uint64_t in struct cgroup_limits; CGROUP_UNSET skips it */
	uint64_t min,
		max; /* range that the kernel accepts; CGROUP_MAX ("max") if max is CGROUP_MAX */
};

uint64_t limit_row_value(const struct limit_row *row, const struct cgroup_limits *limits);
bool limit_rows_set(const struct limit_row *rows, size_t count, const struct cgroup_limits *limits);
MUST_CHECK struct err *limit_rows_check(const struct limit_row *rows, size_t count,
					const struct cgroup_limits *limits);
MUST_CHECK struct err *limit_rows_apply(const struct limit_row *rows, size_t count, int dir_fd,
					const struct cgroup_limits *limits);

struct limit_group {
	/* Controllers without which apply would fail; 0 when nothing of the group is set. */
	controllers (*needs)(const struct cgroup_limits *limits);
	/* Ranges and forms; asks no kernel. NULL: nothing to check. */
	struct err *(*check)(const struct cgroup_limits *limits);
	/* What only the live cgroup can tell, before the first file is written. NULL: nothing. */
	struct err *(*precheck)(int dir_fd, const struct cgroup_limits *limits);
	struct err *(*apply)(int dir_fd, const struct cgroup_limits *limits);
};

extern const struct limit_group memory_limits, cpu_limits, cpuset_limits, pids_limits, io_limits,
	hugetlb_limits, rdma_limits, misc_limits, unified_limits;

/* Controllers that the set limits need. */
controllers limits_need(const struct cgroup_limits *limits);
/* Any limit at all is set, unified files included. */
bool limits_any(const struct cgroup_limits *limits);
/* Enable the controllers that the limits need for an open cgroup. */
MUST_CHECK struct err *limits_enable(const struct cgroup *cg, const struct cgroup_limits *limits);
/* Write all limits to an open cgroup whose controllers are enabled. */
MUST_CHECK struct err *limits_apply(int dir_fd, const struct cgroup_limits *limits);

#endif
