/* Processes by pidfd; see proc.h. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446 /* linux/magic.h since 6.9 */
#endif
#define OUTPUT_MAX ((size_t)64 << 10)

/* Field FIELD (>= 3) of /proc/PID/stat; the command before it may hold spaces and brackets. */
static const char *stat_field(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}

/* State letter and start time. */
static struct err *read_stat(pid_t pid, char *ret_state, uint64_t *ret_ticks)
{
	OWN(buf) struct buf stat = { 0 };
	const char *state, *start;
	char path[40];
	struct err *err;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	err = file_read(AT_FDCWD, path, 4096, &stat);
	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == ESRCH)) {
		err_drop(err); /* said again with the pid */
		return err_new(ERR_NOT_FOUND, "process %d does not exist", (int)pid);
	}
	if (err)
		return err;
	state = stat_field(stat.data, 3);
	start = stat_field(stat.data, 22);
	if (!state || !start)
		return err_new(ERR_INVALID, "%s has no field 22", path);
	*ret_state = *state;
	*ret_ticks = strtoull(start, NULL, 10);
	return NULL;
}

struct err *proc_start_time(pid_t pid, uint64_t *ret_ticks)
{
	char state;

	return read_stat(pid, &state, ret_ticks);
}

uint64_t proc_age_s(uint64_t start_ticks)
{
	long ticks_per_s = sysconf(_SC_CLK_TCK);
	struct timespec now;
	uint64_t started_s;

	/* field 22 of proc_pid_stat(5) counts from boot, time asleep included */
	clock_gettime(CLOCK_BOOTTIME, &now);
	started_s = ticks_per_s > 0 ? start_ticks / (uint64_t)ticks_per_s : 0;
	return (uint64_t)now.tv_sec > started_s ? (uint64_t)now.tv_sec - started_s : 0;
}

struct err *proc_open_any(pid_t pid, int *ret_pidfd)
{
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;

	/* EINVAL: it has ended, and its number is still that of a group or session of others */
	if (pidfd < 0 && pid > 0 && errno != ESRCH && errno != EINVAL)
		return err_sys(errno, "open process %d", (int)pid);
	if (pidfd < 0)
		return err_new(ERR_NOT_FOUND, "process %d does not exist", (int)pid);
	*ret_pidfd = pidfd;
	return NULL;
}

static struct err *has_ended(pid_t pid)
{
	return err_new(ERR_NOT_FOUND, "process %d has ended", (int)pid);
}

struct err *proc_open(pid_t pid, uint64_t start_ticks, int *ret_pidfd)
{
	OWN(fd) int pidfd = -1;
	uint64_t ticks;
	char state;

	TRY(proc_open_any(pid, &pidfd));
	/* after the pidfd is held the pid cannot be reused unnoticed */
	TRY(read_stat(pid, &state, &ticks));
	if (ticks != start_ticks || state == 'Z' || state == 'X')
		return has_ended(pid);
	*ret_pidfd = fd_take(&pidfd);
	return NULL;
}

struct err *proc_inode(int pidfd, uint64_t *ret_inode)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(pidfd, &fs) < 0 || fstat(pidfd, &st) < 0)
		return err_sys(errno, "look at a pidfd");
	*ret_inode = fs.f_type == PID_FS_MAGIC ? st.st_ino : 0;
	return NULL;
}

struct err *proc_open_inode(pid_t pid, uint64_t inode, int *ret_pidfd)
{
	OWN(fd) int pidfd = -1;
	struct stat st;
	bool ended;

	TRY(proc_open_any(pid, &pidfd));
	if (fstat(pidfd, &st) < 0)
		return err_sys(errno, "look at process %d", (int)pid);
	TRY(proc_wait_end(pidfd, 0, &ended)); /* a zombie has ended, too */
	if (st.st_ino != inode || ended)
		return has_ended(pid);
	*ret_pidfd = fd_take(&pidfd);
	return NULL;
}

struct err *proc_signal(int pidfd, int signum)
{
	if (pidfd_send_signal(pidfd, signum, NULL, 0) == 0)
		return NULL;
	if (errno == ESRCH)
		return err_new(ERR_NOT_FOUND, "the process has ended");
	return err_sys(errno, "send signal %d", signum);
}

