/* Inside the making of a cgroup: parts that plan.c, create.c and systemd.c share. */
#ifndef CGROUPS_CREATE_H
#define CGROUPS_CREATE_H

#include <stdbool.h>

#include "base/err.h"
#include "cgroups/cgroups.h"

/* Something of spec has an effect only with a cgroup: a limit, or a device filter that we could
 * load. */
bool cgroup_is_asked_for(const struct cgroup_spec *spec);
/* The first user namespace, and root in it: only there the kernel takes device filters. */
bool may_load_filters(void);
/* True for the errors of a hierarchy that is absent or not ours to write. */
bool is_not_ours(const struct err *err);

/* Where the file driver would put the cgroup, given the hierarchy's root. *ret_path is owned;
 * ERR_SYS/EACCES when no place is writable. */
MUST_CHECK struct err *plan_path(int root_fd, const struct cgroup_spec *spec, const char *prefix,
				 const char *id, char **ret_path);

/* Controllers, limits, device filter and ownership of the open cgroup cg. */
MUST_CHECK struct err *cgroup_furnish(int root_fd, const struct cgroup_spec *spec,
				      const struct cgroup *cg);
/* Give dir_fd and its files named in /sys/kernel/cgroup/delegate to the owner in spec. */
MUST_CHECK struct err *cgroup_delegate(int dir_fd, const struct cgroup_spec *spec);

#endif
