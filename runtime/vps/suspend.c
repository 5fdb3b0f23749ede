/* Writing the memory of a VPS to disk, and what is known of one whose memory is there; see
 * memory.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/vps/dump.h"
#include "runtime/vps/watcher.h"
#include "runtime/vps/wire.h"

void dump_close(struct dump *dump)
{
	own_fd(&dump->dir_fd);
	free(dump->writing);
	free(dump->resuming);
	*dump = (struct dump)DUMP_INIT;
}

struct err *dump_open(const struct vps_host *host, const char *name, struct dump *ret_dump)
{
	OWN(dump) struct dump dump = DUMP_INIT;

	TRY(parse_container_id(name));
	dump.name = name;
	dump.dir_fd = open(host->dump_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dump.dir_fd < 0)
		return err_sys(errno, "open %s", host->dump_dir);
	TRY(str_format(&dump.writing, ".%s~dump", name));
	TRY(str_format(&dump.resuming, ".%s~resume", name));
	*ret_dump = dump;
	dump = (struct dump)DUMP_INIT;
	return NULL;
}

bool dump_has(const struct dump *dump, const char *name)
{
	struct stat st;

	return fstatat(dump->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

struct err *dump_move(const struct dump *dump, const char *from, const char *to)
{
	if (renameat2(dump->dir_fd, from, dump->dir_fd, to, RENAME_NOREPLACE) < 0)
		return err_sys(errno, "rename the memory of VPS %s", dump->name);
	return fsync(dump->dir_fd) < 0 ? err_sys(errno, "sync the directory of dumps") : NULL;
}

/* --- what is known --- */

struct err *suspend_is(const struct vps_host *host, const char *name, bool *ret_suspended)
{
	OWN(dump) struct dump dump = DUMP_INIT;

	TRY(dump_open(host, name, &dump));
	*ret_suspended = dump_has(&dump, name);
	return NULL;
}

struct err *suspend_check_not(const struct vps_host *host, const char *name)
{
	bool suspended;

	TRY(suspend_is(host, name, &suspended));
	if (!suspended)
		return NULL;
	return err_new(ERR_STATE,
		       "VPS %s is suspended: 'cella resume %s' lets it go on, 'cella stop --fast "
		       "%s' drops what it was doing",
		       name, name, name);
}

struct err *suspend_drop(const struct vps_host *host, const char *name)
{
	OWN(dump) struct dump dump = DUMP_INIT;

	TRY(dump_open(host, name, &dump));
	/* whole or not at all: half a memory must not bear the name */
	if (dump_has(&dump, name))
		TRY(dump_move(&dump, name, dump.writing));
	return path_remove_tree(dump.dir_fd, dump.writing);
}

/* --- after a kill --- */

static struct err *settle_resume(const struct vps_host *host, const struct dump *dump)
{
	OWN(ct_state) struct ct_state state = { 0 };
	bool lives;

	TRY(vps_load_state(host, dump->name, &state, &lives));
	return lives ? path_remove_tree(dump->dir_fd, dump->resuming) :
		       dump_move(dump, dump->resuming, dump->name);
}

static struct err *end_processes(const struct vps_host *host, const char *name)
{
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	bool lives, started;

	vps_conf_init(&conf);
	TRY(vps_load_state(host, name, &state, &lives));
	TRY(running_lives(host, name, &started));
	return state.id || started ? vps_clean_up(host, name, &conf) : NULL;
}

struct err *suspend_recover(const struct vps_host *host, const char *name)
{
	OWN(dump) struct dump dump = DUMP_INIT;

	TRY(dump_open(host, name, &dump));
	if (dump_has(&dump, dump.writing))
		TRY(path_remove_tree(dump.dir_fd, dump.writing));
	if (dump_has(&dump, dump.resuming))
		TRY(settle_resume(host, &dump));
	return dump_has(&dump, name) ? end_processes(host, name) : NULL;
}

/* --- suspending --- */

struct suspension {
	const struct vps_host *host;
	const struct vps_memory *memory;
	const struct vps_lock *lock;
	struct dump dump;
	struct ct_state state;
	struct vps_conf conf; /* that it runs with */
	bool done;	      /* it is suspended, whatever comes */
};

static void own_suspension(struct suspension *work)
{
	dump_close(&work->dump);
	ct_state_release(&work->state);
	vps_conf_release(&work->conf);
}

/* What its processes have written to its disk must not be younger than what they know of it. */
static struct err *sync_all(const struct suspension *work, int images_fd)
{
	const struct disk disk = vps_disk(work->host, work->dump.name, &work->conf);
	OWN(str) char *path = NULL;
	OWN(fd) int tree_fd = -1;

