/* Rates from two samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/vps/watch.h"

static void per_second(void **state)
{
	const struct vps_sample before = { .at_ms = 1000, .cpu_us = 500000, .read_bytes = 4096 };
	const struct vps_sample now = {
		.at_ms = 3000, .cpu_us = 3500000, .read_bytes = 8192, .sent_bytes = 100
	};
	struct vps_rates rates;

	(void)state;
	vps_rates_between(&before, &now, &rates);
	assert_true(rates.cpu_percent > 149.99 && rates.cpu_percent < 150.01);
	assert_true(rates.read_bytes_s > 2047 && rates.read_bytes_s < 2049);
	assert_true(rates.sent_bytes_s > 49 && rates.sent_bytes_s < 51);
	assert_true(rates.write_bytes_s == 0);
}

static void a_counter_may_begin_anew(void **state)
{
	const struct vps_sample before = { .at_ms = 0, .cpu_us = 9000000 };
	const struct vps_sample now = { .at_ms = 1000, .cpu_us = 500000 };
	struct vps_rates rates;

	(void)state;
	vps_rates_between(&before, &now, &rates);
	assert_true(rates.cpu_percent > 49.9 && rates.cpu_percent < 50.1);
}

static void no_time_no_rate(void **state)
{
	const struct vps_sample sample = { .at_ms = 1000, .cpu_us = 500000 };
	struct vps_rates rates;

	(void)state;
	vps_rates_between(&sample, &sample, &rates);
	assert_true(rates.cpu_percent == 0);
}

static void what_is_unknown_counts_nothing(void **state)
{
	struct vps_info info = { .has_stats = true };
	struct vps_sample sample;

	(void)state;
	info.stats.cpu_usage_us = CGROUP_UNSET;
	info.stats.memory_bytes = CGROUP_MAX;
	vps_sample_of(&info, &sample);
	assert_int_equal(sample.cpu_us, 0);
	assert_int_equal(sample.ram_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(per_second),
		cmocka_unit_test(a_counter_may_begin_anew),
		cmocka_unit_test(no_time_no_rate),
		cmocka_unit_test(what_is_unknown_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
