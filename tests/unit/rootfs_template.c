/*
 * Templates from archives: a good one arrives whole, hostile ones are refused by name and leave
 * nothing outside, copies are exact, the store keeps one tree per content. Needs the right to make
 * idmapped mounts (root), else skips and says so.
 */
#include "tests/unit/rootfs_archive.h"

static void good_archive_arrives_whole(void **state)
{
	OWN(fd) int archive = make_archive(good, ARRAY_SIZE(good));
	OWN(fd) int dir = fresh_dir("good");
	struct template_counts counts;

	(void)state;
	must(template_unpack(archive, dir, &sandbox, NULL, &counts));
	assert_int_equal(counts.entries, ARRAY_SIZE(good));
	assert_int_equal(counts.skipped, 2);
	check_good_tree(dir);
}

static void copy_is_exact(void **state)
{
	OWN(fd) int archive = make_archive(good, ARRAY_SIZE(good));
	OWN(fd) int from = fresh_dir("from"), to = fresh_dir("to");
	struct template_counts counts;
	struct stat a, b;

	(void)state;
	must(template_unpack(archive, from, &sandbox, NULL, &counts));
	/* a hole of a mebibyte with data behind it */
	OWN(fd) int sparse = openat(from, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(pwrite(sparse, "end", 3, 1 << 20), 3);
	assert_int_equal(mknodat(from, "whiteout", S_IFCHR, 0), 0);
	assert_int_equal(fchownat(from, "whiteout", 3, 4, 0), 0);
	must(template_copy(&(struct template_copy){ .from_fd = from, .to_fd = to }, &counts));
	check_good_tree(to);
	assert_int_equal(fstatat(from, "etc/lines", &a, 0), 0);
	assert_int_equal(fstatat(to, "etc/lines", &b, 0), 0);
	assert_int_equal(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
	assert_int_not_equal(a.st_ino, b.st_ino);
	assert_int_equal(fstatat(to, "sparse", &b, 0), 0);
	assert_int_equal(b.st_size, (1 << 20) + 3);
	assert_true(b.st_blocks * 512 < 1 << 19);
	assert_int_equal(fstatat(to, "whiteout", &b, 0), 0);
	assert_true(b.st_mode == S_IFCHR && b.st_rdev == 0 && b.st_uid == 3 && b.st_gid == 4);
}

/* Each of these is a whole archive (up to three entries) and a word that the refusal must contain.
 */
static const struct hostile {
	const char *what, *word;
	struct entry entries[3];
} hostiles[] = {
	{ "dot dot", "'..'", { { "../escaped", AE_IFREG, 0644, "x" } } },
	{ "dot dot inside", "'..'", { { "a/../../escaped", AE_IFREG, 0644, "x" } } },
	{ "absolute", "absolute", { { "/escaped", AE_IFREG, 0644, "x" } } },
	{ "hard link out", "'..'", { { "h", AE_IFREG, 0644, .hardlink = "../../victim" } } },
	{ "hard link absolute",
	  "absolute",
	  { { "h", AE_IFREG, 0644, .hardlink = "/etc/passwd" } } },
	{ "through a link",
	  "symlink",
	  { { "l", AE_IFLNK, 0777, .link = "/tmp" }, { "l/escaped", AE_IFREG, 0644, "x" } } },
	{ "through a relative link",
	  "symlink",
	  { { "l", AE_IFLNK, 0777, .link = ".." }, { "l/escaped", AE_IFREG, 0644, "x" } } },
	{ "hard link through a link",
	  "",
	  { { "l", AE_IFLNK, 0777, .link = "/etc" },
	    { "h", AE_IFREG, 0644, .hardlink = "l/passwd" } } },
	{ "big uid", "65535", { { "f", AE_IFREG, 0644, "x", .uid = 65536 } } },
	{ "huge uid", "65535", { { "f", AE_IFREG, 0644, "x", .uid = 4294967295 } } },
};

static void hostile_archives_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostiles); i++) {
		const struct hostile *row = &hostiles[i];
		size_t count = row->entries[1].name ? 2 : 1;
		OWN(fd) int archive = make_archive(row->entries, count);
		OWN(fd) int dir = fresh_dir("hostile");
		struct template_counts counts;
		struct stat st;
		struct err *err = template_unpack(archive, dir, &sandbox, NULL, &counts);

		if (!err || !strstr(err_text(err), row->word))
			print_message("%s: %s\n", row->what, err ? err_text(err) : "accepted");
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		assert_non_null(strstr(err_text(err), row->word));
		err_drop(err);
		assert_int_equal(fstatat(scratch_fd, "escaped", &st, 0), -1);
		assert_int_equal(stat("/escaped", &st), -1);
		assert_int_equal(stat("/tmp/escaped", &st), -1);
	}
}

