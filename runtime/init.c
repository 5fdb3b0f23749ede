/*
 * Init's half of a birth: from the first instruction in the new namespaces to execve. It never
 * returns and never prints: an error goes word for word to the host, over the sync socket or to
 * whoever calls `start`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "netns/netns.h"
#include "runtime/birth.h"
#include "runtime/sync.h"

static struct err *note_host_pid(struct birth *birth)
{
	return read_host_pid(&birth->state.pid);
}

static struct err *enter_namespaces(struct birth *birth)
{
	const struct ns_spec *ns = &birth->spec->ns;

	TRY(ns_become_root(ns));
	/* after the maps are written and the ids are set, both of which reset it; CVE-2016-9962 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	if (ns->is_new[NS_CGROUP])
		TRY(ns_unshare_cgroup());
	if (setsid() < 0 && errno != EPERM)
		return err_sys(errno, "start a session");
	return NULL;
}

static struct err *name_host(struct birth *birth)
{
	const char *host = birth->spec->hostname, *domain = birth->spec->domainname;

	if (host && sethostname(host, strlen(host)) < 0)
		return err_sys(errno, "set host name %s", host);
	if (domain && setdomainname(domain, strlen(domain)) < 0)
		return err_sys(errno, "set domain name %s", domain);
	return NULL;
}

static bool has_new_network(const struct birth *birth)
{
	return birth->spec->bring_loopback_up;
}

static struct err *raise_loopback(struct birth *birth)
{
	(void)birth;
	return net_loopback_up();
}

static bool has_process(const struct birth *birth)
{
	return birth->spec->has_process;
}

static bool has_label(const struct birth *birth)
{
	return birth->spec->has_process &&
	       (birth->spec->process.apparmor_profile || birth->spec->process.selinux_label);
}

static struct err *label_process(struct birth *birth)
{
	const struct process_spec *process = &birth->spec->process;

	if (process->apparmor_profile)
		TRY(process_set_apparmor(process->apparmor_profile));
	return process->selinux_label ? process_set_selinux(process->selinux_label) : NULL;
}

static bool has_keyring(const struct birth *birth)
{
	return birth->spec->has_process && !birth->request->no_new_keyring;
}

static struct err *join_keyring(struct birth *birth)
{
	return process_join_keyring(birth->request->id, birth->spec->process.selinux_label);
}

static struct err *write_sysctls(struct birth *birth)
{
	return sysctl_apply(&birth->spec->sysctls);
}

static bool has_sysctls(const struct birth *birth)
{
	return birth->spec->sysctls.count > 0;
}

static struct err *build_root(struct birth *birth)
{
	birth->env.cgroup_path = birth->cgroup.path;
	return rootfs_build(&birth->spec->root, &birth->env, &birth->handles, &birth->root_fd);
}

static bool has_terminal(const struct birth *birth)
{
	return birth->env.terminal;
}

static struct err *open_console(struct birth *birth)
{
	static const char name[] = "/dev/pts/console";

	TRY(rootfs_open_console(birth->root_fd, &birth->env, &birth->master_fd, &birth->slave_fd));
	TRY(process_size_terminal(birth->slave_fd, &birth->spec->process));
	if (birth->console_fd >= 0) {
		TRY(fd_send(birth->console_fd, name, sizeof(name) - 1, birth->master_fd));
		close(fd_take(&birth->master_fd));
	}
	return NULL;
}

static struct err *attach_terminal(struct birth *birth)
{
	return process_attach_terminal(birth->slave_fd);
}

static struct err *container_hooks(struct birth *birth, enum hook_kind kind)
{
	OWN(str) char *state = NULL;
	pid_t host_pid = birth->state.pid;
	struct err *err;

	birth->state.pid = getpid(); /* as the container sees it */
	err = ct_state_json(&birth->state, false, &state);
	birth->state.pid = host_pid;
	if (err)
		return err;
	return hooks_run(&birth->spec->hooks[kind], kind, state);
}

static bool has_container_hooks(const struct birth *birth)
{
	return birth->spec->hooks[HOOK_CREATE_CONTAINER].count > 0;
}

static struct err *run_container_hooks(struct birth *birth)
{
	return container_hooks(birth, HOOK_CREATE_CONTAINER);
}

static struct err *enter_root(struct birth *birth)
{
	return rootfs_enter(&birth->spec->root, &birth->env, birth->root_fd);
}

static struct err *reopen_null(struct birth *birth)
{
	(void)birth;
	return process_reopen_null();
}

static struct err *limit_process(struct birth *birth)
{
	const struct process_spec *process = &birth->spec->process;

	TRY(process_set_rlimits(process->rlimits, process->rlimit_count));
	if (process->scheduler.is_set)
		TRY(process_set_scheduler(&process->scheduler));
	if (process->io_priority_set)
		TRY(process_set_io_priority(process->io_priority));
	if (birth->spec->memory_policy.is_set)
		TRY(process_set_memory_policy(&birth->spec->memory_policy));
	if (birth->spec->personality_set)
		TRY(process_set_personality(birth->spec->personality));
	return NULL;
}

/* `create` reports a wrong directory or program, not `start`. */
static struct err *find_program(struct birth *birth)
{
	struct process_spec *process = &birth->process;
	struct err *err;

	*process = birth->spec->process;
	err = process_enter_cwd(process->cwd);
	if (err && err_errno(err) == EACCES) {
		err_drop(err); /* perhaps its own user may; become_process() tries again */
		birth->cwd_later = true;
	} else if (err) {
		return err;
	}
	TRY(process_set_home(birth->root_fd, process));
	return process_find_program(process, &birth->program);
}

