/*
 * The monitor: one small process per running VPS. It is init's parent, keeps the console, and when
 * init ends it cleans up or starts again. Nothing dies with it: killed, it is replaced by the next
 * command that looks (monitor_attach()), by one that has no console and learns of init's end
 * through a pidfd alone.
 *
 *   start (holds the VPS's lock)             monitor
 *   fork ----------------------------------> takes the monitor's lock, starts the VPS
 *   waits <--------------------------------- "ok", or the error
 *   unlocks                                  closes its copies, watches console and init
 *
 *   init ends by itself:  monitor takes the VPS's lock, cleans up; after reboot(2) starts again
 *   stop:                 holds the lock, ends init, cleans up; the monitor then finds nothing left
 * to do
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/console.h"
#include "runtime/vps/room.h"

#define LOCK_TRIES 250
#define LOCK_PAUSE_NS 20000000L
/* An init that reboots at once would keep the host busy. */
#define REBOOT_PAUSE_S 1
#define REPORT_TEXT_MAX 2000

/* Why init ended. Source: pid_namespaces(7) on reboot(2): SIGHUP after a restart, SIGINT after halt
 * and power-off. */
enum ending { ENDED_HALT, ENDED_REBOOT };

struct monitor {
	const struct vps_host *host;
	const char *name;
	struct vps_conf conf;
	struct ct_root root;
	struct ct_started init; /* pidfd and pty master */
	uint64_t init_start_ticks;
	bool is_parent; /* of init: it can be reaped */
	int lock_fd;	/* the monitor's own lock */
	struct console_log log;
};

/* What goes over the pipe to start. */
struct report {
	bool failed;
	enum err_kind kind;
	int errnum;
	char text[REPORT_TEXT_MAX];
};

/* --- life --- */

static struct err *take_monitor_lock(struct monitor *monitor)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	/* the last monitor may be about to notice that its VPS was stopped */
	for (int i = 0; i < LOCK_TRIES; i++) {
		TRY(monitor_lock(monitor->host, monitor->name, &monitor->lock_fd));
		if (monitor->lock_fd >= 0)
			return NULL;
		nanosleep(&pause, NULL);
	}
	return err_sys(EBUSY, "VPS %s has another monitor that does not end", monitor->name);
}

/* The VPS's lock is held by us or by the start that waits for us. */
static struct err *start_vps(struct monitor *monitor)
{
	OWN(spec) struct spec spec;
	struct vps_wire wire;
	struct ct_create create = { .id = monitor->name,
				    .spec = &spec,
				    .bundle = monitor->host->private_dir,
				    .cgroup_prefix = "cella",
				    .run_now = true };

	spec_init(&spec);
	vps_conf_release(&monitor->conf);
	TRY(vps_load(monitor->host, monitor->name, &monitor->conf));
	TRY(vps_clean_up(monitor->host, monitor->name,
			 &monitor->conf)); /* of a life that nobody saw end */
	TRY(identity_write(monitor->host, monitor->name, &monitor->conf));
	TRY(vps_build_spec(monitor->host, monitor->name, &monitor->conf, &spec));
	wire_init(monitor->host, monitor->name, &monitor->conf, &wire);
	if (monitor->conf.addr_count)
		create.wire = &wire.base;
	TRY(ct_create(&monitor->root, &create, &monitor->init));
	monitor->is_parent = true;
	return proc_start_time(monitor->init.pid, &monitor->init_start_ticks);
}

static void read_console(struct monitor *monitor)
{
	char data[4096];
	ssize_t len = read(monitor->init.master_fd, data, sizeof(data));

	if (len > 0)
		console_log_add(&monitor->log, data, (size_t)len);
	else if (len == 0 || errno != EINTR)
		close(fd_take(&monitor->init.master_fd)); /* the last process that had it is gone */
}

/* Until init has ended. EIO on the master only says that nobody has the console open just now. */
static void watch(struct monitor *monitor)
{
	struct pollfd fds[2] = { { .fd = monitor->init.pidfd, .events = POLLIN },
				 { .fd = monitor->init.master_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents & POLLIN)
			read_console(monitor);
		else if (fds[1].revents & (POLLHUP | POLLERR) && !(fds[0].revents & POLLIN))
			nanosleep(&(struct timespec){ .tv_nsec = 100000000L }, NULL);
		if (fds[0].revents & POLLIN)
			return;
		fds[1].fd = monitor->init.master_fd;
	}
}

