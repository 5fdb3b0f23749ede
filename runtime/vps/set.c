/*
 * Changing a definition. Two definitions are changed alike: the one in NAME.conf, and the one that
 * a running VPS has (running.c), which differs after --no-save or --at-restart.
 *
 *   check all --> NAME.changing --> change the VPS --> NAME.conf --> NAME.running, no NAME.changing
 *
 * NAME.conf is the commit: killed before it, the next command goes back, killed after it, it goes
 * on.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/capacity.h"
#include "runtime/vps/login.h"
#include "runtime/vps/room.h"

struct set {
	const struct vps_host *host;
	const struct vps_set *request;
	bool is_running;
	struct conf_file file;
	struct vps_conf plan;
	struct vps_conf saved, new_saved; /* what the file says; without the host's defaults */
	struct vps_conf live, new_live;	  /* what runs; with them */
	struct strlist live_keys;	  /* that differ in the running VPS */
};

static void set_init(struct set *set)
{
	vps_conf_init(&set->plan);
	vps_conf_init(&set->saved);
	vps_conf_init(&set->new_saved);
	vps_conf_init(&set->live);
	vps_conf_init(&set->new_live);
}

static void own_set(struct set *set)
{
	conf_file_release(&set->file);
	vps_conf_release(&set->plan);
	vps_conf_release(&set->saved);
	vps_conf_release(&set->new_saved);
	vps_conf_release(&set->live);
	vps_conf_release(&set->new_live);
	strlist_release(&set->live_keys);
}

void vps_set_result_release(struct vps_set_result *result)
{
	strlist_release(&result->applied);
	strlist_release(&result->waiting);
}

/* --- the new definition --- */

/* defaults: what an unset key goes back to. */
static struct err *edit(const struct vps_set *request, const struct vps_conf *plan,
			const struct vps_conf *defaults, const struct vps_conf *before,
			struct vps_conf *ret_after)
{
	TRY(vps_conf_dup(before, ret_after));
	for (size_t i = 0; i < request->unset.count; i++)
		TRY(err_wrap(vps_conf_copy_key(request->unset.items[i], defaults, ret_after),
			     "--unset"));
	TRY(vps_conf_merge(plan, ret_after));
	return vps_conf_merge(&request->changes, ret_after);
}

static const char *const network_keys[] = { "IP_ADDRESS", "NETIF" };

static bool has_network(const struct strlist *keys)
{
	for (size_t i = 0; i < ARRAY_SIZE(network_keys); i++)
		if (strlist_has(keys, network_keys[i]))
			return true;
	return false;
}

/* Addresses that are chosen, or asked about, are so once: for both definitions. */
static struct err *edit_network(struct set *set)
{
	const struct vps_set *request = set->request;
	OWN(strlist) struct strlist differ = { 0 };

	TRY(vps_net_edit(&request->net, &set->new_saved));
	TRY(addrs_choose(set->host, request->name, &set->new_saved));
	if (!(request->flags & VPS_SET_SKIP_PROBE))
		TRY(addrs_probe(set->host, request->name, &set->saved, &set->new_saved));
	if (!set->is_running)
		return NULL;
	TRY(vps_conf_diff(&set->saved, &set->live, &differ));
	for (size_t i = 0; i < ARRAY_SIZE(network_keys) && !has_network(&differ); i++)
		TRY(vps_conf_copy_key(network_keys[i], &set->new_saved, &set->new_live));
	if (!has_network(&differ))
		return NULL;
	TRY(vps_net_edit(&request->net, &set->new_live));
	if (!set->new_live.wants_addr)
		return NULL;
	return err_new(
		ERR_STATE,
		"--ipadd auto: VPS %s runs with another network than %s.conf says; restart it "
		"first",
		request->name, request->name);
}

/* What is only known with the values of several keys together. */
static struct err *check_together(const struct vps_host *host, const struct vps_conf *saved,
				  const struct vps_conf *with_defaults, const char *name)
{
	TRY(vps_conf_check(saved));
	TRY(vps_conf_check_together(with_defaults));
	TRY(addrs_check_free(host, name, saved));
	return capacity_check(host, name, with_defaults);
}

static struct err *read_all(struct set *set)
{
	const struct vps_host *host = set->host;
	const struct vps_set *request = set->request;
	OWN(vps_conf) struct vps_conf none, effective;

