/* Changing the limits of a live cgroup. */
#include "base/log.h"
#include "cgroups/cgroups.h"
#include "cgroups/limits.h"
#include "cgroups/systemd.h"

struct err *cgroup_apply(const struct cgroup *cg, const struct cgroup_limits *limits)
{
	struct err *err;

	TRY(cgroup_limits_check(limits));
	if (!limits_any(limits))
		return NULL;
	if (cg->dir_fd < 0)
		return err_new(ERR_UNSUPPORTED, "a container without a cgroup has no limits");
	TRY(limits_enable(cg, limits));
	/* systemd writes its own view at its own time, and rounds: our exact values come last */
	if (cg->driver == CGROUP_SYSTEMD && cg->scope)
		TRY(systemd_set(cg->scope, limits));
	err = limits_apply(cg->dir_fd, limits);
	return err_wrap(err, "cgroup %s", cg->path);
}
