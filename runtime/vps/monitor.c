/*
 * The monitor's beginning: a process that starts the VPS, and then becomes cella-monitor, init's
 * parent, which keeps the console and waits for init's end (runtime/monitor/monitor.h). What comes
 * then is in monitor_end.c. Nothing dies with a monitor: killed, it is replaced by the next command
 * that looks (monitor_attach()), by one that learns of init's end through a pidfd alone.
 *
 *   start (holds the VPS's lock)             monitor
 *   fork ----------------------------------> takes the monitor's lock, starts the VPS
 *   waits <--------------------------------- "ok", or the error
 *   unlocks                                  becomes cella-monitor
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/scripts.h"
#include "runtime/vps/watcher.h"

#define LOCK_TRIES 250
#define LOCK_PAUSE_NS 20000000L
#define REPORT_TEXT_MAX 2000

/* What goes over the pipe to start. */
struct report {
	bool failed;
	enum err_kind kind;
	int errnum;
	char text[REPORT_TEXT_MAX];
};

void watcher_init(const struct vps_host *host, const char *name, struct watcher *ret_watcher)
{
	*ret_watcher = (struct watcher){ .host = host,
					 .name = name,
					 .root = CT_ROOT_INIT,
					 .init = { .pidfd = -1, .master_fd = -1 },
					 .lock_fd = -1,
					 .program_fd = -1,
					 .vps_lock_fd = -1 };
	vps_conf_init(&ret_watcher->conf);
}

static struct err *take_monitor_lock(struct watcher *watcher)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	/* the last monitor may be about to notice that its VPS was stopped */
	for (int i = 0; i < LOCK_TRIES; i++) {
		TRY(monitor_lock(watcher->host, watcher->name, &watcher->lock_fd));
		if (watcher->lock_fd >= 0)
			return monitor_lock_sign(watcher->lock_fd);
		nanosleep(&pause, NULL);
	}
	return err_sys(EBUSY, "VPS %s has another monitor that does not end", watcher->name);
}

struct err *watcher_prepare(struct watcher *watcher)
{
	static const char program[] = CELLA_LIBEXECDIR "/cella-monitor";

	watcher->program_fd = open(program, O_PATH | O_CLOEXEC);
	if (watcher->program_fd < 0)
		return err_sys(errno, "open %s", program);
	return ct_root_open(watcher->host->run_dir, &watcher->root);
}

struct err *watcher_start(struct watcher *watcher)
{
	OWN(spec) struct spec spec;
	OWN(fd) int tree_fd = -1; /* the disk; where it is mounted is init's namespace alone */
	struct vps_wire wire;
	struct ct_create create = { .id = watcher->name,
				    .spec = &spec,
				    .bundle = watcher->host->private_dir,
				    .cgroup_prefix = "cella",
				    .run_now = true };
	struct err *err;

	spec_init(&spec);
	vps_conf_release(&watcher->conf);
	TRY(vps_load(watcher->host, watcher->name, &watcher->conf));
	TRY(quota_check_start(watcher->host, watcher->name, &watcher->conf));
	TRY(vps_clean_up(watcher->host, watcher->name,
			 &watcher->conf)); /* of a life that nobody saw end */
	TRY(scripts_run(watcher->host, watcher->name, ACTION_PREMOUNT));
	TRY(scripts_run(watcher->host, watcher->name, ACTION_MOUNT));
	TRY(vps_build_spec(watcher->host, watcher->name, &watcher->conf, &spec));
	TRY(unit_cgroup(watcher->name, &spec.cgroup.path));
	TRY(vps_disk_open(watcher->host, watcher->name, &watcher->conf, &spec.ns.maps, &tree_fd));
	TRY(vps_fill_init(tree_fd, &spec));
	create.root_tree_fd = tree_fd;
	wire_init(watcher->host, watcher->name, &watcher->conf, &wire);
	create.wire = &wire.base;
	TRY(running_save(watcher->host, watcher->name, &watcher->conf));
	TRY(ct_create(&watcher->root, &create, &watcher->init));
	unit_started(watcher->host, watcher->name, watcher->init.pid);
	log_warn(guarantee_raise(watcher->host, watcher->name, &watcher->conf)); /* it runs */
	err = scripts_run(watcher->host, watcher->name, ACTION_START);
	if (err)
		return err_first(err, vps_clean_up(watcher->host, watcher->name, &watcher->conf));
	return proc_start_time(watcher->init.pid, &watcher->init_start_ticks);
}

