/* Stopping and resuming all processes of a cgroup. Source: cgroup-v2.rst, "cgroup.freeze". */
#include "base/own.h"
#include "cgroups/cgroups.h"
#include "cgroups/events.h"
#include "cgroups/files.h"

struct err *cgroup_freeze(const struct cgroup *cg, bool frozen, int timeout_ms)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	bool reached = false;
	struct err *err;

	/* no success without an effect: the processes would go on */
	if (cg->dir_fd < 0)
		return err_new(ERR_UNSUPPORTED, "a container without a cgroup cannot be %s",
			       frozen ? "paused" : "resumed");
	err = file_write_text(cg->dir_fd, "cgroup.freeze", frozen ? "1" : "0");
	if (!err)
		err = events_wait(cg->dir_fd, "frozen", frozen, deadline_ms, &reached);
	if (err)
		return err_wrap(err, "%s cgroup %s", frozen ? "freeze" : "thaw", cg->path);
	if (reached)
		return NULL;
	if (!frozen)
		return err_new(ERR_STATE,
			       "cgroup %s is still frozen after %d ms: a cgroup above it is frozen",
			       cg->path, timeout_ms);
	/* half frozen is worse than running: a process in an uninterruptible wait holds it up */
	err = file_write_text(cg->dir_fd, "cgroup.freeze", "0");
	if (err)
		return err_wrap(err, "thaw cgroup %s", cg->path);
	return err_new(ERR_STATE, "cgroup %s did not freeze within %d ms, so it was thawed",
		       cg->path, timeout_ms);
}

struct err *cgroup_is_frozen(const struct cgroup *cg, bool *ret_frozen)
{
	uint64_t frozen = 0;

	/* cgroup.events says what is, cgroup.freeze only what was asked for */
	if (cg->dir_fd >= 0)
		TRY(events_read(cg->dir_fd, "frozen", &frozen));
	*ret_frozen = frozen == 1;
	return NULL;
}