	TRY(disk_sync(&disk));
	TRY(str_format(&path, "%s/%s", work->host->private_dir, work->dump.name));
	tree_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (tree_fd < 0 || syncfs(tree_fd) < 0)
		return err_sys(errno, "sync %s", path);
	return syncfs(images_fd) < 0 ? err_sys(errno, "sync %s", work->host->dump_dir) : NULL;
}

/* All is in the images, and the processes stand still. */
static struct err *commit(void *arg)
{
	struct suspension *work = arg;
	const struct dump *dump = &work->dump;
	OWN(fd)
	int images_fd = openat(dump->dir_fd, dump->writing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (images_fd < 0)
		return err_sys(errno, "open %s/%s", work->host->dump_dir, dump->writing);
	TRY(conf_save_at(images_fd, DUMP_DEFINITION, &work->conf));
	TRY(sync_all(work, images_fd));
	TRY(dump_move(dump, dump->writing, dump->name));
	work->done = true;
	return NULL;
}

static struct err *write_memory(struct suspension *work)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(str) char *path = NULL, *log_path = NULL;
	OWN(spec) struct spec spec;
	struct vps_images images = { .root = &root,
				     .name = work->dump.name,
				     .lock_fd = work->lock->fd };

	spec_init(&spec);
	TRY(ct_root_open(work->host->run_dir, &root));
	TRY(vps_build_spec(work->host, work->dump.name, &work->conf, &spec));
	TRY(str_format(&path, "%s/%s", work->host->dump_dir, work->dump.writing));
	TRY(dump_log_path(work->host, work->dump.name, &log_path));
	images.path = path;
	images.log_path = log_path;
	return work->memory->write(&images, &spec, commit, work);
}

/* The processes are held from before the images are begun; a command that finds them so lets them
 * go, or ends them if they are suspended. */
static struct err *write_frozen(struct suspension *work)
{
	const struct dump *dump = &work->dump;
	bool frozen;
	struct err *err;

	TRY(vps_freeze(work->host, dump->name, &frozen));
	err = write_memory(work);
	if (work->done) {
		err_drop(err); /* what did not end by itself is ended now */
		last_write(work->host, &work->state, "suspend");
		return vps_clean_up(work->host, dump->name, &work->conf);
	}
	err = err_first(err, vps_thaw(work->host, dump->name));
	err = err_first(err, path_remove_tree(dump->dir_fd, dump->writing));
	return err_wrap(err, "VPS %s is not suspended and runs on", dump->name);
}

/* CRIU makes cables anew, nothing else. */
static struct err *check_interfaces(const struct suspension *work)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	TRY(net_plan(work->host, work->dump.name, &work->conf, &ports));
	for (size_t i = 0; i < ports.count; i++)
		if (!net_mode_is_cable(ports.items[i].mode))
			return err_new(ERR_UNSUPPORTED,
				       "VPS %s has interface %s of mode %s, which cannot be "
				       "suspended: use mode bridged or routed",
				       work->dump.name, ports.items[i].name,
				       net_mode_name(ports.items[i].mode));
	return NULL;
}

/* While it runs: whoever is refused has not stood still for it. */
static struct err *look_inside(const struct suspension *work)
{
	const struct ct_state *state = &work->state;
	struct cgroup cgroup = CGROUP_INIT;
	struct err *err;

	err = cgroup_open(state->cgroup_path, state->scope, state->driver, &cgroup);
	if (!err)
		err = work->memory->look(&cgroup, state->pid);
	cgroup_release(&cgroup);
	return err_wrap(err, "VPS %s is not suspended and runs on", work->dump.name);
}

static struct err *check_runs(const struct suspension *work, bool lives)
{
	if (!lives)
		return err_new(ERR_STATE, "VPS %s is not running", work->dump.name);
	if (work->state.status == CT_PAUSED)
		return err_new(ERR_STATE, "VPS %s is paused: 'cella resume %s' lets it go on first",
			       work->dump.name, work->dump.name);
	return NULL;
}

struct err *vps_suspend(const struct vps_host *host, const char *name,
			const struct vps_memory *memory)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(suspension)
	struct suspension work = {
		.host = host, .memory = memory, .lock = &lock, .dump = DUMP_INIT
	};
	bool exists, lives;

	vps_conf_init(&work.conf);
	TRY(store_exists(host, name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
	TRY(memory->check());
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(dump_open(host, name, &work.dump));
	TRY(suspend_check_not(host, name));
	TRY(vps_load_state(host, name, &work.state, &lives));
	TRY(check_runs(&work, lives));
	TRY(running_load(host, name, &work.conf));
	TRY(check_interfaces(&work));
	TRY(look_inside(&work));
	return write_frozen(&work);
}
