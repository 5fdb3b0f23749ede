/* seccomp_cache.c: a filter comes back exactly, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/process/filter.h"
#include "tests/unit/child.h"

static char dir[] = "/tmp/cella-filters-XXXXXX";
static int dir_fd = -1;
static struct sock_filter insns[] = {
	{ 0x20, 0, 0, 0 }, { 0x15, 0, 1, 59 }, { 6, 0, 0, 0 }, { 6, 0, 0, 0x7fff0000 }
};
static const struct seccomp_filter filter = { .insns = insns, .count = ARRAY_SIZE(insns) };

static int make_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static int drop_dir(void **state)
{
	(void)state;
	close(dir_fd);
	err_drop(path_remove_tree(AT_FDCWD, dir));
	return 0;
}

static bool is_same(const struct seccomp_filter *other)
{
	return other->count == filter.count && memcmp(other->insns, insns, sizeof(insns)) == 0;
}

static bool loads(const char *key)
{
	OWN(seccomp_filter) struct seccomp_filter loaded = { 0 };
	struct err *err = filter_cache_load(dir_fd, key, &loaded);
	bool good = !err && is_same(&loaded);

	assert_true(err || good);
	err_drop(err);
	return good;
}

/* The one file in the directory. */
static void only_file(char *name)
{
	OWN(dir) DIR *list = opendir(dir);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.') {
			snprintf(name, 256, "%s", entry->d_name);
			count++;
		}
	assert_int_equal(count, 1);
}

static void what_was_stored_comes_back(void **state)
{
	char name[256];

	(void)state;
	assert_false(loads("key"));
	assert_true(went_well(filter_cache_store(dir_fd, "key", &filter)));
	assert_true(loads("key"));
	assert_false(loads("kex"));
	assert_false(loads("keys"));
	only_file(name);
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
}

static void every_damaged_byte_is_noticed(void **state)
{
	OWN(buf) struct buf file = { 0 };
	struct seccomp_filter loaded;

	(void)state;
	assert_null(filter_cache_format("some key", &filter, &file));
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= 0x10;
		assert_true(failed_with(
			filter_cache_parse(file.data, file.len, "some key", &loaded), ERR_INVALID));
		file.data[i] ^= 0x10;
	}
	for (size_t len = 0; len < file.len; len++)
		assert_true(failed_with(filter_cache_parse(file.data, len, "some key", &loaded),
					ERR_INVALID));
	assert_null(buf_add(&file, "", 1));
	assert_true(failed_with(filter_cache_parse(file.data, file.len, "some key", &loaded),
				ERR_INVALID));
	assert_null(filter_cache_parse(file.data, file.len - 1, "some key", &loaded));
	assert_true(is_same(&loaded));
	seccomp_filter_release(&loaded);
}

/* The same name by collision or by malice: the key inside decides. */
static void another_key_in_the_file_is_no_hit(void **state)
{
	char name[256];

	(void)state;
	OWN(buf) struct buf file = { 0 };

	assert_null(filter_cache_store(dir_fd, "mine", &filter));
	only_file(name);
	assert_null(filter_cache_format("evil", &filter, &file));
	assert_null(file_replace(dir_fd, name, 0600, file.data, file.len));
	assert_false(loads("mine"));
	assert_null(filter_cache_store(dir_fd, "mine", &filter));
	assert_true(loads("mine"));
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
}

static void only_our_own_files_are_read(void **state)
{
	char name[256];

	(void)state;
	assert_null(filter_cache_store(dir_fd, "key", &filter));
	only_file(name);
	assert_int_equal(fchmodat(dir_fd, name, 0620, 0), 0);
	assert_false(loads("key"));
	assert_int_equal(fchmodat(dir_fd, name, 0600, 0), 0);
	assert_true(loads("key"));
	if (geteuid() == 0) {
		assert_int_equal(fchownat(dir_fd, name, 1000, 0, 0), 0);
		assert_false(loads("key"));
		assert_int_equal(fchownat(dir_fd, name, 0, 0, 0), 0);
	}
	assert_int_equal(renameat(dir_fd, name, dir_fd, "real"), 0);
	assert_int_equal(symlinkat("real", dir_fd, name), 0);
	assert_false(loads("key"));
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
	assert_int_equal(mkfifoat(dir_fd, name, 0600), 0);
	assert_false(loads("key"));
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
	assert_int_equal(unlinkat(dir_fd, "real", 0), 0);
}

static void a_directory_open_to_others_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(fchmod(dir_fd, 0770), 0);
	assert_true(failed_with(filter_cache_store(dir_fd, "key", &filter), ERR_INVALID));
	assert_int_equal(fchmod(dir_fd, 0700), 0);
	assert_true(went_well(filter_cache_store(dir_fd, "key", &filter)));
	assert_true(loads("key"));
	assert_int_equal(fchmod(dir_fd, 0701), 0);
	assert_false(loads("key"));
	assert_int_equal(fchmod(dir_fd, 0700), 0);
}

static size_t count_files(void)
{
	OWN(dir) DIR *list = opendir(dir);
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(list)))
		count += entry->d_name[0] != '.';
	return count;
}

static void the_oldest_make_room(void **state)
{
	char key[32];

	(void)state;
	for (int i = 0; i < FILTER_CACHE_FILES_MAX + 10; i++) {
		const struct timespec pause = {
			.tv_nsec = 5000000
		}; /* file times have the grain of a clock tick */

		snprintf(key, sizeof(key), "profile %d", i);
		assert_true(went_well(filter_cache_store(dir_fd, key, &filter)));
		assert_true(loads(key));
		nanosleep(&pause, NULL);
	}
	assert_int_equal(count_files(), FILTER_CACHE_FILES_MAX);
	assert_false(loads("profile 0"));
	assert_false(loads("profile 9"));
	assert_true(loads("profile 20"));
	/* again and again the same one empties nothing but a place */
	assert_true(went_well(filter_cache_store(dir_fd, key, &filter)));
	assert_int_equal(count_files(), FILTER_CACHE_FILES_MAX - 1);
	assert_true(went_well(filter_cache_store(dir_fd, key, &filter)));
	assert_int_equal(count_files(), FILTER_CACHE_FILES_MAX - 1);
	assert_true(loads("profile 20"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_stored_comes_back),
		cmocka_unit_test(every_damaged_byte_is_noticed),
		cmocka_unit_test(another_key_in_the_file_is_no_hit),
		cmocka_unit_test(only_our_own_files_are_read),
		cmocka_unit_test(a_directory_open_to_others_is_not_used),
		cmocka_unit_test(the_oldest_make_room),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
