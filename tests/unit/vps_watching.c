/* The console's escape, and when a VPS that ended starts again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/vps/escape.h"
#include "runtime/vps/watcher.h"

/* Feed in pieces of the given size; the wish met, and everything that went out. */
static enum escape_wish feed(const char *in, size_t piece, char *out)
{
	struct escape escape = { 0 };
	size_t at = 0, len = strlen(in), total = 0;

	while (at < len) {
		size_t part = len - at < piece ? len - at : piece, out_len, used;
		enum escape_wish wish =
			escape_feed(&escape, in + at, part, out + total, &out_len, &used);

		total += out_len;
		out[total] = '\0';
		assert_true(used > 0 && used <= part);
		at += used;
		if (wish == ESCAPE_LEAVE)
			return wish;
	}
	out[total] = '\0';
	return ESCAPE_NOTHING;
}

static void escapes(void **state)
{
	static const struct {
		const char *in, *out;
		enum escape_wish wish;
	} rows[] = {
		{ "~.", "", ESCAPE_LEAVE },
		{ "ls\r~.x", "ls\r", ESCAPE_LEAVE },
		{ "ls ~.", "ls ~.", ESCAPE_NOTHING },
		{ "~~.", "~.", ESCAPE_NOTHING },
		{ "~x\n~.", "~x\n", ESCAPE_LEAVE },
		{ "~?a", "a", ESCAPE_NOTHING },
		{ "~\r~.", "~\r", ESCAPE_LEAVE },
		{ "~", "", ESCAPE_NOTHING },
		{ "\n\n~~~\n", "\n\n~~\n", ESCAPE_NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t piece = 1; piece < 8; piece++) {
			char out[64] = "";

			assert_int_equal(feed(rows[i].in, piece, out), rows[i].wish);
			assert_string_equal(out, rows[i].out);
		}
}

static void endings(void **state)
{
	enum ending ending;
	struct err *err;

	(void)state;
	assert_null(ending_parse("reboot", &ending));
	assert_int_equal(ending, ENDED_REBOOT);
	assert_null(ending_parse("exit-0", &ending));
	assert_int_equal(ending, ENDED_WELL);
	assert_null(ending_parse("exit-1", &ending));
	assert_int_equal(ending, ENDED_BADLY);
	assert_null(ending_parse("signal-9", &ending));
	assert_int_equal(ending, ENDED_BADLY);
	err = ending_parse("sleep", &ending);
	assert_non_null(err);
	err_drop(err);
}

static void restarts_by_policy(void **state)
{
	static const struct {
		uint64_t policy;
		enum ending ending;
		bool again;
	} rows[] = {
		{ VPS_UNSET, ENDED_BADLY, false },
		{ VPS_UNSET, ENDED_REBOOT, true },
		{ VPS_RESTART_NO, ENDED_BADLY, false },
		{ VPS_RESTART_ON_FAILURE, ENDED_BADLY, true },
		{ VPS_RESTART_ON_FAILURE, ENDED_HALT, false },
		{ VPS_RESTART_ON_FAILURE, ENDED_WELL, false },
		{ VPS_RESTART_ON_FAILURE, ENDED_UNKNOWN, false },
		{ VPS_RESTART_ALWAYS, ENDED_HALT, true },
		{ VPS_RESTART_ALWAYS, ENDED_UNKNOWN, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t restarts = 0;
		int64_t pause_s = restart_pause_s(rows[i].policy, rows[i].ending, 5, &restarts);

		assert_int_equal(pause_s >= 0, rows[i].again);
	}
}

static void backs_off(void **state)
{
	static const int64_t pauses[] = { 1, 2, 4, 8, 16, 32, 64, 64 };
	uint64_t restarts = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++)
		assert_int_equal(restart_pause_s(VPS_RESTART_ALWAYS, ENDED_BADLY, 59, &restarts),
				 pauses[i]);
	assert_int_equal(restart_pause_s(VPS_RESTART_ALWAYS, ENDED_BADLY, 60, &restarts), 1);
	assert_int_equal(restart_pause_s(VPS_RESTART_ALWAYS, ENDED_BADLY, 1, &restarts), 2);
	assert_int_equal(restart_pause_s(VPS_RESTART_NO, ENDED_REBOOT, 1, &restarts), 1);
	assert_int_equal(restarts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(endings),
		cmocka_unit_test(restarts_by_policy),
		cmocka_unit_test(backs_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
