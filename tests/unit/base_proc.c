/* A process is known again by its pidfd's inode or its start time, and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/proc.h"

static void assert_gone(struct err *err)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
}

/* A child that waits to be killed. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void a_process_is_known_by_its_inode(void **unused)
{
	pid_t pid = child(), other_pid = child();
	int pidfd = -1, other_pidfd = -1, again_fd = -1, status;
	uint64_t ticks, inode, other_inode;
	bool ended = false;

	(void)unused;
	assert_null(proc_start_time(pid, &ticks));
	assert_null(proc_open(pid, ticks, &pidfd));
	assert_null(proc_start_time(other_pid, &ticks));
	assert_null(proc_open(other_pid, ticks, &other_pidfd));
	assert_null(proc_inode(pidfd, &inode));
	assert_null(proc_inode(other_pidfd, &other_inode));
	if (inode == 0)
		skip(); /* this kernel's pidfds have no inodes: Linux < 6.9 */
	assert_true(inode != other_inode);
	assert_null(proc_open_inode(pid, inode, &again_fd));
	close(again_fd);
	assert_gone(proc_open_inode(pid, other_inode, &again_fd));
	assert_null(proc_signal(pidfd, SIGKILL));
	assert_null(proc_signal(other_pidfd, SIGKILL));
	assert_null(proc_reap(other_pidfd, &status));
	/* the first is a zombie as soon as its pidfd says so, the other is no more */
	assert_null(proc_wait_end(pidfd, 10000, &ended));
	assert_true(ended);
	assert_gone(proc_open_inode(pid, inode, &again_fd));
	assert_gone(proc_open_inode(other_pid, other_inode, &again_fd));
	assert_gone(proc_open_inode(0, inode, &again_fd));
	assert_null(proc_reap(pidfd, &status));
	close(pidfd);
	close(other_pidfd);
}

static void another_start_time_is_another_process(void **unused)
{
	uint64_t ticks;
	int pidfd = -1;

	(void)unused;
	assert_null(proc_start_time(getpid(), &ticks));
	assert_null(proc_open(getpid(), ticks, &pidfd));
	close(pidfd);
	assert_gone(proc_open(getpid(), ticks + 1, &pidfd));
	assert_gone(proc_open(-1, ticks, &pidfd));
}

/* The number of a process that has ended stays in use while it is that of a session. */
static void a_session_is_no_process(void **unused)
{
	pid_t leader, member = -1;
	int pidfd = -1, status, ends[2];

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	leader = fork();
	assert_true(leader >= 0);
	if (leader == 0) {
		setsid();
		member = child();
		_exit(write(ends[1], &member, sizeof(member)) == sizeof(member) ? 0 : 1);
	}
	assert_int_equal(read(ends[0], &member, sizeof(member)), sizeof(member));
	assert_int_equal(waitpid(leader, &status, 0), leader);
	assert_gone(proc_open_any(leader, &pidfd));
	assert_null(proc_open_any(member, &pidfd));
	assert_null(proc_signal(pidfd, SIGKILL));
	close(pidfd);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_known_by_its_inode),
		cmocka_unit_test(another_start_time_is_another_process),
		cmocka_unit_test(a_session_is_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
