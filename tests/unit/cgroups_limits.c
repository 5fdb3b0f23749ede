/* Limits against a fake cgroup: what is written where, in which order, and what is refused before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cgroups/limits.h"
#include "tests/unit/cgroups_fake.h"

static struct fake fake;
static struct cgroup_limits limits;

static int setup(void **state)
{
	(void)state;
	fake_make(&fake);
	cgroup_limits_init(&limits);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(&fake);
	cgroup_limits_release(&limits);
	return 0;
}

/* Every scalar field with its file, its controller, a good value and the text of it. */
static const struct {
	size_t offset;
	const char *file, *text;
	uint64_t value, too_much;
	controllers need;
} fields[] = {
#define AT(field) offsetof(struct cgroup_limits, field)
	{ AT(memory_max_bytes), "memory.max", "4096", 4096, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(memory_max_bytes), "memory.max", "max", CGROUP_MAX, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(memory_low_bytes), "memory.low", "1", 1, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(memory_high_bytes), "memory.high", "2", 2, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(memory_min_bytes), "memory.min", "3", 3, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(swap_max_bytes), "memory.swap.max", "0", 0, CGROUP_UNSET, CONTROLLER(MEMORY) },
	{ AT(memory_oom_group), "memory.oom.group", "1", 1, 2, CONTROLLER(MEMORY) },
	{ AT(cpu_weight), "cpu.weight", "10000", 10000, 10001, CONTROLLER(CPU) },
	{ AT(cpu_quota_us), "cpu.max", "5000", 5000, 999, CONTROLLER(CPU) },
	{ AT(cpu_burst_us), "cpu.max.burst", "7", 7, CGROUP_MAX, CONTROLLER(CPU) },
	{ AT(cpu_idle), "cpu.idle", "1", 1, 2, CONTROLLER(CPU) },
	{ AT(pids_max), "pids.max", "0", 0, CGROUP_UNSET, CONTROLLER(PIDS) },
	{ AT(pids_max), "pids.max", "max", CGROUP_MAX, CGROUP_UNSET, CONTROLLER(PIDS) },
	{ AT(io_weight), "io.weight", "default 100", 100, 10001, CONTROLLER(IO) },
};

static void each_number_goes_to_its_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t *field = (uint64_t *)(void *)((char *)&limits + fields[i].offset);

		assert_int_equal(limits_need(&limits), 0);
		*field = fields[i].value;
		assert_int_equal(limits_need(&limits), fields[i].need);
		assert_null(cgroup_limits_check(&limits));
		fake_put(&fake, fields[i].file, "0");
		assert_null(limits_apply(fake.fd, &limits));
		fake_expect(&fake, fields[i].file, fields[i].text);
		unlinkat(fake.fd, fields[i].file, 0);
		if (fields[i].too_much != CGROUP_UNSET) {
			*field = fields[i].too_much;
			expect_err(cgroup_limits_check(&limits), ERR_INVALID, fields[i].file);
		}
		*field = CGROUP_UNSET;
	}
}

static void a_missing_file_is_said(void **state)
{
	(void)state;
	limits.pids_max = 5;
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "pids.max");
}

static void absent_swap_is_no_swap(void **state)
{
	(void)state;
	limits.swap_max_bytes = 0;
	assert_null(limits_apply(fake.fd, &limits));
	limits.swap_max_bytes = CGROUP_MAX;
	assert_null(limits_apply(fake.fd, &limits));
	limits.swap_max_bytes = 4096;
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "memory.swap.max");
}

/* The second write fails for want of its file: which one came first shows. */
static void more_swap_comes_before_less_memory(void **state)
{
	(void)state;
	fake_put(&fake, "memory.swap.max", "10");
	limits.memory_max_bytes = 50;
	limits.swap_max_bytes = 20;
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "memory.max");
	fake_expect(&fake, "memory.swap.max", "20");
}

