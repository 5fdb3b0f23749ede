/*
 * The host half of a birth: the table of steps that make a container, and create itself. Init's
 * half is init.c; steps.h draws how they meet.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/birth.h"
#include "runtime/sync.h"

#define CACHE_DIR ".cache"

/* --- rows --- */

/* Everything that needs the host's eyes and that init inherits: sockets, filter, mount sources. */
static struct err *open_inheritance(struct birth *birth)
{
	const struct ct_io *io = &birth->request->io;
	const struct seccomp_spec *seccomp = &birth->spec->seccomp;
	OWN(fd) int cache_fd = -1;

	if (io->console_socket)
		TRY(fd_connect_unix(io->console_socket, &birth->console_fd));
	if (seccomp->is_set) {
		/* no cache is slower, not wrong: seccomp_prepare() accepts -1 */
		if (mkdirat(birth->root->dir_fd, CACHE_DIR, 0700) == 0 || errno == EEXIST)
			cache_fd = openat(birth->root->dir_fd, CACHE_DIR,
					  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		TRY(seccomp_prepare(seccomp, cache_fd, &birth->filter));
	}
	if (birth->filter.needs_listener)
		TRY(fd_connect_unix(seccomp->listener_path, &birth->listener_sock));
	TRY(ns_open_joined(&birth->spec->ns, &birth->joined));
	if (birth->request->notify_socket)
		TRY(notify_make_dir(birth->dir_fd)); /* one of what rootfs_open() opens */
	TRY(rootfs_open(&birth->spec->root, &birth->env, &birth->handles));
	if (birth->request->notify_socket && birth->request->run_now)
		TRY(notify_listen(birth->dir_fd, &birth->notify_fd));
	if (!birth->request->run_now)
		TRY(start_socket_listen(birth->root, birth->request->id, birth->dir_fd,
					&birth->start_fd));
	return sync_pair(&birth->host_sock, &birth->init_sock);
}

static struct err *spawn_init(struct birth *birth)
{
	int cgroup_fd = birth->cgroup.driver == CGROUP_FS ? birth->cgroup.dir_fd : -1;
	struct ns_launch launch = NS_LAUNCH_INIT;
	struct err *err;

	/* CVE-2016-9962: nothing in a joined pid namespace may trace us or init. Without privilege
	 * the maps of a non-dumpable child cannot be written, so init does it later itself. */
	if (geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	if (birth->env.user_ns)
		process_raise_rlimits(birth->spec->process.rlimits,
				      birth->spec->process.rlimit_count);
	if (birth->launch_fd >= 0)
		TRY(ns_launch_enter(birth->launch_fd, &launch));
	err = ns_clone(&birth->spec->ns, &birth->joined, cgroup_fd, &birth->child);
	if (!err && birth->child.pid == 0) {
		ns_launch_close(&launch);
		init_main(birth);
	}
	TRY(err_first(err, ns_launch_leave(&launch)));
	birth->state.pid = birth->child.pid;
	close(fd_take(&birth->init_sock));
	return NULL;
}

static bool has_oom_score(const struct birth *birth)
{
	return birth->spec->has_process && birth->spec->process.oom_score_adj_set;
}

static struct err *set_oom_score(struct birth *birth)
{
	return process_set_oom_score(birth->child.pid, birth->spec->process.oom_score_adj);
}

static struct err *map_ids(struct birth *birth)
{
	if (birth->spec->ns.is_new[NS_USER])
		TRY(ns_write_maps(&birth->spec->ns, birth->child.pid));
	return birth_start_scope(birth);
}

static struct err *wire_network(struct birth *birth)
{
	const struct ct_wire *wire = birth->request->wire;

