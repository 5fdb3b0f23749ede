/* Replacing a file: what is synced in which order, whose it is, and what a killed replacement
 * leaves. */
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"

static char dir[] = "/tmp/base_file.XXXXXX";
static int dir_fd = -1;

/* What was synced, in order, and whether the file had its name by then. */
static struct synced {
	ino_t inode;
	bool named;
} synced[4];
static size_t sync_count;

/* These stand before the library's. */
int fsync(int fd)
{
	struct stat st;

	assert_true(sync_count < ARRAY_SIZE(synced));
	assert_return_code(fstat(fd, &st), 0);
	synced[sync_count++] =
		(struct synced){ st.st_ino, faccessat(dir_fd, "file", F_OK, 0) == 0 };
	return 0;
}

/* Wherever this test runs. */
int fstatfs(int fd, struct statfs *fs)
{
	(void)fd;
	*fs = (struct statfs){ .f_type = EXT4_SUPER_MAGIC };
	return 0;
}

static int setup(void **state)
{
	(void)state;
	sync_count = 0;
	dir_fd = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return dir_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	err_drop(path_remove_tree(AT_FDCWD, dir));
	own_fd(&dir_fd);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return 0;
}

static ino_t inode_of(const char *name)
{
	struct stat st;

	assert_return_code(fstatat(dir_fd, name, &st, 0), 0);
	return st.st_ino;
}

/* The contents before the name, the name before the end. */
static void expect_synced(void)
{
	assert_int_equal(sync_count, 2);
	assert_int_equal(synced[0].inode, inode_of("file"));
	assert_false(synced[0].named);
	assert_int_equal(synced[1].inode, inode_of("."));
	assert_true(synced[1].named);
}

static void is_synced(void **state)
{
	(void)state;
	assert_null(file_replace(dir_fd, "file", 0600, "text", 4));
	expect_synced();
}

static void is_synced_by_path(void **state)
{
	OWN(str) char *path = NULL;

	(void)state;
	assert_null(str_format(&path, "%s/file", dir));
	assert_null(file_replace(AT_FDCWD, path, 0600, "text", 4));
	expect_synced();
}

static void has_its_owner(void **state)
{
	const struct stat owner = { .st_uid = 7, .st_gid = 42 };
	struct stat st;

	(void)state;
	if (geteuid() != 0) {
		print_message("gives files away: run as root\n");
		skip();
	}
	assert_null(file_put(dir_fd, &(struct file_new){ "file", 0640, &owner, "text", 4 }));
	assert_return_code(fstatat(dir_fd, "file", &st, 0), 0);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 42);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void make(const char *name)
{
	OWN(fd) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

/* Of this file alone. */
static void is_swept(void **state)
{
	static const char *const others[] = { "file", "file.tmp", "file.1x.tmp", "afile.12.tmp",
					      "file.1.tmp.old" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		make(others[i]);
	make("file.1.tmp");
	make("file.4194304.tmp");
	assert_return_code(mkdirat(dir_fd, "file.2.tmp", 0700), 0);
	assert_null(file_sweep(dir_fd, "file"));
	assert_int_equal(faccessat(dir_fd, "file.1.tmp", F_OK, 0), -1);
	assert_int_equal(faccessat(dir_fd, "file.4194304.tmp", F_OK, 0), -1);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_return_code(faccessat(dir_fd, others[i], F_OK, 0), 0);
	assert_return_code(faccessat(dir_fd, "file.2.tmp", F_OK, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_synced, setup, teardown),
		cmocka_unit_test_setup_teardown(is_synced_by_path, setup, teardown),
		cmocka_unit_test_setup_teardown(has_its_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(is_swept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
