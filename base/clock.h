/* Points in time as text, without libc's time zones: those read a file that inside a container is a
 * tenant's. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <time.h>

#define CLOCK_TEXT_MAX 40

/* "2026-11-22T04:08:08Z", or with nanoseconds "2026-11-22T04:08:08.968757850Z" (RFC 3339, UTC). */
enum clock_style { CLOCK_SECONDS, CLOCK_NANOSECONDS };
struct clock_text {
	char text[CLOCK_TEXT_MAX];
};
struct clock_text clock_format_utc(const struct timespec *when, enum clock_style style);

#endif
