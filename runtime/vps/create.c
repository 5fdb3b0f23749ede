/*
 * Making and removing a VPS. The tree is copied under a hidden name and renamed, the definition is
 * written last: a create that is killed leaves no VPS, and what it leaves is removed by the next
 * create or destroy of the name. Destroy goes the other way: first the definition is retired, then
 * the tree is hidden and removed.
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
#include "runtime/vps/identity.h"
#include "runtime/vps/login.h"
#include "runtime/vps/room.h"
#include "runtime/vps/scripts.h"

static struct err *open_private(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->private_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->private_dir) : NULL;
}

/* Remove a tree under its hidden name, so that a killed removal never leaves half a VPS under the
 * good one. */
static struct err *remove_tree(const struct vps_host *host, const char *name)
{
	OWN(fd) int private_fd = -1;
	OWN(str) char *hidden = NULL;

	TRY(open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", name));
	TRY(path_remove_tree(private_fd, hidden));
	if (renameat(private_fd, name, private_fd, hidden) < 0)
		return errno == ENOENT ? NULL :
					 err_sys(errno, "move %s/%s away", host->private_dir, name);
	return path_remove_tree(private_fd, hidden);
}

/*
 * While the marker is there a tree of this name belongs to an unfinished create and may be removed;
 * a tree without it is somebody's data.
 */
static struct err *marker_path(const struct vps_host *host, const char *name, char **ret_path)
{
	return str_format(ret_path, "%s/.%s.creating", host->private_dir, name);
}

static struct err *put_marker(const struct vps_host *host, const char *name)
{
	OWN(str) char *path = NULL;
	OWN(fd) int fd = -1;

	TRY(marker_path(host, name, &path));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_sys(errno, "create %s", path) : NULL;
}

static struct err *take_marker(const struct vps_host *host, const char *name)
{
	OWN(str) char *path = NULL;

	TRY(marker_path(host, name, &path));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s", path);
	return NULL;
}

/* Make room for a tree: nothing there, or the rest of a create that was killed. */
static struct err *clear_site(const struct vps_host *host, const char *name)
{
	OWN(str) char *marker = NULL, *tree = NULL;

	TRY(marker_path(host, name, &marker));
	TRY(str_format(&tree, "%s/%s", host->private_dir, name));
	if (access(tree, F_OK) == 0 && access(marker, F_OK) < 0)
		return err_new(ERR_EXISTS,
			       "%s is there, but no VPS %s: move it away or destroy %s first", tree,
			       name, name);
	TRY(remove_tree(host, name));
	return put_marker(host, name);
}

static struct err *copy_template(const struct vps_host *host, const struct vps_create *request,
				 int to_fd)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(template) struct template template = { 0 };
	OWN(fd) int tree_fd = -1;
	struct template_counts counts;

	TRY(template_store_open(host->template_dir, TEMPLATE_READ, &store));
	TRY(template_load(&store, request->options.ostemplate, &template));
	TRY(template_open_tree(&store, &template, &tree_fd));
	TRY(template_copy(tree_fd, to_fd, template.bytes, request->progress, &counts));
	return identity_forget(to_fd);
}

static struct err *make_tree(const struct vps_host *host, const struct vps_create *request)
{
	OWN(fd) int private_fd = -1, to_fd = -1;
	OWN(str) char *hidden = NULL;
	struct err *err;

