/*
 * Strict parsing of small values: the whole string or nothing, no signs where none belong, no
 * wrap-around, no locale. "what" names the object for the error text.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

MUST_CHECK struct err *parse_u64(const char *what, const char *text, uint64_t min, uint64_t max,
				 uint64_t *ret_value);
MUST_CHECK struct err *parse_i64(const char *what, const char *text, int64_t *ret_value);
/* Bytes with an optional suffix K M G T (powers of 1024, "KiB"/"kb"/"B" spellings accepted). */
MUST_CHECK struct err *parse_bytes(const char *what, const char *text, uint64_t *ret_bytes);
/* Bits per second with an optional suffix K M G T (powers of 1000, "Mbit" spellings accepted), or
 * "unlimited", which is UINT64_MAX - 1, as "0" is. */
MUST_CHECK struct err *parse_bit_rate(const char *what, const char *text, uint64_t *ret_bits);
/* yes/no, on/off, true/false, 1/0 */
MUST_CHECK struct err *parse_bool(const char *what, const char *text, bool *ret_value);
/* A uid or gid: 0..4294967294 ((uid_t)-1 means "unchanged" to the kernel and is refused). */
MUST_CHECK struct err *parse_id(const char *what, const char *text, uid_t *ret_id);
/* "TERM", "SIGTERM", "sigterm", "15", "SIGRTMIN+3": 1..64. */
MUST_CHECK struct err *parse_signal(const char *text, int *ret_signal);
/* The short name ("TERM") of a signal, NULL when it has none. Static storage. */
const char *signal_name(int signum);
/*
 * A container's name: [A-Za-z0-9_][A-Za-z0-9_.+-]*, at most 128 bytes. It becomes a file name, a
 * cgroup name and a part of a unit name; nothing else ever names a container.
 */
MUST_CHECK struct err *parse_container_id(const char *text);

#endif
