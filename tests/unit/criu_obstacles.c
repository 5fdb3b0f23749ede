/* What CRIU cannot take is known by its link in /proc/PID/fd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "migrate-criu/obstacles.h"

static void files_are_told_apart(void **state)
{
	(void)state;
	assert_string_equal(cr_untaken_file("anon_inode:[io_uring]"), "an io_uring");
	assert_string_equal(cr_untaken_file("anon_inode:bpf-prog"), "a BPF object");
	assert_string_equal(cr_untaken_file("/dev/fuse"), "a FUSE connection");
	assert_null(cr_untaken_file("anon_inode:[eventfd]"));
	assert_null(cr_untaken_file("/dev/null"));
	assert_null(cr_untaken_file(""));
}

static void file_systems_are_told_apart(void **state)
{
	(void)state;
	assert_true(cr_untaken_mount("fuse"));
	assert_true(cr_untaken_mount("fuse.sshfs"));
	assert_true(cr_untaken_mount("ramfs"));
	assert_false(cr_untaken_mount("fuse.lxcfs"));
	assert_false(cr_untaken_mount("fusectl"));
	assert_false(cr_untaken_mount("tmpfs"));
	assert_false(cr_untaken_mount(""));
}

static void units_are_found(void **state)
{
	static const struct {
		const char *cgroup, *unit; /* NULL: none */
	} cases[] = {
		{ "0::/c/deb/system.slice/ssh.service\n", "ssh.service" },
		{ "1:cpu:/x\n0::/c/deb/u.slice/a.service/b.scope/in\n", "b.scope" },
		{ "0::/c/deb/init.scope\n", "init.scope" },
		/* the container's own is none of its units */
		{ "0::/c/deb\n", NULL },
		{ "0::/c/deb.scope/x.service\n", NULL },
		{ "0::/other/x.service\n", NULL },
		{ "0::/c/deb/.service\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(str) char *unit = NULL;

		assert_null(cr_unit_name(cases[i].cgroup, "/c/deb", &unit));
		if (cases[i].unit)
			assert_string_equal(unit ? unit : "none", cases[i].unit);
		else
			assert_null(unit);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_told_apart),
		cmocka_unit_test(file_systems_are_told_apart),
		cmocka_unit_test(units_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
