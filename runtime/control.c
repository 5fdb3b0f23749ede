/* What is done to a living container: signals, freezing, limits, counting. */
#include <signal.h>

#include "base/proc.h"
#include "runtime/birth.h"

/* A container looked up for one operation. */
struct target {
	struct ct_state state;
	struct cgroup cgroup;
	int dir_fd, pidfd;
};
#define TARGET_INIT                                              \
	{                                                        \
		.cgroup = CGROUP_INIT, .dir_fd = -1, .pidfd = -1 \
	}

static void own_target(struct target *target)
{
	ct_state_release(&target->state);
	cgroup_release(&target->cgroup);
	own_fd(&target->dir_fd);
	own_fd(&target->pidfd);
}

static struct err *find(const struct ct_root *root, const char *id, struct target *target)
{
	TRY(state_open_dir(root, id, &target->dir_fd));
	TRY(state_load(target->dir_fd, id, &target->state));
	return state_look(target->dir_fd, &target->state, &target->pidfd);
}

static struct err *need_cgroup(struct target *target)
{
	const struct ct_state *state = &target->state;

	if (state->status == CT_STOPPED || state->status == CT_CREATING)
		return err_new(ERR_STATE, "container '%s' is %s", state->id,
			       ct_status_name(state->status));
	if (!state->cgroup_path || state->driver == CGROUP_DISABLED)
		return err_new(ERR_UNSUPPORTED, "container '%s' has no cgroup of its own",
			       state->id);
	return cgroup_open(state->cgroup_path, state->scope, state->driver, &target->cgroup);
}

struct err *ct_kill(const struct ct_root *root, const char *id, int signum, bool all)
{
	OWN(target) struct target target = TARGET_INIT;
	const struct ct_state *state = &target.state;
	bool shared_pids;

	TRY(find(root, id, &target));
	shared_pids = !state->own_pid_ns && signum == SIGKILL;
	/* with a shared pid namespace processes outlive init: callers end the rest by kill --all
	 * KILL */
	if (state->status == CT_STOPPED && all && state->cgroup_path) {
		TRY(cgroup_open(state->cgroup_path, state->scope, state->driver, &target.cgroup));
		return cgroup_signal(&target.cgroup, signum);
	}
	if (state->status == CT_STOPPED || state->status == CT_CREATING)
		return err_new(ERR_STATE, "container not running: '%s' is %s", id,
			       ct_status_name(state->status));
	if ((all || shared_pids) && state->cgroup_path && state->driver != CGROUP_DISABLED) {
		TRY(need_cgroup(&target));
		return cgroup_signal(&target.cgroup, signum);
	}
	return proc_signal(target.pidfd, signum);
}

static struct err *set_frozen(const struct ct_root *root, const char *id, bool frozen)
{
	OWN(target) struct target target = TARGET_INIT;
	OWN(fd) int lock_fd = -1;

	TRY(state_lock_dir(root, id, &lock_fd));
	TRY(find(root, id, &target));
	TRY(need_cgroup(&target));
	TRY(state_look_paused(&target.state, &target.cgroup));
	if (frozen && target.state.status != CT_RUNNING && target.state.status != CT_CREATED)
		return err_new(ERR_STATE, "container '%s' is %s, not running", id,
			       ct_status_name(target.state.status));
	if (!frozen && target.state.status != CT_PAUSED)
		return err_new(ERR_STATE, "container '%s' is %s, not paused", id,
			       ct_status_name(target.state.status));
	return cgroup_freeze(&target.cgroup, frozen, 10000);
}

struct err *ct_pause(const struct ct_root *root, const char *id)
{
	return set_frozen(root, id, true);
}

struct err *ct_resume(const struct ct_root *root, const char *id)
{
	return set_frozen(root, id, false);
}

struct err *ct_update(const struct ct_root *root, const char *id, const struct cgroup_spec *changes)
{
	OWN(target) struct target target = TARGET_INIT;
	OWN(fd) int lock_fd = -1;

	TRY(state_lock_dir(root, id, &lock_fd));
	TRY(find(root, id, &target));
	TRY(need_cgroup(&target));
	TRY(cgroup_limits_check(&changes->limits));
	TRY(cgroup_apply(&target.cgroup, &changes->limits));
	return changes->device_filter ? cgroup_set_devices(&target.cgroup, changes) : NULL;
}

struct err *ct_pids(const struct ct_root *root, const char *id, pid_t **ret_pids, size_t *ret_count)
{
	OWN(target) struct target target = TARGET_INIT;

	TRY(find(root, id, &target));
	TRY(need_cgroup(&target));
	return cgroup_pids(&target.cgroup, ret_pids, ret_count);
}

struct err *ct_stats(const struct ct_root *root, const char *id, struct cgroup_stats *ret_stats)
{
	OWN(target) struct target target = TARGET_INIT;

	TRY(find(root, id, &target));
	TRY(need_cgroup(&target));
	return cgroup_stats_read(&target.cgroup, ret_stats);
}