/* A create has more time than a start. Not before start hooks, which run with what we have. */
static bool drops_bounding_early(const struct birth *birth)
{
	return birth->spec->has_process && birth->spec->hooks[HOOK_START_CONTAINER].count == 0;
}

static struct err *drop_bounding(struct birth *birth)
{
	birth->bounding_dropped = true;
	return process_drop_bounding(&birth->spec->process.caps);
}

static bool waits_for_start(const struct birth *birth)
{
	return !birth->request->run_now;
}

/* From here on the caller of `start` hears our errors. */
static struct err *wait_for_start(struct birth *birth)
{
	int fd;

	close(fd_take(&birth->init_sock));
	do {
		fd = accept4(birth->start_fd, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return err_sys(errno, "wait for start");
	birth->init_sock = fd;
	if (!birth->spec->has_process)
		return err_new(ERR_INVALID, "config.json has no process to run");
	return NULL;
}

static bool has_start_hooks(const struct birth *birth)
{
	return birth->spec->hooks[HOOK_START_CONTAINER].count > 0;
}

static struct err *run_start_hooks(struct birth *birth)
{
	birth->state.status = CT_CREATED;
	return container_hooks(birth, HOOK_START_CONTAINER);
}

static struct err *run_program(struct birth *birth)
{
	OWN(str) char *json = NULL;
	struct become become = {
		.process = &birth->process,
		.filter = birth->spec->seccomp.is_set ? &birth->filter : NULL,
		.program = birth->program,
		.listener_sock = birth->listener_sock,
		.preserve_fds = birth->request->io.preserve_fds,
		.cwd_later = birth->cwd_later,
		.bounding_dropped = birth->bounding_dropped,
	};

	if (birth->listener_sock >= 0) {
		TRY(listener_json(&birth->state, birth->state.pid,
				  birth->spec->seccomp.listener_metadata, &json));
		become.listener_json = json;
	}
	return become_process(&become);
}

/* clang-format off */
const struct step init_steps[] = {
	/* through the host's procfs, which no tenant can fake, and while the file is still ours to write */
	{ "label",            STEP_RUN,  .run = label_process, .when = has_label },
	{ "maps",             STEP_WAIT, STAGE_MAPS, .when = birth_has_maps },
	{ "host pid",         STEP_RUN,  .run = note_host_pid },
	{ "own namespaces",   STEP_RUN,  .run = enter_namespaces },
	{ "host name",        STEP_RUN,  .run = name_host },
	{ "loopback",         STEP_RUN,  .run = raise_loopback, .when = has_new_network },
	{ "namespaces",       STEP_SEND, STAGE_NAMESPACES, .when = birth_has_wiring },
	{ "wired",            STEP_WAIT, STAGE_WIRED, .when = birth_has_wiring },
	/* through the host's procfs and before any tenant mount: CVE-2025-52881. After the wiring: net.ipv4.conf.eth0.* */
	{ "sysctls",          STEP_RUN,  .run = write_sysctls, .when = has_sysctls },
	/* with its own ids: a keyring belongs to whoever makes it */
	{ "keyring",          STEP_RUN,  .run = join_keyring, .when = has_keyring },
	{ "mounts",           STEP_RUN,  .run = build_root },
	{ "mounts done",      STEP_SEND, STAGE_MOUNTS, .when = birth_has_runtime_hooks },
	{ "hooked",           STEP_WAIT, STAGE_HOOKED, .when = birth_has_runtime_hooks },
	{ "console",          STEP_RUN,  .run = open_console, .when = has_terminal },
	/* their programs lie on the host: before the pivot */
	{ "container hooks",  STEP_RUN,  .run = run_container_hooks, .when = has_container_hooks },
	{ "pivot",            STEP_RUN,  .run = enter_root },
	{ "null device",      STEP_RUN,  .run = reopen_null, .when = has_process },
	{ "terminal",         STEP_RUN,  .run = attach_terminal, .when = has_terminal },
	{ "limits",           STEP_RUN,  .run = limit_process, .when = has_process },
	{ "program",          STEP_RUN,  .run = find_program, .when = has_process },
	{ "bounding set",     STEP_RUN,  .run = drop_bounding, .when = drops_bounding_early },
	{ "ready",            STEP_SEND, STAGE_READY },
	{ "saved",            STEP_WAIT, STAGE_SAVED },
	{ "start",            STEP_RUN,  .run = wait_for_start, .when = waits_for_start },
	{ "start hooks",      STEP_RUN,  .run = run_start_hooks, .when = has_start_hooks },
	/* --- the last line of ours: the tenant's program runs --- */
	{ "run",              STEP_RUN,  .run = run_program },
};
const size_t init_step_count = ARRAY_SIZE(init_steps);
/* clang-format on */

_Noreturn void init_main(struct birth *birth)
{
	struct err *err;

	close(fd_take(&birth->host_sock));
	if (birth->root->dir_fd >= 0)
		close(birth->root->dir_fd);
	/* the lock on the container's directory is the host's: drop our copy, or delete would wait
	 * for us */
	close(fd_take(&birth->dir_fd));
	own_fd(&birth->launch_fd);
	become_reset_signals();
	prctl(PR_SET_NAME, "cella:init", 0, 0, 0);
	err = steps_run("init", init_steps, init_step_count, birth);
	sync_fail(birth->init_sock, err);
	proc_exit(1);
}