	vps_conf_init(&none);
	vps_conf_init(&effective);
	if (request->plan)
		TRY(plan_load(host, "--applyconfig", request->plan, &set->plan));
	/* how its disk lies is not changed by saying so: 'cella convert' does it */
	TRY(vps_conf_copy_key("VE_LAYOUT", &none, &set->plan));
	if (strlist_has(&request->unset, "VE_LAYOUT"))
		return err_new(ERR_INVALID, "--unset layout: a disk lies as it lies");
	if (request->plan)
		TRY(str_dup(request->plan, &set->plan.config));
	TRY(store_read(host, request->name, &set->file));
	TRY(err_wrap(vps_conf_read(&set->file, &set->saved), "%s/%s.conf", host->conf_dir,
		     request->name));
	TRY(edit(request, &set->plan, &none, &set->saved, &set->new_saved));
	if (set->is_running) {
		TRY(running_load(host, request->name, &set->live));
		TRY(edit(request, &set->plan, &host->defaults, &set->live, &set->new_live));
	}
	if (request->net.count)
		TRY(edit_network(set));
	TRY(vps_conf_dup(&host->defaults, &effective));
	TRY(vps_conf_merge(&set->new_saved, &effective));
	TRY(check_together(host, &set->new_saved, &effective, request->name));
	if (!set->is_running)
		return NULL;
	TRY(vps_conf_check_together(&set->new_live));
	return vps_conf_diff(&set->live, &set->new_live, &set->live_keys);
}

/* --- the change --- */

static struct live_change change_of(const struct set *set)
{
	return (struct live_change){ .host = set->host,
				     .name = set->request->name,
				     .from = &set->live,
				     .to = &set->new_live,
				     .force = set->request->flags & VPS_SET_FORCE };
}

/* A key that waits stays what it is in the running VPS. */
static struct err *hold_back(struct set *set, const struct strlist *waiting)
{
	for (size_t i = 0; i < waiting->count; i++)
		TRY(vps_conf_copy_key(waiting->items[i], &set->live, &set->new_live));
	strlist_release(&set->live_keys);
	return vps_conf_diff(&set->live, &set->new_live, &set->live_keys);
}

static struct err *save(struct set *set)
{
	if (set->request->flags & VPS_SET_NO_SAVE)
		return NULL;
	TRY(vps_conf_write(&set->new_saved, &set->file));
	TRY(vps_obsolete_keep(&set->request->kept, &set->file));
	return store_write(set->host, set->request->name, &set->file);
}

static struct err *undo(struct set *set)
{
	const struct live_change back = { .host = set->host,
					  .name = set->request->name,
					  .from = &set->new_live,
					  .to = &set->live,
					  .force = true };

	TRY(live_apply(&back, &set->live_keys));
	return running_end(set->host, set->request->name, &set->live);
}

static struct err *change_running(struct set *set, struct vps_set_result *result)
{
	const char *name = set->request->name;
	struct live_change change = change_of(set);
	struct err *err;

	TRY(live_check(&change, &set->live_keys, set->request->flags & VPS_SET_AT_RESTART,
		       &result->waiting));
	TRY(hold_back(set, &result->waiting));
	TRY(running_begin(set->host, name, &set->new_live));
	err = live_apply(&change, &set->live_keys);
	if (err) /* it is back where it was */
		return err_first(err, running_end(set->host, name, &set->live));
	err = save(set);
	if (err)
		return err_first(err, undo(set));
	TRY(running_end(set->host, name, &set->new_live));
	for (size_t i = 0; i < set->live_keys.count; i++)
		TRY(strlist_add(&result->applied, set->live_keys.items[i]));
	return NULL;
}

/* The disk of a stopped VPS is resized at once: its start takes a disk as it is. */
static struct err *change_disk(struct set *set, const struct vps_conf *before,
			       const struct vps_conf *after)
{
	static const char *const disk_keys[] = { "DISKSPACE", "DISKINODES", "QUOTATIME" };
	const char *name = set->request->name;
	OWN(strlist) struct strlist differ = { 0 };
	bool changes = false;
	struct err *err;

	TRY(vps_conf_diff(before, after, &differ));
	for (size_t i = 0; i < ARRAY_SIZE(disk_keys); i++)
		changes |= strlist_has(&differ, disk_keys[i]);
	if (changes)
		TRY(vps_disk_limit(set->host, name, after, DISK_IDLE));
	err = save(set);
	if (err && changes)
		err = err_first(err, vps_disk_limit(set->host, name, before, DISK_IDLE));
	return err;
}

/* A stopped VPS is asked for what its next start would be refused for. */
static struct err *change_stopped(struct set *set)
{
	OWN(strlist) struct strlist lacks = { 0 };
	OWN(cgroup_limits) struct cgroup_limits limits;
	OWN(vps_conf) struct vps_conf before, after;

