/* Waiting until a started VPS has booted: what that is depends on its init. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/room.h"

#define LOOK_PAUSE_NS 250000000L
#define ANSWER_MAX ((size_t)65536)
/* Of one question; systemd may take longer to boot, then it is asked again. */
#define ANSWER_MS 20000

/* systemctl(1) is-system-running: the states that are final. */
static const struct {
	const char *answer;
	bool good;
} final_states[] = {
	{ "running\n", true },
	{ "degraded\n", false },
	{ "maintenance\n", false },
	{ "stopping\n", false },
};

/* Until the end, the limit or the deadline. */
static struct err *read_answer(int fd, int timeout_ms, struct buf *answer)
{
	char chunk[4096];
	struct pollfd watch = { .fd = fd, .events = POLLIN };

	TRY(buf_add(answer, "", 0));
	while (answer->len < ANSWER_MAX) {
		int ready = poll(&watch, 1, timeout_ms);
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		got = ready > 0 ? read(fd, chunk, sizeof(chunk)) : 0;
		if (got <= 0)
			return NULL;
		TRY(buf_add(answer, chunk, (size_t)got));
	}
	return NULL;
}

_Noreturn static void ask(const struct vps_host *host, const char *name, const char *const *args,
			  int answer_fd)
{
	const struct vps_exec exec = { .args = args };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), status;

	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 2) < 0 || dup2(answer_fd, 1) < 0)
		proc_exit(1);
	err_drop(vps_exec(host, name, &exec, &status)); /* no answer says as much */
	proc_exit(0);
}

struct err *vps_ask_inside(const struct vps_host *host, const char *name, const char *const *args,
			   int timeout_ms, struct buf *answer)
{
	OWN(fd) int read_fd = -1, write_fd = -1, pidfd = -1;
	int pair[2], status;
	struct err *err;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(errno, "make a pipe");
	read_fd = pair[0];
	write_fd = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid == 0)
		ask(host, name, args, write_fd);
	close(fd_take(&write_fd));
	err = read_answer(read_fd, timeout_ms, answer);
	/* who has not answered by now is waited for no longer; what it runs inside is its own
	 * matter */
	pidfd = pidfd_open(pid, 0);
	if (pidfd >= 0)
		err_drop(proc_signal(pidfd, SIGKILL)); /* it has ended: the usual case */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return err;
}

static struct err *systemd_up(const struct vps_host *host, const char *name, pid_t pid,
			      bool *ret_up)
{
	static const char *const args[] = { "systemctl", "is-system-running", "--wait", NULL };
	OWN(buf) struct buf answer = { 0 };

	(void)pid;
	TRY(vps_ask_inside(host, name, args, ANSWER_MS, &answer));
	for (size_t i = 0; i < ARRAY_SIZE(final_states); i++) {
		if (!str_eq(answer.data, final_states[i].answer))
			continue;
		*ret_up = true;
		if (!final_states[i].good)
			log_warning("VPS %s has booted, but systemd in it says it is %.*s", name,
				    (int)strcspn(answer.data, "\n"), answer.data);
	}
	return NULL;
}

/* Other inits do not tell how far they are: up is when it has started its first program. */
static struct err *has_child(const struct vps_host *host, const char *name, pid_t pid, bool *ret_up)
{
	OWN(buf) struct buf children = { 0 };
	char path[64];

	(void)host;
	(void)name;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	TRY(file_read(AT_FDCWD, path, 65536, &children));
	*ret_up = children.len > 0;
	return NULL;
}

static struct err *look_once(const struct vps_host *host, const char *name, bool *ret_up)
{
	OWN(vps_info) struct vps_info info = { 0 };
	OWN(str) char *program = NULL;

	vps_conf_init(&info.conf);
	TRY(vps_look(host, name, VPS_BRIEF, &info));
	if (info.status != VPS_RUNNING)
		return err_new(ERR_PEER, "VPS %s ended while it booted; see its console's log",
			       name);
	TRY(init_program(info.pid, &program));
	if (str_eq(program, "systemd"))
		return systemd_up(host, name, info.pid, ret_up);
	return has_child(host, name, info.pid, ret_up);
}

struct err *vps_wait_up(const struct vps_host *host, const char *name, uint64_t timeout_s)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_NS };
	struct timespec now, end;
	bool up = false;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)timeout_s;
	for (;;) {
		TRY(look_once(host, name, &up));
		if (up)
			return NULL;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec)
			return err_sys(ETIMEDOUT, "VPS %s runs, but has not booted within %ju s",
				       name, (uintmax_t)timeout_s);
		nanosleep(&pause, NULL);
	}
}