/* A header that claims 2^50 bytes, made by hand: no writer would make it without the bytes. */
static void huge_size_is_refused(void **state)
{
	OWN(fd) int fd = memfd_create("huge", MFD_CLOEXEC);
	OWN(fd) int dir = fresh_dir("huge");
	unsigned char block[512] = "f";
	struct template_counts counts;
	unsigned int sum = 0;
	struct err *err;

	(void)state;
	memcpy(block + 100, "0000644", 8);
	memcpy(block + 108, "0000000", 8);
	memcpy(block + 116, "0000000", 8);
	block[124] = 0x80; /* base 256 */
	block[129] = 0x04; /* 4 << 48 */
	memcpy(block + 136, "00000000000", 12);
	memset(block + 148, ' ', 8);
	block[156] = '0';
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	lseek(fd, 0, SEEK_SET);
	err = template_unpack(fd, dir, &sandbox, NULL, &counts);
	assert_non_null(err);
	assert_non_null(strstr(err_text(err), "size limit"));
	err_drop(err);
}

static void noise_is_refused(void **state)
{
	OWN(fd) int archive = memfd_create("noise", MFD_CLOEXEC);
	OWN(fd) int dir = fresh_dir("noise");
	struct template_counts counts;
	struct err *err;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(archive, &i, sizeof(i)), sizeof(i));
	lseek(archive, 0, SEEK_SET);
	err = template_unpack(archive, dir, &sandbox, NULL, &counts);
	assert_non_null(err);
	err_drop(err);
}

static void limits_hold(void **state)
{
	static const struct template_limits few = { .max_entries = 3,
						    .max_bytes = 1 << 20,
						    .max_ratio = 200 };
	static const struct template_limits small = { .max_entries = 100,
						      .max_bytes = 8,
						      .max_ratio = 200 };
	const struct template_limits *const both[] = { &few, &small };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		OWN(fd) int archive = make_archive(good, ARRAY_SIZE(good));
		OWN(fd) int dir = fresh_dir("limits");
		struct template_sandbox tight = { .id_first = sandbox.id_first, .limits = both[i] };
		struct template_counts counts;
		struct err *err = template_unpack(archive, dir, &tight, NULL, &counts);

		assert_non_null(err);
		assert_non_null(strstr(err_text(err), "limit"));
		err_drop(err);
	}
}

/* 256 MiB of zeros in some 256 KiB of gzip. */
static void bomb_is_refused(void **state)
{
	static char zeros[1 << 20];
	OWN(fd) int fd = memfd_create("bomb", MFD_CLOEXEC);
	OWN(fd) int dir = fresh_dir("bomb");
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	struct template_counts counts;
	struct err *err;

	(void)state;
	archive_write_set_format_pax(writer);
	archive_write_add_filter_gzip(writer);
	archive_write_open_fd(writer, fd);
	archive_entry_set_pathname(entry, "zeros");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (int64_t)256 << 20);
	archive_write_header(writer, entry);
	for (int i = 0; i < 256; i++)
		archive_write_data(writer, zeros, sizeof(zeros));
	archive_entry_free(entry);
	archive_write_close(writer);
	archive_write_free(writer);
	lseek(fd, 0, SEEK_SET);
	err = template_unpack(fd, dir, &sandbox, NULL, &counts);
	assert_non_null(err);
	assert_non_null(strstr(err_text(err), "bomb"));
	err_drop(err);
	must(path_remove_tree(scratch_fd, "bomb"));
}

static struct err *import(const struct template_store *store, const char *name, int archive_fd)
{
	struct template_import request = {
		.name = name, .source = "test.tar.gz", .archive_fd = archive_fd, .sandbox = sandbox
	};
	struct template_counts counts;

	assert_int_equal(lseek(archive_fd, 0, SEEK_SET), 0);
	return template_import(store, &request, NULL, &counts);
}

