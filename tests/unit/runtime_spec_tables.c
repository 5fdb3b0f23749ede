/* runtime/spec/field.h: the tables are sound, and every row is really read. */
#include "tests/unit/runtime_spec.h"

#include "runtime/spec/tables.h"

typedef void visitor(const struct field *field, const struct json *value, struct json_doc *doc);

static void check_row(const struct field *field)
{
	bool is_done = field->parse && field->parse != field_refuse;

	if (!is_done != (field->why != NULL))
		fail_msg("%s: only what is not implemented needs a reason", field->name);
	if (field->required && !is_done)
		fail_msg("%s: required but not read", field->name);
	if (field->min > field->max)
		fail_msg("%s: empty range", field->name);
	if ((field->parse == field_word || field->parse == field_flags) && !field->words)
		fail_msg("%s: no words", field->name);
	if (field->parse == field_object && !field->table)
		fail_msg("%s: no table", field->name);
}

static void check_table(const struct field_table *table)
{
	assert_in_range(table->count, 1, 64);
	for (size_t i = 0; i < table->count; i++) {
		check_row(&table->rows[i]);
		if (i && strcmp(table->rows[i - 1].name, table->rows[i].name) >= 0)
			fail_msg("%s is not sorted", table->rows[i].name);
		assert_ptr_equal(fields_find(table, table->rows[i].name), &table->rows[i]);
		if (table->rows[i].table)
			check_table(table->rows[i].table);
	}
	assert_null(fields_find(table, ""));
	assert_null(fields_find(table, "~"));
}

static void tables_are_sorted_and_complete(void **state)
{
	(void)state;
	check_table(&spec_table);
}

/* The first value of a row anywhere in an array or map of objects, JSON null included. */
static const struct json *member_of(const struct json *object, const char *name)
{
	for (const struct json *member = object->child; member; member = member->next)
		if (str_eq(member->key, name))
			return member;
	return NULL;
}

static const struct json *find_value(const struct field *parent, const struct json *holder,
				     const char *name)
{
	if (!parent || parent->shape == FIELD_ONE)
		return member_of(holder, name);
	for (const struct json *item = holder->child; item; item = item->next) {
		const struct json *found = member_of(item, name);

		if (found)
			return found;
	}
	return NULL;
}

static void visit(const struct field *parent, const struct field_table *table,
		  const struct json *holder, struct json_doc *doc, visitor *see)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->rows[i];
		const struct json *value = find_value(parent, holder, field->name);

		if (!value)
			fail_msg("everything.json has no %s", field->name);
		see(field, value, doc);
		if (field->table)
			visit(field, field->table, value, doc, see);
	}
}

static void visit_everything(visitor *see)
{
	OWN(str) char *text = read_config("everything");
	OWN(json_doc) struct json_doc *doc = NULL;

	assert_null(json_parse(text, strlen(text), &doc));
	visit(NULL, &spec_table, json_root(doc), doc, see);
}

/* spec_parse() with one value of the document replaced by the JSON text new_value; the error's
 * text, or NULL; owned by the caller. */
static char *parse_with(struct json_doc *doc, const struct json *value, const char *new_value)
{
	struct json *place = (struct json *)(uintptr_t)value; /* the tree is the test's own */
	struct json kept = *place;
	OWN(json_doc) struct json_doc *new_doc = NULL;
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;
	OWN(err) struct err *err = NULL;
	OWN(spec) struct spec spec;
	char *said = NULL;

	spec_init(&spec);
	assert_null(json_parse(new_value, strlen(new_value), &new_doc));
	*place = *json_root(new_doc);
	place->key = kept.key;
	place->next = kept.next;
	place->parent = kept.parent;
	assert_null(json_out_new(false, &out));
	json_out_value(out, json_root(doc));
	assert_null(json_out_take(out, &text));
	*place = kept;
	err = spec_parse(text, strlen(text), "/bundle", &spec);
	if (err) {
		assert_true(err_kind(err) == ERR_INVALID || err_kind(err) == ERR_UNSUPPORTED);
		assert_null(str_dup(err_text(err), &said));
	}
	return said;
}

static void expect_place(const struct json *value, struct json_doc *doc, const char *new_value)
{
	OWN(str) char *said = parse_with(doc, value, new_value);
	OWN(str) char *place = NULL;

	assert_null(json_path(value, &place));
	if (!said)
		fail_msg("%s: %s was accepted", place, new_value);
	if (strncmp(said, place, strlen(place)) != 0)
		fail_msg("%s = %s: the error is '%s'", place, new_value, said);
}

static void give_wrong_types(const struct field *field, const struct json *value,
			     struct json_doc *doc)
{
	static const char *const samples[JSON_TYPE_COUNT] = {
		[JSON_BOOL] = "true",	 [JSON_NUMBER] = "7",	       [JSON_STRING] = "\"x\"",
		[JSON_ARRAY] = "[\"\"]", [JSON_OBJECT] = "{\"x\":{}}",
	};

	for (size_t type = 0; type < JSON_TYPE_COUNT; type++) {
		if (!field->parse) {
			OWN(str)
			char *said = samples[type] ? parse_with(doc, value, samples[type]) : NULL;

			if (said)
				fail_msg("%s is ignored, but: %s", field->name, said);
		} else if (samples[type] && type != value->type) {
			expect_place(value, doc, samples[type]);
		}
	}
}

static void wrong_types_are_named(void **state)
{
	(void)state;
	visit_everything(give_wrong_types);
}

static void give_extreme_numbers(const struct field *field, const struct json *value,
				 struct json_doc *doc)
{
	static const char *const bad[] = { "-99999999999999999999", "99999999999999999999", "1.5",
					   "1e2", "-9223372036854775809" };

	if (!field->parse || value->type != JSON_NUMBER)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_place(value, doc, bad[i]);
	if (field->max && field->max < INT64_MAX) {
		char text[32];

		snprintf(text, sizeof(text), "%jd", (intmax_t)field->max + 1);
		expect_place(value, doc, text);
		snprintf(text, sizeof(text), "%jd", (intmax_t)field->min - 1);
		expect_place(value, doc, text);
	}
}

static void numbers_out_of_range_are_named(void **state)
{
	(void)state;
	visit_everything(give_extreme_numbers);
}

static void give_unknown_words(const struct field *field, const struct json *value,
			       struct json_doc *doc)
{
	if (!field->words)
		return;
	if (value->type == JSON_ARRAY)
		expect_place(value, doc, "[\"NO_SUCH_WORD\"]");
	else
		expect_place(value, doc, "\"NO_SUCH_WORD\"");
}

static void unknown_words_are_named(void **state)
{
	(void)state;
	visit_everything(give_unknown_words);
}

static void leave_out(const struct field *field, const struct json *value, struct json_doc *doc)
{
	OWN(str) char *said = NULL;
	char missing[64];

	if (!field->required)
		return;
	said = parse_with(doc, value, "null");
	snprintf(missing, sizeof(missing), "%s: is missing", field->name);
	if (!said || !strstr(said, missing))
		fail_msg("%s left out: '%s'", field->name, said ? said : "accepted");
}

static void required_members_are_missed(void **state)
{
	(void)state;
	visit_everything(leave_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sorted_and_complete),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(numbers_out_of_range_are_named),
		cmocka_unit_test(unknown_words_are_named),
		cmocka_unit_test(required_members_are_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