	cgroup_limits_init(&limits);
	vps_conf_init(&before);
	vps_conf_init(&after);
	if (set->request->flags & VPS_SET_NO_SAVE)
		return err_new(ERR_STATE, "VPS %s is not running: with --no-save nothing changes",
			       set->request->name);
	TRY(vps_conf_merge(&set->host->defaults, &before));
	TRY(vps_conf_merge(&set->host->defaults, &after));
	TRY(vps_conf_merge(&set->saved, &before));
	TRY(vps_conf_merge(&set->new_saved, &after));
	TRY(limits_change(set->host, set->request->name, &before, &after, &limits, &lacks));
	for (size_t i = 0; i < lacks.count; i++)
		log_warning("VPS %s: %s", set->request->name, lacks.items[i]);
	return change_disk(set, &before, &after);
}

static struct err *is_running(const struct vps_host *host, const char *name, bool *ret_running)
{
	OWN(ct_state) struct ct_state state = { 0 };

	return vps_load_state(host, name, &state, ret_running);
}

static struct err *check_request(const struct vps_set *request)
{
	OWN(conf_file) struct conf_file scratch = { 0 };

	TRY(vps_obsolete_keep(&request->kept, &scratch));
	TRY(login_check(request->login));
	return vps_conf_check(&request->changes);
}

/* First, so that a user who is not there leaves the definition alone. */
static struct err *let_in(const struct vps_host *host, const struct vps_set *request)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;

	if (!request->login)
		return NULL;
	TRY(vps_root_open(host, request->name, &root));
	return login_write(root.fd, request->login);
}

struct err *vps_set(const struct vps_host *host, const struct vps_set *request,
		    struct vps_set_result *ret_result)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT, pool = VPS_LOCK_INIT;
	OWN(vps_set_result) struct vps_set_result result = { 0 };
	OWN(set) struct set set = { .host = host, .request = request };
	bool exists;

	set_init(&set);
	TRY(check_request(request));
	TRY(store_exists(host, request->name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", request->name);
	TRY(vps_lock(host, request->name, VPS_LOCK_PATIENT, &lock));
	TRY(suspend_check_not(host, request->name));
	TRY(set_repair(host, request->name));
	TRY(pool_lock(host, &pool)); /* addresses and guarantees are shared with all others */
	TRY(is_running(host, request->name, &set.is_running));
	TRY(read_all(&set));
	TRY(let_in(host, request));
	TRY(set.is_running ? change_running(&set, &result) : change_stopped(&set));
	result.running = set.is_running;
	result.saved = !(request->flags & VPS_SET_NO_SAVE);
	*ret_result = result;
	result = (struct vps_set_result){ 0 };
	return NULL;
}

/* --- after a kill --- */

/* What NAME.conf has taken over is gone on with, the rest goes back. */
static struct err *choose_target(const struct vps_host *host, const char *name,
				 const struct vps_conf *wanted, struct vps_conf *target)
{
	OWN(vps_conf) struct vps_conf defined;
	OWN(strlist) struct strlist wanted_keys = { 0 }, open_keys = { 0 };

	vps_conf_init(&defined);
	TRY(vps_load(host, name, &defined));
	TRY(vps_conf_diff(target, wanted, &wanted_keys));
	TRY(vps_conf_diff(&defined, wanted, &open_keys));
	for (size_t i = 0; i < wanted_keys.count; i++)
		if (!strlist_has(&open_keys, wanted_keys.items[i]))
			TRY(vps_conf_copy_key(wanted_keys.items[i], wanted, target));
	return NULL;
}

struct err *set_repair(const struct vps_host *host, const char *name)
{
	OWN(vps_conf) struct vps_conf wanted, before, target;
	OWN(strlist) struct strlist keys = { 0 };
	struct live_change change = { .host = host, .name = name, .to = &target, .force = true };
	bool found, runs;

	vps_conf_init(&before);
	vps_conf_init(&target);
	TRY(running_interrupted(host, name, &wanted, &found));
	if (!found)
		return NULL;
	TRY(is_running(host, name, &runs));
	if (!runs)
		return running_forget(host, name);
	TRY(running_load(host, name, &before));
	TRY(running_load(host, name, &target));
	TRY(vps_conf_diff(&before, &wanted, &keys));
	TRY(choose_target(host, name, &wanted, &target));
	/* any of both ends may be in force, key by key: from the one, then from the other */
	change.from = &before;
	TRY(live_apply(&change, &keys));
	change.from = &wanted;
	TRY(live_apply(&change, &keys));
	return running_end(host, name, &target);
}

struct err *set_repair_if_free(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf wanted;
	struct err *err;
	bool found;

	TRY(running_interrupted(host, name, &wanted, &found));
	if (!found)
		return NULL;
	err = vps_lock(host, name, VPS_LOCK_TRY, &lock);
	if (err && err_errno(err) == EBUSY) {
		err_drop(err); /* a command at work: the change is its own, or it will see to it */
		return NULL;
	}
	return err ? err : set_repair(host, name);
}
