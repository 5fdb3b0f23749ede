/*
 * floor: the bare system calls that any OCI runtime has to make for the default spec, and nothing
 * else: the line runtimes are measured against, not a runtime. It reads no config.json (the files
 * floor.bpf and floor.userns in the bundle are its two switches), trusts its caller, does not care
 * about reused pids and resolves no path safely. In the container: floor_contain.c.
 */
#include "tests/bench/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

_Noreturn void floor_die(const char *what)
{
	dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

int floor_need(int result, const char *what)
{
	if (result < 0)
		floor_die(what);
	return result;
}

static void write_small(const char *path, const char *text)
{
	int fd = floor_need(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), path);

	floor_need((int)write(fd, text, strlen(text)), path);
	close(fd);
}

/* A file of the container's state directory. */
static const char *state_file(const struct floor *f, const char *name)
{
	static char path[FLOOR_PATH_ROOM * 2];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	return path;
}

static void map_ids(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_small(path, "0 100000 65536");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_small(path, "0 100000 65536");
}

static pid_t clone_into(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	struct clone_args args = { .flags = flags | CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uint64_t)(uintptr_t)ret_pidfd };

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	return floor_need((int)syscall(SYS_clone3, &args, sizeof(args)), "clone3");
}

static int wait_for(int pidfd)
{
	siginfo_t info = { .si_pid = 0 };

	floor_need(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED), "wait");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static int open_cgroup(const struct floor *f)
{
	return floor_need(open(f->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), f->cgroup);
}

static void remove_all(const struct floor *f)
{
	/* A dying process can be waited for before it has left its cgroup: then rmdir says EBUSY.
	 */
	while (f->cgroups && rmdir(f->cgroup))
		if (errno != EBUSY)
			floor_die(f->cgroup);
	floor_need(unlink(state_file(f, "pid")), "remove the pid file");
	unlink(state_file(f, "fifo")); /* there only if it was never started */
	floor_need(rmdir(f->state), f->state);
}

static int open_fifo(const struct floor *f)
{
	const char *path = state_file(f, "fifo");

	floor_need(mkfifo(path, 0600), path);
	return floor_need(open(path, O_RDWR | O_CLOEXEC), path);
}

/* Make the container; with a fifo it waits for start. The pidfd of its first process. */
static int make(const struct floor *f, int fifo_fd, int *ret_sync_fd)
{
	char path[FLOOR_PATH_ROOM * 2], text[16];
	int cgroup_fd = -1, pidfd = -1, sync_fd[2];
	bool userns;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/floor.userns", f->bundle);
	userns = !access(path, F_OK);
	if (f->cgroups) {
		floor_need(mkdir(f->cgroup, 0755), f->cgroup);
		cgroup_fd = open_cgroup(f);
	}
	floor_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync_fd), "socketpair");
	pid = clone_into(NAMESPACES | (userns ? CLONE_NEWUSER : 0), cgroup_fd, &pidfd);
	if (!pid)
		floor_contain(f, userns, sync_fd[1], fifo_fd);
	close(sync_fd[1]);
	if (userns)
		map_ids(pid);
	if (f->cgroups)
		floor_need(floor_attach_devices(cgroup_fd), "device program");
	snprintf(text, sizeof(text), "%d", pid);
	write_small(state_file(f, "pid"), text);
	floor_need((int)send(sync_fd[0], "g", 1, MSG_NOSIGNAL), "release the container");
	*ret_sync_fd = sync_fd[0];
	return pidfd;
}

static int cmd_run(const struct floor *f)
{
	int sync_fd, pidfd, status;

	floor_need(mkdir(f->state, 0700), f->state);
	pidfd = make(f, -1, &sync_fd);
	status = wait_for(pidfd);
	remove_all(f);
	return status;
}

static int cmd_create(const struct floor *f)
{
	char byte;
	int sync_fd;

	floor_need(mkdir(f->state, 0700), f->state);
	make(f, open_fifo(f), &sync_fd);
	if (read(sync_fd, &byte, 1) != 1)
		floor_die("the container did not come up");
	return 0;
}

static int cmd_start(const struct floor *f)
{
	const char *path = state_file(f, "fifo");
	int fd = floor_need(open(path, O_WRONLY | O_CLOEXEC), path);

	floor_need((int)write(fd, "s", 1), path);
	floor_need(unlink(path), path);
	return 0;
}

