/* Starting a VPS: the checks, under its lock, and then the monitor does it. */
#include "runtime/vps/moving.h"
#include "runtime/vps/watcher.h"

static struct err *check_stopped(const struct vps_host *host, const char *name)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err;

	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, &state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* the usual case */
		return NULL;
	}
	if (err)
		return err;
	if (state.status == CT_RUNNING || state.status == CT_PAUSED)
		return err_new(ERR_STATE, "VPS %s is running already", name);
	return NULL; /* the rest of a life that nobody saw end: the monitor cleans up first */
}

struct err *start_locked(const struct vps_host *host, const char *name)
{
	OWN(vps_conf) struct vps_conf conf;
	bool dismissed;

	vps_conf_init(&conf);
	TRY(vps_load(host, name, &conf));
	TRY(check_stopped(host, name));
	TRY(suspend_check_not(host, name));
	TRY(monitor_dismiss(host, name, &dismissed)); /* one that waits to do this very thing */
	TRY(addrs_check_free(host, name, &conf));
	TRY(unit_enter(name));
	TRY(ids_adopt(host, name));
	return monitor_start(host, name);
}

/* One that has moved away is not there either, but says more. */
static struct err *check_there(const struct vps_host *host, const char *name)
{
	bool exists;

	TRY(store_exists(host, name, &exists));
	return exists ? NULL : moving_check_start(host, name);
}

struct err *vps_start(const struct vps_host *host, const char *name, unsigned int flags)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf;
	bool left;

	vps_conf_init(&conf);
	TRY(check_there(host, name));
	TRY(vps_load(host, name, &conf));
	if (conf.disabled == 1 && !(flags & VPS_START_FORCE))
		return err_new(ERR_STATE,
			       "VPS %s is disabled (DISABLED=yes); --force starts it anyway", name);
	TRY(moving_is_left(host, name, &left));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(moving_check_start(host, name));
	if (left) { /* the lock has started it, if it was running before a move that was killed */
		OWN(ct_state) struct ct_state state = { 0 };

		TRY(vps_load_state(host, name, &state, &left));
		if (left)
			return NULL;
	}
	return start_locked(host, name);
}
