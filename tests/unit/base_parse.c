/* parse.h: what is accepted, and everything near it that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "base/parse.h"

static void expect_invalid(struct err *err)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
}

static void numbers_are_whole_strings(void **state)
{
	static const char *const bad[] = {
		"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616", "1e3"
	};
	uint64_t value = 7;

	(void)state;
	assert_null(parse_u64("n", "18446744073709551615", 0, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_u64("n", bad[i], 0, UINT64_MAX, &value));
	expect_invalid(parse_u64("n", "11", 0, 10, &value));
	assert_true(value == UINT64_MAX);
}

static void signed_numbers_reach_both_ends(void **state)
{
	int64_t value;

	(void)state;
	assert_null(parse_i64("n", "-9223372036854775808", &value));
	assert_true(value == INT64_MIN);
	assert_null(parse_i64("n", "9223372036854775807", &value));
	assert_true(value == INT64_MAX);
	expect_invalid(parse_i64("n", "9223372036854775808", &value));
	expect_invalid(parse_i64("n", "--1", &value));
}

static void sizes_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },	 { "512", 512 },
		     { "512b", 512 },	 { "1k", 1024 },
		     { "2M", 2 << 20 },	 { "1GiB", 1 << 30 },
		     { "1gb", 1 << 30 }, { "1T", (uint64_t)1 << 40 } };
	static const char *const bad[] = { "",	  "M",	  "1.5G",	  "-1M",
					   "1MM", "1bib", "99999999999T", "1 G" };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_null(parse_bytes("size", good[i].text, &bytes));
		assert_true(bytes == good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_bytes("size", bad[i], &bytes));
}

static void rates_count_in_thousands(void **state)
{
	static const struct {
		const char *text;
		uint64_t bits;
	} good[] = { { "8000", 8000 },
		     { "500k", 500000 },
		     { "10M", 10000000 },
		     { "1Gbit", UINT64_C(1000000000) },
		     { "64bit", 64 },
		     { "0", UINT64_MAX - 1 },
		     { "unlimited", UINT64_MAX - 1 } };
	static const char *const bad[] = { "",	   "M",	   "1.5M",	"-1M",
					   "10MB", "10Mb", "99999999T", "1 G" };
	uint64_t bits;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_null(parse_bit_rate("rate", good[i].text, &bits));
		assert_true(bits == good[i].bits);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_bit_rate("rate", bad[i], &bits));
}

static void ids_never_mean_unchanged(void **state)
{
	static const char *const bad[] = { "4294967295", "4294967296", "-1", "root", "", "1x" };
	uid_t id = 0;

	(void)state;
	assert_null(parse_id("uid", "4294967294", &id));
	assert_true(id == 4294967294u);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_id("uid", bad[i], &id));
}

static void signals_by_name_and_number(void **state)
{
	static const char *const bad[] = { "0",	  "65",	 "-9", "4294967305",
					   "SIG", "FOO", "",   "RTMIN+99" };
	int signum;

	(void)state;
	assert_null(parse_signal("sigterm", &signum));
	assert_int_equal(signum, SIGTERM);
	assert_null(parse_signal("KILL", &signum));
	assert_int_equal(signum, SIGKILL);
	assert_null(parse_signal("64", &signum));
	assert_int_equal(signum, 64);
	assert_null(parse_signal("SIGRTMIN+3", &signum));
	assert_int_equal(signum, SIGRTMIN + 3);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_signal(bad[i], &signum));
}

static void container_names_are_file_names(void **state)
{
	static const char *const bad[] = { "",	 ".",	 "..",	"a/b",	   "-f",
					   ".x", "a\nb", "a b", "\xc3\xa4" };
	char longest[130];

	(void)state;
	assert_null(parse_container_id("web-1.example_+"));
	memset(longest, 'a', sizeof(longest));
	longest[128] = '\0';
	assert_null(parse_container_id(longest));
	longest[128] = 'a';
	longest[129] = '\0';
	expect_invalid(parse_container_id(longest));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_invalid(parse_container_id(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_strings),
		cmocka_unit_test(signed_numbers_reach_both_ends),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(rates_count_in_thousands),
		cmocka_unit_test(ids_never_mean_unchanged),
		cmocka_unit_test(signals_by_name_and_number),
		cmocka_unit_test(container_names_are_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