	TRY(net_devices_move(birth->spec, birth->child.pid));
	return wire ? wire->run(wire, birth->child.pid, birth->child.pidfd) : NULL;
}

static void unwire_network(struct birth *birth)
{
	const struct ct_wire *wire = birth->request->wire;

	if (wire && wire->undo)
		wire->undo(wire);
}

/* clang-format off */
const struct step host_steps[] = {
	{ "state directory", STEP_RUN,  .run = birth_make_dir, .undo = birth_drop_dir },
	{ "plan",            STEP_RUN,  .run = birth_save_plan },
	{ "inheritance",     STEP_RUN,  .run = open_inheritance },
	/* before init: clone3 puts it straight into its cgroup, so that not one page of it is charged elsewhere */
	{ "cgroup",          STEP_RUN,  .run = birth_make_cgroup, .undo = birth_drop_cgroup },
	{ "init process",    STEP_RUN,  .run = spawn_init, .undo = birth_kill_init },
	/* lowering it takes CAP_SYS_RESOURCE in the host's user namespace, which init may have left */
	{ "oom score",       STEP_RUN,  .run = set_oom_score, .when = has_oom_score },
	{ "id maps",         STEP_RUN,  .run = map_ids, .when = birth_has_maps },
	{ "maps",            STEP_SEND, STAGE_MAPS, .when = birth_has_maps },
	{ "namespaces",      STEP_WAIT, STAGE_NAMESPACES, .when = birth_has_wiring },
	{ "network",         STEP_RUN,  .run = wire_network, .undo = unwire_network, .when = birth_has_wiring },
	{ "wired",           STEP_SEND, STAGE_WIRED, .when = birth_has_wiring },
	/* spec, "Lifecycle" 6: runtime hooks see the mounts and run before pivot_root */
	{ "mounts",          STEP_WAIT, STAGE_MOUNTS, .when = birth_has_runtime_hooks },
	{ "runtime hooks",   STEP_RUN,  .run = birth_run_hooks, .when = birth_has_runtime_hooks },
	{ "hooked",          STEP_SEND, STAGE_HOOKED, .when = birth_has_runtime_hooks },
	{ "resctrl",         STEP_RUN,  .run = birth_make_rdt, .undo = birth_drop_rdt, .when = birth_has_rdt },
	{ "ready",           STEP_WAIT, STAGE_READY },
	/* before init may run anything of the tenant's: a container without state could not be deleted */
	{ "state file",      STEP_RUN,  .run = birth_save_state, .undo = birth_drop_pid_file },
	/* --- point of no return: from here on only delete takes the container away --- */
	{ "saved",           STEP_SEND, STAGE_SAVED },
};
const size_t host_step_count = ARRAY_SIZE(host_steps);
/* clang-format on */

/* --- create --- */

/* On a host with many mounts init starts in a small namespace; createContainer hooks need the
 * host's programs in theirs. */
static void find_launch(struct birth *birth)
{
	struct err *err;

	if (geteuid() != 0 || !birth->spec->ns.is_new[NS_MOUNT] ||
	    birth->spec->hooks[HOOK_CREATE_CONTAINER].count)
		return;
	err = ns_launch_find(birth->root->path, &birth->launch_fd);
	if (err)
		log_debug("start from the host's mount namespace: %s", err_text(err));
	err_drop(err); /* slower, not wrong */
}

static struct err *fill_env(struct birth *birth, char **ret_notify_dir)
{
	const struct ns_spec *ns = &birth->spec->ns;
	bool initial = true;

