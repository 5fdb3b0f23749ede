/* json.h: the tree is what the text says, places are named, and nothing hostile gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;

	assert_null(json_parse(text, strlen(text), &doc));
	return doc;
}

static void expect_error(struct err *err, const char *text)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	if (!strstr(err_text(err), text))
		fail_msg("'%s' does not contain '%s'", err_text(err), text);
	err_drop(err);
}

static void values_are_what_was_written(void **state)
{
	static const char text[] = "{\"a\":[1,-2,18446744073709551615],\"b\":\"x\\u0041\\n\\\"\","
				   "\"c\":\"plain\",\"d\":true,\"e\":null,\"\":{}}";
	OWN(json_doc) struct json_doc *doc = parse(text);
	const struct json *root = json_root(doc), *a = json_get(root, "a");
	const char *string = NULL;
	uint64_t number = 0;
	int64_t negative = 0;
	bool truth = false;

	(void)state;
	assert_int_equal(root->count, 6);
	assert_int_equal(a->count, 3);
	assert_null(json_u64(a->child->next->next, "n", UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	assert_null(json_i64(a->child->next, NULL, &negative));
	assert_int_equal(negative, -2);
	assert_string_equal(json_get(root, "b")->text, "xA\n\"");
	assert_null(json_string(json_get(root, "c"), NULL, &string));
	assert_string_equal(string, "plain");
	assert_null(json_bool(json_get(root, "d"), NULL, &truth));
	assert_true(truth);
	assert_null(json_get(root, "e")); /* null is absent */
	assert_int_equal(json_get(root, "")->count, 0);
	assert_null(json_get(root, "z"));
	assert_null(json_get(a, "a"));
	assert_null(json_get(NULL, "a"));
}

static void containers_know_their_text(void **state)
{
	static const char text[] = " {\"a\" : [ 1, {\"b\": \"\\u0041]}\"} ] } ";
	OWN(json_doc) struct json_doc *doc = parse(text);
	const struct json *root = json_root(doc), *a = json_get(root, "a");
	const struct json *inner = a->child->next;

	(void)state;
	assert_true(root->source == text + 1);
	assert_int_equal(root->source_len, strlen(text) - 2);
	assert_memory_equal(a->source, "[ 1, {\"b\": \"\\u0041]}\"} ]", a->source_len);
	assert_memory_equal(inner->source, "{\"b\": \"\\u0041]}\"}", inner->source_len);
	assert_int_equal(inner->source_len, strlen("{\"b\": \"\\u0041]}\"}"));
}

static void places_are_named(void **state)
{
	OWN(json_doc)
	struct json_doc *doc =
		parse("{\"linux\":{\"namespaces\":[{\"type\":1},{\"type\":\"x\"}]}}");
	const struct json *list = json_get(json_get(json_root(doc), "linux"), "namespaces");
	const struct json *one = json_get(list->child, "type");
	const struct json *two = json_get(list->child->next, "type");
	OWN(strlist) struct strlist strings = { 0 };
	const char *string;
	uint64_t number = 5;
	int64_t negative;

	(void)state;
	expect_error(json_string(one, NULL, &string),
		     "linux.namespaces[0].type: expected a string, found a number");
	expect_error(json_string(one, "name", &string), "name: expected a string");
	expect_error(json_u64(two, NULL, 9, &number),
		     "linux.namespaces[1].type: expected a number");
	expect_error(json_u64(one, NULL, 0, &number), "linux.namespaces[0].type: '1' is not");
	expect_error(json_i64(list, NULL, &negative), "linux.namespaces: expected a number");
	expect_error(json_strlist(list, NULL, &strings), "linux.namespaces[0]: expected a string");
	expect_error(json_err(two, ERR_INVALID, "odd %d", 7), "linux.namespaces[1].type: odd 7");
	expect_error(json_expect(json_root(doc), JSON_ARRAY), "expected an array, found an object");
	assert_int_equal(number, 5);
}

