/*
 * Making and removing a VPS. The tree is copied under a hidden name and renamed, the definition is
 * written last: a create that is killed leaves no VPS. Destroy goes the other way: first the
 * definition is retired, then the tree is hidden and removed. What either leaves when it is killed
 * the next create of any name removes, or a destroy of this one; see unfinished.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/vps/capacity.h"
#include "runtime/vps/dump.h"
#include "runtime/vps/login.h"
#include "runtime/vps/moving.h"
#include "runtime/vps/room.h"
#include "runtime/vps/scripts.h"

/* Make room for a tree: nothing there, or the rest of a create that was killed. */
static struct err *clear_site(const struct vps_host *host, const char *name)
{
	OWN(str) char *tree = NULL;
	bool unfinished;

	TRY(unfinished_is(host, name, &unfinished));
	TRY(str_format(&tree, "%s/%s", host->private_dir, name));
	if (access(tree, F_OK) == 0 && !unfinished)
		return err_new(ERR_EXISTS,
			       "%s is there, but no VPS %s: move it away or destroy %s first", tree,
			       name, name);
	return unfinished_remove_disk(host, name);
}

/* Under the hidden name, then renamed. */
static struct err *make_disk(const struct vps_host *host, const char *name,
			     const struct vps_maker *maker, const struct vps_conf *conf)
{
	OWN(fd) int private_fd = -1;
	OWN(str) char *hidden = NULL;

	TRY(vps_open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", name));
	TRY(maker->make_disk(maker, host, hidden, conf));
	if (renameat2(private_fd, hidden, private_fd, name, RENAME_NOREPLACE) < 0)
		return err_sys(errno, "rename the new disk to %s/%s", host->private_dir, name);
	return fsync(private_fd) < 0 ? err_sys(errno, "sync %s", host->private_dir) : NULL;
}

/* Under the pool's lock: the marker keeps the ids until the definition does, and the disk's quota
 * goes by them. */
static struct err *reserve_ids(const struct vps_host *host, const char *name, struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock pool = VPS_LOCK_INIT;

	TRY(pool_lock(host, &pool));
	TRY(addrs_check_free(host, name, conf)); /* before the long work; again when it counts */
	TRY(ids_choose(host, &conf->id_first));
	conf->id_count = VPS_ID_RANGE;
	return unfinished_mark(host, name, conf->id_first);
}

/* Under the pool's lock: addresses that are free stay free until the definition that takes them is
 * written. */
static struct err *define(const struct vps_host *host, const char *name,
			  const struct vps_maker *maker, struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock pool = VPS_LOCK_INIT;
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(pool_lock(host, &pool));
	TRY(addrs_choose(host, name, conf));
	TRY(addrs_check_free(host, name, conf));
	TRY(vps_conf_check(conf));
	TRY(capacity_check(host, name, conf));
	if (maker->file)
		TRY(conf_file_copy(maker->file, &file));
	TRY(vps_conf_write(conf, &file));
	if (maker->kept)
		TRY(vps_obsolete_keep(maker->kept, &file));
	return store_write(host, name, &file);
}

/* With the host's defaults it must hold together, and be within what this host can do. */
static struct err *check_limits(const struct vps_host *host, const char *name,
				const struct vps_conf *conf)
{
	OWN(vps_conf) struct vps_conf none, whole;
	OWN(cgroup_limits) struct cgroup_limits limits;
	OWN(strlist) struct strlist lacks = { 0 };

	vps_conf_init(&none);
	cgroup_limits_init(&limits);
	TRY(vps_conf_dup(&host->defaults, &whole));
	TRY(vps_conf_merge(conf, &whole));
	TRY(vps_conf_check_together(&whole));
	TRY(limits_change(host, name, &none, &whole, &limits, &lacks));
	for (size_t i = 0; i < lacks.count; i++)
		log_warning("VPS %s: %s", name, lacks.items[i]);
	return NULL;
}

/* What was asked for, on its own: the host's defaults stay out of the file, so that they can change
 * for all. */
static struct err *choose_conf(const struct vps_host *host, const struct vps_create *request,
			       struct vps_conf *conf)
{
	OWN(vps_conf) struct vps_conf whole;

	vps_conf_init(&whole);
	if (request->options.config)
		TRY(plan_load(host, "--config", request->options.config, conf));
	TRY(vps_conf_merge(&request->options, conf));
	conf->wants_addr = request->options.wants_addr;
	if (!conf->ostemplate)
		return err_new(ERR_INVALID,
			       "--ostemplate is missing: which template shall it be made from?");
	if (!conf->hostname)
		TRY(str_dup(request->name, &conf->hostname));
	/* how a disk lies is a matter of the day it is made: not to be changed by a default */
	TRY(vps_conf_merge(&host->defaults, &whole));
	TRY(vps_conf_merge(conf, &whole));
	TRY(vps_choose_layout(host, &whole));
	if (!conf->layout)
		TRY(str_dup(whole.layout, &conf->layout));
	return vps_conf_check(conf);
}

static struct err *check_new(const struct vps_host *host, const char *name)
{
	bool exists;

	TRY(store_exists(host, name, &exists));
	if (exists)
		return err_new(ERR_EXISTS, "VPS %s exists already", name);
	return NULL;
}

/* The new disk is made by what the definition will mean: with the host's defaults. */
static struct err *make_and_define(const struct vps_host *host, const char *name,
				   const struct vps_maker *maker, struct vps_conf *conf)
{
	OWN(vps_conf) struct vps_conf whole;

	vps_conf_init(&whole);
	TRY(reserve_ids(host, name, conf));
	TRY(vps_conf_merge(&host->defaults, &whole));
	TRY(vps_conf_merge(conf, &whole));
	TRY(make_disk(host, name, maker, &whole));
	return define(host, name, maker, conf);
}

static struct err *make_locked(const struct vps_host *host, const char *name,
			       const struct vps_maker *maker, struct vps_conf *conf)
{
	struct err *err;

	if (!maker->skip_probe)
		TRY(addrs_probe(host, name, NULL, conf));
	TRY(check_limits(host, name, conf));
	log_warn(unfinished_sweep(host, name)); /* others' does not hinder this one */
	TRY(clear_site(host, name));
	err = make_and_define(host, name, maker, conf);
	if (err)
		err = err_first(err, unfinished_remove_disk(host, name));
	return err_first(err, unfinished_unmark(host, name));
}

struct err *vps_make(const struct vps_host *host, const char *name, const struct vps_maker *maker,
		     struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	struct err *err;

	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(check_new(host, name));
	if (!maker->arrives)
		TRY(moving_check_make(host, name));
	err = make_locked(host, name, maker, conf);
	if (err)
		vps_lock_forget(host, name);
	return err;
}

/* From a template. */
struct template_maker {
	struct vps_maker base;
	const struct vps_login *login;
	struct template_progress *progress;
};

static struct err *make_from_template(const struct vps_maker *base, const struct vps_host *host,
				      const char *hidden, const struct vps_conf *conf)
{
	const struct template_maker *maker = (const void *)base;
	const struct disk disk = vps_disk(host, hidden, conf);
	OWN(fd) int tree_fd = -1;

	TRY(vps_disk_create(host, hidden, conf, maker->progress));
	if (!maker->login)
		return NULL;
	TRY(disk_mount(&disk, NULL, &tree_fd));
	return login_write(tree_fd, maker->login);
}

struct err *vps_create(const struct vps_host *host, const struct vps_create *request)
{
	const struct template_maker maker = { .base = { .skip_probe = request->skip_probe,
							.kept = request->kept,
							.make_disk = make_from_template },
					      .login = request->login,
					      .progress = request->progress };
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(parse_container_id(request->name));
	TRY(login_check(request->login));
	TRY(choose_conf(host, request, &conf));
	return vps_make(host, request->name, &maker.base, &conf);
}

struct err *vps_check_down(const struct vps_host *host, const char *name)
{
	OWN(ct_state) struct ct_state state = { 0 };
	bool lives;

	TRY(vps_load_state(host, name, &state, &lives));
	if (lives)
		return err_new(ERR_STATE, "VPS %s is running: stop it first", name);
	return suspend_check_not(host, name);
}

/* Is there anything that bears the name? */
static struct err *check_any(const struct vps_host *host, const char *name)
{
	OWN(fd) int private_fd = -1;
	OWN(str) char *hidden = NULL;
	struct moving moving;
	struct stat st;
	bool exists;

	TRY(store_exists(host, name, &exists));
	TRY(vps_open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", name));
	TRY(moving_read(host, name, &moving));
	if (exists || moving.state != MOVING_NONE ||
	    fstatat(private_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(private_fd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
}

static struct err *remove_logs(const struct vps_host *host, const char *name)
{
	static const char *const suffixes[] = { "console", "console.1", "monitor" };
	OWN(fd) int log_fd = open(host->log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(str) char *criu = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%s/%s.%s", host->log_dir, name, suffixes[i]));
		if (unlink(path) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s", path);
	}
	if (log_fd < 0)
		return err_sys(errno, "open %s", host->log_dir);
	TRY(str_format(&criu, "%s" DUMP_LOG_SUFFIX, name));
	return path_remove_tree(log_fd, criu);
}

/* A definition that cannot be read must not keep its VPS from being destroyed. */
static void load_or_nothing(const struct vps_host *host, const char *name, struct vps_conf *conf)
{
	struct err *err = vps_load(host, name, conf);

	if (err && err_kind(err) != ERR_NOT_FOUND)
		log_warn(err);
	else
		err_drop(err); /* a tree without definition: a killed create or destroy */
}

struct err *destroy_locked(const struct vps_host *host, const char *name, enum destroy_what what)
{
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	load_or_nothing(host, name, &conf);
	TRY(vps_clean_up(host, name, &conf));
	TRY(unfinished_mark(host, name, conf.id_first == VPS_UNSET ? 0 : conf.id_first));
	TRY(store_retire(host, name));
	if (what == DESTROY_ALL) /* the next VPS of this name is another one */
		TRY(scripts_remove(host, name));
	TRY(vps_snapshots_remove(host, name)); /* before what a killed destroy is known by */
	TRY(unfinished_remove_disk(host, name));
	TRY(unfinished_unmark(host, name));
	TRY(remove_logs(host, name));
	return traffic_forget(host, name);
}

struct err *vps_destroy(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	bool dismissed;

	TRY(parse_container_id(name));
	TRY(check_any(host, name));
	/* which may have removed the rest of a killed one: what follows finds nothing, then */
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(vps_check_down(host, name));
	TRY(moving_check_destroy(host, name));
	TRY(monitor_dismiss(host, name, &dismissed)); /* one that waits to start it again */
	TRY(destroy_locked(host, name, DESTROY_ALL));
	TRY(moving_forget(host, name));
	vps_lock_forget(host, name);
	return NULL;
}
