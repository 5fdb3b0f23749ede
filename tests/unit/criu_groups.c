/* Control groups beside a checkpoint: what is written and read, and which mounts are parts of the
 * tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "migrate-criu/groups.h"

static void what_was_written_is_read(void **state)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 }, again = { 0 };
	OWN(str) char *text = NULL;

	(void)state;
	assert_null(cgroup_steps_add(&steps, CGROUP_STEP_MAKE, "a b", "", "1:2"));
	assert_null(
		cgroup_steps_add(&steps, CGROUP_STEP_SET, "a b", "io.max", "8:0 rbps=1\n8:1 x"));
	assert_null(cr_groups_format(&steps, &text));
	assert_string_equal(text, "[[\"make\",\"a b\",\"\",\"1:2\"],"
				  "[\"set\",\"a b\",\"io.max\",\"8:0 rbps=1\\n8:1 x\"]]");
	assert_null(cr_groups_parse(text, strlen(text), &again));
	assert_int_equal(again.count, 2);
	assert_int_equal(again.items[1].kind, CGROUP_STEP_SET);
	assert_string_equal(again.items[1].value, "8:0 rbps=1\n8:1 x");
}

static void other_names_are_refused(void **state)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	OWN(err) struct err *err = NULL;
	char *text = NULL;

	(void)state;
	assert_null(cgroup_steps_add(&steps, CGROUP_STEP_MAKE, "caf\xc3\xa9", "", "1:2"));
	err = cr_groups_format(&steps, &text);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_UNSUPPORTED);
}

static void ways_out_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[[\"make\",\"a\",\"\"]]",
		"[[\"made\",\"a\",\"\",\"1:2\"]]",
		"[[\"make\",\"\",\"\",\"1:2\"]]",
		"[[\"make\",\"/a\",\"\",\"1:2\"]]",
		"[[\"make\",\"a/../../b\",\"\",\"1:2\"]]",
		"[[\"make\",\"a/\",\"\",\"1:2\"]]",
		"[[\"make\",\"..\",\"\",\"1:2\"]]",
		"[[\"make\",\"a\",\"b\",\"1:2\"]]",
		/* limits of the container's own cgroup are the host's */
		"[[\"set\",\"\",\"memory.max\",\"max\"]]",
		"[[\"own\",\"\",\"memory.max\",\"1:2\"]]",
		"[[\"own\",\"a\",\"..\",\"1:2\"]]",
		"[[\"set\",\"a\",\"../memory.max\",\"max\"]]",
		"[[\"enable\",\"\",\"memory.max\",\"max\"]]",
		"[[\"mark\",\"a\",\"trusted.x\",\"1\"]]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cgroup_steps steps = { 0 };
		OWN(err) struct err *err = cr_groups_parse(bad[i], strlen(bad[i]), &steps);

		if (!err)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(err_kind(err), ERR_INVALID);
	}
}

static void parts_of_the_tree_are_known(void **state)
{
	static const struct {
		const char *line, *root; /* NULL: none */
	} lines[] = {
		{ "246 225 0:27 /c/deb/s\\134x2d\\040a/memory.pressure /sys/fs/x ro shared:1 - "
		  "cgroup2 cgroup2 rw\n",
		  "/s\\x2d a/memory.pressure" },
		{ "225 224 0:27 /c/deb /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", NULL },
		{ "225 224 0:27 /c/debian/a /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", NULL },
		{ "225 224 0:27 /c/deb/a /mnt ro - tmpfs x rw\n1 2 0:1 / / - cgroup2 x rw\n",
		  NULL },
		{ "225 224", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		OWN(str) char *root = NULL;
		uint32_t id = 0;

		assert_null(cr_group_mount_parse(lines[i].line, "/c/deb", &id, &root));
		assert_int_equal(root != NULL, lines[i].root != NULL);
		if (root)
			assert_string_equal(root, lines[i].root);
		if (root)
			assert_int_equal(id, 246);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(ways_out_are_refused),
		cmocka_unit_test(parts_of_the_tree_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
