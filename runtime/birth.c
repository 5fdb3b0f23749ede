/*
 * Rows that more than one table of host steps has (create.c, adopt.c): state directory, control
 * group, hooks, state file, and the checks before them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/birth.h"

struct err *birth_make_dir(struct birth *birth)
{
	const char *id = birth->request->id;

	if (mkdirat(birth->root->dir_fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_new(ERR_EXISTS, "container '%s' exists already", id);
		return err_sys(errno, "make %s/%s", birth->root->path, id);
	}
	return state_lock_dir(birth->root, id, &birth->dir_fd);
}

void birth_drop_dir(struct birth *birth)
{
	log_warn(path_remove_tree(birth->root->dir_fd, birth->request->id));
}

/* What delete needs after a SIGKILL at any later row is on disk before there is anything to delete.
 */
struct err *birth_save_plan(struct birth *birth)
{
	const struct ct_create *request = birth->request;

	TRY(cgroup_plan(&birth->spec->cgroup,
			request->cgroup_prefix ? request->cgroup_prefix : "cella-oci", request->id,
			&birth->cgroup));
	birth->state.driver = birth->cgroup.driver;
	if (birth->cgroup.path)
		TRY(str_dup(birth->cgroup.path, &birth->state.cgroup_path));
	if (birth->cgroup.scope)
		TRY(str_dup(birth->cgroup.scope, &birth->state.scope));
	if (request->config_text)
		TRY(file_replace(birth->dir_fd, CONFIG_FILE, 0600, request->config_text,
				 request->config_len));
	return state_save(birth->dir_fd, &birth->state);
}

struct err *birth_make_cgroup(struct birth *birth)
{
	return cgroup_create(&birth->spec->cgroup, &birth->cgroup);
}

void birth_drop_cgroup(struct birth *birth)
{
	/* whoever is still in it was made by a step that failed half way */
	if (birth->cgroup.dir_fd >= 0)
		log_warn(cgroup_kill(&birth->cgroup));
	log_warn(cgroup_destroy(&birth->cgroup, 5000));
}

void birth_kill_init(struct birth *birth)
{
	int status;

	/* reaped already when it failed by itself: both errors only say so */
	err_drop(proc_signal(birth->child.pidfd, SIGKILL));
	err_drop(proc_reap(birth->child.pidfd, &status));
}

/* The systemd driver learns only now where its manager put the scope. */
struct err *birth_start_scope(struct birth *birth)
{
	char *path = NULL;

	TRY(cgroup_start_scope(&birth->spec->cgroup, &birth->cgroup, birth->child.pid));
	if (!birth->cgroup.path || str_eq(birth->cgroup.path, birth->state.cgroup_path))
		return NULL;
	TRY(str_dup(birth->cgroup.path, &path));
	free(birth->state.cgroup_path);
	birth->state.cgroup_path = path;
	return NULL;
}

struct err *birth_run_hooks(struct birth *birth)
{
	OWN(str) char *state = NULL;

	birth->hooked = true;
	TRY(ct_state_json(&birth->state, false, &state));
	TRY(hooks_run(&birth->spec->hooks[HOOK_PRESTART], HOOK_PRESTART, state));
	return hooks_run(&birth->spec->hooks[HOOK_CREATE_RUNTIME], HOOK_CREATE_RUNTIME, state);
}

bool birth_has_rdt(const struct birth *birth)
{
	return birth->spec->rdt.is_set;
}

struct err *birth_make_rdt(struct birth *birth)
{
	TRY(rdt_create(&birth->spec->rdt, birth->request->id, &birth->state.rdt_group));
	return rdt_join(birth->state.rdt_group, birth->child.pid);
}

void birth_drop_rdt(struct birth *birth)
{
	rdt_remove(birth->state.rdt_group);
}

struct err *birth_save_state(struct birth *birth)
{
	const struct ct_io *io = &birth->request->io;

	TRY(proc_start_time(birth->child.pid, &birth->state.pid_start_ticks));
	TRY(proc_inode(birth->child.pidfd, &birth->state.pidfd_inode));
	TRY(state_save(birth->dir_fd, &birth->state));
	if (io->pidfd_socket)
		TRY(pidfd_socket_send(io->pidfd_socket, birth->child.pidfd));
	if (io->pid_file)
		TRY(pid_file_write(io->pid_file, birth->child.pid));
	return NULL;
}