	TRY(open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", request->name));
	TRY(path_remove_tree(private_fd, hidden));
	if (mkdirat(private_fd, hidden, 0755) < 0)
		return err_sys(errno, "make %s/%s", host->private_dir, hidden);
	TRY(path_open_beneath(private_fd, hidden, O_RDONLY | O_DIRECTORY, &to_fd));
	err = copy_template(host, request, to_fd);
	if (!err && syncfs(to_fd) < 0)
		err = err_sys(errno, "sync the new tree");
	if (!err && renameat2(private_fd, hidden, private_fd, request->name, RENAME_NOREPLACE) < 0)
		err = err_sys(errno, "rename the new tree to %s/%s", host->private_dir,
			      request->name);
	return err ? err_first(err, path_remove_tree(private_fd, hidden)) : NULL;
}

/* Under the pool's lock: what is free stays free until the definition that takes it is written. */
static struct err *define(const struct vps_host *host, const struct vps_create *request,
			  struct vps_conf *conf)
{
	OWN(vps_lock) struct vps_lock pool = VPS_LOCK_INIT;
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(pool_lock(host, &pool));
	TRY(addrs_choose(host, request->name, conf));
	TRY(addrs_check_free(host, request->name, conf));
	TRY(ids_choose(host, &conf->id_first));
	conf->id_count = VPS_ID_RANGE;
	TRY(vps_conf_check(conf));
	TRY(capacity_check(host, request->name, conf));
	TRY(vps_conf_write(conf, &file));
	if (request->kept)
		TRY(vps_obsolete_keep(request->kept, &file));
	return store_write(host, request->name, &file);
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
	if (request->options.config)
		TRY(plan_load(host, request->options.config, conf));
	TRY(vps_conf_merge(&request->options, conf));
	conf->wants_addr = request->options.wants_addr;
	if (!conf->ostemplate)
		return err_new(ERR_INVALID,
			       "--ostemplate is missing: which template shall it be made from?");
	if (!conf->hostname)
		TRY(str_dup(request->name, &conf->hostname));
	if (!conf->layout)
		TRY(str_dup("dir", &conf->layout));
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

static struct err *let_in(const struct vps_host *host, const struct vps_create *request)
{
	OWN(fd) int root_fd = -1;

	if (!request->login)
		return NULL;
	TRY(identity_open_root(host, request->name, &root_fd));
	return login_write(root_fd, request->login);
}

/* Under the lock. On failure nothing of the name is left. */
static struct err *create_locked(const struct vps_host *host, const struct vps_create *request,
				 struct vps_conf *conf)
{
	struct err *err;

	/* before the long work; again when it counts */
	TRY(addrs_check_free(host, request->name, conf));
	if (!request->skip_probe)
		TRY(addrs_probe(host, request->name, NULL, conf));
	TRY(check_limits(host, request->name, conf));
	TRY(clear_site(host, request->name));
	err = make_tree(host, request);
	if (!err)
		err = identity_write(host, request->name, conf);
	if (!err)
		err = let_in(host, request);
	if (!err)
		err = define(host, request, conf);
	if (!err) /* it exists now; what is left is the marker, which nothing looks at any more */
		return take_marker(host, request->name);
	err = err_first(err, remove_tree(host, request->name));
	return err_first(err, take_marker(host, request->name));
}

struct err *vps_create(const struct vps_host *host, const struct vps_create *request)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf;
	struct err *err;

	vps_conf_init(&conf);
	TRY(parse_container_id(request->name));
	TRY(login_check(request->login));
	TRY(choose_conf(host, request, &conf));
	TRY(vps_lock(host, request->name, VPS_LOCK_PATIENT, &lock));
	TRY(check_new(host, request->name));
	err = create_locked(host, request, &conf);
	if (err)
		vps_lock_forget(host, request->name);
	return err;
}

static struct err *check_down(const struct vps_host *host, const char *name)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err;

	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, &state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* not even a trace of a start */
		return NULL;
	}
	if (err)
		return err;
	if (state.status == CT_RUNNING || state.status == CT_PAUSED)
		return err_new(ERR_STATE, "VPS %s is running: stop it first", name);
	return NULL;
}

/* Is there anything that bears the name? */
static struct err *check_any(const struct vps_host *host, const char *name)
{
	OWN(fd) int private_fd = -1;
	OWN(str) char *hidden = NULL;
	struct stat st;
	bool exists;

	TRY(store_exists(host, name, &exists));
	TRY(open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", name));
	if (exists || fstatat(private_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(private_fd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
}

static struct err *remove_logs(const struct vps_host *host, const char *name)
{
	static const char *const suffixes[] = { "console", "console.1", "monitor" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%s/%s.%s", host->log_dir, name, suffixes[i]));
		if (unlink(path) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s", path);
	}
	return NULL;
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

struct err *vps_destroy(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf;
	bool dismissed;

	vps_conf_init(&conf);
	TRY(parse_container_id(name));
	TRY(check_any(host, name));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(check_any(host, name));
	TRY(check_down(host, name));
	TRY(monitor_dismiss(host, name, &dismissed)); /* one that waits to start it again */
	load_or_nothing(host, name, &conf);
	TRY(vps_clean_up(host, name, &conf));
	TRY(store_retire(host, name));
	TRY(scripts_remove(host, name)); /* the next VPS of this name is another one */
	TRY(remove_tree(host, name));
	TRY(take_marker(host, name));
	TRY(remove_logs(host, name));
	TRY(traffic_forget(host, name));
	vps_lock_forget(host, name);
	return NULL;
}
