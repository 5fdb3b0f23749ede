/* Points in time as RFC 3339 text; see clock.h. */
#include "base/clock.h"

#include <stdio.h>

#define DAY_S 86400
#define DAYS_400_YEARS 146097

/* Days since 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March,
 * so that the leap day is the last. Source: the calendar repeats after 400 years of 146,097 days.
 */
static void date_of_days(long long days, long long *ret_year, int *ret_month, int *ret_day)
{
	long long shifted = days + 719468; /* since 0000-03-01 */
	long long era = (shifted >= 0 ? shifted : shifted - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
	long long in_era = shifted - era * DAYS_400_YEARS;
	long long year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	long long in_year = in_era - (365 * year + year / 4 - year / 100);
	long long march_month = (5 * in_year + 2) / 153;

	*ret_day = (int)(in_year - (153 * march_month + 2) / 5 + 1);
	*ret_month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

struct clock_text clock_format_utc(const struct timespec *when, enum clock_style style)
{
	long long days = when->tv_sec / DAY_S, second = when->tv_sec % DAY_S, year;
	struct clock_text out;
	int month, day, len;

	if (second < 0) {
		second += DAY_S;
		days--;
	}
	date_of_days(days, &year, &month, &day);
	len = snprintf(out.text, sizeof(out.text), "%04lld-%02d-%02dT%02lld:%02lld:%02lld", year,
		       month, day, second / 3600, second / 60 % 60, second % 60);
	if (style == CLOCK_NANOSECONDS)
		len += snprintf(out.text + len, sizeof(out.text) - (size_t)len, ".%09ld",
				when->tv_nsec);
	snprintf(out.text + len, sizeof(out.text) - (size_t)len, "Z");
	return out;
}
