/* Stopping a VPS: the signal that its init takes for a shutdown, a bounded wait, then the kill that
 * nothing survives. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/scripts.h"
#include "runtime/vps/watcher.h"

#define DEFAULT_TIMEOUT_S 120
#define BUSYBOX_SIGNAL SIGUSR2

/* How to ask which init to power off. Sources: systemd(1) SIGNALS; busybox init/init.c; init(8);
 * LXC's default. */
static const struct shutdown_signal {
	const char *program; /* last part of /proc/PID/exe */
	int signum;	     /* 0: SIGRTMIN+3, which is no constant */
} shutdown_signals[] = {
	{ "systemd", 0 },	   { "busybox", BUSYBOX_SIGNAL }, { "init", SIGPWR },
	{ "openrc-init", SIGINT }, { "runit-init", SIGCONT },
};

struct err *init_program(pid_t pid, char **ret_program)
{
	char path[40], target[4096];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return err_sys(errno, "read %s", path);
	target[len] = '\0';
	return str_dup(strrchr(target, '/') ? strrchr(target, '/') + 1 : target, ret_program);
}

static int signal_for(pid_t pid)
{
	OWN(str) char *program = NULL;
	struct err *err = init_program(pid, &program);

	if (err) {
		err_drop(err); /* what most inits take */
		return SIGPWR;
	}
	for (size_t i = 0; i < ARRAY_SIZE(shutdown_signals); i++)
		if (str_eq(program, shutdown_signals[i].program))
			return shutdown_signals[i].signum ? shutdown_signals[i].signum :
							    SIGRTMIN + 3;
	return SIGTERM; /* no init at all: a plain program */
}

static bool has_bit(const char *status, const char *field, int signum)
{
	const char *line = strstr(status, field);

	return line && strtoull(line + strlen(field), NULL, 16) >> (signum - 1) & 1;
}

/* *ret_taken: the process has a handler for the signal, or it is blocked, as systemd and others
 * take it through a signalfd. A pid 1 that does neither never sees it: pid_namespaces(7). But
 * busybox's init, when idle, is in sigtimedwait(2), and for that time the kernel shows as not
 * blocked what is waited for; its other programs do not bear the name of init. */
static struct err *takes(pid_t pid, int signum, bool *ret_taken)
{
	OWN(buf) struct buf status = { 0 };
	char path[40];

	*ret_taken = false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	TRY(file_read(AT_FDCWD, path, 65536, &status));
	*ret_taken = has_bit(status.data, "\nSigCgt:\t", signum) ||
		     has_bit(status.data, "\nSigBlk:\t", signum) ||
		     (signum == BUSYBOX_SIGNAL && str_has_prefix(status.data, "Name:\tinit\n"));
	return NULL;
}

static uint64_t timeout_of(const struct vps_conf *conf, const struct vps_stop *request)
{
	if (request->timeout_s != VPS_UNSET)
		return request->timeout_s;
	return conf->stop_timeout_s != VPS_UNSET ? conf->stop_timeout_s : DEFAULT_TIMEOUT_S;
}

/* Ask and wait. Returning early, or without an end, is no error: the kill follows. */
static struct err *ask(const struct ct_state *state, int pidfd, uint64_t timeout_s)
{
	int signum = signal_for(state->pid);
	bool taken, ended;

	TRY(takes(state->pid, signum, &taken));
	if (!taken)
		return NULL; /* it would be waited for in vain */
	TRY(proc_signal(pidfd, signum));
	TRY(proc_wait_end(pidfd, (int)timeout_s * 1000, &ended));
	if (!ended)
		log_warning("VPS %s did not shut down within %u s; it is killed", state->id,
			    (unsigned int)timeout_s);
	return NULL;
}

static struct err *end_softly(const struct ct_state *state, uint64_t timeout_s)
{
	OWN(fd) int pidfd = -1;
	struct err *err = ct_open_init(state, &pidfd);

	if (!err)
		err = ask(state, pidfd, timeout_s);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it ended meanwhile */
		return NULL;
	}
	return err;
}

/* *ret_state stays empty when it does not run; what a life left that nobody saw end is removed. */
static struct err *find_running(const struct vps_host *host, const char *name,
				const struct vps_conf *conf, struct ct_state *ret_state)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err;

	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, &state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* the caller says so */
		return NULL;
	}
	if (err)
		return err;
	if (state.status != CT_RUNNING && state.status != CT_PAUSED)
		return vps_clean_up(host, name, conf);
	*ret_state = state;
	state = (struct ct_state){ 0 };
	return NULL;
}

/* What a suspended one was doing is lost: not by a word that is kind to those that run. */
static struct err *end_suspended(const struct vps_host *host, const char *name, bool fast)
{
	return fast ? suspend_drop(host, name) : suspend_check_not(host, name);
}

/* A VPS between its end and its automatic restart is stopped by calling that off. */
static struct err *call_off_restart(const struct vps_host *host, const char *name)
{
	bool dismissed;

	TRY(monitor_dismiss(host, name, &dismissed));
	return dismissed ? NULL : err_new(ERR_STATE, "VPS %s is not running", name);
}

struct err *stop_locked(const struct vps_host *host, const char *name,
			const struct vps_stop *request)
{
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(str) char *problem = NULL;
	uint64_t timeout_s;
	bool suspended;

	vps_conf_init(&conf);
	TRY(running_load_anyway(host, name, &conf, &problem));
	TRY(find_running(host, name, &conf, &state));
	if (!state.id) {
		TRY(suspend_is(host, name, &suspended));
		return suspended ?
			       end_suspended(host, name, request->fast && !request->running_only) :
			       call_off_restart(host, name);
	}
	if (problem)
		log_warning("VPS %s is stopped all the same: %s", name, problem);
	timeout_s = timeout_of(&conf, request);
	/* a frozen init cannot shut anything down */
	if (!request->fast && timeout_s > 0 && state.status == CT_RUNNING) {
		log_warn(scripts_run(host, name, ACTION_STOP)); /* it must stop all the same */
		TRY(end_softly(&state, timeout_s > 86400 ? 86400 : timeout_s));
	}
	last_write(host, &state, request->fast ? "kill" : "stop");
	return vps_clean_up(host, name, &conf);
}

struct err *vps_stop(const struct vps_host *host, const char *name, const struct vps_stop *request)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	bool exists;

	TRY(store_exists(host, name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	return stop_locked(host, name, request);
}
