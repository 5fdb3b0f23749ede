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

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(files_are_told_apart) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
