/* Trees of cgroups, as deep and as wide as a tenant likes; waiting and listing in a fake cgroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

#include "cgroups/cgroups.h"
#include "cgroups/events.h"
#include "cgroups/walk.h"
#include "tests/unit/cgroups_fake.h"

static struct fake fake;

static int setup(void **state)
{
	(void)state;
	fake_make(&fake);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(&fake);
	return 0;
}

/* A chain deeper than PATH_MAX and than our descriptors. */
static void make_deep(int depth)
{
	int fd = dup(fake.fd);

	for (int i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "a-rather-long-name", 0755), 0);
		next = openat(fd, "a-rather-long-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static size_t count_dirs(void)
{
	OWN(walk) struct walk walk = { 0 };
	size_t count = 0;
	int fd;

	assert_null(walk_begin(fake.fd, &walk));
	for (;;) {
		assert_null(walk_next(&walk, &fd));
		if (fd < 0)
			return count;
		count++;
	}
}

static void depth_costs_no_descriptors(void **state)
{
	struct rlimit before, few = { 64, 64 };
	size_t left = 1;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	make_deep(1000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(count_dirs(), 1001);
	assert_null(walk_remove(fake.fd, &left));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(left, 0);
	assert_int_equal(count_dirs(), 1);
}

static void every_directory_is_visited_once(void **state)
{
	char name[64];
	size_t left = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		fake_dir(&fake, name);
		for (int k = 0; k < i % 3; k++) {
			snprintf(name, sizeof(name), "w%d/k%d", i, k);
			fake_dir(&fake, name);
		}
	}
	assert_int_equal(count_dirs(), 1 + 300 + 300);
	assert_null(walk_remove(fake.fd, &left));
	assert_int_equal(left, 0);
	assert_int_equal(count_dirs(), 1);
}

static void what_resists_is_counted_and_does_not_hang(void **state)
{
	size_t left = 0;

	(void)state;
	fake_dir(&fake, "a");
	fake_dir(&fake, "a/free");
	fake_dir(&fake, "a/busy");
	fake_dir(&fake, "b");
	fake_put(&fake, "a/busy/file",
		 ""); /* a plain file holds its directory as a process would */
	assert_null(walk_remove(fake.fd, &left));
	assert_int_equal(left, 2);
	assert_int_equal(count_dirs(), 3);
}

static void processes_of_the_whole_tree_are_listed(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	pid_t *pids = NULL;
	size_t count = 0;
	long sum = 0;

	(void)state;
	fake_put(&fake, "cgroup.procs", "10\n20\n0\n");
	fake_dir(&fake, "a");
	fake_put(&fake, "a/cgroup.procs", "300\n");
	fake_dir(&fake, "a/b");
	fake_put(&fake, "a/b/cgroup.procs", "");
	assert_null(cgroup_pids(&cg, &pids, &count));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		sum += pids[i];
	assert_int_equal(sum, 330);
	free(pids);
	fake_put(&fake, "a/b/cgroup.procs", "junk\n");
	expect_err(cgroup_pids(&cg, &pids, &count), ERR_INVALID, "junk");
}

static void waiting_ends_at_the_value_or_the_deadline(void **state)
{
	int64_t begin = clock_ms();
	bool reached = true;

	(void)state;
	fake_put(&fake, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_null(events_wait(fake.fd, "populated", 1, begin + 5000, &reached));
	assert_true(reached);
	assert_true(clock_ms() < begin + 4000);
	assert_null(events_wait(fake.fd, "populated", 0, begin + 50, &reached));
	assert_false(reached);
	assert_true(clock_ms() >= begin + 50);
	expect_err(events_wait(-1, "populated", 0, 0, &reached), ERR_SYS, "cgroup.events");
	unlinkat(fake.fd, "cgroup.events", 0);
	expect_err(events_wait(fake.fd, "populated", 0, 0, &reached), ERR_NOT_FOUND, "gone");
}

static void a_freeze_that_fails_is_taken_back(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	bool frozen = true;

	(void)state;
	fake_put(&fake, "cgroup.freeze", "");
	fake_put(&fake, "cgroup.events", "populated 1\nfrozen 0\n");
	expect_err(cgroup_freeze(&cg, true, 20), ERR_STATE, "thawed");
	fake_expect(&fake, "cgroup.freeze", "0");
	assert_null(cgroup_is_frozen(&cg, &frozen));
	assert_false(frozen);
	fake_put(&fake, "cgroup.events", "populated 1\nfrozen 1\n");
	assert_null(cgroup_freeze(&cg, true, 20));
	fake_expect(&fake, "cgroup.freeze", "1");
	assert_null(cgroup_is_frozen(&cg, &frozen));
	assert_true(frozen);
	expect_err(cgroup_freeze(&cg, false, 20), ERR_STATE, "still frozen");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(depth_costs_no_descriptors),
		TEST(every_directory_is_visited_once),
		TEST(what_resists_is_counted_and_does_not_hang),
		TEST(processes_of_the_whole_tree_are_listed),
		TEST(waiting_ends_at_the_value_or_the_deadline),
		TEST(a_freeze_that_fails_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
