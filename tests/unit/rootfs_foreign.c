/*
 * Files of other systems: what a user namespace has left is counted from its root's id on, in trees
 * and in archives, and what is of nobody in it is refused by name.
 */
#include "tests/unit/rootfs_archive.h"

/* As a user namespace with ids from 100000 on has left it, and a file of the host's. */
static void foreign_ids_are_counted_from_the_root(void **state)
{
	static const char path[] = "foreign", to_path[] = "from-foreign";
	static const uid_t strangers[] = { 0, 99999, 165536, 4294967294 };
	OWN(fd) int from = fresh_dir(path), to = fresh_dir(to_path), tree = -1, root = -1;
	OWN(str) char *whole = NULL;
	struct template_counts counts;
	struct template_copy copy = { .to_fd = to, .is_foreign = true };
	uint32_t first;
	struct stat st;

	(void)state;
	must(str_format(&whole, "%s/%s", scratch, path));
	assert_int_equal(mknodat(from, "file", S_IFREG | 0640, 0), 0);
	assert_int_equal(fchownat(from, "file", 100033, 165535, 0), 0);
	assert_int_equal(fchown(from, 100000, 100000), 0);
	must(disk_open_foreign(whole, &first, &tree));
	assert_int_equal(first, 100000);
	root = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(openat(tree, "file", O_WRONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EROFS);
	copy.from_fd = root;
	must(template_copy(&copy, &counts));
	assert_int_equal(fstatat(to, "file", &st, 0), 0);
	assert_int_equal(st.st_uid, 33);
	assert_int_equal(st.st_gid, 65535);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(unlinkat(to, "file", 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		assert_int_equal(fchownat(from, "file", strangers[i], 100000, 0), 0);
		refuse(template_copy(&copy, &counts), "file belongs to an id outside 0..65535");
	}
}

static void first_files_are_shown(void **state)
{
	static const char *const names[] = { "etc/other", "etc/told", NULL };
	const struct entry entries[] = {
		{ "./etc", AE_IFDIR, 0755 },
		{ "./etc/told", AE_IFREG, 0644, .data = "it says" },
		{ "../out", AE_IFREG, 0644, .data = "x" },
	};
	OWN(fd) int archive = make_archive(entries, ARRAY_SIZE(entries));
	OWN(fd) int short_one = make_archive(entries, 1);
	OWN(buf) struct buf text = { 0 };
	uint32_t first = 1;
	size_t index;

	(void)state;
	must(template_peek(archive, sandbox.id_first, names, &index, &first, &text));
	assert_int_equal(index, 1);
	assert_int_equal(first, 0);
	assert_string_equal(text.data, "it says");
	must(template_peek(short_one, sandbox.id_first, names, &index, &first, &text));
	assert_int_equal(index, 2);
}

/* An archive of a user namespace's files, written by the host's root. */
static void shifted_archive_begins_at_0(void **state)
{
	const struct entry entries[] = {
		{ "./", AE_IFDIR, 0755, .uid = 100000, .gid = 100000 },
		{ "./last", AE_IFREG, 0640, "x", .uid = 165535, .gid = 100033, .acl_user = 100005 },
	};
	struct entry strange[] = {
		{ "./", AE_IFDIR, 0755, .uid = 100000, .gid = 100000 },
		{ "./of-the-host", AE_IFREG, 0640, "x", .uid = 99999, .gid = 100000 },
	};
	static const char *const names[] = { NULL };
	OWN(fd) int archive = make_archive(entries, 2), dir = fresh_dir("shifted"), fd = -1;
	OWN(fd) int bad = make_archive(strange, 2), bad_acl = -1;
	struct template_sandbox shifted = sandbox;
	struct template_counts counts;
	OWN(buf) struct buf text = { 0 };
	unsigned char acl[64];
	struct stat st;
	size_t index;

	(void)state;
	must(template_peek(archive, sandbox.id_first, names, &index, &shifted.archive_first,
			   &text));
	assert_int_equal(shifted.archive_first, 100000);
	assert_int_equal(lseek(archive, 0, SEEK_SET), 0);
	must(template_unpack(archive, dir, &shifted, NULL, &counts));
	fd = openat(dir, "last", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 65535);
	assert_int_equal(st.st_gid, 33);
	/* version, then rows of tag, permissions, id: the second is the user's */
	assert_int_equal(fgetxattr(fd, "system.posix_acl_access", acl, sizeof(acl)), 4 + 5 * 8);
	assert_memory_equal(acl + 4 + 8, "\2\0\4\0\5\0\0\0", 8);
	refuse(template_unpack(bad, dir, &shifted, NULL, &counts), "of-the-host' belongs");
	strange[1].uid = 100000;
	strange[1].acl_user = 99999;
	bad_acl = make_archive(strange, 2);
	refuse(template_unpack(bad_acl, dir, &shifted, NULL, &counts), "an ACL names");
}

static void shifted_capability_begins_at_0(void **state)
{
	/* revision 3, effective; CAP_NET_RAW; the root of the namespace */
	unsigned char value[] = { 1, 0, 0, 3, 0, 32, 0, 0, 0,	 0,    0, 0,
				  0, 0, 0, 0, 0, 0,  0, 0, 0xa0, 0x86, 1, 0 };

	(void)state;
	assert_int_equal(template_shift_capability(value, sizeof(value), 99999), 24);
	assert_int_equal(value[3], 3);
	assert_int_equal(template_shift_capability(value, sizeof(value), 100000), 20);
	assert_memory_equal(value, "\1\0\0\2\0\x20\0", 7);
	assert_int_equal(template_shift_capability(value, 20, 100000), 20);
}

static int all_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_ids_are_counted_from_the_root),
		cmocka_unit_test(first_files_are_shown),
		cmocka_unit_test(shifted_archive_begins_at_0),
		cmocka_unit_test(shifted_capability_begins_at_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_scratch(all_tests);
}