static void store_keeps_one_tree_per_content(void **state)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(fd) int archive = make_archive(good, ARRAY_SIZE(good));
	OWN(template) struct template a = { 0 }, b = { 0 };
	OWN(strlist) struct strlist names = { 0 };
	OWN(str) char *path = NULL;
	struct stat st;
	struct err *err;
	int tree;

	(void)state;
	must(str_format(&path, "%s/store", scratch));
	must(template_store_open(path, TEMPLATE_CHANGE, &store));
	must(import(&store, "one", archive));
	must(import(&store, "two", archive));
	must(import(&store, "one", archive)); /* again is fine */
	must(template_load(&store, "one", &a));
	must(template_load(&store, "two", &b));
	assert_string_equal(a.digest, b.digest);
	assert_string_equal(a.os, "Test \\x1b[31m OS");
	must(template_names(&store, &names));
	assert_int_equal(names.count, 2);
	must(template_remove(&store, "one"));
	must(template_open_tree(&store, &b, &tree));
	check_good_tree(tree);
	close(tree);
	must(template_remove(&store, "two"));
	err = template_open_tree(&store, &b, &tree);
	assert_non_null(err);
	err_drop(err);
	err = template_remove(&store, "two");
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	assert_int_equal(fstatat(store.dir_fd, "incoming", &st, 0), -1);
}

static void what_is_no_system_is_refused(void **state)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(fd) int archive = make_archive(&good[3], 2);
	OWN(str) char *path = NULL;
	struct stat st;
	struct err *err;

	(void)state;
	must(str_format(&path, "%s/store", scratch));
	must(template_store_open(path, TEMPLATE_CHANGE, &store));
	err = import(&store, "empty", archive);
	assert_non_null(err);
	assert_non_null(strstr(err_text(err), "/sbin/init"));
	err_drop(err);
	err = import(&store, "../x", archive);
	assert_non_null(err);
	err_drop(err);
	assert_int_equal(fstatat(store.dir_fd, "incoming", &st, 0), -1);
}

static void busybox_template(void **state)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(template) struct template template = { 0 };
	OWN(fd) int tree = -1, init = -1;
	OWN(str) char *path = NULL;
	struct err *err;

	(void)state;
	must(str_format(&path, "%s/store", scratch));
	must(template_store_open(path, TEMPLATE_CHANGE, &store));
	err = template_create_busybox(&store, "busybox");
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		print_message("SKIP busybox: %s\n", err_text(err));
		err_drop(err);
		return;
	}
	must(err);
	must(template_load(&store, "busybox", &template));
	must(template_open_tree(&store, &template, &tree));
	must(path_open_in(tree, "sbin/init", O_RDONLY, &init));
	must(template_remove(&store, "busybox"));
}

/* What is exported as an image is imported as one: every digest fits, and the tree is the same. */
static void image_is_read_again(void **state)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(template) struct template template = { 0 };
	OWN(fd) int archive = make_archive(good, ARRAY_SIZE(good));
	OWN(fd) int tree = fresh_dir("image-tree"), file = memfd_create("image", MFD_CLOEXEC);
	OWN(fd) int read_tree = -1;
	OWN(str) char *path = NULL;
	struct template_counts counts = { 0 };
	const struct template_export export = { .file_name = "x.tar.zst",
						.fd = file,
						.image = "web",
						.scratch_fd = scratch_fd,
						.ret_counts = &counts };

	(void)state;
	must(template_unpack(archive, tree, &sandbox, NULL, &counts));
	must(template_export_tree(tree, &export));
	assert_int_equal(counts.skipped, 0);
	must(str_format(&path, "%s/image-store", scratch));
	must(template_store_open(path, TEMPLATE_CHANGE, &store));
	must(import(&store, "web", file));
	must(template_load(&store, "web", &template));
	assert_int_equal(template.entries, counts.entries);
	must(template_open_tree(&store, &template, &read_tree));
	check_good_tree(read_tree);
}

static int all_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_archive_arrives_whole),
		cmocka_unit_test(copy_is_exact),
		cmocka_unit_test(hostile_archives_are_refused),
		cmocka_unit_test(huge_size_is_refused),
		cmocka_unit_test(noise_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(bomb_is_refused),
		cmocka_unit_test(store_keeps_one_tree_per_content),
		cmocka_unit_test(what_is_no_system_is_refused),
		cmocka_unit_test(busybox_template),
		cmocka_unit_test(image_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_scratch(all_tests);
}
