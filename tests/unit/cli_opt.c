/* opt.h and cmd.h: every spelling of an option, and every way to get one wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "cli/cmd.h"

static const char *const formats[] = { "table", "json", NULL };

struct sample {
	bool all, quiet, bell;
	const char *name;
	struct strlist env;
	uint64_t bytes, wait_ms;
	int format;
};

static const struct opt sample_rows[] = {
	{ "all", 'a', NULL, "everything", offsetof(struct sample, all), opt_flag },
	{ "quiet", 'q', NULL, "say less", offsetof(struct sample, quiet), opt_flag },
	{ "no-bell", 0, NULL, "no noise", offsetof(struct sample, bell), opt_off },
	{ "name", 'n', "NAME", "its name", offsetof(struct sample, name), opt_string },
	{ "env", 'e', "K=V", "a variable", offsetof(struct sample, env), opt_strlist },
	{ "size", 's', "BYTES", "how much", offsetof(struct sample, bytes), opt_bytes },
	{ "wait", 'w', "TIME", "how long", offsetof(struct sample, wait_ms), opt_duration },
	{ "format", 'f', "FORMAT", "table or json", offsetof(struct sample, format), opt_choice,
	  formats },
};

static void own_sample(struct sample *sample)
{
	strlist_release(&sample->env);
}

#define WORDS(...) ((char *const[]){ __VA_ARGS__, NULL })
#define W(text) ((char *)(uintptr_t)(text))

static struct err *parse(char *const *argv, size_t stop_after, struct sample *sample,
			 struct opt_args *args)
{
	struct opt_walk walk = { OPT_TABLE(sample_rows), argv, .stop_after = stop_after };

	*sample = (struct sample){ .bell = true };
	return opt_parse_all(&walk, sample, args);
}

static void every_spelling_is_read(void **state)
{
	OWN(sample) struct sample s;
	OWN(opt_args) struct opt_args args = { 0 };
	char *const *argv = WORDS(W("-aq"), W("x"), W("--name=n=1"), W("-eA=1"), W("-e"), W("B=2"),
				  W("--env"), W("-C"), W("-e=D=4"), W("-no-bell"), W("-size=2k"),
				  W("-w5s"), W("--format"), W("json"), W("y"), W("--"), W("-a"));

	(void)state;
	assert_null(parse(argv, 0, &s, &args));
	assert_true(s.all && s.quiet && !s.bell);
	assert_string_equal(s.name, "n=1");
	assert_int_equal(s.env.count, 4);
	assert_string_equal(s.env.items[0], "A=1");
	assert_string_equal(s.env.items[1], "B=2");
	assert_string_equal(s.env.items[2], "-C");
	assert_string_equal(s.env.items[3], "D=4");
	assert_true(s.bytes == 2048 && s.wait_ms == 5000 && s.format == 1);
	assert_int_equal(args.count, 3);
	assert_string_equal(args.items[0], "x");
	assert_string_equal(args.items[1], "y");
	assert_string_equal(args.items[2], "-a");
	assert_null(args.items[3]);
}

static void options_of_a_wrapped_command_are_left_alone(void **state)
{
	OWN(sample) struct sample s;
	OWN(opt_args) struct opt_args args = { 0 };

	(void)state;
	assert_null(parse(WORDS(W("-q"), W("ct"), W("ls"), W("-a"), W("--"), W("--help")), 1, &s,
			  &args));
	assert_true(s.quiet && !s.all);
	assert_int_equal(args.count, 5);
	assert_string_equal(args.items[3], "--");
}

static void flags_take_go_values_and_the_last_one_wins(void **state)
{
	OWN(sample) struct sample s;
	OWN(opt_args) struct opt_args args = { 0 };

	(void)state;
	assert_null(parse(WORDS(W("--all"), W("--all=false"), W("--quiet=true"), W("-n"), W("a"),
				W("-n"), W("b"), W("-"), W("--name="), W("--no-bell=false")),
			  0, &s, &args));
	assert_true(!s.all && s.quiet && s.bell);
	assert_string_equal(s.name, "");
	assert_string_equal(args.items[0], "-");
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *words[3];
		const char *text;
	} cases[] = {
		{ { "--nonsense" }, "unknown option --nonsense" },
		{ { "--nam=x" }, "unknown option --nam=x" },
		{ { "-aZ" }, "unknown option -Z" },
		{ { "--name" }, "--name: needs a value NAME" },
		{ { "-qn" }, "--name: needs a value NAME" },
		{ { "--all=maybe" }, "--all: 'maybe' is neither yes nor no" },
		{ { "--size=12Q" }, "--size: '12Q' is not a size such as 512M or 2G" },
		{ { "--wait", "5 s" }, "--wait: '5 s' is not a time such as 500ms, 5s or 2m" },
		{ { "--wait", "s" }, "--wait: 's' is not a time such as 500ms, 5s or 2m" },
		{ { "-f", "xml" }, "--format: 'xml' is none of table, json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(sample) struct sample s;
		OWN(opt_args) struct opt_args args = { 0 };
		OWN(err)
		struct err *err =
			parse(WORDS(W(cases[i].words[0]), W(cases[i].words[1])), 0, &s, &args);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		assert_string_equal(err_text(err), cases[i].text);
	}
}

static struct err *sample_run(const struct cmd_call *call, int *ret_status)
{
	OWN(sample) struct sample s = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	TRY(cmd_parse(call, &s, &args));
	*ret_status = (int)args.count;
	return NULL;
}

static const struct cmd cmd_sample = {
	.name = "work",
	.args = "THING [HOW]",
	.summary = "do it",
	.opts = OPT_TABLE(sample_rows),
	.run = sample_run,
	.min_args = 1,
	.max_args = 2,
	.failure_status = 9,
};
static const struct cmd *const sample_cmds[] = { &cmd_sample };
static const struct program sample_program = {
	.name = "prog",
	.summary = "Does things.",
	.opts = OPT_TABLE(sample_rows),
	.cmds = sample_cmds,
	.cmd_count = ARRAY_SIZE(sample_cmds),
};

/* Parse and run; *ret_status as main would exit. */
static struct err *call_program(char *const *argv, int *ret_status)
{
	OWN(sample) struct sample global = { 0 };
	struct cmd_call call;
	bool done;