static enum ending reap(struct monitor *monitor)
{
	siginfo_t info = { 0 };

	if (!monitor->is_parent)
		return ENDED_HALT;
	while (waitid(P_PIDFD, (id_t)monitor->init.pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return ENDED_HALT;
	return info.si_code == CLD_KILLED && info.si_status == SIGHUP ? ENDED_REBOOT : ENDED_HALT;
}

/* Is what the engine remembers still the init that we watched? Somebody may have stopped or
 * restarted the VPS. */
static bool is_still_ours(const struct monitor *monitor)
{
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = ct_load(&monitor->root, monitor->name, &state);

	if (err) {
		err_drop(err); /* gone: somebody cleaned up */
		return false;
	}
	return state.pid == monitor->init.pid && state.pid_start_ticks == monitor->init_start_ticks;
}

/*
 * The VPS's lock after init's end. When the VPS shall start again, our own lock is kept
 * meanwhile: a command that found neither would clean up after a dead VPS, and the reboot be
 * lost. Whoever has the lock may wait for ours in turn (a start that follows a stop), so this looks
 * again rather than block. Else ours is given up first, so that nobody need wait.
 */
static struct err *lock_after_end(struct monitor *monitor, enum ending ending,
				  struct vps_lock *ret_lock)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	while (ending == ENDED_REBOOT && is_still_ours(monitor)) {
		struct err *err = vps_lock(monitor->host, monitor->name, VPS_LOCK_TRY, ret_lock);

		if (!err || err_errno(err) != EBUSY)
			return err;
		err_drop(err); /* tried again */
		nanosleep(&pause, NULL);
	}
	own_fd(&monitor->lock_fd);
	monitor->lock_fd = -1;
	return vps_lock(monitor->host, monitor->name, VPS_LOCK_FOREVER, ret_lock);
}

/* After init's end. *ret_again: it was started anew. */
static struct err *conclude(struct monitor *monitor, enum ending ending, bool *ret_again)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;

	*ret_again = false;
	TRY(lock_after_end(monitor, ending, &lock));
	if (!is_still_ours(monitor)) {
		bool exists;

		/* waiting for the lock of a VPS that was destroyed meanwhile made its file again */
		TRY(store_exists(monitor->host, monitor->name, &exists));
		if (!exists)
			vps_lock_forget(monitor->host, monitor->name);
		return NULL;
	}
	TRY(vps_clean_up(monitor->host, monitor->name, &monitor->conf));
	if (ending != ENDED_REBOOT)
		return NULL;
	sleep(REBOOT_PAUSE_S);
	own_fd(&monitor->init.pidfd);
	own_fd(&monitor->init.master_fd);
	monitor->init = (struct ct_started){ .pidfd = -1, .master_fd = -1 };
	TRY(start_vps(monitor));
	*ret_again = true;
	return NULL;
}

static void live(struct monitor *monitor)
{
	bool again = true;

	while (again) {
		struct err *err;

		watch(monitor);
		err = conclude(monitor, reap(monitor), &again);
		log_warn(err); /* nobody else is there to hear it */
		if (err)
			return;
	}
}

/* --- birth --- */

static void tell(int pipe_fd, const struct err *err)
{
	struct report report = { .failed = err != NULL };

	if (err) {
		report.kind = err_kind(err);
		report.errnum = err_errno(err);
		snprintf(report.text, sizeof(report.text), "%s", err_text(err));
	}
	/* nobody waits: then nobody is told */
	err_drop(fd_write_all(pipe_fd, "the pipe to start", &report, sizeof(report)));
}

/* A process of its own: no terminal, no descriptor and no signal of the caller; warnings go to a
 * file. */