/* --- becoming cella-monitor --- */

/* What is opened for cella-monitor. */
struct monitor_needs {
	int listen_fd, log_dir_fd, vps_lock_fd, state_fd;
};

static struct err *open_needs(const struct watcher *watcher, struct monitor_needs *needs)
{
	const struct vps_host *host = watcher->host;
	OWN(str) char *lock = NULL;

	TRY(str_format(&lock, "%s/%s.lock", host->monitor_dir, watcher->name));
	needs->log_dir_fd = open(host->log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (needs->log_dir_fd < 0)
		return err_sys(errno, "open %s", host->log_dir);
	needs->vps_lock_fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (needs->vps_lock_fd < 0)
		return err_sys(errno, "open lock %s", lock);
	needs->state_fd = openat(watcher->root.dir_fd, watcher->name,
				 O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (needs->state_fd < 0)
		return err_sys(errno, "open %s/%s", host->run_dir, watcher->name);
	return NULL;
}

/* Everything else is close-on-exec. The numbers wanted may be taken by one another: first all away
 * from them. */
static struct err *place_fds(const struct watcher *watcher, const struct monitor_needs *needs,
			     int *ret_program_fd)
{
	const int from[] = { watcher->lock_fd, watcher->init.pidfd, watcher->init.master_fd,
			     needs->listen_fd, needs->log_dir_fd,   needs->vps_lock_fd,
			     needs->state_fd,  watcher->program_fd };
	int high[ARRAY_SIZE(from)];

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		high[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, MONITOR_FD_END);
		if (from[i] >= 0 && high[i] < 0)
			return err_sys(errno, "copy descriptor %d", from[i]);
	}
	for (int i = 0; i < MONITOR_FD_END - MONITOR_FD_LOCK; i++) {
		if (high[i] < 0)
			close(MONITOR_FD_LOCK + i);
		else if (dup2(high[i], MONITOR_FD_LOCK + i) < 0)
			return err_sys(errno, "place descriptor %d", MONITOR_FD_LOCK + i);
	}
	*ret_program_fd = high[ARRAY_SIZE(from) - 1];
	return NULL;
}

/* The program to become again; after an upgrade the path has another one, as it should. */
static struct err *own_path(char *path, size_t room)
{
	static const char gone[] = " (deleted)";
	ssize_t len = readlink("/proc/self/exe", path, room - 1);

	if (len < 0)
		return err_sys(errno, "read /proc/self/exe");
	path[len] = '\0';
	if ((size_t)len > strlen(gone) && str_eq(path + len - strlen(gone), gone))
		path[(size_t)len - strlen(gone)] = '\0';
	return NULL;
}

static struct err *environment(struct strlist *env)
{
	static const char *const kept[] = { "CELLA_ROOT", "NOTIFY_SOCKET", "PATH" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			TRY(strlist_format(env, "%s=%s", kept[i], value));
	}
	return NULL;
}

struct err *watcher_become_monitor(const struct watcher *watcher, int listen_fd)
{
	struct monitor_needs needs = { listen_fd, -1, -1, -1 }; /* until execve(2), or exit(3) */
	OWN(strlist) struct strlist words = { 0 }, env = { 0 };
	char cella[4096];
	int program_fd;

	TRY(open_needs(watcher, &needs));
	TRY(own_path(cella, sizeof(cella)));
	TRY(strlist_add(&words, "cella-monitor"));
	TRY(strlist_add(&words, cella));
	TRY(strlist_add(&words, watcher->name));
	TRY(strlist_format(&words, "%d", (int)watcher->init.pid));
	TRY(strlist_format(&words, "%" PRIu64, watcher->init_start_ticks));
	TRY(strlist_format(&words, "%" PRIu64, watcher->restarts));
	TRY(strlist_format(&words, "%" PRIu64, watcher->host->look_s));
	TRY(environment(&env));
	TRY(place_fds(watcher, &needs, &program_fd));
	execveat(program_fd, "", words.items, env.items ? env.items : &(char *){ NULL },
		 AT_EMPTY_PATH);
	return err_sys(errno, "run " CELLA_LIBEXECDIR "/cella-monitor");
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
 * file, which is standard error. */
static struct err *detach(const struct watcher *watcher)
{
	OWN(str) char *path = NULL;
	OWN(fd) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), log_fd = -1;
	sigset_t none;

