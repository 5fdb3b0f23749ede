/* Releasing a created container, and its poststart hooks. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/birth.h"
#include "runtime/sync.h"

struct release {
	const struct ct_root *root;
	struct ct_state state;
	int dir_fd, pidfd, notify_fd;
};

/* Connecting is the order to go on; end of file is the program's execve. */
static struct err *release_init(struct release *release)
{
	OWN(fd) int fd = -1;

	TRY(start_socket_connect(release->root, release->state.id, release->dir_fd, &fd));
	if (unlinkat(release->dir_fd, START_SOCKET, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove the start socket");
	return sync_wait_exec(fd);
}

static struct err *poststart(struct release *release)
{
	OWN(str) char *json = NULL;

	if (release->state.hooks[HOOK_POSTSTART].count == 0)
		return NULL;
	release->state.status = CT_RUNNING;
	TRY(ct_state_json(&release->state, false, &json));
	return hooks_run(&release->state.hooks[HOOK_POSTSTART], HOOK_POSTSTART, json);
}

static struct err *start_locked(struct release *release, const char *id)
{
	const struct ct_state *state = &release->state;

	TRY(state_load(release->dir_fd, id, &release->state));
	TRY(state_look(release->dir_fd, &release->state, &release->pidfd));
	if (state->status != CT_CREATED)
		return err_new(ERR_STATE, "it is %s, not created", ct_status_name(state->status));
	if (!state->has_process)
		return err_new(ERR_INVALID, "config.json has no process to run");
	if (state->notify_socket)
		TRY(notify_listen(release->dir_fd, &release->notify_fd));
	return release_init(release);
}

struct err *ct_start(const struct ct_root *root, const char *id)
{
	struct release release = { .root = root, .dir_fd = -1, .pidfd = -1, .notify_fd = -1 };
	struct err *err = state_lock_dir(root, id, &release.dir_fd);
	bool ends = false;

	if (!err) {
		err = err_wrap(start_locked(&release, id), "start %s", id);
		if (!err) {
			err = err_wrap(poststart(&release), "start %s", id);
			ends = err != NULL;
		}
	}
	own_fd(&release.dir_fd);
	/* without the lock: a container that never becomes ready must be deletable */
	if (!err && release.notify_fd >= 0)
		err = err_wrap(notify_relay(release.notify_fd, release.state.notify_socket,
					    release.state.pid, release.pidfd),
			       "start %s", id);
	own_fd(&release.pidfd);
	own_fd(&release.notify_fd);
	ct_state_release(&release.state);
	/* runtime-spec 1.3, "Poststart": a failing hook ends the container */
	if (ends)
		log_warn(ct_delete(root, id, true));
	return err;
}
