/* Paths, controllers, and enabling them in a fake tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cgroups/cgroups.h"
#include "cgroups/create.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"
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

static void paths_become_clean_or_are_refused(void **state)
{
	static const char *const good[][2] = {
		{ "/a/b", "/a/b" },
		{ "a", "/a" },
		{ "//a///b//", "/a/b" },
		{ "/a/..b/c.", "/a/..b/c." },
	};
	static const char *const bad[] = {
		"", "/", "///", "/a/../b", "..", "/a/.", "/a\nb", "/\x7f"
	};
	char long_path[5000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		OWN(str) char *path = NULL;

		assert_null(hierarchy_clean(good[i][0], &path));
		assert_string_equal(path, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *path = NULL;

		expect_err(hierarchy_clean(bad[i], &path), ERR_INVALID, "cgroup path");
	}
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	for (size_t cut = 256; cut; cut = cut == 256 ? 0 : cut) {
		char *path = NULL;

		expect_err(hierarchy_clean(long_path, &path), ERR_INVALID, "not a name");
		for (size_t i = 0; i < sizeof(long_path) - 1; i += 200)
			long_path[i] = '/';
		expect_err(hierarchy_clean(long_path, &path), ERR_INVALID, "too long");
	}
}

static void words_become_controllers(void **state)
{
	(void)state;
	assert_int_equal(controllers_parse("cpu memory pids\n"),
			 CONTROLLER(CPU) | CONTROLLER(MEMORY) | CONTROLLER(PIDS));
	assert_int_equal(controllers_parse("cpuset"), CONTROLLER(CPUSET));
	assert_int_equal(controllers_parse("\n"), 0);
	assert_int_equal(controllers_parse("perf_event future io"), CONTROLLER(IO));
	assert_int_equal(controller_of_file("memory.max"), CONTROLLER(MEMORY));
	assert_int_equal(controller_of_file("cgroup.procs"), 0);
	for (unsigned int i = 0; i < CONTROLLER_COUNT; i++)
		assert_int_equal(controllers_parse(controller_names[i]), 1U << i);
}

static void numbers_and_keys_are_read(void **state)
{
	static const char flat[] = "low 1\nhigh 22\nmax 333\noom_kill 4\nunder max\n";
	uint64_t value;

	(void)state;
	assert_true(flat_value(flat, "low") == 1);
	assert_true(flat_value(flat, "max") == 333);
	assert_true(flat_value(flat, "oom") == CGROUP_UNSET);
	assert_true(flat_value(flat, "under") == CGROUP_MAX);
	assert_true(flat_value("", "low") == CGROUP_UNSET);
	assert_true(nested_value("8:0 rbytes=5 wbytes=77\n8:16 rbytes=9", "wbytes") == 77);
	assert_true(nested_value("8:0 rbytes=5\n8:16 dbytes=9", "dbytes") == CGROUP_UNSET);
	assert_true(nested_value("8:0 rbytes=x", "rbytes") == CGROUP_UNSET);
	fake_put(&fake, "n", "18446744073709551613\n");
	assert_null(file_read_u64(fake.fd, "n", &value));
	assert_true(value == UINT64_MAX - 2);
	fake_put(&fake, "n", "max\n");
	assert_null(file_read_u64(fake.fd, "n", &value));
	assert_true(value == CGROUP_MAX);
	fake_put(&fake, "n", "-1\n");
	expect_err(file_read_u64(fake.fd, "n", &value), ERR_INVALID, "-1");
	assert_null(file_read_u64(fake.fd, "absent", &value));
	assert_true(value == CGROUP_UNSET);
}

static void put_level(const char *dir, const char *offered, const char *enabled)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/cgroup.controllers", dir);
	fake_put(&fake, name, offered);
	snprintf(name, sizeof(name), "%s/cgroup.subtree_control", dir);
	fake_put(&fake, name, enabled);
}

static void only_what_is_missing_is_enabled(void **state)
{
	(void)state;
	fake_dir(&fake, "a");
	fake_dir(&fake, "a/b");
	put_level(".", "cpu io memory pids", "cpu memory pids");
	put_level("a", "cpu memory pids", "pids");
	assert_null(hierarchy_enable(fake.fd, "/a/b", CONTROLLER(MEMORY),
				     CONTROLLER(CPU) | CONTROLLER(RDMA)));
	fake_expect(&fake, "cgroup.subtree_control", "cpu memory pids");
	fake_expect(&fake, "a/cgroup.subtree_control", "+cpu +memory");
}

static void what_is_not_offered_is_named(void **state)
{
	(void)state;
	fake_dir(&fake, "a");
	fake_dir(&fake, "a/b");
	put_level(".", "cpu memory", "cpu");
	expect_err(hierarchy_enable(fake.fd, "/a/b", CONTROLLER(IO), 0), ERR_UNSUPPORTED,
		   "the io controller is not in");
	put_level(".", "io", "io");
	put_level("a", "", "");
	expect_err(hierarchy_enable(fake.fd, "/a/b", CONTROLLER(IO), 0), ERR_UNSUPPORTED,
		   "the io controller is not delegated to cgroup /a");
	/* wished for: left out silently */
	assert_null(hierarchy_enable(fake.fd, "/a/b", 0, CONTROLLER(IO)));
}

