/* Counters from files as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cgroups/cgroups.h"
#include "cgroups/pressure.h"
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

static const char *const files[][2] = {
	{ "cpu.stat",
	  "usage_usec 10\nuser_usec 6\nsystem_usec 4\ncore_sched.force_idle_usec 0\n"
	  "nr_periods 5\nnr_throttled 2\nthrottled_usec 77\nnr_bursts 0\nburst_usec 0\n" },
	{ "memory.current", "4096\n" },
	{ "memory.max", "max\n" },
	{ "memory.peak", "8192\n" },
	{ "memory.swap.current", "1\n" },
	{ "memory.swap.max", "2\n" },
	{ "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n" },
	{ "memory.stat", "anon 100\nfile 200\n" },
	{ "pids.current", "3\n" },
	{ "pids.max", "max\n" },
	{ "io.stat",
	  "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n254:16 \n259:7 rbytes=9\n" },
	{ "hugetlb.2MB.current", "2097152\n" },
	{ "hugetlb.2MB.max", "max\n" },
	{ "hugetlb.2MB.events", "max 4\n" },
	{ "hugetlb.2MB.rsvd.current", "0\n" },
	{ "hugetlb.1GB.current", "0\n" },
	{ "hugetlb.1GB.max", "1073741824\n" },
	{ "rdma.current", "mlx4_0 hca_handle=1 hca_object=20\n" },
	{ "cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\n"
			  "full avg10=0.00 avg60=0.00 avg300=0.09 total=7\n" },
	{ "io.pressure", "" },
};

static void every_counter_is_found(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	struct cgroup_stats stats;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_put(&fake, files[i][0], files[i][1]);
	assert_null(cgroup_stats_read(&cg, &stats));
	assert_true(stats.cpu_usage_us == 10 && stats.cpu_user_us == 6 && stats.cpu_system_us == 4);
	assert_true(stats.cpu_periods == 5 && stats.cpu_throttled_periods == 2 &&
		    stats.cpu_throttled_us == 77);
	assert_true(stats.memory_bytes == 4096 && stats.memory_max_bytes == CGROUP_MAX);
	assert_true(stats.memory_peak_bytes == 8192 && stats.swap_bytes == 1 &&
		    stats.swap_max_bytes == 2);
	assert_true(stats.memory_oom == 2 && stats.memory_oom_kills == 1 &&
		    stats.memory_max_events == 3);
	assert_true(stats.pids == 3 && stats.pids_max == CGROUP_MAX);
	assert_int_equal(stats.memory_stat.count, 2);
	assert_string_equal(strlist_env(&stats.memory_stat, "file"), "200");
	assert_int_equal(stats.io_count, 2);
	assert_true(stats.io[0].major == 8 && stats.io[0].minor == 0 &&
		    stats.io[0].read_bytes == 1 && stats.io[0].write_bytes == 2 &&
		    stats.io[0].read_ops == 3 && stats.io[0].write_ops == 4 &&
		    stats.io[0].discard_bytes == 5 && stats.io[0].discard_ops == 6);
	assert_true(stats.io[1].major == 259 && stats.io[1].read_bytes == 9 &&
		    stats.io[1].write_bytes == 0);
	assert_int_equal(stats.hugetlb.count, 2);
	assert_true(strlist_has(&stats.hugetlb, "2MB 2097152 max 4"));
	assert_true(strlist_has(&stats.hugetlb, "1GB 0 1073741824 0"));
	assert_true(strlist_has(&stats.rdma, "mlx4_0 hca_handle=1 hca_object=20"));
	assert_true(stats.cpu_pressure.some.is_set && stats.cpu_pressure.some.total_us == 1234);
	assert_true(stats.cpu_pressure.some.avg10 > 1.49 && stats.cpu_pressure.some.avg10 < 1.51);
	assert_true(stats.cpu_pressure.full.avg300 > 0.089 &&
		    stats.cpu_pressure.full.avg300 < 0.091);
	assert_false(stats.io_pressure.some.is_set);
	assert_false(stats.memory_pressure.some.is_set);
	cgroup_stats_release(&stats);
}

static void counts_are_what_is_in_use(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	struct cgroup_stats stats;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_put(&fake, files[i][0], files[i][1]);
	assert_null(cgroup_counts_read(&cg, &stats));
	assert_true(stats.memory_bytes == 4096 && stats.swap_bytes == 1 && stats.pids == 3);
	assert_true(stats.memory_max_bytes == CGROUP_UNSET && stats.cpu_usage_us == CGROUP_UNSET);
	cgroup_stats_release(&stats);
}

static void absent_files_are_unset(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	struct cgroup_stats stats;

	(void)state;
	assert_null(cgroup_stats_read(&cg, &stats));
	assert_true(stats.cpu_usage_us == CGROUP_UNSET && stats.memory_oom_kills == CGROUP_UNSET &&
		    stats.pids_max == CGROUP_UNSET && stats.swap_bytes == CGROUP_UNSET);
	assert_int_equal(stats.io_count + stats.memory_stat.count + stats.hugetlb.count, 0);
	cgroup_stats_release(&stats);
}

static void junk_in_pressure_is_no_pressure(void **state)
{
	static const char *const bad[] = { "", "some", "some \n", "some avg10=1.00 total=x\n",
					   "full total=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pressure pressure;

		pressure_parse(bad[i], &pressure);
		assert_false(pressure.some.is_set || pressure.full.is_set);
	}
}

static void oom_kills_are_told_with_a_descriptor(void **state)
{
	struct cgroup cg = { .dir_fd = fake.fd, .path = fake.path };
	OWN(fd) int fd = -1;
	uint64_t kills = 0;

	(void)state;
	expect_err(cgroup_open_memory_events(&cg, &fd, &kills), ERR_UNSUPPORTED,
		   "memory controller");
	fake_put(&fake, "memory.events", "oom 2\noom_kill 9\n");
	assert_null(cgroup_open_memory_events(&cg, &fd, &kills));
	assert_true(kills == 9);
	assert_true(fd >= 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_counter_is_found),
		TEST(counts_are_what_is_in_use),
		TEST(absent_files_are_unset),
		TEST(junk_in_pressure_is_no_pressure),
		TEST(oom_kills_are_told_with_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
