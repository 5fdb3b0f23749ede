/*
 * Runs one command and counts what its whole process tree did: instructions with perf_event_open(2)
 * and inherit where there is a PMU, else CPU time of a cgroup, which in a guest whose clock
 * advances by instructions is the same thing. Work that the kernel does later in its own threads
 * (taking namespaces down) is nobody's and is not counted.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define STDERR_FILE "/run/stderr" /* on the bed's own tmpfs */

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* A counter on a process that has not executed its program yet; it starts with the exec and goes
 * over to all its children. -1 without a PMU. */
static int open_counter(pid_t pid, bool kernel)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.inherit = 1,
		.enable_on_exec = 1,
		.exclude_user = kernel,
		.exclude_kernel = !kernel,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* The counter also sums its heirs that are still alive: a created container that waits. */
static double read_counter(int fd)
{
	uint64_t value;

	if (fd < 0 || read(fd, &value, sizeof(value)) != sizeof(value))
		return NAN;
	return (double)value;
}

/* CPU time of everything below the bench's cgroup: usage_usec of cpu.stat, which needs no
 * controller and counts children that are gone. */
static double cgroup_cpu_us(const struct bench *bench)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL;
	struct err *err;
	const char *found;

	if (!bench->cgroup)
		return NAN;
	err = str_format(&path, "/sys/fs/cgroup%s/cpu.stat", bench->cgroup);
	if (!err)
		err = file_read(AT_FDCWD, path, 4096, &text);
	if (err) {
		err_drop(err); /* NAN says it in the report */
		return NAN;
	}
	found = strstr(text.data, "usage_usec ");
	return found ? strtod(found + strlen("usage_usec "), NULL) : NAN;
}

static void join_cgroup(const struct bench *bench)
{
	char path[256];
	int fd;

	if (!bench->cgroup)
		return;
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/command/cgroup.procs", bench->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(125);
	close(fd);
}

struct command {
	const struct bench *bench;
	char *const *argv;
	int sync_fd;
};

/* The child's half: set itself up, say so, and wait until it is being counted. */
static int exec_command(void *arg)
{
	const struct command *c = arg;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err_fd = open(STDERR_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char byte;

	if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(err_fd, 2) < 0)
		_exit(125);
	join_cgroup(c->bench);
	if (write(c->sync_fd, "r", 1) != 1 || read(c->sync_fd, &byte, 1) != 1)
		_exit(125);
	execv(c->argv[0], c->argv);
	_exit(126);
}

static struct err *fork_command(const struct bench *bench, char *const *argv, int *ret_sync_fd,
				pid_t *ret_pid)
{
	/* The clock also counts the exec, and in it the end of the memory that the child had: let
	 * it share ours then. The PMU starts with the new program; but the peak memory that the
	 * kernel tells would be ours with shared memory. */
	const int memory = bench->clock_insn ? CLONE_VM : 0;
	static char stack[65536] __attribute__((aligned(16)));
	static struct command command; /* the child may look at it after we have returned */
	int pair[2];
	char byte;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_sys(errno, "socketpair");
	command = (struct command){ .bench = bench, .argv = argv, .sync_fd = pair[1] };
	pid = clone(exec_command, stack + sizeof(stack), memory | SIGCHLD, &command);
	close(pair[1]);
	if (pid < 0 || read(pair[0], &byte, 1) != 1) {
		close(pair[0]);
		return err_new(ERR_PEER, "%s: the child could not be prepared", argv[0]);
	}
	*ret_sync_fd = pair[0];
	*ret_pid = pid;
	return NULL;
}

/* Reap until the command is there; containers it left behind are children of ours, being the first
 * process of the pid namespace, and must not stay zombies while a `delete -f` waits for them. */
static int wait_command(pid_t pid, struct rusage *ret_usage)
{
	int status = 0;
	pid_t got;

	do
		got = wait4(-1, &status, 0, ret_usage);
	while (got != pid && (got > 0 || errno == EINTR));
	if (got != pid)
		return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

double count_processes(void)
{
	OWN(dir) DIR *proc = opendir("/proc");
	double count = 0;

	for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc))
		count += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	return proc ? count : NAN;
}

void count_reap_all(void)
{
	while (wait4(-1, NULL, 0, NULL) > 0 || errno == EINTR)
		continue;
}

static double timeval_us(const struct timeval *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

static struct err *command_failed(char *const *argv, int status)
{
	OWN(buf) struct buf text = { 0 };

	/* Without the text the status alone is told. */
	err_drop(file_read(AT_FDCWD, STDERR_FILE, 65536, &text));
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return err_new(ERR_PEER, "%s: exit status %d: %s", argv[0], status,
		       text.len ? text.data : "(silent)");
}

static struct err *count_argv(const struct bench *bench, char *const *argv,
			      struct sample *ret_sample)
{
	OWN(fd) int sync_fd = -1, user_fd = -1, kernel_fd = -1;
	struct rusage usage = { .ru_maxrss = 0 };
	double start_us, start_cpu_us;
	struct sample s;
	int status;
	pid_t pid = -1;

	TRY(fork_command(bench, argv, &sync_fd, &pid));
	user_fd = open_counter(pid, false);
	kernel_fd = open_counter(pid, true);
	start_cpu_us = cgroup_cpu_us(bench);
	start_us = now_us();
	if (send(sync_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return err_sys(errno, "release %s", argv[0]);
	status = wait_command(pid, &usage);
	s = (struct sample){ .wall_us = now_us() - start_us,
			     .user_insn = read_counter(user_fd),
			     .kernel_insn = read_counter(kernel_fd),
			     .cpu_us = timeval_us(&usage.ru_utime) + timeval_us(&usage.ru_stime),
			     .rss_kib = (double)usage.ru_maxrss };
	s.insn = s.user_insn + s.kernel_insn;
	if (bench->clock_insn) {
		/* There is one CPU: let a container that was just started get to its end or rest,
		 * or it would count for those runtimes only which happen to wait for it. */
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		s.cpu_us = cgroup_cpu_us(bench) - start_cpu_us;
		s.insn = s.cpu_us * 1000;
		s.rss_kib = NAN; /* of the bench itself, see fork_command() */
	}
	*ret_sample = s;
	return status ? command_failed(argv, status) : NULL;
}

struct err *count_command(const struct bench *bench, const struct runtime *runtime,
			  const char *const *words, struct sample *ret_sample)
{
	OWN(strlist) struct strlist argv = { 0 };

	TRY(strlist_add(&argv, runtime->path));
	if (!bench->cgroups)
		TRY(strlist_add(&argv, "--cgroup-manager=disabled"));
	TRY(strlist_add(&argv, "--root"));
	TRY(strlist_add(&argv, runtime->root));
	for (size_t i = 0; words[i]; i++)
		TRY(strlist_add(&argv, words[i]));
	return count_argv(bench, argv.items, ret_sample);
}
