/* Private to migrate-criu: control groups that are inside a container, and what hangs on them. */
#ifndef MIGRATE_CRIU_GROUPS_H
#define MIGRATE_CRIU_GROUPS_H

#include "cgroups/cgroups.h"

/* --- groups.c: groups.json beside the images --- */
/* Of a container that stands still. ERR_UNSUPPORTED: something of it cannot be taken along. */
MUST_CHECK struct err *cr_groups_save(int images_fd, const struct cgroup *cgroup);
/* No such file: no steps. ERR_INVALID: it leads out of the container's cgroup, or is no list. */
MUST_CHECK struct err *cr_groups_load(int images_fd, struct cgroup_steps *ret_steps);
MUST_CHECK struct err *cr_groups_format(const struct cgroup_steps *steps, char **ret_text);
MUST_CHECK struct err *cr_groups_parse(const char *text, size_t len,
				       struct cgroup_steps *ret_steps);

/* --- mounts.c --- */
/*
 * Parts of the container's cgroup tree that are mounted alone (systemd does so for a service that
 * sees the rest read-only): CRIU notes them as if they were the whole tree. Put what they are into
 * its images. The processes stand still.
 */
MUST_CHECK struct err *cr_group_mounts_save(int images_fd, const struct cgroup *cgroup);
/* One line of /proc/PID/mountinfo: is it a mount of a cgroup below top ("/a/b")? *ret_root is the
 * way from there, "/c/d"; owned, NULL: it is none. */
MUST_CHECK struct err *cr_group_mount_parse(const char *line, const char *top, uint32_t *ret_id,
					    char **ret_root);

/* --- pressure.c --- */
/*
 * Whoever has a pressure file open for writing waits for a threshold, which CRIU does not bring
 * back: it would be told of pressure without end. The kernel does not say which threshold it was;
 * systemd's own is set again. The processes are there and none runs.
 */
void cr_pressure_arm(const struct cgroup *cgroup);

#endif
