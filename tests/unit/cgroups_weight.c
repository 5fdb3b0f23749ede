/* Weights of cgroup v1 on the scales of v2: known points, and order kept over the whole range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cgroups/cgroups.h"

static void shares_keep_the_points_of_the_specification(void **state)
{
	static const uint64_t cases[][2] = {
		{ 0, CGROUP_UNSET },
		{ CGROUP_UNSET, CGROUP_UNSET },
		{ 2, 1 },
		{ 1024, 100 },
		{ 262144, 10000 },
		{ 300000, 10000 },
		{ 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(cgroup_weight_from_shares(cases[i][0]) == cases[i][1]);
}

static void more_shares_never_weigh_less(void **state)
{
	uint64_t before = 1;

	(void)state;
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		uint64_t weight = cgroup_weight_from_shares(shares);

		assert_true(weight >= before && weight <= 10000);
		before = weight;
	}
}

static void block_weights_reach_both_ends(void **state)
{
	static const uint64_t cases[][2] = {
		{ 0, CGROUP_UNSET }, { 10, 1 }, { 1000, 10000 },
		{ 500, 4950 },	     { 5, 1 },	{ 2000, 10000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(cgroup_io_weight_from_blkio(cases[i][0]) == cases[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_keep_the_points_of_the_specification),
		cmocka_unit_test(more_shares_never_weigh_less),
		cmocka_unit_test(block_weights_reach_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
