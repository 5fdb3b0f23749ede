/* gvariant.h: values that annotations use, and everything near them that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cgroups/gvariant.h"

static const struct {
	const char *text;
	char type;
	uint64_t number; /* of the last item */
} numbers[] = {
	{ "5", 'i', 5 },
	{ "-5", 'i', (uint64_t)-5 },
	{ "0x10", 'i', 16 },
	{ "uint64 18446744073709551615", 't', UINT64_MAX },
	{ "@t 7", 't', 7 },
	{ "byte 255", 'y', 255 },
	{ "int16 -32768", 'n', (uint64_t)-32768 },
	{ "int64 -9223372036854775808", 'x', (uint64_t)INT64_MIN },
	{ "true", 'b', 1 },
	{ "boolean false", 'b', 0 },
	{ " [ uint32 1 , 2,3 ] ", 'u', 3 },
	{ "[byte 1, byte 2]", 'y', 2 },
	{ "@au [41]", 'u', 41 },
};

static void numbers_keep_their_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		OWN(variant) struct variant value = { 0 };

		assert_null(variant_parse(numbers[i].text, strlen(numbers[i].text), &value));
		assert_int_equal(value.type, numbers[i].type);
		assert_true(value.items[value.count - 1].number == numbers[i].number);
	}
}

static void text_is_unescaped(void **state)
{
	static const char *const cases[][2] = {
		{ "'a b'", "a b" },
		{ "\"it's\"", "it's" },
		{ "'\\'\\\\\\n\\u00e9\\U0001F600'", "'\\\n\xc3\xa9\xf0\x9f\x98\x80" },
		{ "string 'x'", "x" },
		{ "''", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(variant) struct variant value = { 0 };

		assert_null(variant_parse(cases[i][0], strlen(cases[i][0]), &value));
		assert_int_equal(value.type, 's');
		assert_string_equal(value.items[0].text, cases[i][1]);
	}
}

static void arrays_have_one_type(void **state)
{
	OWN(variant) struct variant value = { 0 }, empty = { 0 };

	(void)state;
	assert_null(variant_parse("['a.service', 'b.service']", 26, &value));
	assert_true(value.is_array);
	assert_int_equal(value.count, 2);
	assert_string_equal(value.items[1].text, "b.service");
	assert_null(variant_parse("@as []", 6, &empty));
	assert_int_equal(empty.type, 's');
	assert_int_equal(empty.count, 0);
}

static void everything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"5 6",
		"5x",
		"2147483648",
		"-2147483649",
		"byte 256",
		"uint32 -1",
		"'open",
		"'a\\",
		"[",
		"[]",
		"[1,",
		"[1 2]",
		"[1, 'a']",
		"['a', 1]",
		"[uint32 1, int32 2]",
		"@a",
		"@z 1",
		"@as 'a'",
		"@s ['a']",
		"True",
		"truefalse",
		"uint64",
		"-",
		"+",
		"0x",
		"1e400",
		"nan",
		"inf",
		"'\\u00'",
		"'\\u0000'",
		"'\\ud800'",
		"(1, 2)",
		"{'a': 1}",
		"just 1",
		"boolean 1",
		"string 5",
		"double 'a'",
		"99999999999999999999",
		"[1]]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct variant value = { 0 };
		struct err *err = variant_parse(bad[i], strlen(bad[i]), &value);

		if (!err)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void length_ends_the_text(void **state)
{
	OWN(variant) struct variant value = { 0 };

	(void)state;
	assert_null(variant_parse("512", 1, &value));
	assert_true(value.items[0].number == 5);
}

static void seconds_become_microseconds(void **state)
{
	static const struct {
		const char *text, *name;
		uint64_t number;
	} cases[] = {
		{ "TimeoutStopSec=5", "TimeoutStopUSec", 5000000 },
		{ "TimeoutStopSec=uint64 5", "TimeoutStopUSec", 5000000 },
		{ "TimeoutStopSec=0.5", "TimeoutStopUSec", 500000 },
		{ "TimeoutStopUSec=uint64 5", "TimeoutStopUSec", 5 },
		{ "CPUQuotaPerSecUSec=uint64 9", "CPUQuotaPerSecUSec", 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(variant) struct variant value = { 0 };
		OWN(str) char *name = NULL;

		assert_null(property_parse(cases[i].text, &name, &value));
		assert_string_equal(name, cases[i].name);
		assert_int_equal(value.type, 't');
		assert_true(value.items[0].number == cases[i].number);
	}
}

static void property_names_are_letters(void **state)
{
	static const char *const bad[] = { "=1",
					   "ab=1",
					   "Kill-Signal=1",
					   "Kill",
					   "A B C=1",
					   "TimeoutStopSec='5'",
					   "TimeoutStopSec=-1",
					   "TimeoutStopSec=true",
					   "Slice=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct variant value = { 0 };
		char *name = NULL;
		struct err *err = property_parse(bad[i], &name, &value);

		if (!err)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_keep_their_type),
		cmocka_unit_test(text_is_unescaped),
		cmocka_unit_test(arrays_have_one_type),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(length_ends_the_text),
		cmocka_unit_test(seconds_become_microseconds),
		cmocka_unit_test(property_names_are_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
