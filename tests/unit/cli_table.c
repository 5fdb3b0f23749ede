/* table.h: alignment, escapes and units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "cli/table.h"

static const struct table_column columns[] = { { "NAME" }, { "PIDS", TABLE_RIGHT }, { "NOTE" } };

static void columns_line_up(void **state)
{
	OWN(table) struct table table = { .columns = columns, .column_count = 3 };
	OWN(buf) struct buf text = { 0 };

	(void)state;
	assert_null(table_add(&table, "f\xc3\xbcnf"));
	assert_null(table_addf(&table, "%d", 12345));
	assert_null(table_add(&table, NULL));
	assert_null(table_add(&table, "a"));
	assert_null(table_addf(&table, "%d", 7));
	assert_null(table_add(&table, "\033[31m"));
	assert_null(table_render(&table, &text));
	assert_string_equal(text.data, "NAME   PIDS  NOTE\n"
				       "f\xc3\xbcnf  12345  -\n"
				       "a         7  \\x1b[31m\n");
}

static void columns_can_be_at_least_so_wide(void **state)
{
	OWN(table)
	struct table table = {
		.columns = columns, .column_count = 3, .min_width = 8, .padding = 3
	};
	OWN(buf) struct buf text = { 0 };

	(void)state;
	assert_null(table_render(&table, &text));
	assert_string_equal(text.data, "NAME     PIDS   NOTE\n");
}

static void sizes_are_short(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },
		{ 1023, "1023B" },
		{ 1024, "1K" },
		{ 1536, "1.5K" },
		{ 10240, "10K" },
		{ 1048575, "1023K" },
		{ 1048576, "1M" },
		{ (uint64_t)3435973837, "3.1G" },
		{ UINT64_MAX - 2, "15E" },
		{ UINT64_MAX - 1, "max" },
		{ UINT64_MAX, "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(unit_bytes(cases[i].bytes).text, cases[i].text);
}

static void times_are_readable(void **state)
{
	(void)state;
	assert_string_equal(unit_duration(59).text, "59s");
	assert_string_equal(unit_duration(3599).text, "59m");
	assert_string_equal(unit_duration(3660).text, "1h01m");
	assert_string_equal(unit_duration(90000).text, "1d01h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_line_up),
		cmocka_unit_test(columns_can_be_at_least_so_wide),
		cmocka_unit_test(sizes_are_short),
		cmocka_unit_test(times_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
