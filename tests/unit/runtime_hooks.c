/* process/hooks.c: hooks get the state, and their failures are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/process/process.h"
#include "tests/unit/child.h"

static char dir[] = "/tmp/cella-hooks-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	err_drop(path_remove_tree(AT_FDCWD, dir));
	return 0;
}

/* A hook "sh -c SCRIPT"; its strings live as long as the test. */
#define SHELL_HOOK(script)                                                                  \
	{                                                                                   \
		.path = (char[]){ "/bin/sh" }, .args = {                                    \
			(char *[]){ (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ script }, \
				    NULL },                                                 \
			3                                                                   \
		}                                                                           \
	}

static bool file_is(const char *name, const char *text)
{
	OWN(buf) struct buf buf = { 0 };

	if (!went_well(file_read(AT_FDCWD, name, 4096, &buf)))
		return false;
	if (strcmp(buf.data, text) != 0)
		fprintf(stderr, "# %s holds '%s'\n", name, buf.data);
	return strcmp(buf.data, text) == 0;
}

static void state_comes_on_standard_input(void **state)
{
	struct hook items[] = { SHELL_HOOK("cat >one; echo noise"),
				SHELL_HOOK("cat one one >two") };
	const struct hook_list list = { items, 2 };

	(void)state;
	assert_true(went_well(hooks_run(&list, HOOK_CREATE_RUNTIME, "{\"id\":\"a\"}")));
	assert_true(file_is("one", "{\"id\":\"a\"}"));
	assert_true(file_is("two", "{\"id\":\"a\"}{\"id\":\"a\"}"));
}

static void failure_is_told_and_ends_the_row(void **state)
{
	struct hook items[] = { SHELL_HOOK("true"),
				SHELL_HOOK("echo; echo 'no \033room' >&2; echo more; exit 3"),
				SHELL_HOOK("touch ran") };
	const struct hook_list list = { items, 3 };
	struct err *err = hooks_run(&list, HOOK_POSTSTART, "{}");

	(void)state;
	assert_non_null(err);
	assert_string_equal(err_text(err),
			    "hook poststart[1] /bin/sh: exit status 3: no \\x1broom");
	err_drop(err);
	assert_int_equal(access("ran", F_OK), -1);
}

static void poststop_goes_on(void **state)
{
	struct hook items[] = { SHELL_HOOK("exit 1"), SHELL_HOOK("touch ran") };
	const struct hook_list list = { items, 2 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const struct log_config quiet = { .fd = null, .level = LOG_LEVEL_ERROR },
				loud = { .fd = -1 };

	(void)state;
	log_setup(&quiet);
	hooks_run_all(&list, HOOK_POSTSTOP, "{}");
	log_setup(&loud);
	close(null);
	assert_int_equal(unlink("ran"), 0);
}

static void a_slow_hook_is_killed(void **state)
{
	struct hook items[] = { SHELL_HOOK("exec sleep 20") };
	const struct hook_list list = { items, 1 };
	struct err *err;

	(void)state;
	items[0].timeout_ms = 100;
	err = hooks_run(&list, HOOK_PRESTART, "{}");
	assert_non_null(err);
	assert_int_equal(err_errno(err), ETIMEDOUT);
	err_drop(err);
}

static void what_cannot_run_is_an_error(void **state)
{
	struct hook missing = { .path = (char[]){ "/no/such/hook" } },
		    relative = { .path = (char[]){ "sh" } };
	const struct hook_list lists[] = { { &missing, 1 }, { &relative, 1 } }, none = { 0 };

	(void)state;
	assert_true(failed_with(hooks_run(&lists[0], HOOK_PRESTART, "{}"), ERR_SYS));
	assert_true(failed_with(hooks_run(&lists[1], HOOK_PRESTART, "{}"), ERR_INVALID));
	assert_true(went_well(hooks_run(&none, HOOK_PRESTART, "{}")));
}

/* A hook that everybody may write to, or another user, runs with root's power: not by us. */
static void what_others_could_have_written_is_refused(void **state)
{
	struct hook item = { .path = (char[PATH_MAX]){ 0 } };
	const struct hook_list list = { &item, 1 };

	(void)state;
	snprintf(item.path, PATH_MAX, "%s/program", dir);
	assert_true(went_well(file_replace(AT_FDCWD, "program", 0755, "#!/bin/sh\n", 10)));
	assert_true(went_well(hooks_run(&list, HOOK_PRESTART, "{}")));
	assert_int_equal(chmod("program", 0757), 0);
	assert_true(failed_with(hooks_run(&list, HOOK_PRESTART, "{}"), ERR_INVALID));
	/* the container's own programs are the container's business */
	assert_true(went_well(hooks_run(&list, HOOK_START_CONTAINER, "{}")));
	assert_int_equal(chmod("program", 0755), 0);
	if (chown("program", 12345, 0) == 0)
		assert_true(failed_with(hooks_run(&list, HOOK_PRESTART, "{}"), ERR_INVALID));
}

/* The operator's environment is no business of programs of the container. */
static void environment_is_as_given(void **state)
{
	char *env[] = { (char[]){ "GIVEN=1" }, NULL };
	struct hook items[] = { SHELL_HOOK("echo \"$SECRET,$GIVEN\" >env") };
	const struct hook_list list = { items, 1 };

	(void)state;
	setenv("SECRET", "operator", 1);
	assert_true(went_well(hooks_run(&list, HOOK_START_CONTAINER, "{}")));
	assert_true(file_is("env", ",\n"));
	assert_true(went_well(hooks_run(&list, HOOK_CREATE_RUNTIME, "{}")));
	assert_true(file_is("env", "operator,\n"));
	items[0].env = (struct strlist){ env, 1 };
	assert_true(went_well(hooks_run(&list, HOOK_CREATE_RUNTIME, "{}")));
	assert_true(file_is("env", ",1\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_comes_on_standard_input),
		cmocka_unit_test(failure_is_told_and_ends_the_row),
		cmocka_unit_test(poststop_goes_on),
		cmocka_unit_test(a_slow_hook_is_killed),
		cmocka_unit_test(what_cannot_run_is_an_error),
		cmocka_unit_test(what_others_could_have_written_is_refused),
		cmocka_unit_test(environment_is_as_given),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