static void a_parent_with_processes_gives_nothing_away(void **state)
{
	(void)state;
	fake_dir(&fake, "a");
	fake_dir(&fake, "a/b");
	put_level(".", "cpu pids", "cpu pids");
	put_level("a", "cpu pids", "");
	fake_put(&fake, "cgroup.procs", "1\n"); /* of the true root, which has no type */
	fake_put(&fake, "a/cgroup.type", "domain\n");
	fake_put(&fake, "a/cgroup.procs", "7\n");
	expect_err(hierarchy_enable(fake.fd, "/a/b", CONTROLLER(PIDS), CONTROLLER(CPU)),
		   ERR_UNSUPPORTED, "pids controller to children of /a, which has processes");
	assert_null(hierarchy_enable(fake.fd, "/a/b", 0, CONTROLLER(CPU)));
	fake_expect(&fake, "a/cgroup.subtree_control", "");
	fake_put(&fake, "a/cgroup.procs", "");
	assert_null(hierarchy_enable(fake.fd, "/a/b", CONTROLLER(PIDS), 0));
	fake_expect(&fake, "a/cgroup.subtree_control", "+pids");
}

static void plans_follow_the_path_that_was_asked_for(void **state)
{
	static const char *const cases[][2] = {
		{ NULL, "/cella-oci/box" },
		{ "", "/cella-oci/box" },
		{ "/x/y", "/x/y" },
		{ "x/y", "/x/y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_spec spec;
		OWN(str) char *path = NULL;

		cgroup_spec_init(&spec);
		if (cases[i][0])
			assert_null(str_dup(cases[i][0], &spec.path));
		assert_null(plan_path(fake.fd, &spec, "cella-oci", "box", &path));
		assert_string_equal(path, cases[i][1]);
		cgroup_spec_release(&spec);
	}
}

static void a_disabled_cgroup_costs_and_claims_nothing(void **state)
{
	struct cgroup_spec spec;
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_stats stats;
	pid_t *pids = NULL;
	size_t count = 7;
	bool frozen = true;

	(void)state;
	cgroup_spec_init(&spec);
	spec.driver = CGROUP_DISABLED;
	assert_null(cgroup_plan(&spec, "p", "box", &cg));
	assert_null(cg.path);
	assert_null(cgroup_create(&spec, &cg));
	assert_null(cgroup_start_scope(&spec, &cg, 1));
	assert_null(cgroup_apply(&cg, &spec.limits));
	assert_null(cgroup_set_devices(&cg, &spec));
	assert_null(cgroup_join(&cg, NULL, 1));
	assert_null(cgroup_kill(&cg));
	assert_null(cgroup_signal(&cg, 15));
	assert_null(cgroup_pids(&cg, &pids, &count));
	assert_int_equal(count, 0);
	assert_null(cgroup_is_frozen(&cg, &frozen));
	assert_false(frozen);
	assert_null(cgroup_stats_read(&cg, &stats));
	assert_true(stats.memory_bytes == CGROUP_UNSET);
	cgroup_stats_release(&stats);
	assert_null(cgroup_destroy(&cg, 1000));
	/* what would be a lie is an error */
	expect_err(cgroup_freeze(&cg, true, 10), ERR_UNSUPPORTED, "paused");
	spec.limits.pids_max = 1;
	expect_err(cgroup_apply(&cg, &spec.limits), ERR_UNSUPPORTED, "no limits");
	cgroup_release(&cg);
	cgroup_spec_release(&spec);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_become_clean_or_are_refused),
		TEST(words_become_controllers),
		TEST(numbers_and_keys_are_read),
		TEST(only_what_is_missing_is_enabled),
		TEST(what_is_not_offered_is_named),
		TEST(a_parent_with_processes_gives_nothing_away),
		TEST(plans_follow_the_path_that_was_asked_for),
		TEST(a_disabled_cgroup_costs_and_claims_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