static struct err *detach(const struct monitor *monitor)
{
	OWN(str) char *path = NULL;
	OWN(fd) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	int log_fd;

	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0)
		return err_sys(errno, "detach from the terminal");
	TRY(str_format(&path, "%s/%s.monitor", monitor->host->log_dir, monitor->name));
	log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log_fd < 0)
		return err_sys(errno, "open %s", path);
	log_setup(&(struct log_config){
		.fd = log_fd, .program = "cella monitor", .level = LOG_LEVEL_WARNING });
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored would mean that init cannot be reaped */
	if (chdir("/") < 0)
		return err_sys(errno, "change to /");
	prctl(PR_SET_NAME, "cella:monitor");
	return NULL;
}

/* The caller's lock would live on in us. All but the report pipe and the three standard ones. */
static void close_others(int pipe_fd)
{
	if (pipe_fd > 3)
		close_range(3, (unsigned int)pipe_fd - 1, 0);
	close_range((unsigned int)pipe_fd + 1, ~0U, 0);
}

static struct err *prepare(struct monitor *monitor)
{
	TRY(detach(monitor));
	TRY(take_monitor_lock(monitor));
	TRY(console_log_open(monitor->host, monitor->name, &monitor->log));
	return ct_root_open(monitor->host->run_dir, &monitor->root);
}

_Noreturn static void monitor_main(struct monitor *monitor,
				   struct err *(*begin)(struct monitor *monitor), int pipe_fd)
{
	struct err *err;

	setsid();
	close_others(pipe_fd);
	err = prepare(monitor);
	if (!err)
		err = begin(monitor);
	tell(pipe_fd, err);
	close(pipe_fd);
	if (err) {
		err_drop(err); /* told */
		proc_exit(1);
	}
	live(monitor);
	proc_exit(0);
}

static struct err *hear(int pipe_fd)
{
	OWN(buf) struct buf data = { 0 };
	struct report report;

	TRY(fd_read_all(pipe_fd, "the monitor's report", sizeof(report), &data));
	if (data.len != sizeof(report))
		return err_new(ERR_PEER, "the monitor died before the VPS ran");
	memcpy(&report, data.data, sizeof(report));
	report.text[REPORT_TEXT_MAX - 1] = '\0';
	return report.failed ? err_new(report.kind, "%s", report.text) : NULL;
}

/*
 * Twice forked, so that the monitor is nobody's child. No exec: what it needs is in memory, and an
 * upgrade of cella cannot pull the program away from under it.
 */
static struct err *spawn(struct monitor *monitor, struct err *(*begin)(struct monitor *monitor))
{
	OWN(fd) int read_fd = -1, write_fd = -1;
	int pair[2], status;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(errno, "make a pipe to the monitor");
	read_fd = pair[0];
	write_fd = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(errno, "fork the monitor");
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			monitor_main(monitor, begin, write_fd);
		_exit(pid < 0);
	}
	close(fd_take(&write_fd));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return hear(read_fd);
}

struct err *monitor_start(const struct vps_host *host, const char *name)
{
	struct monitor monitor = { .host = host,
				   .name = name,
				   .root = CT_ROOT_INIT,
				   .init = { .pidfd = -1, .master_fd = -1 },
				   .lock_fd = -1,
				   .log = CONSOLE_LOG_INIT };

	vps_conf_init(&monitor.conf);
	return spawn(&monitor, start_vps);
}

static struct err *adopt(struct monitor *monitor)
{
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(ct_load(&monitor->root, monitor->name, &state));
	TRY(proc_open(state.pid, state.pid_start_ticks, &monitor->init.pidfd));
	monitor->init.pid = state.pid;
	monitor->init_start_ticks = state.pid_start_ticks;
	/* a VPS without console is worse off, but runs */
	log_warn(console_replug(monitor->init.pidfd, &monitor->init.master_fd));
	return vps_load(monitor->host, monitor->name, &monitor->conf);
}

struct err *monitor_attach(const struct vps_host *host, const char *name)
{
	struct monitor monitor = { .host = host,
				   .name = name,
				   .root = CT_ROOT_INIT,
				   .init = { .pidfd = -1, .master_fd = -1 },
				   .lock_fd = -1,
				   .log = CONSOLE_LOG_INIT };

	vps_conf_init(&monitor.conf);
	return spawn(&monitor, adopt);
}
