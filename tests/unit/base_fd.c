/* Copying a range from one file to another, also where copy_file_range(2) does not lead. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/own.h"

#define TEXT "0123456789"

static int file_of(const char *text)
{
	int fd = memfd_create("base_fd", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_null(fd_write_all(fd, "the test's file", text, strlen(text)));
	return fd;
}

static void expect(int fd, const char *wanted)
{
	char got[64] = "";

	assert_int_equal(pread(fd, got, sizeof(got) - 1, 0), strlen(wanted));
	assert_string_equal(got, wanted);
}

static void copies_to(int to_fd)
{
	OWN(fd) int from_fd = file_of(TEXT);
	struct err *err;

	assert_null(fd_write_all(to_fd, "the test's file", "abcdefghij", 10));
	assert_null(fd_copy_range(from_fd, to_fd, "the test's file", 3, 6));
	expect(to_fd, "abc345ghij");
	assert_null(fd_copy_range(from_fd, to_fd, "the test's file", 5, 5));
	expect(to_fd, "abc345ghij");
	assert_null(fd_copy_range(from_fd, to_fd, "the test's file", 0, 10));
	expect(to_fd, TEXT);
	err = fd_copy_range(from_fd, to_fd, "the test's file", 0, 11);
	assert_int_equal(err_kind(err), ERR_STATE);
	err_drop(err);
}

static void within_one_file_system(void **state)
{
	OWN(fd) int to_fd = memfd_create("base_fd", MFD_CLOEXEC);

	(void)state;
	copies_to(to_fd);
}

static void between_file_systems(void **state)
{
	char path[] = "base_fd.XXXXXX";
	OWN(fd) int to_fd = mkostemp(path, O_CLOEXEC);

	(void)state;
	assert_true(to_fd >= 0);
	unlink(path);
	copies_to(to_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_one_file_system),
		cmocka_unit_test(between_file_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
