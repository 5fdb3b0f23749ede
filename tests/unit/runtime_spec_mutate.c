/*
 * Mutations: every value of real configs replaced by values of every type. The answer must be
 * success or one line that begins with a property's name; memory errors are the sanitizers'
 * business.
 */
#include "tests/unit/runtime_spec.h"

#include "base/log.h"
#include "runtime/spec/tables.h"

static const char *const replacements[] = {
	"null",
	"true",
	"0",
	"-1",
	"4294967296",
	"18446744073709551616",
	"1.5",
	"\"\"",
	"\"x\"",
	"\"/\"",
	"\"/../../etc/passwd\"",
	"\"a\\nb\\u0001\"",
	"\"%s%n\"",
	"[]",
	"[null]",
	"[\"x\"]",
	"[[1]]",
	"[{}]",
	"{}",
	"{\"x\":1}",
	"{\"x\":\"y\"}",
	"{\"x\":{\"x\":{}}}",
};

/* Long lists of plain strings hold nothing new after the first few. */
#define STRINGS_MUTATED 3

struct trial {
	struct json_doc *doc;
	size_t runs, refused;
};

static bool begins_with_property(const char *said)
{
	for (size_t i = 0; i < spec_table.count; i++) {
		const char *name = spec_table.rows[i].name;
		size_t len = strlen(name);

		if (strncmp(said, name, len) == 0 && strchr(".:[", said[len]))
			return true;
	}
	return false;
}

static void check_answer(const struct err *err, const char *text)
{
	const char *said = err_text(err);

	if (err_kind(err) != ERR_INVALID && err_kind(err) != ERR_UNSUPPORTED)
		fail_msg("kind %d: %s", (int)err_kind(err), said);
	if (!begins_with_property(said) && !str_has_prefix(said, "expected an object"))
		fail_msg("'%s' names no property: %.300s", said, text);
}

static void run(struct trial *trial)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;
	OWN(err) struct err *err = NULL;
	OWN(spec) struct spec spec;

	spec_init(&spec);
	assert_null(json_out_new(false, &out));
	json_out_value(out, json_root(trial->doc));
	assert_null(json_out_take(out, &text));
	err = spec_parse(text, strlen(text), "/bundle", &spec);
	trial->runs++;
	trial->refused += err != NULL;
	if (err)
		check_answer(err, text);
}

static void replace_each_way(struct trial *trial, const struct json *value)
{
	struct json *place = (struct json *)(uintptr_t)value; /* the tree is the test's own */
	struct json kept = *place;

	for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
		OWN(json_doc) struct json_doc *doc = NULL;

		assert_null(json_parse(replacements[i], strlen(replacements[i]), &doc));
		*place = *json_root(doc);
		place->key = kept.key;
		place->next = kept.next;
		place->parent = kept.parent;
		run(trial);
		*place = kept;
	}
}

static void mutate(struct trial *trial, const struct json *value)
{
	size_t strings = 0;

	replace_each_way(trial, value);
	for (const struct json *item = value->child; item; item = item->next) {
		bool is_listed = value->type == JSON_ARRAY && item->type == JSON_STRING;

		if (!is_listed || strings++ < STRINGS_MUTATED)
			mutate(trial, item);
	}
}

static void mutate_file(const char *name)
{
	OWN(str) char *text = read_config(name);
	OWN(json_doc) struct json_doc *doc = NULL;
	struct trial trial = { 0 };

	assert_null(json_parse(text, strlen(text), &doc));
	trial.doc = doc;
	mutate(&trial, json_root(doc));
	print_message("%s: %zu mutations, %zu refused\n", name, trial.runs, trial.refused);
	assert_true(trial.runs > 1000);
	assert_true(trial.refused > trial.runs / 2);
	assert_true(trial.refused < trial.runs);
}

static void everything(void **state)
{
	(void)state;
	mutate_file("everything");
}

static void of_runc(void **state)
{
	(void)state;
	mutate_file("runc-rootless");
}

static void of_containerd(void **state)
{
	(void)state;
	mutate_file("containerd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(of_runc),
		cmocka_unit_test(of_containerd),
	};
	/* warnings about capabilities are not what is looked at here */
	const struct log_config quiet = { .fd = -1, .level = LOG_LEVEL_ERROR };

	log_setup(&quiet);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
