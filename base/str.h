/* Owned strings, growing buffers and string lists; every allocation failure is an error value. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* *ret_str is owned by the caller. */
MUST_CHECK PRINTF(2, 3) struct err *str_format(char **ret_str, const char *fmt, ...);
/* The same for a caller that takes the arguments itself; args is used up. */
MUST_CHECK PRINTF(2, 0) struct err *str_format_args(char **ret_str, const char *fmt, va_list args);
MUST_CHECK struct err *str_dup(const char *src, char **ret_str);
/* The first len bytes of it, or less if it is shorter. */
MUST_CHECK struct err *str_dup_span(const char *src, size_t len, char **ret_str);
/* NULL equals only NULL, so that an optional member can be compared as it is. */
bool str_eq(const char *a, const char *b);
bool str_has_prefix(const char *str, const char *prefix);
/* Make text safe for one line of a terminal or a log: control bytes become \xNN. */
MUST_CHECK struct err *str_escape(const char *src, char **ret_str);

/* A growing byte buffer; data is always followed by a NUL that len does not count. */
struct buf {
	char *data;
	size_t len, room;
};

void buf_release(struct buf *buf);
MUST_CHECK struct err *buf_add(struct buf *buf, const void *data, size_t len);
MUST_CHECK PRINTF(2, 3) struct err *buf_format(struct buf *buf, const char *fmt, ...);
/* The contents as an owned string; buf is empty afterwards. */
MUST_CHECK struct err *buf_take(struct buf *buf, char **ret_str);

static inline __attribute__((unused)) void own_buf(struct buf *buf)
{
	buf_release(buf);
}

/* A NULL-terminated list of owned strings, shaped for execve(2); items is NULL while empty. */
struct strlist {
	char **items;
	size_t count;
};

void strlist_release(struct strlist *list);
/* Room for count more strings, all NULL, to be filled at items[count++] by the caller at once;
 * strlist_add() does not make use of it. */
MUST_CHECK struct err *strlist_reserve(struct strlist *list, size_t count);
MUST_CHECK struct err *strlist_add(struct strlist *list, const char *str);
MUST_CHECK PRINTF(2, 3) struct err *strlist_format(struct strlist *list, const char *fmt, ...);
bool strlist_has(const struct strlist *list, const char *str);
/* The value of NAME in a list of NAME=VALUE, the last one winning; NULL when absent. Borrowed. */
const char *strlist_env(const struct strlist *list, const char *name);

static inline __attribute__((unused)) void own_strlist(struct strlist *list)
{
	strlist_release(list);
}

#endif