	if (!ns->is_new[NS_USER] && !ns->join_path[NS_USER])
		TRY(ns_user_is_initial(&initial));
	if (birth->request->notify_socket)
		TRY(str_format(ret_notify_dir, "%s/%s/notify", birth->root->path,
			       birth->request->id));
	find_launch(birth);
	birth->env = (struct rootfs_env){
		.no_host_files = birth->launch_fd >= 0,
		.user_ns = ns->is_new[NS_USER] || ns->join_path[NS_USER] || !initial,
		.new_user_ns = ns->is_new[NS_USER],
		.own_pid_ns = ns->is_new[NS_PID] || ns->join_path[NS_PID],
		.own_net_ns = ns->is_new[NS_NET] || ns->join_path[NS_NET],
		.own_ipc_ns = ns->is_new[NS_IPC] || ns->join_path[NS_IPC],
		.own_cgroup_ns = ns->is_new[NS_CGROUP] || ns->join_path[NS_CGROUP],
		.own_mount_ns = ns->is_new[NS_MOUNT],
		.no_pivot = birth->request->no_pivot,
		.maps = &ns->maps,
		.notify_dir = *ret_notify_dir,
		.root_tree_fd = birth->request->root_tree_fd,
		.terminal = birth->spec->has_process && birth->spec->process.terminal,
	};
	return NULL;
}

bool birth_has_maps(const struct birth *birth)
{
	return birth->spec->ns.is_new[NS_USER] || birth->spec->cgroup.driver == CGROUP_SYSTEMD;
}

bool birth_has_wiring(const struct birth *birth)
{
	return birth->request->wire || birth->spec->net_device_count > 0;
}

bool birth_has_runtime_hooks(const struct birth *birth)
{
	return birth->spec->hooks[HOOK_PRESTART].count ||
	       birth->spec->hooks[HOOK_CREATE_RUNTIME].count;
}

static bool keeps_master(const struct birth *birth)
{
	return birth->env.terminal && !birth->request->io.console_socket;
}

struct err *birth_wait(struct birth *birth, enum stage stage)
{
	int sock = birth->child.pid ? birth->host_sock : birth->init_sock;

	return sync_wait(sock, stage, stage == STAGE_READY ? &birth->master_fd : NULL);
}

struct err *birth_send(struct birth *birth, enum stage stage)
{
	int sock = birth->child.pid ? birth->host_sock : birth->init_sock;
	int fd = stage == STAGE_READY && keeps_master(birth) ? birth->master_fd : -1;

	return sync_send(sock, stage, fd);
}

static struct err *run_poststart_hooks(struct birth *birth)
{
	const struct hook_list *hooks = &birth->spec->hooks[HOOK_POSTSTART];
	OWN(str) char *state = NULL;

	if (hooks->count == 0)
		return NULL;
	birth->hooked = true;
	birth->state.status = CT_RUNNING;
	TRY(ct_state_json(&birth->state, false, &state));
	return hooks_run(hooks, HOOK_POSTSTART, state);
}

/* With run_now the program runs when init's socket closes; until then its errors are ours. A
 * poststart hook that fails ends the container: runtime-spec 1.3, "Poststart". */
static struct err *await_program(struct birth *birth)
{
	struct err *err;

	if (!birth->request->run_now)
		return NULL;
	err = sync_wait_exec(birth->host_sock);
	if (!err)
		err = run_poststart_hooks(birth);
	if (err)
		steps_undo(host_steps, host_step_count, birth);
	return err;
}

/* Without the lock: a container that never becomes ready must be deletable. */
static struct err *await_ready(struct birth *birth)
{
	struct err *err;

	own_fd(&birth->dir_fd);
	err = notify_relay(birth->notify_fd, birth->request->notify_socket, birth->child.pid,
			   birth->child.pidfd);
	own_fd(&birth->notify_fd);
	if (err)
		log_warn(ct_delete(birth->root, birth->request->id, true));
	return err;
}

struct err *ct_create(const struct ct_root *root, const struct ct_create *request,
		      struct ct_started *ret_started)
{
	OWN(str) char *notify_dir = NULL;
	struct birth birth = BIRTH_INIT(root, request);
	struct err *err = birth_check(request);

	if (!err)
		err = birth_fill_state(&birth);
	if (!err)
		err = fill_env(&birth, &notify_dir);
	if (!err)
		err = steps_run("host", host_steps, host_step_count, &birth);
	if (!err)
		err = await_program(&birth);
	if (!err && birth.notify_fd >= 0 && request->io.detach)
		err = await_ready(&birth);
	if (err)
		birth_run_poststop(&birth);
	if (!err)
		*ret_started = (struct ct_started){ .pid = birth.child.pid,
						    .pidfd = fd_take(&birth.child.pidfd),
						    .master_fd = fd_take(&birth.master_fd),
						    .notify_fd = fd_take(&birth.notify_fd),
						    .notify_socket = request->notify_socket };
	birth_release(&birth);
	return err;
}
