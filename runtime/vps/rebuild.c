/*
 * A new root in the place of the old one, on a disk of the same layout. It is made beside the old
 * one while the VPS may still run, takes over who it is and who may log in, and then changes places
 * with it (swap.c), which a kill does not end half way.
 */
#include "runtime/vps/rebuild.h"

#include "runtime/vps/identity.h"
#include "runtime/vps/room.h"
#include "runtime/vps/snapshot.h"

struct rebuild {
	const struct vps_host *host;
	const struct vps_rebuild *request;
	struct vps_conf conf; /* with the new template */
	bool stopped;	      /* by us */
};

static void own_rebuild(struct rebuild *rebuild)
{
	vps_conf_release(&rebuild->conf);
}

static struct err *runs(const struct rebuild *rebuild, bool *ret_runs)
{
	OWN(ct_state) struct ct_state state = { 0 };

	return vps_load_state(rebuild->host, rebuild->request->name, &state, ret_runs);
}

/* What can be known before anything is done. */
static struct err *check(struct rebuild *rebuild)
{
	const struct vps_rebuild *request = rebuild->request;
	bool lives;

	if (request->ostemplate) {
		free(rebuild->conf.ostemplate);
		rebuild->conf.ostemplate = NULL;
		TRY(str_dup(request->ostemplate, &rebuild->conf.ostemplate));
	}
	if (!rebuild->conf.ostemplate)
		return err_new(ERR_INVALID,
			       "--ostemplate is missing: %s.conf does not say which template VPS "
			       "%s was made from",
			       request->name, request->name);
	TRY(runs(rebuild, &lives));
	if (lives && !(request->flags & VPS_REBUILD_FORCE))
		return err_new(ERR_STATE,
			       "VPS %s is running: stop it first, or --force, which stops and "
			       "starts it",
			       request->name);
	return NULL;
}

/* It ran until now, while the template was copied. */
static struct err *stop(struct rebuild *rebuild)
{
	const struct vps_stop request = { .timeout_s = VPS_UNSET };
	const char *name = rebuild->request->name;
	bool lives, dismissed;

	TRY(runs(rebuild, &lives));
	if (!lives) /* one that waits to start it again */
		return monitor_dismiss(rebuild->host, name, &dismissed);
	TRY(stop_locked(rebuild->host, name, &request));
	rebuild->stopped = true;
	return NULL;
}

/* Both are mounted no longer than that. */
static struct err *keep(const struct rebuild *rebuild, const struct disk *fresh)
{
	const char *name = rebuild->request->name;
	const struct disk old = vps_disk(rebuild->host, name, &rebuild->conf);
	OWN(fd) int old_fd = -1, new_fd = -1;

	TRY(disk_mount(&old, NULL, &old_fd));
	TRY(disk_mount(fresh, NULL, &new_fd));
	TRY(identity_forget(new_fd)); /* the template's */
	return keep_credentials(name, old_fd, new_fd);
}

/* What it is now comes from no snapshot. */
static struct err *forget_current(const struct rebuild *rebuild)
{
	OWN(snapshots) struct snapshots snapshots = SNAPSHOTS_INIT;
	OWN(str) char *current = NULL;

	TRY(snapshots_open(rebuild->host, rebuild->request->name, &snapshots));
	TRY(snapshot_current(&snapshots, &current));
	return current ? snapshot_set_current(&snapshots, "") : NULL;
}

static struct err *swap(const struct rebuild *rebuild)
{
	const char *name = rebuild->request->name;
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(store_read(rebuild->host, name, &file));
	TRY(conf_file_set(&file, "OSTEMPLATE", rebuild->conf.ostemplate));
	TRY(vps_swap(rebuild->host, name, &file));
	return forget_current(rebuild);
}

static struct err *make_and_swap(struct rebuild *rebuild, const struct disk *fresh)
{
	const struct quota_limits limits = vps_disk_limits(&rebuild->conf);
	struct disk_new new = { .limits = &limits, .progress = rebuild->request->progress };
	struct err *err;

	TRY(vps_next_project(rebuild->host, rebuild->request->name, &rebuild->conf, &new.project));
	TRY(disk_create(fresh, rebuild->conf.ostemplate, &new));
	err = stop(rebuild); /* so that what is kept is the last that it had */
	if (!err)
		err = keep(rebuild, fresh);
	return err ? err_first(err, disk_remove(fresh)) : swap(rebuild);
}

static struct err *rebuild_locked(struct rebuild *rebuild)
{
	const struct vps_host *host = rebuild->host;
	const char *name = rebuild->request->name;
	OWN(str) char *hidden = NULL;
	struct disk fresh;

	TRY(vps_load(host, name, &rebuild->conf));
	TRY(check(rebuild));
	TRY(str_format(&hidden, ".%s", name));
	fresh = vps_disk(host, hidden, &rebuild->conf);
	return make_and_swap(rebuild, &fresh);
}

struct err *vps_rebuild(const struct vps_host *host, const struct vps_rebuild *request)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(rebuild) struct rebuild rebuild = { .host = host, .request = request };
	bool exists;
	struct err *err;

	vps_conf_init(&rebuild.conf);
	TRY(store_exists(host, request->name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", request->name);
	TRY(vps_lock(host, request->name, VPS_LOCK_PATIENT, &lock));
	TRY(suspend_check_not(host, request->name));
	err = rebuild_locked(&rebuild);
	vps_unlock(&lock);
	/* with the old root if the new one was not to be */
	return rebuild.stopped ? err_first(err, vps_start(host, request->name, 0)) : err;
}