static void less_swap_comes_after_memory(void **state)
{
	(void)state;
	fake_put(&fake, "memory.swap.max", "max");
	limits.memory_max_bytes = 50;
	limits.swap_max_bytes = 20;
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "memory.max");
	fake_expect(&fake, "memory.swap.max", "max");
}

static void usage_is_compared_when_asked(void **state)
{
	(void)state;
	fake_put(&fake, "memory.current", "1000\n");
	fake_put(&fake, "memory.max", "");
	limits.memory_max_bytes = 999;
	limits.memory_check_usage = true;
	limits.cpu_weight = 5; /* not even this is written */
	fake_put(&fake, "cpu.weight", "");
	expect_err(limits_apply(fake.fd, &limits), ERR_INVALID, "1000 bytes in use");
	fake_expect(&fake, "cpu.weight", "");
	limits.memory_check_usage = false;
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "memory.max", "999");
}

static void quota_and_period_share_a_file(void **state)
{
	(void)state;
	limits.cpu_quota_us = 20000;
	limits.cpu_period_us = 50000;
	fake_put(&fake, "cpu.max", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "cpu.max", "20000 50000");
	/* a new period keeps the quota in force */
	limits.cpu_quota_us = CGROUP_UNSET;
	limits.cpu_period_us = 60000;
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "cpu.max", "20000 60000");
	limits.cpu_quota_us = CGROUP_MAX;
	fake_put(&fake, "cpu.max", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "cpu.max", "max 60000");
}

static void a_smaller_burst_comes_before_the_quota(void **state)
{
	(void)state;
	limits.cpu_quota_us = 5000;
	limits.cpu_burst_us = 1000;
	fake_put(&fake, "cpu.max.burst", "9000");
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "cpu.max");
	fake_expect(&fake, "cpu.max.burst", "1000");
	/* and a larger one after it */
	fake_put(&fake, "cpu.max.burst", "500");
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "cpu.max");
	fake_expect(&fake, "cpu.max.burst", "500");
	limits.cpu_burst_us = 5001;
	expect_err(cgroup_limits_check(&limits), ERR_INVALID, "more than the quota");
}

static void idleness_is_left_before_and_entered_after_the_weight(void **state)
{
	(void)state;
	limits.cpu_weight = 7;
	limits.cpu_idle = 0;
	fake_put(&fake, "cpu.idle", "1");
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "cpu.weight");
	fake_expect(&fake, "cpu.idle", "0");
	limits.cpu_idle = 1;
	fake_put(&fake, "cpu.weight", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "cpu.weight", "7");
	fake_expect(&fake, "cpu.idle", "1");
}

static void io_weight_reaches_both_schedulers(void **state)
{
	(void)state;
	limits.io_weight = cgroup_io_weight_from_blkio(500);
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "neither io.weight");
	fake_put(&fake, "io.bfq.weight", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "io.bfq.weight", "default 500");
	fake_put(&fake, "io.weight", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "io.weight", "default 4950");
	for (uint64_t weight = 10; weight <= 1000; weight++) {
		char text[32];

		snprintf(text, sizeof(text), "default %d", (int)weight);
		fake_put(&fake, "io.bfq.weight", "");
		limits.io_weight = cgroup_io_weight_from_blkio(weight);
		assert_null(limits_apply(fake.fd, &limits));
		fake_expect(&fake, "io.bfq.weight", text);
	}
}

static void device_lines_are_checked(void **state)
{
	static const char *const bad[] = { "",	   "8",	     "8:",    "8:0",	     "8:0 ",
					   ":0 5", "8:0\n5", "8:x 5", "8:0 rbps=1\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(strlist_add(&limits.io_max, bad[i]));
		expect_err(cgroup_limits_check(&limits), ERR_INVALID, "io.max");
		strlist_release(&limits.io_max);
	}
	assert_null(strlist_add(&limits.io_max, "8:0 rbps=1 wiops=2"));
	assert_null(strlist_add(&limits.io_device_weights, "8:16 300"));
	assert_null(cgroup_limits_check(&limits));
	fake_put(&fake, "io.max", "");
	fake_put(&fake, "io.weight", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "io.max", "8:0 rbps=1 wiops=2");
	fake_expect(&fake, "io.weight", "8:16 300");
	assert_null(strlist_add(&limits.io_device_weights, "8:16 10001"));
	expect_err(cgroup_limits_check(&limits), ERR_INVALID, "10001");
}

