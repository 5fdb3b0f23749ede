/* clock.h agrees with libc's gmtime over four hundred years and more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"

static void dates_are_those_of_libc(void **state)
{
	(void)state;
	/* a prime number of seconds near eleven days meets every hour, day and month */
	for (long long second = -2208988800; second < 13569465600; second += 950009) {
		struct timespec when = { .tv_sec = (time_t)second };
		struct clock_text text = clock_format_utc(&when, CLOCK_SECONDS);
		char expected[CLOCK_TEXT_MAX];
		struct tm utc;

		gmtime_r(&when.tv_sec, &utc);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &utc);
		assert_string_equal(text.text, expected);
	}
}

static void leap_days_and_ends_of_years(void **state)
{
	static const struct {
		time_t second;
		const char *text;
	} known[] = { { 0, "1970-01-01T00:00:00.000000007Z" },
		      { 951782399, "2000-02-28T23:59:59.000000007Z" },
		      { 951782400, "2000-02-29T00:00:00.000000007Z" },
		      { 4107542399, "2100-02-28T23:59:59.000000007Z" },
		      { 4107542400, "2100-03-01T00:00:00.000000007Z" },
		      { -1, "1969-12-31T23:59:59.000000007Z" } };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct timespec when = { .tv_sec = known[i].second, .tv_nsec = 7 };

		assert_string_equal(clock_format_utc(&when, CLOCK_NANOSECONDS).text, known[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_those_of_libc),
		cmocka_unit_test(leap_days_and_ends_of_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
