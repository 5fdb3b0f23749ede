/* Private to migrate-criu: what CRIU could not take along. */
#ifndef MIGRATE_CRIU_OBSTACLES_H
#define MIGRATE_CRIU_OBSTACLES_H

#include <sys/types.h>

#include "cgroups/cgroups.h"
#include "namespaces/namespaces.h"

/* ERR_UNSUPPORTED names the first process of the cgroup that has something of it, and the cure.
 * What ends meanwhile is no obstacle. */
MUST_CHECK struct err *cr_check_processes(const struct cgroup *cgroup, pid_t init);
/* What the link /proc/PID/fd/N leads to, in words, when CRIU cannot take it; else NULL. */
const char *cr_untaken_file(const char *link);

#endif
