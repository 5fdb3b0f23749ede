/*
 * Signals reach the processes that a cgroup lists only while they are in it. The lists are fake,
 * the processes are our children, and their cgroup is the one that this test runs in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "cgroups/cgroups.h"
#include "cgroups/hierarchy.h"
#include "tests/unit/cgroups_fake.h"

static struct fake fake;
static char *own_path;

static int setup(void **state)
{
	struct err *err = hierarchy_path_of(0, &own_path);

	(void)state;
	fake_make(&fake);
	if (err) /* the tests skip */
		print_message("no cgroup v2 here: %s\n", err_text(err));
	err_drop(err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(&fake);
	free(own_path);
	own_path = NULL;
	return 0;
}

static pid_t make_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void list_in(const char *file, pid_t pid)
{
	char text[32];

	/* 4194304 is beyond the largest pid: one that has ended meanwhile */
	snprintf(text, sizeof(text), "%d\n4194304\n", (int)pid);
	fake_put(&fake, file, text);
}

/* How the child ended; 0 when it lives (and is ended here). */
static int ending_of(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, WNOHANG) == pid)
		return WTERMSIG(status);
	usleep(100000);
	if (waitpid(pid, &status, WNOHANG) == pid)
		return WTERMSIG(status);
	{
		OWN(fd) int pidfd = pidfd_open(pid, 0);

		assert_null(proc_signal(pidfd, SIGKILL));
	}
	waitpid(pid, &status, 0);
	return 0;
}

static void who_is_listed_and_there_is_signalled(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = own_path };
	pid_t pid;

	(void)state;
	if (!own_path)
		skip();
	pid = make_child();
	fake_dir(&fake, "below");
	fake_put(&fake, "cgroup.procs", "");
	list_in("below/cgroup.procs", pid);
	assert_null(cgroup_signal(&cg, SIGTERM));
	assert_int_equal(ending_of(pid), SIGTERM);
}

static void who_has_left_is_not(void **state)
{
	char elsewhere[] = "/cella-no-such-cgroup";
	struct cgroup cg = { .dir_fd = fake.fd, .path = elsewhere };
	pid_t pid;

	(void)state;
	if (!own_path)
		skip();
	pid = make_child();
	list_in("cgroup.procs", pid);
	assert_null(cgroup_signal(&cg, SIGTERM));
	assert_int_equal(ending_of(pid), 0);
}

/* A kernel before 5.14: frozen, killed one by one, thawed. */
static void without_cgroup_kill_each_is_killed(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = own_path };
	pid_t pid;

	(void)state;
	if (!own_path)
		skip();
	pid = make_child();
	list_in("cgroup.procs", pid);
	fake_put(&fake, "cgroup.events", "populated 0\nfrozen 1\n");
	fake_put(&fake, "cgroup.freeze", "");
	assert_null(cgroup_kill(&cg));
	assert_int_equal(ending_of(pid), SIGKILL);
	fake_expect(&fake, "cgroup.freeze", "0");
}

static void the_kernel_kills_where_it_can(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };

	(void)state;
	fake_put(&fake, "cgroup.kill", "");
	assert_null(cgroup_kill(&cg));
	fake_expect(&fake, "cgroup.kill", "1");
	fake_put(&fake, "cgroup.kill", "");
	assert_null(cgroup_signal(&cg, SIGKILL));
	fake_expect(&fake, "cgroup.kill", "1");
}

static void nobody_is_left_in_what_is_gone(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };

	(void)state;
	assert_null(cgroup_kill(&cg));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_listed_and_there_is_signalled), TEST(who_has_left_is_not),
		TEST(without_cgroup_kill_each_is_killed),   TEST(the_kernel_kills_where_it_can),
		TEST(nobody_is_left_in_what_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
