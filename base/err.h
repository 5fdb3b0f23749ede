/*
 * Errors as values: NULL is success, anything else says what was tried, on which object, and why
 * it failed. Whoever holds an error passes it on, consumes it with log_warn() or err_drop(), or
 * frees it. Nothing here prints.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/own.h"

#define MUST_CHECK __attribute__((warn_unused_result))
/* For constructors: analyzers and gcc 14 then see that who reports an error does not return NULL.
 */
#define NEVER_NULL __attribute__((returns_nonnull))
#define PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))

enum err_kind {
	ERR_SYS,	 /* a system call failed */
	ERR_INVALID,	 /* the caller's input is wrong */
	ERR_NOT_FOUND,	 /* the named object does not exist */
	ERR_EXISTS,	 /* the named object exists already */
	ERR_STATE,	 /* right request, wrong container state */
	ERR_UNSUPPORTED, /* this kernel or this build cannot do it */
	ERR_PEER,	 /* the other process reported failure, or died */
	ERR_KIND_COUNT
};

struct err;

/* errnum: an errno value, kept and printed last. The text names the act and its object. */
MUST_CHECK NEVER_NULL PRINTF(2, 3) struct err *err_sys(int errnum, const char *fmt, ...);
MUST_CHECK NEVER_NULL PRINTF(2, 3) struct err *err_new(enum err_kind kind, const char *fmt, ...);
/* Put "text: " in front of cause, which is consumed; the kind and errno stay. */
MUST_CHECK PRINTF(2, 3) struct err *err_wrap(struct err *cause, const char *fmt, ...);

enum err_kind err_kind(const struct err *err);
/* The errno of the origin, 0 when it was not a system call. */
int err_errno(const struct err *err);
/* The whole chain as one line, borrowed until the error is freed. */
const char *err_text(const struct err *err);

/* Consume an error on purpose; the call site says in a comment why it may be ignored. */
void err_drop(struct err *err);
/* Keep the first of two errors and drop the second; either may be NULL. */
MUST_CHECK struct err *err_first(struct err *first, struct err *second);

OWN_KIND(err, struct err *, err_drop)

/* Leave the function with the callee's error. The only macro in the tree that returns. */
#define TRY(call)                              \
	do {                                   \
		struct err *try_err_ = (call); \
		if (try_err_)                  \
			return try_err_;       \
	} while (0)

#endif
