/* What the tests of runtime/spec share: reading data files, and expecting errors. */
#ifndef TESTS_UNIT_RUNTIME_SPEC_H
#define TESTS_UNIT_RUNTIME_SPEC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "runtime/spec.h"

/* tests/data/config/NAME.json; owned by the caller. */
static inline char *read_config(const char *name)
{
	OWN(buf) struct buf text = { 0 };
	OWN(file) FILE *file = NULL;
	char path[128], part[4096], *whole = NULL;
	size_t len;

	snprintf(path, sizeof(path), "tests/data/config/%s.json", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("cannot open %s: run the test in the top directory", path);
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		assert_null(buf_add(&text, part, len));
	assert_null(buf_take(&text, &whole));
	return whole;
}

static inline void expect_text(const struct err *err, const char *text, const char *input)
{
	if (!err)
		fail_msg("accepted: %.400s", input);
	if (!strstr(err_text(err), text))
		fail_msg("'%s' does not contain '%s': %.400s", err_text(err), text, input);
}

#endif