	TRY(program_parse(&sample_program, argv, &global, &call, &done));
	assert_false(done);
	return cmd_run(&call, ret_status);
}

static void a_command_is_found_behind_global_options(void **state)
{
	int status = -1;

	(void)state;
	assert_null(call_program(WORDS(W("prog"), W("-n"), W("work"), W("work"), W("a"), W("b")),
				 &status));
	assert_int_equal(status, 2);
}

static void usage_errors_are_one_line_with_a_pointer(void **state)
{
	static const struct {
		const char *words[5];
		const char *text;
	} cases[] = {
		{ { "prog", "play" }, "unknown command 'play'; see 'prog --help'" },
		{ { "prog", "-Z" }, "unknown option -Z; see 'prog --help'" },
		{ { "prog", "work" },
		  "work: an argument is missing: THING [HOW]; see 'prog work --help'" },
		{ { "prog", "work", "a", "b", "c" },
		  "work: an argument too many: 'c' (wanted: THING [HOW]); see 'prog work --help'" },
		{ { "prog", "work", "a", "--zip" },
		  "work: unknown option --zip; see 'prog work --help'" },
	};
	int status;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const *w = cases[i].words;
		OWN(err)
		struct err *err =
			call_program(WORDS(W(w[0]), W(w[1]), W(w[2]), W(w[3]), W(w[4])), &status);

		assert_non_null(err);
		assert_string_equal(err_text(err), cases[i].text);
		assert_int_equal(cmd_status(&sample_program, &cmd_sample, err), 1);
	}
}

static void a_command_may_have_its_own_failure_status(void **state)
{
	OWN(err) struct err *err = err_new(ERR_STATE, "no");

	(void)state;
	assert_int_equal(cmd_status(&sample_program, &cmd_sample, err), 9);
	assert_int_equal(cmd_status(&sample_program, NULL, err), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_read),
		cmocka_unit_test(options_of_a_wrapped_command_are_left_alone),
		cmocka_unit_test(flags_take_go_values_and_the_last_one_wins),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_command_is_found_behind_global_options),
		cmocka_unit_test(usage_errors_are_one_line_with_a_pointer),
		cmocka_unit_test(a_command_may_have_its_own_failure_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
