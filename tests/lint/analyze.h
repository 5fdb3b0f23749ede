/*
 * Included in front of every source when clang's analyzer looks at it: tells it that these
 * functions never return NULL, as it does not read the attribute that says so. Without it "the
 * callee failed but reported success" is taken for possible, and every ret_ parameter for possibly
 * unset.
 */
#ifndef TESTS_LINT_ANALYZE_H
#define TESTS_LINT_ANALYZE_H

#include "base/err.h"
#include "base/json.h"

extern struct err analyze_some_error;

#define err_sys(errnum, ...) ((void)(errnum), (void)(__VA_ARGS__), &analyze_some_error)
#define err_new(kind, ...) ((void)(kind), (void)(__VA_ARGS__), &analyze_some_error)
#define json_err(value, kind, ...) ((void)(value), err_new(kind, __VA_ARGS__))
#define err_first(first, second) analyze_first(first, second)

static inline __attribute__((unused)) struct err *analyze_first(struct err *first,
								struct err *second)
{
	return first ? first : second;
}

#endif
