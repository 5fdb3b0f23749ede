/*
 * A further process in a running container. One clone3(2) puts it into the container's pid
 * namespace and cgroup; it joins the rest itself, so the caller never leaves the host and never
 * loses its privileges. Confinement is the container's own: same filter, same become_process() as
 * init.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/birth.h"
#include "runtime/sync.h"

#define CONFIG_MAX ((size_t)16 << 20)

struct exec {
	const struct ct_root *root;
	const struct ct_exec *request;
	struct ct_state state;
	struct spec spec;	     /* the container's, from the kept config.json */
	struct process_spec process; /* owned: from --process, or taken from spec */
	struct cgroup cgroup;
	struct seccomp_filter filter;
	struct rootfs_env env;
	struct ns_child child;
	int dir_fd, pidfd, host_sock, init_sock, console_fd, listener_sock, master_fd;
};

static void own_exec(struct exec *exec)
{
	ct_state_release(&exec->state);
	spec_release(&exec->spec);
	process_spec_release(&exec->process);
	cgroup_release(&exec->cgroup);
	seccomp_filter_release(&exec->filter);
	own_fd(&exec->dir_fd);
	own_fd(&exec->pidfd);
	own_fd(&exec->host_sock);
	own_fd(&exec->init_sock);
	own_fd(&exec->console_fd);
	own_fd(&exec->listener_sock);
	own_fd(&exec->master_fd);
	own_fd(&exec->child.pidfd);
}

/* --- host side --- */

static struct err *find_container(struct exec *exec)
{
	const char *id = exec->request->id;
	const struct ct_state *state = &exec->state;

	TRY(state_open_dir(exec->root, id, &exec->dir_fd));
	TRY(state_load(exec->dir_fd, id, &exec->state));
	TRY(state_look(exec->dir_fd, &exec->state, &exec->pidfd));
	if (exec->pidfd < 0)
		return err_new(ERR_STATE, "container '%s' is %s", id,
			       ct_status_name(state->status));
	TRY(state_open_cgroup(state, &exec->cgroup));
	TRY(state_look_paused(&exec->state, &exec->cgroup));
	if (state->status == CT_PAUSED && !exec->request->ignore_paused)
		return err_new(ERR_STATE, "container '%s' is paused: resume it first", id);
	return NULL;
}

static struct err *read_config(struct exec *exec)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	if (exec->request->spec) {
		exec->spec = *exec->request->spec;
		spec_init(exec->request->spec);
		return NULL;
	}
	err = file_read(exec->dir_fd, CONFIG_FILE, CONFIG_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* made without one: only what the request says counts */
		return NULL;
	}
	if (err)
		return err;
	return err_wrap(spec_parse(text.data, text.len, exec->state.bundle, &exec->spec), "%s",
			CONFIG_FILE);
}

static struct err *override_lists(struct exec *exec)
{
	const struct ct_exec *request = exec->request;
	struct process_spec *process = &exec->process;

	for (size_t i = 0; request->env && i < request->env->count; i++)
		TRY(strlist_add(&process->env, request->env->items[i]));
	for (size_t i = 0; request->caps && i < request->caps->count; i++) {
		unsigned int cap;

		TRY(spec_parse_capability(request->caps->items[i], &cap));
		process->caps.is_set = true;
		process->caps.bounding |= UINT64_C(1) << cap;
		process->caps.effective |= UINT64_C(1) << cap;
		process->caps.permitted |= UINT64_C(1) << cap;
	}
	strlist_release(&process->args);
	for (const char *const *arg = request->args; arg && *arg; arg++)
		TRY(strlist_add(&process->args, *arg));
	return NULL;
}

static struct err *replace_text(char **field, const char *text)
{
	char *copy = NULL;

	if (!text)
		return NULL;
	TRY(str_dup(text, &copy));
	free(*field);
	*field = copy;
	return NULL;
}

/* The container's own process with the request's options on top. */
static struct err *derive_process(struct exec *exec)
{
	const struct ct_exec *request = exec->request;
	struct process_spec *process = &exec->process;

	*process = exec->spec.process;
	exec->spec.process = (struct process_spec){ 0 };
	process->terminal = request->tty;
	process->no_new_privileges |= request->no_new_privs;
	/* the oom score and the CPU list are init's affair unless a process object says otherwise
	 */
	TRY(override_lists(exec));
	TRY(replace_text(&process->cwd, request->cwd));
	TRY(replace_text(&process->username, request->user));
	TRY(replace_text(&process->apparmor_profile, request->apparmor));
	TRY(replace_text(&process->selinux_label, request->selinux_label));
	if (!process->cwd)
		TRY(str_dup("/", &process->cwd));
	if (request->group_count == 0)
		return NULL;
	free(process->groups);
	process->group_count = 0;
	process->groups = calloc(request->group_count, sizeof(*process->groups));
	if (!process->groups)
		return err_sys(ENOMEM, "copy %zu groups", request->group_count);
	memcpy(process->groups, request->groups, request->group_count * sizeof(*process->groups));
	process->group_count = request->group_count;
	return NULL;
}

