/*
 * Undoing a birth, also one that was killed half way: everything that must go is named in the state
 * file, which was written before anything was made.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/birth.h"

#define END_TIMEOUT_MS 10000

static struct err *wait_end(int pidfd, const char *id)
{
	bool ended;

	TRY(proc_wait_end(pidfd, END_TIMEOUT_MS, &ended));
	if (!ended)
		return err_new(ERR_STATE, "container '%s' did not end within %d s of SIGKILL", id,
			       END_TIMEOUT_MS / 1000);
	return NULL;
}

/* Kill init by its pidfd and the rest of the tree through the cgroup, and wait without polling. */
static struct err *end_processes(const struct ct_state *state, struct cgroup *cgroup, int pidfd)
{
	struct err *err = NULL;

	/* init ended and was alone with its own pid namespace: nothing can be left */
	if (pidfd < 0 && state->pid && state->own_pid_ns)
		return NULL;
	/* init's end takes its pid namespace with it; only a container without one needs the cgroup
	 * here */
	if (pidfd >= 0 && state->own_pid_ns)
		err = proc_signal(pidfd, SIGKILL);
	else if (cgroup->dir_fd >= 0)
		err = cgroup_kill(cgroup);
	else if (pidfd >= 0)
		err = proc_signal(pidfd, SIGKILL);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it ended meanwhile */
		err = NULL;
	}
	if (!err && pidfd >= 0)
		err = wait_end(pidfd, state->id);
	return err;
}

static void run_poststop(struct ct_state *state)
{
	OWN(str) char *json = NULL;
	struct err *err;

	if (state->hooks[HOOK_POSTSTOP].count == 0)
		return;
	state->status = CT_STOPPED;
	err = ct_state_json(state, false, &json);
	if (err)
		log_warn(err);
	else
		hooks_run_all(&state->hooks[HOOK_POSTSTOP], HOOK_POSTSTOP, json);
}

static struct err *undo_birth(const struct ct_root *root, struct ct_state *state,
			      struct cgroup *cgroup, int pidfd)
{
	/* a frozen tree does not die of a signal, only of cgroup.kill or after thawing */
	if (state->status == CT_PAUSED && cgroup->dir_fd >= 0)
		TRY(cgroup_kill(cgroup));
	if (pidfd >= 0 || cgroup->dir_fd >= 0)
		TRY(end_processes(state, cgroup, pidfd));
	if (cgroup->dir_fd >= 0)
		TRY(cgroup_destroy(cgroup, END_TIMEOUT_MS));
	if (state->rdt_group)
		rdt_remove(state->rdt_group);
	TRY(path_remove_tree(root->dir_fd, state->id));
	run_poststop(state);
	return NULL;
}

static struct err *delete_locked(const struct ct_root *root, int dir_fd, const char *id, bool force)
{
	OWN(ct_state) struct ct_state state = { 0 };
	struct cgroup cgroup = CGROUP_INIT;
	OWN(fd) int pidfd = -1;
	struct err *err;

	TRY(state_load(dir_fd, id, &state));
	/* without a pid it is the rest of a killed create: its creator would hold the lock that we
	 * hold */
	state.status = CT_STOPPED;
	if (state.pid)
		TRY(state_look(dir_fd, &state, &pidfd));
	if (!force && state.status != CT_STOPPED && state.status != CT_CREATED)
		return err_new(ERR_STATE, "container '%s' is %s: stop it first, or use --force", id,
			       ct_status_name(state.status));
	err = state_open_cgroup(&state, &cgroup);
	if (!err)
		err = state_look_paused(&state, &cgroup);
	if (!err)
		err = undo_birth(root, &state, &cgroup, pidfd);
	cgroup_release(&cgroup);
	return err;
}

struct err *ct_delete(const struct ct_root *root, const char *id, bool force)
{
	OWN(fd) int dir_fd = -1;
	struct err *err = state_lock_dir(root, id, &dir_fd);

	if (err && force && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* callers delete with --force until nothing is there */
		return NULL;
	}
	if (err)
		return err;
	return delete_locked(root, dir_fd, id, force);
}
