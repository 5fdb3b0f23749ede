/* A look at all definitions, some of which are damaged or go away while it lasts. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/room.h"

#define FIRST UINT64_C(1000000)

static char world[] = "/tmp/cella-others-XXXXXX";

static void define(const struct vps_host *host, const char *name, const char *text)
{
	OWN(str) char *path = NULL;

	assert_null(str_format(&path, "%s/%s.conf", host->conf_dir, name));
	assert_null(file_replace(AT_FDCWD, path, 0644, text, strlen(text)));
}

/* Until it is killed: make and remove a definition over and over. */
static pid_t come_and_go(const struct vps_host *host, const char *name)
{
	OWN(str) char *path = NULL;
	pid_t pid;

	assert_null(str_format(&path, "%s/%s.conf", host->conf_dir, name));
	pid = fork();
	/* not to outlive a test that fails */
	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	while (pid == 0) {
		struct err *err = file_replace(AT_FDCWD, path, 0644, "", 0);

		if (err || unlink(path) < 0)
			_exit(1);
	}
	return pid;
}

/* How often a line of the log so far has this in it. */
static size_t said(int log_fd, const char *what)
{
	char text[4096] = "";
	size_t count = 0;

	assert_true(pread(log_fd, text, sizeof(text) - 1, 0) >= 0);
	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void each_is_taken_as_it_is(void **state)
{
	char log_path[] = "/tmp/cella-others-log-XXXXXX";
	OWN(fd) int log_fd = mkstemp(log_path);
	OWN(vps_host) struct vps_host host = { 0 };
	uint64_t first;

	(void)state;
	assert_true(log_fd >= 0);
	assert_int_equal(unlink(log_path), 0);
	log_setup(&(struct log_config){ .fd = log_fd, .level = LOG_LEVEL_WARNING });
	assert_null(vps_host_open(&host));
	host.id_first = FIRST;
	assert_null(ids_choose(&host, &first));
	assert_int_equal(first, FIRST + VPS_ID_RANGE); /* after the sandbox's */

	define(&host, "whole", "LOCAL_UID=\"1065536\"\n");
	define(&host, "broken", "CPUS=\"many\"\nLOCAL_UID=\"1131072\"\n");
	define(&host, "other", "garbage\n");
	for (size_t i = 0; i < 3; i++) {
		assert_null(ids_choose(&host, &first));
		assert_int_equal(first, FIRST + UINT64_C(3) * VPS_ID_RANGE);
	}
	assert_int_equal(said(log_fd, "VPS broken: "), 1);
	assert_int_equal(said(log_fd, "'cella check-config broken'"), 1);
	assert_int_equal(said(log_fd, "VPS other: "), 1);

	/* damaged in another way: that is news */
	define(&host, "other", "HOSTNAME=\"a..b\"\n");
	assert_null(ids_choose(&host, &first));
	assert_int_equal(said(log_fd, "VPS other: "), 2);
}

static void one_that_goes_away_is_none(void **state)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	enum other other;
	uint64_t first;
	pid_t pid;

	(void)state;
	vps_conf_init(&conf);
	assert_null(vps_host_open(&host));
	assert_null(other_load(&host, "nobody", &conf, &other));
	assert_int_equal(other, OTHER_GONE);
	pid = come_and_go(&host, "zz");
	for (size_t i = 0; i < 300; i++)
		assert_null(ids_choose(&host, &first));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int make_world(void **state)
{
	(void)state;
	return mkdtemp(world) ? setenv("CELLA_ROOT", world, 1) : -1;
}

static int remove_world(void **state)
{
	(void)state;
	assert_null(path_remove_tree(AT_FDCWD, world));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_taken_as_it_is),
		cmocka_unit_test(one_that_goes_away_is_none),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