static struct err *choose_process(struct exec *exec)
{
	const struct ct_exec *request = exec->request;

	if (request->process_text)
		TRY(spec_parse_process(request->process_text, request->process_len,
				       &exec->process));
	else
		TRY(derive_process(exec));
	/* an annotation of the container, so that a process object cannot say it */
	exec->process.keep_groups = exec->spec.process.keep_groups;
	if (request->tty)
		exec->process.terminal = true;
	if (exec->process.args.count == 0)
		return err_new(ERR_INVALID, "no program to run was given");
	if (request->io.console_socket && !exec->process.terminal)
		return err_new(ERR_INVALID,
			       "a console socket was given, but the process has no terminal");
	if (exec->process.terminal && request->io.detach && !request->io.console_socket)
		return err_new(ERR_INVALID, "a detached process with a terminal needs a "
					    "--console-socket to receive it");
	return NULL;
}

static struct err *open_filter(struct exec *exec)
{
	const struct seccomp_spec *seccomp = &exec->spec.seccomp;
	OWN(fd) int cache_fd = -1;

	if (!seccomp->is_set)
		return NULL;
	cache_fd = openat(exec->root->dir_fd, ".cache",
			  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	TRY(seccomp_prepare(seccomp, cache_fd, &exec->filter));
	if (exec->filter.needs_listener)
		TRY(fd_connect_unix(seccomp->listener_path, &exec->listener_sock));
	return NULL;
}

static struct err *open_inheritance(struct exec *exec)
{
	const struct ct_io *io = &exec->request->io;

	TRY(open_filter(exec));
	if (io->console_socket)
		TRY(fd_connect_unix(io->console_socket, &exec->console_fd));
	if (exec->request->cgroup_below)
		TRY(cgroup_descend(&exec->cgroup, exec->request->cgroup_below));
	exec->env = (struct rootfs_env){ .maps = &exec->spec.ns.maps };
	return sync_pair(&exec->host_sock, &exec->init_sock);
}

/* --- inside --- */

static struct err *mark_process(const struct exec *exec)
{
	const struct process_spec *process = &exec->process;

	if (process->oom_score_adj_set)
		TRY(process_set_oom_score(0, process->oom_score_adj));
	if (process->apparmor_profile)
		TRY(process_set_apparmor(process->apparmor_profile));
	if (process->selinux_label)
		TRY(process_set_selinux(process->selinux_label));
	return process_set_affinity(process->affinity_final);
}

static struct err *open_terminal(struct exec *exec, int root_fd)
{
	static const char name[] = "/dev/pts/ptmx";
	OWN(fd) int slave_fd = -1;

	if (!exec->process.terminal)
		return NULL;
	TRY(rootfs_open_console(root_fd, &exec->env, &exec->master_fd, &slave_fd));
	TRY(process_size_terminal(slave_fd, &exec->process));
	if (exec->console_fd >= 0)
		TRY(fd_send(exec->console_fd, name, sizeof(name) - 1, exec->master_fd));
	return process_attach_terminal(slave_fd);
}

static struct err *settle(struct exec *exec, int root_fd, struct become *become, char **ret_program)
{
	struct process_spec *process = &exec->process;
	struct err *err;

	TRY(process_set_rlimits(process->rlimits, process->rlimit_count));
	if (process->scheduler.is_set)
		TRY(process_set_scheduler(&process->scheduler));
	if (process->io_priority_set)
		TRY(process_set_io_priority(process->io_priority));
	if (exec->spec.memory_policy.is_set)
		TRY(process_set_memory_policy(&exec->spec.memory_policy));
	if (exec->spec.personality_set)
		TRY(process_set_personality(exec->spec.personality));
	if (process->username)
		TRY(process_lookup_user(root_fd, process->username, process));
	TRY(process_set_home(root_fd, process));
	err = process_enter_cwd(process->cwd);
	if (err && err_errno(err) == EACCES) {
		err_drop(err); /* perhaps its own user may */
		become->cwd_later = true;
	} else if (err) {
		return err;
	}
	return process_find_program(process, ret_program);
}

/* Whether the caller has something to do between the child's readiness and its program. */
static bool has_errands(const struct exec *exec)
{
	const struct ct_io *io = &exec->request->io;

	return io->pidfd_socket || io->pid_file || exec->process.terminal;
}

/* Everything that init does for itself, in the same order. */
static struct err *run_inside(struct exec *exec)
{
	OWN(fd) int root_fd = -1;
	OWN(str) char *program = NULL, *json = NULL;
	struct become become = {
		.process = &exec->process,
		.filter = exec->spec.seccomp.is_set ? &exec->filter : NULL,
		.listener_sock = exec->listener_sock,
		.preserve_fds = exec->request->io.preserve_fds,
	};

