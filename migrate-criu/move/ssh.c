/* The session: one ssh child, told by an argument vector what to run; see wire.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "migrate-criu/move/wire.h"

extern char **environ;

struct err *move_check_peer(const char *peer)
{
	const char *host = strrchr(peer, '@') ? strrchr(peer, '@') + 1 : peer;

	if (!*host || *peer == '-' || *host == '-' || strlen(peer) >= MOVING_PEER_MAX)
		return err_new(ERR_INVALID, "'%.60s' is no [USER@]HOST", peer);
	for (const char *c = peer; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("@._-:%[]", *c))
			return err_new(ERR_INVALID, "'%.60s' is no [USER@]HOST", peer);
	return NULL;
}

/* Only the handler's; a process has one session at a time. */
static volatile sig_atomic_t ssh_pidfd = -1;

static void end_ssh(int signum)
{
	(void)signum;
	if (ssh_pidfd >= 0)
		pidfd_send_signal(ssh_pidfd, SIGTERM, NULL, 0);
}

static void take_signals(void)
{
	static const int signums[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = end_ssh, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < ARRAY_SIZE(signums); i++)
		sigaction(signums[i], &action, NULL);
	action.sa_handler = SIG_IGN; /* an error of write(2) says it, too */
	sigaction(SIGPIPE, &action, NULL);
}

/* Without an open file of ours but these two. */
static struct err *spawn(char *const *argv, int stdin_fd, int stdout_fd, int *ret_pidfd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	pid_t pid;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&actions, stdin_fd, 0);
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, 1);
	failed = posix_spawn(&pid, argv[0], &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (failed == ENOENT)
		return err_new(ERR_UNSUPPORTED, "there is no %s: install openssh-client", argv[0]);
	if (failed)
		return err_sys(failed, "run %s", argv[0]);
	*ret_pidfd = pidfd_open(pid, 0);
	return *ret_pidfd < 0 ? err_sys(errno, "open process %d", (int)pid) : NULL;
}

static struct err *start(const char *peer, struct move_ssh *ssh)
{
	/* keys and host keys are as root's ssh finds them; nobody is asked anything */
	static const char *const words[] = { "/usr/bin/ssh",
					     "-T",
					     "-oBatchMode=yes",
					     "-oStrictHostKeyChecking=yes",
					     "-oClearAllForwardings=yes",
					     "-oConnectTimeout=15",
					     "-oServerAliveInterval=15",
					     "-oServerAliveCountMax=4",
					     "--" };
	OWN(strlist) struct strlist argv = { 0 };
	OWN(fd) int child_in = -1, child_out = -1;
	int in[2], out[2];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		TRY(strlist_add(&argv, words[i]));
	TRY(strlist_add(&argv, peer));
	TRY(strlist_add(&argv, "cella migrate-receive"));
	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(errno, "make a pipe for ssh");
	ssh->in_fd = in[0];
	child_out = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(errno, "make a pipe for ssh");
	ssh->out_fd = out[1];
	child_in = out[0];
	return spawn(argv.items, child_in, child_out, &ssh->pidfd);
}

struct err *move_ssh_open(const char *peer, struct move_ssh *ret_ssh)
{
	OWN(move_ssh) struct move_ssh ssh = MOVE_SSH_INIT;

	take_signals();
	TRY(start(peer, &ssh));
	ssh_pidfd = ssh.pidfd;
	ssh.channel.in_fd = ssh.in_fd;
	ssh.channel.out_fd = ssh.out_fd;
	ssh.channel.end = MOVE_SOURCE;
	ssh.channel.peer = peer;
	TRY(move_greet(&ssh.channel));
	*ret_ssh = ssh;
	ssh = (struct move_ssh)MOVE_SSH_INIT;
	return NULL;
}

void move_ssh_close(struct move_ssh *ssh)
{
	int status;

	own_fd(&ssh->out_fd); /* ssh ends with its input, and the other end with it */
	own_fd(&ssh->in_fd);
	if (ssh->pidfd >= 0) {
		ssh_pidfd = -1;
		err_drop(proc_reap(ssh->pidfd, &status)); /* it has said what it had to say */
		own_fd(&ssh->pidfd);
	}
	buf_release(&ssh->channel.payload);
	*ssh = (struct move_ssh)MOVE_SSH_INIT;
}
