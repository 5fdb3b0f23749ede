/* Private to migrate-criu: what CRIU could not take along. */
#ifndef MIGRATE_CRIU_OBSTACLES_H
#define MIGRATE_CRIU_OBSTACLES_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroups/cgroups.h"
#include "namespaces/namespaces.h"

/* ERR_UNSUPPORTED names the first process of the cgroup that has something of it, and the cure.
 * What ends meanwhile is no obstacle. */
MUST_CHECK struct err *cr_check_processes(const struct cgroup *cgroup, pid_t init);
/* What the link /proc/PID/fd/N leads to, in words, when CRIU cannot take it; else NULL. */
const char *cr_untaken_file(const char *link);
/* Can CRIU not make a file system of this type? */
bool cr_untaken_mount(const char *type);
/* The innermost service or scope in the text of /proc/PID/cgroup, below top; NULL: none. Owned. */
MUST_CHECK struct err *cr_unit_name(const char *cgroup, const char *top, char **ret_unit);

#endif
