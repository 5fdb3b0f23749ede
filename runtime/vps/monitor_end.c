/*
 * After init's end: the monitor, which is cella again, cleans up, and starts the VPS anew when it
 * rebooted or its definition says so. Whoever stopped the VPS held its lock meanwhile and has
 * cleaned up: then nothing is left to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/vps/watcher.h"

#define LOCK_PAUSE_NS 20000000L

/* Is what the engine remembers still the init that we watched? Somebody may have stopped or
 * restarted the VPS. */
static bool is_still_ours(const struct watcher *watcher)
{
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = ct_load(&watcher->root, watcher->name, &state);

	if (err) {
		err_drop(err); /* gone: somebody cleaned up */
		return false;
	}
	return state.pid == watcher->init.pid && state.pid_start_ticks == watcher->init_start_ticks;
}

/*
 * The VPS's lock, as long as it is about our init. Our own lock is kept meanwhile: a command that
 * found neither would clean up after a dead VPS, and a reboot be lost. Whoever has the VPS's may
 * wait for ours in turn (a start that follows a stop), so this looks again rather than block.
 */
static struct err *lock_ours(const struct watcher *watcher, struct vps_lock *ret_lock,
			     bool *ret_ours)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	while ((*ret_ours = is_still_ours(watcher))) {
		struct err *err = vps_lock(watcher->host, watcher->name, VPS_LOCK_TRY, ret_lock);

		if (!err) {
			*ret_ours = is_still_ours(watcher);
			return NULL;
		}
		if (err_errno(err) != EBUSY)
			return err;
		err_drop(err); /* tried again */
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Trying for the lock of a VPS that was destroyed meanwhile made its file again. */
static struct err *leave_no_lock_file(const struct watcher *watcher, struct vps_lock *lock)
{
	bool exists;

	TRY(store_exists(watcher->host, watcher->name, &exists));
	if (!exists && lock->fd >= 0)
		vps_lock_forget(watcher->host, watcher->name);
	return NULL;
}

/* A long pause: without the lock, so that every command works meanwhile; start, stop and destroy
 * end us (monitor_dismiss()) before they do their work. */
static struct err *sleep_unlocked(const struct watcher *watcher, int64_t pause_s,
				  struct vps_lock *lock)
{
	vps_unlock(lock);
	nanosleep(&(struct timespec){ .tv_sec = pause_s }, NULL);
	return vps_lock(watcher->host, watcher->name, VPS_LOCK_FOREVER, lock);
}

/* Until it runs, or shall not: a start that fails is one more failure. The lock is held. */
static struct err *start_again(struct watcher *watcher, enum ending ending, uint64_t lived_s,
			       struct vps_lock *lock)
{
	for (;;) {
		uint64_t policy = watcher->conf.autorestart;
		int64_t pause_s = restart_pause_s(policy, ending, lived_s, &watcher->restarts);
		struct err *err;

		if (pause_s < 0)
			return NULL;
		if (ending == ENDED_REBOOT)
			nanosleep(&(struct timespec){ .tv_sec = pause_s }, NULL);
		else
			TRY(sleep_unlocked(watcher, pause_s, lock));
		err = watcher_start(watcher);
		if (!err)
			return NULL;
		if (policy != VPS_RESTART_ALWAYS && policy != VPS_RESTART_ON_FAILURE)
			return err;
		log_warn(err);
		ending = ENDED_BADLY;
		lived_s = 0;
	}
}

static struct err *conclude(struct watcher *watcher, enum ending ending, const char *word)
{
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(str) char *problem = NULL; /* a new start, if there is one, tells it */
	uint64_t lived_s = proc_age_s(watcher->init_start_ticks);
	int listen_fd;
	bool ours;

	TRY(lock_ours(watcher, &lock, &ours));
	if (!ours)
		return leave_no_lock_file(watcher, &lock);
	TRY(running_load_anyway(watcher->host, watcher->name, &watcher->conf, &problem));
	TRY(ct_load(&watcher->root, watcher->name, &state));
	last_write(watcher->host, &state, word);
	TRY(vps_clean_up(watcher->host, watcher->name, &watcher->conf));
	TRY(start_again(watcher, ending, lived_s, &lock));
	if (watcher->init.pidfd < 0)
		return NULL; /* it stays down */
	TRY(console_listen(watcher->host, watcher->name, &listen_fd));
	return watcher_become_monitor(watcher, listen_fd);
}

/* The descriptor must be the monitor's lock, which only cella-monitor hands on. */
static struct err *adopt_lock(struct watcher *watcher)
{
	OWN(str) char *path = NULL;
	struct stat ours, there;

	TRY(parse_container_id(watcher->name));
	TRY(str_format(&path, "%s/%s.monitor", watcher->host->monitor_dir, watcher->name));
	if (fstat(MONITOR_FD_LOCK, &ours) < 0 || stat(path, &there) < 0 ||
	    ours.st_dev != there.st_dev || ours.st_ino != there.st_ino ||
	    fcntl(MONITOR_FD_LOCK, F_SETFD, FD_CLOEXEC) < 0)
		return err_new(ERR_INVALID, MONITOR_END_VERB " is for cella-monitor alone");
	watcher->lock_fd = MONITOR_FD_LOCK;
	return NULL;
}

struct err *vps_monitor_end(const struct vps_host *host, const struct vps_end *end)
{
	struct watcher watcher;
	enum ending ending;

	watcher_init(host, end->name, &watcher);
	watcher.init.pid = (pid_t)end->pid;
	watcher.init_start_ticks = end->start_ticks;
	watcher.restarts = end->restarts;
	TRY(ending_parse(end->ending, &ending));
	TRY(adopt_lock(&watcher));
	log_setup(&(struct log_config){
		.fd = STDERR_FILENO, .program = "cella monitor", .level = LOG_LEVEL_WARNING });
	prctl(PR_SET_NAME, "cella:monitor");
	TRY(watcher_prepare(&watcher));
	return conclude(&watcher, ending, end->ending);
}

/* The process that signed the lock, if it still is the monitor: its descriptor says so, not its
 * number. *ret_pidfd -1: there is none. */
static struct err *find_monitor(const struct vps_host *host, const char *name, int *ret_pidfd)
{
	OWN(str) char *path = NULL, *held = NULL;
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int pidfd = -1;
	struct stat lock, fd;
	struct err *err;
	int pid;

	*ret_pidfd = -1;
	TRY(str_format(&path, "%s/%s.monitor", host->monitor_dir, name));
	err = file_read(AT_FDCWD, path, 64, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* never started since the host's boot */
		return NULL;
	}
	if (err)
		return err;
	if (sscanf(text.data, "%d", &pid) != 1 || pid <= 1)
		return NULL;
	pidfd = pidfd_open(pid, 0);
	TRY(str_format(&held, "/proc/%d/fd/%d", pid, MONITOR_FD_LOCK));
	if (pidfd < 0 || stat(path, &lock) < 0 || stat(held, &fd) < 0 || lock.st_dev != fd.st_dev ||
	    lock.st_ino != fd.st_ino)
		return NULL;
	*ret_pidfd = fd_take(&pidfd);
	return NULL;
}

struct err *monitor_dismiss(const struct vps_host *host, const char *name, bool *ret_dismissed)
{
	OWN(fd) int pidfd = -1;
	struct err *err;
	bool ended;

	*ret_dismissed = false;
	TRY(find_monitor(host, name, &pidfd));
	if (pidfd < 0)
		return NULL;
	err = proc_signal(pidfd, SIGTERM);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it ended by itself */
		return NULL;
	}
	if (err)
		return err;
	*ret_dismissed = true;
	return proc_wait_end(pidfd, 5000, &ended);
}