/* A pidfd of the container's first process, -1 when that has been reaped. */
static int open_init(const struct floor *f, pid_t *ret_pid)
{
	const char *path = state_file(f, "pid");
	int fd = floor_need(open(path, O_RDONLY | O_CLOEXEC), path);
	char text[16] = "";

	floor_need((int)read(fd, text, sizeof(text) - 1), path);
	close(fd);
	*ret_pid = (pid_t)strtol(text, NULL, 10);
	return (int)syscall(SYS_pidfd_open, *ret_pid, 0);
}

static bool has_ended(int pidfd, int timeout_ms)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&ended, 1, timeout_ms) == 1;
}

static int cmd_kill(const struct floor *f)
{
	pid_t pid;
	int pidfd = floor_need(open_init(f, &pid), f->id);
	int signum = f->arg && !strcmp(f->arg, "KILL") ? SIGKILL : SIGTERM;

	return floor_need((int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0), "kill");
}

static int cmd_delete(const struct floor *f)
{
	pid_t pid;
	int pidfd = open_init(f, &pid);

	if (f->force && pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (!has_ended(pidfd, f->force ? -1 : 0)) {
		errno = EBUSY;
		floor_die(f->id);
	}
	remove_all(f);
	return 0;
}

static int cmd_state(const struct floor *f)
{
	pid_t pid;
	bool ended = has_ended(open_init(f, &pid), 0);

	return printf("{\"id\": \"%s\", \"pid\": %d, \"status\": \"%s\"}\n", f->id, ended ? 0 : pid,
		      ended ? "stopped" : "running") < 0;
}

static int cmd_exec(const struct floor *f)
{
	char *argv[] = { strdup(f->arg ? f->arg : "/payload"), NULL }, *const envp[] = { NULL };
	int cgroup_fd = f->cgroups ? open_cgroup(f) : -1, child = -1;
	pid_t pid;
	int pidfd = floor_need(open_init(f, &pid), f->id);

	floor_need(setns(pidfd, NAMESPACES), "setns");
	if (clone_into(0, cgroup_fd, &child))
		return wait_for(child);
	/* Not before the clone: a hierarchy with nsdelegate lets nobody be moved from outside of
	 * the cgroup namespace he is in (ENOENT). */
	if (f->cgroups)
		floor_need(setns(pidfd, CLONE_NEWCGROUP), "cgroup namespace");
	floor_drop_privileges();
	execve(argv[0], argv, envp);
	floor_die("exec");
}

static const struct {
	const char *name;
	int (*run)(const struct floor *);
} verbs[] = {
	{ "run", cmd_run },	{ "create", cmd_create }, { "start", cmd_start },
	{ "kill", cmd_kill },	{ "exec", cmd_exec },	  { "delete", cmd_delete },
	{ "state", cmd_state },
};

static size_t parse_words(int argc, char **argv, struct floor *f, const char **words, size_t room)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--cgroup-manager=disabled"))
			f->cgroups = false;
		else if (!strcmp(argv[i], "-f"))
			f->force = true;
		else if (!strcmp(argv[i], "--root") && i + 1 < argc)
			f->root = argv[++i];
		else if (!strcmp(argv[i], "-b") && i + 1 < argc)
			f->bundle = argv[++i];
		else if (count < room)
			words[count++] = argv[i];
	}
	return count;
}

/* floor [--root DIR] [--cgroup-manager=disabled] VERB [-f] [-b BUNDLE] ID [ARG] | --version */
int main(int argc, char **argv)
{
	struct floor f = { .root = "/run/floor", .bundle = ".", .cgroups = true };
	const char *words[3] = { "", "", NULL }, *parent = getenv("FLOOR_CGROUP");
	size_t count = parse_words(argc, argv, &f, words, COUNT(words));

	if (!strcmp(words[0], "--version"))
		return puts("floor") < 0;
	f.id = words[1];
	f.arg = words[2];
	snprintf(f.state, sizeof(f.state), "%s/%s", f.root, f.id);
	snprintf(f.cgroup, sizeof(f.cgroup), "/sys/fs/cgroup%s/%s", parent ? parent : "", f.id);
	for (size_t i = 0; count >= 2 && i < COUNT(verbs); i++)
		if (!strcmp(verbs[i].name, words[0]))
			return verbs[i].run(&f);
	dprintf(STDERR_FILENO, "floor: usage: floor [options] VERB ID [ARG]\n");
	return 2;
}
