/* quota/: what is asked of the kernel for the limits of an operator, whose clock a grace is, and
 * file systems that cannot count. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "quota/driver.h"

#define NONE QUOTA_UNLIMITED
#define DAY UINT64_C(86400)

static void limits_become_what_the_kernel_understands(void **state)
{
	static const struct {
		const char *why;
		struct quota_limits asked, wanted;
	} cases[] = {
		{ "rounded up to a KiB", { 1025, 2049, 1, 2, DAY }, { 2048, 3072, 1, 2, DAY } },
		{ "no soft limit is the hard one",
		  { 0, 4096, 0, 10, DAY },
		  { 4096, 4096, 10, 10, DAY } },
		{ "a soft limit above the hard one never counts",
		  { 8192, 4096, 20, 10, DAY },
		  { 4096, 4096, 10, 10, DAY } },
		{ "without grace the soft limit is the hard one",
		  { 1024, 4096, 5, 10, 0 },
		  { 1024, 1024, 5, 5, 0 } },
		{ "unlimited stays so",
		  { NONE, NONE, NONE, NONE, 0 },
		  { NONE, NONE, NONE, NONE, 0 } },
		{ "soft alone", { 1024, NONE, 5, NONE, DAY }, { 1024, NONE, 5, NONE, DAY } },
		{ "the largest number does not wrap",
		  { NONE - 5, NONE - 5, 1, 1, DAY },
		  { NONE, NONE, 1, 1, DAY } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct quota_limits got = quota_normal(&cases[i].asked);

		if (memcmp(&got, &cases[i].wanted, sizeof(got)) != 0)
			fail_msg("%s: %ju:%ju %ju:%ju", cases[i].why, (uintmax_t)got.soft_bytes,
				 (uintmax_t)got.hard_bytes, (uintmax_t)got.soft_inodes,
				 (uintmax_t)got.hard_inodes);
	}
}

/* A clock that the kernel started is set once, however often we look afterwards. */
static void a_clock_is_set_once(void **state)
{
	struct quota_clock clock = { .default_s = 7 * DAY, .grace_s = DAY, .age_s = 60 };
	const uint64_t began = 1000000000;
	uint64_t end = began + clock.default_s;
	int set = 0;

	(void)state;
	for (clock.now_s = began + 1; clock.now_s < began + 8 * DAY; clock.now_s += 59) {
		if (!quota_clock_is_new(&clock, end))
			continue;
		end = began + clock.grace_s;
		set++;
	}
	assert_int_equal(set, 1);
	assert_int_equal(end, began + DAY);
}

static void other_clocks_are_left_alone(void **state)
{
	struct quota_clock clock = {
		.now_s = 1000000000, .default_s = 7 * DAY, .grace_s = DAY, .age_s = 60
	};

	(void)state;
	assert_false(quota_clock_is_new(&clock, 0));
	assert_false(quota_clock_is_new(&clock, clock.now_s + 6 * DAY));
	assert_true(quota_clock_is_new(&clock, clock.now_s + 7 * DAY));
	/* a longer grace would be given again and again */
	clock.grace_s = 7 * DAY;
	assert_false(quota_clock_is_new(&clock, clock.now_s + 7 * DAY));
}

static void a_file_system_that_cannot_says_so(void **state)
{
	OWN(fd) int dir_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum quota_kind kind;
	struct quota_usage usage;
	struct err *err = quota_detect(dir_fd, "/proc", &kind);

	(void)state;
	assert_int_equal(err_kind(err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_text(err), "/proc"));
	assert_non_null(strstr(err_text(err), "image"));
	err_drop(err);
	err = quota_read(dir_fd, "/proc", &usage);
	assert_int_equal(err_kind(err), ERR_UNSUPPORTED);
	err_drop(err);
	err = quota_assign(dir_fd, "/proc", 0);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
	/* nothing was counted, so there is nothing to forget */
	assert_null(quota_forget(dir_fd, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_become_what_the_kernel_understands),
		cmocka_unit_test(a_clock_is_set_once),
		cmocka_unit_test(other_clocks_are_left_alone),
		cmocka_unit_test(a_file_system_that_cannot_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