void birth_drop_pid_file(struct birth *birth)
{
	const char *path = birth->request->io.pid_file;

	if (path && unlink(path) < 0 && errno != ENOENT)
		log_warn(err_sys(errno, "remove %s", path));
}

/* --- the request --- */

struct err *birth_check(const struct ct_create *request)
{
	const struct spec *spec = request->spec;
	bool terminal = spec->has_process && spec->process.terminal;

	TRY(parse_container_id(request->id));
	TRY(ns_spec_check(&spec->ns));
	TRY(rootfs_spec_check(&spec->root, spec->ns.is_new[NS_USER] || spec->ns.join_path[NS_USER],
			      spec->ns.is_new[NS_MOUNT] || spec->ns.join_path[NS_MOUNT]));
	if (spec->root.mount_label && *spec->root.mount_label && !lsm_has_selinux())
		return err_new(ERR_UNSUPPORTED, "linux.mountLabel: this kernel has no SELinux");
	if (request->io.console_socket && !terminal)
		return err_new(ERR_INVALID,
			       "a console socket was given, but process.terminal is false");
	if (terminal && !request->io.console_socket && !request->run_now)
		return err_new(ERR_INVALID, "process.terminal is true: give a --console-socket to "
					    "receive the terminal");
	if (request->run_now && !spec->has_process)
		return err_new(ERR_INVALID, "config.json has no process to run");
	return NULL;
}

struct err *birth_fill_state(struct birth *birth)
{
	const struct ct_create *request = birth->request;
	const struct spec *spec = birth->spec;
	struct ct_state *state = &birth->state;

	TRY(str_dup(request->id, &state->id));
	TRY(str_dup(request->bundle, &state->bundle));
	TRY(str_dup(spec->root.path, &state->rootfs));
	TRY(str_dup(spec->oci_version ? spec->oci_version : OCI_VERSION, &state->oci_version));
	if (request->notify_socket)
		TRY(str_dup(request->notify_socket, &state->notify_socket));
	for (size_t i = 0; i < spec->annotations.count; i++)
		TRY(strlist_add(&state->annotations, spec->annotations.items[i]));
	clock_gettime(CLOCK_REALTIME, &state->created);
	state->owner = geteuid();
	state->has_process = spec->has_process;
	state->own_pid_ns = spec->ns.is_new[NS_PID];
	state->namespaces = ns_spec_flags(&spec->ns);
	/* borrowed from the spec until birth_release() */
	state->hooks[HOOK_POSTSTART] = spec->hooks[HOOK_POSTSTART];
	state->hooks[HOOK_POSTSTOP] = spec->hooks[HOOK_POSTSTOP];
	return NULL;
}

void birth_run_poststop(struct birth *birth)
{
	OWN(str) char *state = NULL;

	if (!birth->hooked)
		return;
	birth->state.status = CT_STOPPED;
	/* the hooks' warning is all there is to say: the error that counts is the caller's */
	err_drop(ct_state_json(&birth->state, false, &state));
	if (state)
		hooks_run_all(&birth->state.hooks[HOOK_POSTSTOP], HOOK_POSTSTOP, state);
}

void birth_release(struct birth *birth)
{
	own_fd(&birth->dir_fd);
	own_fd(&birth->host_sock);
	own_fd(&birth->init_sock);
	own_fd(&birth->start_fd);
	own_fd(&birth->console_fd);
	own_fd(&birth->listener_sock);
	own_fd(&birth->launch_fd);
	own_fd(&birth->notify_fd);
	own_fd(&birth->master_fd);
	own_fd(&birth->child.pidfd);
	cgroup_release(&birth->cgroup);
	ns_fds_release(&birth->joined);
	rootfs_handles_release(&birth->handles);
	seccomp_filter_release(&birth->filter);
	for (int kind = 0; kind < HOOK_KIND_COUNT; kind++)
		birth->state.hooks[kind] = (struct hook_list){ 0 };
	ct_state_release(&birth->state);
}
