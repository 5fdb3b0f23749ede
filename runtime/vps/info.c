/* Looking at a VPS, and putting right what a killed monitor or command left; see vps.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/vps/moving.h"
#include "runtime/vps/watcher.h"
#include "runtime/vps/wire.h"

static const char *const status_names[VPS_STATUS_COUNT] = {
	[VPS_STOPPED] = "stopped",     [VPS_RUNNING] = "running", [VPS_PAUSED] = "paused",
	[VPS_SUSPENDED] = "suspended", [VPS_DAMAGED] = "damaged",
};

const char *vps_status_name(enum vps_status status)
{
	return status_names[status];
}

void vps_info_release(struct vps_info *info)
{
	free(info->name);
	free(info->problem);
	free(info->cgroup);
	free(info->private_path);
	free(info->host_ifname);
	net_ports_release(&info->ports);
	vps_conf_release(&info->conf);
	strlist_release(&info->waiting);
	cgroup_stats_release(&info->stats);
	*info = (struct vps_info){ 0 };
	vps_conf_init(&info->conf);
}

/* Does a process hold the monitor's lock? */
static bool is_monitored(const struct vps_host *host, const char *name)
{
	OWN(fd) int fd = -1;
	struct err *err = monitor_lock(host, name, &fd);

	if (err) {
		log_warn(err);
		return true; /* rather no monitor too few than one too many */
	}
	return fd < 0;
}

/* The engine's view. *ret_state stays empty when it knows nothing. */
static struct err *load_state(const struct vps_host *host, const char *name,
			      struct ct_state *ret_state)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct err *err;

	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, ret_state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it does not run */
		return NULL;
	}
	return err;
}

static bool runs(const struct ct_state *state)
{
	return state->id && (state->status == CT_RUNNING || state->status == CT_PAUSED);
}

/* *ret_lock stays empty when another command is at work, which will see to it itself. */
static struct err *try_lock(const struct vps_host *host, const char *name,
			    struct vps_lock *ret_lock)
{
	struct err *err = vps_lock(host, name, VPS_LOCK_TRY, ret_lock);

	if (err && err_errno(err) == EBUSY) {
		err_drop(err); /* as said above */
		return NULL;
	}
	return err;
}

/*
 * Nobody watches although the engine remembers a start: clean up after a dead init, or watch a
 * living one.
 */
static struct err *repair(const struct vps_host *host, const char *name,
			  const struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(try_lock(host, name, &lock));
	if (lock.fd < 0)
		return NULL;
	TRY(load_state(host, name, &state));
	if (!state.id || is_monitored(host, name))
		return NULL;
	if (runs(&state))
		return monitor_attach(host, name);
	last_write(host, &state, "unknown");
	return vps_clean_up(host, name, conf);
}

/* A killed command, or an accident with a bridge or uplink, left the network half done. */
static struct err *repair_network(const struct vps_host *host, const char *name,
				  const struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_net) struct vps_net net = { 0 };
	bool whole;

	TRY(try_lock(host, name, &lock));
	if (lock.fd < 0)
		return NULL;
	TRY(load_state(host, name, &state));
	if (!runs(&state))
		return NULL;
	TRY(net_record_read(host, name, &net));
	TRY(wire_check(&net, NULL, &whole)); /* nobody changes it now */
	return whole ? NULL : wire_repair(host, name, conf, state.pid);
}

/* A stop that was killed after the engine had forgotten the VPS left its network on record. */
static struct err *remove_rest(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_net) struct vps_net net = { 0 };

	TRY(net_record_read(host, name, &net));
	if (net.ports.count == 0)
		return NULL;
	TRY(try_lock(host, name, &lock));
	if (lock.fd < 0)
		return NULL;
	TRY(load_state(host, name, &state));
	return state.id ? NULL : net_unwire(host, name);
}

/* A move that was killed left the VPS down. */
static struct err *repair_move(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	bool left;

	TRY(moving_is_left(host, name, &left));
	return left ? try_lock(host, name, &lock) : NULL;
}

static struct err *read_cgroup(const struct cgroup *cgroup, enum vps_detail detail,
			       struct cgroup_stats *ret_stats)
{
	return detail == VPS_WITH_COUNTS ? cgroup_counts_read(cgroup, ret_stats) :
					   cgroup_usage_read(cgroup, ret_stats);
}

static struct err *read_stats(const struct ct_state *state, enum vps_detail detail,
			      struct vps_info *info)
{
	struct cgroup cgroup = CGROUP_INIT;
	struct err *err;

	if (!state->cgroup_path)
		return NULL;
	err = cgroup_open(state->cgroup_path, state->scope, state->driver, &cgroup);
	if (!err)
		err = read_cgroup(&cgroup, detail, &info->stats);
	cgroup_release(&cgroup);
	info->has_stats = !err;
	return err;
}

/* The interfaces that it has, which the definition may have outgrown; whole, if they can be. */
static struct err *find_ports(const struct vps_host *host, const struct net_seen *seen,
			      struct vps_info *info)
{
	OWN(vps_net) struct vps_net net = { 0 };
	bool whole = true;