static void huge_pages_are_limited_twice(void **state)
{
	static const char *const bad[] = { "2MB",  "=5",	 "2mb=5",  "MB=5",
					   "2M=5", "2MB/../x=5", "2MB=5x", "2MB=-1" };

	(void)state;
	assert_null(strlist_add(&limits.hugetlb, "2MB=4194304"));
	fake_put(&fake, "hugetlb.2MB.max", "");
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "hugetlb.2MB.rsvd.max");
	fake_put(&fake, "hugetlb.2MB.rsvd.max", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "hugetlb.2MB.max", "4194304");
	fake_expect(&fake, "hugetlb.2MB.rsvd.max", "4194304");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strlist_release(&limits.hugetlb);
		assert_null(strlist_add(&limits.hugetlb, bad[i]));
		expect_err(cgroup_limits_check(&limits), ERR_INVALID, "hugetlb");
	}
}

static void cpu_lists_hold_no_second_line(void **state)
{
	(void)state;
	assert_null(str_dup("0-3,7", &limits.cpuset_cpus));
	assert_null(str_dup("", &limits.cpuset_mems));
	assert_null(cgroup_limits_check(&limits));
	fake_put(&fake, "cpuset.cpus", "");
	fake_put(&fake, "cpuset.mems", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "cpuset.cpus", "0-3,7");
	fake_expect(&fake, "cpuset.mems", "\n");
	limits.cpuset_cpus[0] = '\n';
	expect_err(cgroup_limits_check(&limits), ERR_INVALID, "cpuset.cpus");
}

static void unified_files_stay_in_the_directory(void **state)
{
	static const char *const bad[] = {
		"a/b.max=1", "../memory.max=1", ".=1",		 "..=1",     "x=1",
		"=1",	     "memory.max",	"mem ory.max=1", ".hidden=1"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(strlist_add(&limits.unified, bad[i]));
		expect_err(cgroup_limits_check(&limits), ERR_INVALID, "unified");
		strlist_release(&limits.unified);
	}
	assert_null(strlist_add(&limits.unified, "memory.high=7\n"));
	assert_null(strlist_add(&limits.unified, "cgroup.max.depth=3"));
	assert_int_equal(limits_need(&limits), CONTROLLER(MEMORY));
	fake_put(&fake, "memory.high", "");
	fake_put(&fake, "cgroup.max.depth", "");
	assert_null(limits_apply(fake.fd, &limits));
	fake_expect(&fake, "memory.high", "7");
	fake_expect(&fake, "cgroup.max.depth", "3");
	assert_null(strlist_add(&limits.unified, "nonsense.max=3"));
	expect_err(limits_apply(fake.fd, &limits), ERR_UNSUPPORTED, "nonsense.max");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_number_goes_to_its_file),
		TEST(a_missing_file_is_said),
		TEST(absent_swap_is_no_swap),
		TEST(more_swap_comes_before_less_memory),
		TEST(less_swap_comes_after_memory),
		TEST(usage_is_compared_when_asked),
		TEST(quota_and_period_share_a_file),
		TEST(a_smaller_burst_comes_before_the_quota),
		TEST(idleness_is_left_before_and_entered_after_the_weight),
		TEST(io_weight_reaches_both_schedulers),
		TEST(device_lines_are_checked),
		TEST(huge_pages_are_limited_twice),
		TEST(cpu_lists_hold_no_second_line),
		TEST(unified_files_stay_in_the_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