	TRY(str_format(&path, "%s/%s.monitor", watcher->host->log_dir, watcher->name));
	log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log_fd < 0)
		return err_sys(errno, "open %s", path);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(log_fd, 2) < 0)
		return err_sys(errno, "detach from the terminal");
	log_setup(&(struct log_config){
		.fd = STDERR_FILENO, .program = "cella monitor", .level = LOG_LEVEL_WARNING });
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

/* The caller's lock would live on in us. All but the three standard ones and the two given, of
 * which other may be -1. */
static void close_others(int pipe_fd, int other)
{
	const int low = pipe_fd < other ? pipe_fd : other, high = pipe_fd < other ? other : pipe_fd;
	const int kept[] = { STDERR_FILENO, low > STDERR_FILENO ? low : STDERR_FILENO, high };

	for (size_t i = 0; i + 1 < ARRAY_SIZE(kept); i++)
		if (kept[i + 1] > kept[i] + 1)
			close_range((unsigned int)kept[i] + 1, (unsigned int)kept[i + 1] - 1, 0);
	close_range((unsigned int)high + 1, ~0U, 0);
}

static struct err *bring_up(struct watcher *watcher, struct err *(*begin)(struct watcher *watcher),
			    int *ret_listen_fd)
{
	TRY(detach(watcher));
	TRY(take_monitor_lock(watcher));
	TRY(watcher_prepare(watcher));
	TRY(begin(watcher));
	return console_listen(watcher->host, watcher->name, ret_listen_fd);
}

_Noreturn static void monitor_main(struct watcher *watcher,
				   struct err *(*begin)(struct watcher *watcher), int pipe_fd)
{
	struct err *err;
	int listen_fd;

	setsid();
	close_others(pipe_fd, watcher->vps_lock_fd);
	err = bring_up(watcher, begin, &listen_fd);
	own_fd(&watcher->vps_lock_fd);
	tell(pipe_fd, err);
	close(pipe_fd);
	if (err)
		err_drop(err); /* told */
	else
		log_warn(watcher_become_monitor(watcher, listen_fd)); /* the next command repairs */
	proc_exit(1);
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

/* Twice forked, so that the monitor is nobody's child. */
static struct err *spawn(struct watcher *watcher, struct err *(*begin)(struct watcher *watcher))
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
			monitor_main(watcher, begin, write_fd);
		_exit(pid < 0);
	}
	close(fd_take(&write_fd));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return hear(read_fd);
}

struct err *monitor_start(const struct vps_host *host, const char *name)
{
	struct watcher watcher;

	watcher_init(host, name, &watcher);
	return spawn(&watcher, watcher_start);
}

struct err *monitor_resume(const struct vps_host *host, const char *name,
			   const struct vps_memory *memory, const struct vps_lock *lock)
{
	struct watcher watcher;

	watcher_init(host, name, &watcher);
	watcher.memory = memory;
	watcher.vps_lock_fd = lock->fd;
	return spawn(&watcher, watcher_resume);
}

static struct err *adopt(struct watcher *watcher)
{
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(str) char *problem = NULL; /* which the command that looks tells */

	TRY(ct_load(&watcher->root, watcher->name, &state));
	TRY(ct_open_init(&state, &watcher->init.pidfd));
	watcher->init.pid = state.pid;
	watcher->init_start_ticks = state.pid_start_ticks;
	/* a VPS without console is worse off, but runs */
	log_warn(console_replug(watcher->init.pidfd, &watcher->init.master_fd));
	return running_load_anyway(watcher->host, watcher->name, &watcher->conf, &problem);
}

struct err *monitor_attach(const struct vps_host *host, const char *name)
{
	struct watcher watcher;

	watcher_init(host, name, &watcher);
	return spawn(&watcher, adopt);
}