	TRY(net_record_read(host, info->name, &net));
	log_warn(wire_check(&net, seen, &whole)); /* what is shown stays true without it */
	if (!whole) {
		log_warn(repair_network(host, info->name, &info->conf)); /* as above */
		vps_net_release(&net);
		TRY(net_record_read(host, info->name, &net));
	}
	info->ports = net.ports;
	net.ports = (struct net_ports){ 0 };
	if (info->ports.count == 0 || !*info->ports.items[0].host_name)
		return NULL;
	return str_dup(info->ports.items[0].host_name, &info->host_ifname);
}

/* Keys that were saved, but that only a start can apply. */
static struct err *find_waiting(const struct vps_host *host, struct vps_info *info)
{
	OWN(vps_conf) struct vps_conf running;

	TRY(running_load(host, info->name, &running));
	return vps_conf_diff(&running, &info->conf, &info->waiting);
}

static struct err *fill_running(const struct vps_host *host, const struct ct_state *state,
				const struct vps_glance *glance, struct vps_info *info)
{
	const enum vps_detail detail = glance->detail;
	struct err *err;

	info->status = state->status == CT_PAUSED ? VPS_PAUSED : VPS_RUNNING;
	info->pid = state->pid;
	info->uptime_s = proc_age_s(state->pid_start_ticks);
	if (state->cgroup_path)
		TRY(str_dup(state->cgroup_path, &info->cgroup));
	TRY(find_ports(host, glance->seen, info));
	if (detail == VPS_BRIEF)
		return NULL;
	if (detail == VPS_WITH_STATS)
		TRY(find_waiting(host, info));
	err = read_stats(state, detail, info);
	if (!err && detail == VPS_WITH_STATS && info->host_ifname) {
		err = net_counters_read(info->host_ifname, &info->traffic);
		info->has_traffic = !err;
	}
	log_warn(err); /* it may have ended this moment; the rest is worth showing */
	return NULL;
}

/* Where nothing counts, or the disk is damaged, there is nothing to show: start says why. */
static void read_disk(const struct vps_host *host, struct vps_info *info)
{
	const struct disk disk = vps_disk(host, info->name, &info->conf);
	struct err *err = disk_usage(&disk, &info->disk);

	info->has_disk = !err;
	err_drop(err);
}

static struct err *look_at_resting(const struct vps_host *host, struct vps_info *info)
{
	bool suspended;

	log_warn(remove_rest(host, info->name)); /* what is shown stays true without it */
	TRY(suspend_is(host, info->name, &suspended));
	info->status = suspended ? VPS_SUSPENDED : VPS_STOPPED;
	return net_plan(host, info->name, &info->conf, &info->ports);
}

static struct err *look(const struct vps_host *host, const struct vps_glance *glance,
			struct vps_info *info)
{
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(load_state(host, info->name, &state));
	if (!runs(&state)) {
		log_warn(repair_move(host, info->name)); /* what is shown stays true without it */
		ct_state_release(&state);
		TRY(load_state(host, info->name, &state));
	}
	/* a killed snapshot leaves a VPS held still: the lock lets it go on */
	info->monitored = state.id && is_monitored(host, info->name);
	if (state.id && (state.status == CT_PAUSED || !info->monitored)) {
		log_warn(repair(host, info->name,
				&info->conf)); /* what is shown stays true without it */
		ct_state_release(&state);
		TRY(load_state(host, info->name, &state));
		info->monitored = state.id && is_monitored(host, info->name);
	}
	if (!runs(&state))
		return look_at_resting(host, info);
	log_warn(views_renew(host));
	log_warn(set_repair_if_free(host, info->name)); /* as above, and before the network */
	return fill_running(host, &state, glance, info);
}

struct err *vps_look(const struct vps_host *host, const char *name, enum vps_detail detail,
		     struct vps_info *ret_info)
{
	return vps_glance(host, name, &(struct vps_glance){ .detail = detail }, ret_info);
}

void vps_see_all(struct net_seen *seen)
{
	err_drop(net_seen_read(seen)); /* each VPS is looked at by itself, then */
}

struct err *vps_glance(const struct vps_host *host, const char *name,
		       const struct vps_glance *glance, struct vps_info *ret_info)
{
	OWN(vps_info) struct vps_info info = { 0 };
	struct err *err;

	vps_conf_init(&info.conf);
	TRY(parse_container_id(name));
	TRY(str_dup(name, &info.name));
	TRY(str_format(&info.private_path, "%s/%s", host->private_dir, name));
	err = running_load_anyway(host, name, &info.conf, &info.problem);
	if (err && err_kind(err) == ERR_NOT_FOUND)
		return err;
	if (!err && glance->detail == VPS_WITH_STATS)
		read_disk(host, &info);
	if (!err)
		err = look(host, glance, &info);
	if (err) {
		/* a list must show this one too */
		free(info.problem);
		info.problem = NULL;
		TRY(str_dup(err_text(err), &info.problem));
		err_drop(err); /* kept as text */
		info.status = VPS_DAMAGED;
	}
	if (info.problem && !info.pid)
		info.status = VPS_DAMAGED;
	*ret_info = info;
	info = (struct vps_info){ 0 };
	vps_conf_init(&info.conf);
	return NULL;
}