	become_reset_signals();
	if (setsid() < 0 && errno != EPERM)
		return err_sys(errno, "start a session");
	if (exec->listener_sock >= 0) {
		pid_t pid;

		TRY(read_host_pid(&pid));
		TRY(listener_json(&exec->state, pid, exec->spec.seccomp.listener_metadata, &json));
		become.listener_json = json;
	}
	TRY(mark_process(exec));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	TRY(ns_enter_rest(exec->pidfd, exec->state.namespaces));
	TRY(process_join_keyring(exec->request->id, exec->process.selinux_label));
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open the container's root");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	TRY(open_terminal(exec, root_fd));
	TRY(settle(exec, root_fd, &become, &program));
	if (has_errands(exec)) {
		TRY(sync_send(exec->init_sock, STAGE_READY,
			      exec->console_fd < 0 ? exec->master_fd : -1));
		TRY(sync_wait(exec->init_sock, STAGE_SAVED, NULL));
	}
	become.program = program;
	return become_process(&become);
}

static _Noreturn void exec_main(struct exec *exec)
{
	close(fd_take(&exec->host_sock));
	prctl(PR_SET_NAME, "cella:exec", 0, 0, 0);
	sync_fail(exec->init_sock, run_inside(exec));
	proc_exit(1);
}

/* --- exec --- */

/* An init system inside gives controllers to child cgroups; then only those take processes. */
static struct err *clone_child(struct exec *exec)
{
	OWN(fd) int busy_fd = -1;
	struct err *err;

	err = ns_clone_into(exec->pidfd, exec->state.namespaces, exec->cgroup.dir_fd, &exec->child);
	if (!err || err_errno(err) != EBUSY || exec->request->cgroup_below)
		return err;
	err_drop(err); /* the cgroup in which init is takes it */
	TRY(cgroup_open_busy(&exec->cgroup, exec->state.pid, &busy_fd));
	return ns_clone_into(exec->pidfd, exec->state.namespaces, busy_fd, &exec->child);
}

static struct err *run_errands(struct exec *exec)
{
	const struct ct_io *io = &exec->request->io;

	TRY(sync_wait(exec->host_sock, STAGE_READY, &exec->master_fd));
	if (io->pidfd_socket)
		TRY(pidfd_socket_send(io->pidfd_socket, exec->child.pidfd));
	if (io->pid_file)
		TRY(pid_file_write(io->pid_file, exec->child.pid));
	return sync_send(exec->host_sock, STAGE_SAVED, -1);
}

static struct err *spawn(struct exec *exec)
{
	/* config.md: "CPUs a runtime parent process to be run on initially"; the child is born
	 * with it */
	if (exec->process.affinity_initial)
		TRY(process_set_affinity(exec->process.affinity_initial));
	/* CVE-2016-9962: from the clone on, the container's root could trace our child. Without
	 * privilege our own /proc/self files would become root's, and the container's root is only
	 * ourselves. */
	if (geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	process_raise_rlimits(exec->process.rlimits, exec->process.rlimit_count);
	TRY(clone_child(exec));
	if (exec->child.pid == 0)
		exec_main(exec);
	close(fd_take(&exec->init_sock));
	if (has_errands(exec))
		TRY(run_errands(exec));
	return sync_wait_exec(exec->host_sock);
}

static void reap_failed(struct exec *exec)
{
	int status;

	if (exec->child.pidfd < 0)
		return;
	/* it reported why and is ending by itself; both errors only say that it has */
	err_drop(proc_signal(exec->child.pidfd, SIGKILL));
	err_drop(proc_reap(exec->child.pidfd, &status));
	if (exec->request->io.pid_file)
		unlink(exec->request->io.pid_file);
}

struct err *ct_exec(const struct ct_root *root, const struct ct_exec *request,
		    struct ct_started *ret_started)
{
	OWN(exec)
	struct exec exec = {
		.root = root,
		.request = request,
		.cgroup = CGROUP_INIT,
		.child = { .pidfd = -1 },
		.dir_fd = -1,
		.pidfd = -1,
		.host_sock = -1,
		.init_sock = -1,
		.console_fd = -1,
		.listener_sock = -1,
		.master_fd = -1,
	};
	struct err *err;

	spec_init(&exec.spec);
	TRY(find_container(&exec));
	TRY(read_config(&exec));
	TRY(choose_process(&exec));
	TRY(open_inheritance(&exec));
	err = spawn(&exec);
	if (err) {
		reap_failed(&exec);
		return err;
	}
	*ret_started = (struct ct_started){ .pid = exec.child.pid,
					    .pidfd = fd_take(&exec.child.pidfd),
					    .master_fd = fd_take(&exec.master_fd),
					    .notify_fd = -1 };
	return NULL;
}