static void bad_text_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "" },
		{ "  ", "" },
		{ "{", "" },
		{ "{} {}", "" },
		{ "{}]", "" },
		{ "{\"a\":1,}", "" },
		{ "[01]", "" },
		{ "[1.]", "" },
		{ "['a']", "" },
		{ "nul", "" },
		{ "[\"\x01\"]", "" },
		{ "[\"\xff\"]", "" },
		{ "[\"\xc3\"]", "" },
		{ "[\"a\\u0000b\"]", "NUL" },
		{ "{\"a\\u0000b\":1}", "NUL" },
		{ "{\n\"a\":1,\n\"b\":2,\n\"a\":3}", "line 4: 'a' is given twice" },
		{ "{\"x\":{\"a\":{},\"a\":{}}}", "'a' is given twice" },
		{ "[\n\n}", "line 3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		OWN(json_doc) struct json_doc *doc = NULL;
		struct err *err = json_parse(bad[i].text, strlen(bad[i].text), &doc);

		if (!err)
			fail_msg("accepted: %s", bad[i].text);
		expect_error(err, bad[i].why);
	}
}

static void twins_are_found_in_large_objects(void **state)
{
	for (int twin = 0; twin < 2; twin++) {
		OWN(json_doc) struct json_doc *doc = NULL;
		OWN(buf) struct buf text = { 0 };

		(void)state;
		assert_null(buf_add(&text, "{", 1));
		for (int i = 0; i < 100000; i++)
			assert_null(buf_format(&text, "\"key%d\":%d,", i, i));
		assert_null(buf_format(&text, "\"key%d\":0}", twin ? 70000 : 100000));
		if (twin)
			expect_error(json_parse(text.data, text.len, &doc),
				     "'key70000' is given twice");
		else
			assert_null(json_parse(text.data, text.len, &doc));
	}
}

static void depth_and_size_have_limits(void **state)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(str) char *large = malloc(JSON_TEXT_MAX + 1);
	char deep[200];

	(void)state;
	memset(deep, '[', 64);
	memset(deep + 64, ']', 64);
	assert_null(json_parse(deep, 128, &doc));
	memset(deep, '[', 65);
	expect_error(json_parse(deep, 65, &doc), "nested too deep");
	assert_non_null(large);
	memset(large, ' ', JSON_TEXT_MAX + 1);
	expect_error(json_parse(large, JSON_TEXT_MAX + 1, &doc), "larger than");
}

static void text_need_not_end_with_nul(void **state)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	char *tight = malloc(5);

	(void)state;
	assert_non_null(tight);
	memcpy(tight, "\"abc\"", 5);
	assert_null(json_parse(tight, 5, &doc)); /* ASan watches the byte behind */
	assert_string_equal(json_root(doc)->text, "abc");
	free(tight);
	assert_string_equal(json_root(doc)->text, "abc");
}

static void writing_quotes_and_repairs(void **state)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(json_doc) struct json_doc *doc = parse("{\"a\":[1,2.5e3,null,false,\"\\n\"],\"b\":{}}");
	OWN(str) char *text = NULL;

	(void)state;
	assert_null(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "q\"\n");
	json_out_string(out, "\xff\xc3\xa9");
	json_out_key(out, "u");
	json_out_u64(out, UINT64_MAX);
	json_out_key(out, "i");
	json_out_i64(out, INT64_MIN);
	json_out_key(out, "v");
	json_out_value(out, json_root(doc));
	json_out_end_object(out);
	assert_null(json_out_take(out, &text));
	assert_string_equal(text,
			    "{\"q\\\"\\n\":\"\xef\xbf\xbd\xc3\xa9\",\"u\":18446744073709551615,"
			    "\"i\":-9223372036854775808,"
			    "\"v\":{\"a\":[1,2.5e3,null,false,\"\\n\"],\"b\":{}}}");
}

static void wrong_nesting_is_reported(void **state)
{
	OWN(json_out) struct json_out *out = NULL;
	char *text = NULL;
	struct err *err;

	(void)state;
	assert_null(json_out_new(false, &out));
	json_out_object(out);
	json_out_u64(out, 1); /* a value where a key belongs */
	err = json_out_take(out, &text);
	assert_non_null(err);
	assert_null(text);
	err_drop(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_what_was_written),
		cmocka_unit_test(containers_know_their_text),
		cmocka_unit_test(places_are_named),
		cmocka_unit_test(bad_text_is_refused_with_its_line),
		cmocka_unit_test(twins_are_found_in_large_objects),
		cmocka_unit_test(depth_and_size_have_limits),
		cmocka_unit_test(text_need_not_end_with_nul),
		cmocka_unit_test(writing_quotes_and_repairs),
		cmocka_unit_test(wrong_nesting_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