struct err *proc_wait_end(int pidfd, int timeout_ms, bool *ret_ended)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int ready;

	do {
		ready = poll(&poll_fd, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_sys(errno, "wait for a process");
	*ret_ended = ready > 0;
	return NULL;
}

struct err *proc_reap(int pidfd, int *ret_status)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(errno, "wait for a child process");
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return NULL;
}

/* A descriptor from which the child reads its input. */
static struct err *open_input(const struct proc_run *run, int *ret_fd)
{
	OWN(fd) int fd = -1;

	if (!run->input) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(errno, "open /dev/null");
	} else {
		/* a memfd cannot block us, however little the program reads */
		fd = memfd_create("input", MFD_CLOEXEC);
		if (fd < 0)
			return err_sys(errno, "make the input of %s", run->path);
		TRY(fd_write_all(fd, run->path, run->input, run->input_len));
		if (lseek(fd, 0, SEEK_SET) < 0)
			return err_sys(errno, "rewind the input of %s", run->path);
	}
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *spawn(const struct proc_run *run, int input_fd, int output_fd, pid_t *ret_pid)
{
	static char *const no_env[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&actions, input_fd, 0);
	if (output_fd >= 0) {
		posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
		if (run->output)
			posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
	}
	failed = posix_spawn(ret_pid, run->path, &actions, &attr, run->argv,
			     run->envp ? run->envp : no_env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return failed ? err_sys(failed, "run %s", run->path) : NULL;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Collect output until the program has ended; kill it when the time is over. *ret_late: it was. */
static struct err *watch(const struct proc_run *run, int pidfd, int output_fd, bool *ret_late)
{
	int64_t end_ms = run->timeout_ms ? now_ms() + run->timeout_ms : 0;
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = output_fd, .events = POLLIN } };

	while (!(fds[0].revents & POLLIN)) {
		int64_t left_ms = end_ms ? end_ms - now_ms() : -1;
		char chunk[4096];
		ssize_t got;

		if (end_ms && left_ms <= 0) {
			*ret_late = true;
			TRY(proc_signal(pidfd, SIGKILL));
			return NULL;
		}
		if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
			return err_sys(errno, "wait for %s", run->path);
		if (!(fds[1].revents & (POLLIN | POLLHUP)))
			continue;
		got = read(output_fd, chunk, sizeof(chunk));
		if (got <= 0)
			fds[1].fd = -1;
		else if (run->output && run->output->len < OUTPUT_MAX)
			TRY(buf_add(run->output, chunk, (size_t)got));
	}
	return NULL;
}

struct err *proc_run(const struct proc_run *run, int *ret_status)
{
	OWN(fd) int input_fd = -1, read_fd = -1, write_fd = -1, pidfd = -1;
	bool late = false;
	pid_t pid;
	struct err *err;
	int status;

	TRY(open_input(run, &input_fd));
	if (run->output) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(errno, "make a pipe for %s", run->path);
		read_fd = pair[0];
		write_fd = pair[1];
	}
	TRY(spawn(run, input_fd,
		  run->output	     ? write_fd :
		  run->output_fd > 0 ? run->output_fd :
				       -1,
		  &pid));
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		return err_sys(errno, "open process %d", (int)pid);
	own_fd(&write_fd);
	write_fd = -1;
	err = watch(run, pidfd, read_fd, &late);
	err = err_first(err, proc_reap(pidfd, &status));
	if (!err && late)
		err = err_sys(ETIMEDOUT, "run %s for more than %d ms", run->path, run->timeout_ms);
	/* what it wrote last may still lie in the pipe */
	while (!err && run->output && run->output->len < OUTPUT_MAX) {
		char chunk[4096];
		ssize_t got = fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0 ?
				      0 :
				      read(read_fd, chunk, sizeof(chunk));

		if (got <= 0)
			break;
		err = buf_add(run->output, chunk, (size_t)got);
	}
	if (!err)
		*ret_status = status;
	return err;
}

#ifdef CELLA_COVERAGE
void __gcov_dump(void);
#define flush_coverage __gcov_dump
#else
static void flush_coverage(void)
{
}
#endif

void proc_exit(int status)
{
	flush_coverage();
	_exit(status);
}
