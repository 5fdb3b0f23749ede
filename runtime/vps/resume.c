/* Letting a suspended VPS go on; see memory.h. As a start is, it is the work of the monitor, which
 * becomes the parent of the VPS's first process. */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/vps/dump.h"
#include "runtime/vps/scripts.h"
#include "runtime/vps/watcher.h"
#include "runtime/vps/wire.h"

struct err *dump_log_path(const struct vps_host *host, const char *name, char **ret_path)
{
	return str_format(ret_path, "%s/%s" DUMP_LOG_SUFFIX, host->log_dir, name);
}

static struct err *load_definition(const struct vps_host *host, const struct dump *dump,
				   struct vps_conf *ret_conf)
{
	OWN(fd)
	int images_fd = openat(dump->dir_fd, dump->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (images_fd < 0)
		return err_sys(errno, "open %s/%s", host->dump_dir, dump->name);
	return err_wrap(conf_load_at(images_fd, DUMP_DEFINITION, ret_conf),
			"%s/%s/" DUMP_DEFINITION, host->dump_dir, dump->name);
}

/* What is left to do when all processes are there and none runs: the host's half of the network,
 * and the step after which they may. */
struct last_step {
	struct ct_wire base; /* first */
	struct vps_wire network;
	const struct dump *dump;
};

static struct err *take_last_step(const struct ct_wire *base, pid_t pid, int pidfd)
{
	const struct last_step *step = (const void *)base;
	const struct ct_wire *network = &step->network.base;
	struct err *err;

	TRY(network->run(network, pid, pidfd));
	err = dump_move(step->dump, step->dump->name, step->dump->resuming);
	if (err)
		network->undo(network);
	return err;
}

static void take_back(const struct ct_wire *base)
{
	const struct last_step *step = (const void *)base;

	log_warn(dump_move(step->dump, step->dump->resuming, step->dump->name));
	step->network.base.undo(&step->network.base);
}

static struct err *make_processes(struct watcher *watcher, const struct ct_create *create)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	OWN(str) char *path = NULL, *log_path = NULL;
	struct vps_images images = { .root = &watcher->root,
				     .name = watcher->name,
				     .lock_fd = watcher->vps_lock_fd };

	TRY(net_plan(watcher->host, watcher->name, &watcher->conf, &ports));
	TRY(str_format(&path, "%s/%s", watcher->host->dump_dir, watcher->name));
	TRY(dump_log_path(watcher->host, watcher->name, &log_path));
	images.path = path;
	images.log_path = log_path;
	return watcher->memory->read(&images, create, &ports, &watcher->init);
}

static struct err *revive(struct watcher *watcher, const struct dump *dump)
{
	OWN(spec) struct spec spec;
	OWN(fd) int tree_fd = -1;
	struct last_step step = { .base = { .run = take_last_step, .undo = take_back },
				  .dump = dump };
	struct ct_create create = { .id = watcher->name,
				    .spec = &spec,
				    .bundle = watcher->host->private_dir,
				    .cgroup_prefix = "cella",
				    .run_now = true,
				    .wire = &step.base };

	spec_init(&spec);
	wire_init(watcher->host, watcher->name, &watcher->conf, &step.network);
	step.network.has_cables = true;
	TRY(vps_build_spec(watcher->host, watcher->name, &watcher->conf, &spec));
	TRY(unit_cgroup(watcher->name, &spec.cgroup.path));
	TRY(vps_disk_reopen(watcher->host, watcher->name, &watcher->conf, &spec.ns.maps, &tree_fd));
	create.root_tree_fd = tree_fd;
	TRY(running_save(watcher->host, watcher->name, &watcher->conf));
	return make_processes(watcher, &create);
}

struct err *watcher_resume(struct watcher *watcher)
{
	OWN(dump) struct dump dump = DUMP_INIT;
	struct err *err;

	TRY(dump_open(watcher->host, watcher->name, &dump));
	TRY(load_definition(watcher->host, &dump, &watcher->conf));
	TRY(scripts_run(watcher->host, watcher->name, ACTION_PREMOUNT));
	TRY(scripts_run(watcher->host, watcher->name, ACTION_MOUNT));
	err = revive(watcher, &dump);
	if (err)
		return err_first(err, vps_clean_up(watcher->host, watcher->name, &watcher->conf));
	log_warn(path_remove_tree(dump.dir_fd, dump.resuming)); /* else the next command does */
	unit_started(watcher->host, watcher->name, watcher->init.pid);
	log_warn(guarantee_raise(watcher->host, watcher->name, &watcher->conf)); /* it runs */
	return proc_start_time(watcher->init.pid, &watcher->init_start_ticks);
}

/* --- the command --- */

static struct err *let_go(const struct vps_host *host, const char *name,
			  const struct ct_state *state)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;

	if (state->status != CT_PAUSED)
		return err_new(ERR_STATE, "VPS %s is running already", name);
	TRY(ct_root_open(host->run_dir, &root));
	return ct_resume(&root, name);
}

static struct err *resume_locked(const struct vps_host *host, const char *name,
				 const struct vps_memory *memory, const struct vps_lock *lock)
{
	OWN(dump) struct dump dump = DUMP_INIT;
	OWN(vps_conf) struct vps_conf conf;
	bool dismissed;

	vps_conf_init(&conf);
	TRY(dump_open(host, name, &dump));
	if (!dump_has(&dump, name))
		return err_new(ERR_STATE, "VPS %s is not suspended: 'cella start %s' starts it",
			       name, name);
	TRY(memory->check());
	TRY(load_definition(host, &dump, &conf));
	TRY(monitor_dismiss(host, name, &dismissed));
	TRY(addrs_check_free(host, name, &conf));
	TRY(quota_check_start(host, name, &conf));
	TRY(unit_enter(name));
	return err_wrap(monitor_resume(host, name, memory, lock), "VPS %s stays suspended", name);
}

struct err *vps_resume(const struct vps_host *host, const char *name,
		       const struct vps_memory *memory)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	bool exists, lives;

	TRY(store_exists(host, name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(vps_load_state(host, name, &state, &lives));
	return lives ? let_go(host, name, &state) : resume_locked(host, name, memory, &lock);
}
