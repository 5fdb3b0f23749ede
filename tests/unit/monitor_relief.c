/* Whether cella must be run at a VPS's end depends on who has its lock, and on what is left. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/monitor/monitor.h"

static char dir[64];
static int dir_fd, ours_fd, state_fd;

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/monitor_relief.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ours_fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (mkdirat(dir_fd, "state", 0700) < 0)
		return -1;
	state_fd = openat(dir_fd, "state", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return state_fd < 0 || ours_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	unlinkat(dir_fd, "state", AT_REMOVEDIR);
	unlinkat(dir_fd, "lock", 0);
	close(dir_fd);
	close(ours_fd);
	close(state_fd);
	return rmdir(dir);
}

/* A process that has the lock for a while, and may clean up before it lets go. */
static pid_t hold(bool cleans_up)
{
	int pair[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		int fd = openat(dir_fd, "lock", O_RDWR | O_CLOEXEC);

		if (flock(fd, LOCK_EX | LOCK_NB) < 0 || write(pair[1], "x", 1) != 1)
			_exit(1);
		usleep(60000);
		if (cleans_up)
			unlinkat(dir_fd, "state", AT_REMOVEDIR);
		usleep(cleans_up ? 2000000 : 0);
		_exit(0);
	}
	assert_int_equal(read(pair[0], &byte, 1), 1);
	close(pair[0]);
	close(pair[1]);
	return pid;
}

static void nobody_has_the_lock(void **state)
{
	(void)state;
	assert_false(monitor_is_relieved(ours_fd, state_fd));
	assert_false(monitor_is_relieved(-1, -1));
}

static void it_is_cleaned_up(void **state)
{
	pid_t pid = hold(true);

	(void)state;
	assert_true(monitor_is_relieved(ours_fd, state_fd));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* which has it still */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(monitor_is_relieved(ours_fd, state_fd));
}

static void who_had_the_lock_was_killed(void **state)
{
	pid_t pid = hold(false);

	(void)state;
	assert_false(monitor_is_relieved(ours_fd, state_fd));
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_has_the_lock, begin, end),
		cmocka_unit_test_setup_teardown(it_is_cleaned_up, begin, end),
		cmocka_unit_test_setup_teardown(who_had_the_lock_was_killed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
