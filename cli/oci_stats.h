/* The JSON of `cella-oci events`. Private to cli/. */
#ifndef CLI_OCI_STATS_H
#define CLI_OCI_STATS_H

#include <sys/types.h>

#include "base/json.h"
#include "cgroups/cgroups.h"

/* One "stats" event, without a newline. net_pid: whose network interfaces are counted. Owned by the
 * caller. */
MUST_CHECK struct err *oci_stats_json(const char *id, const struct cgroup_stats *stats,
				      pid_t net_pid, char **ret_text);

#endif
