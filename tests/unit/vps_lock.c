/* Who holds a lock: a program of this test's own that is called as cella would be. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "runtime/vps/room.h"

/* In the child, fd 0 is the file: lock it, say so on fd 1, and wait for the end. */
static int hold(void)
{
	/* not to outlive a test that fails */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || flock(0, LOCK_EX) < 0 || write(1, "x", 1) != 1)
		return 1;
	pause();
	return 0;
}

static void expect(const char *const *argv, const char *verb)
{
	char path[] = "/tmp/cella-lock-XXXXXX", said;
	OWN(fd) int fd = mkstemp(path);
	OWN(str) char *told = NULL, *wanted = NULL;
	int ready[2];
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pipe(ready), 0);
	lock_holder(fd, &told);
	assert_null(told);
	pid = fork();
	if (pid == 0) {
		/* of its own, as the lock belongs to the open file */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (dup2(open(path, O_RDWR), 0) != 0 || dup2(ready[1], 1) != 1)
			_exit(1);
		execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &said, 1), 1);
	lock_holder(fd, &told);
	assert_null(verb ? str_format(&wanted, "'cella %s' (process %d)", verb, (int)pid) :
			   str_format(&wanted, "process %d", (int)pid));
	assert_non_null(told);
	assert_string_equal(told, wanted);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
}

static void the_verb_is_told(void **state)
{
	(void)state;
	expect((const char *const[]){ "cella", "--quiet", "backup", "one", NULL }, "backup");
}

static void nothing_else_is(void **state)
{
	(void)state;
	expect((const char *const[]){ "cella", "--hold", "Evil\n", "x", NULL }, NULL);
	expect((const char *const[]){ "cella", "--hold", NULL }, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verb_is_told),
		cmocka_unit_test(nothing_else_is),
	};

	(void)argv;
	return argc > 1 ? hold() : cmocka_run_group_tests(tests, NULL, NULL);
}
