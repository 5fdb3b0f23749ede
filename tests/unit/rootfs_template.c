/*
 * Templates from archives: a good one arrives whole, hostile ones are refused by name and leave
 * nothing outside, copies are exact, the store keeps one tree per content. Needs the right to make
 * idmapped mounts (root), else skips and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/path.h"
#include "rootfs/layout.h"
#include "rootfs/template_room.h"

static char scratch[] = "/var/tmp/cella-template-XXXXXX";
static int scratch_fd = -1;
static const struct template_sandbox sandbox = { .id_first = 1879048192 };

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static void refuse(struct err *err, const char *words)
{
	assert_non_null(err);
	if (!strstr(err_text(err), words))
		print_message("said: %s\n", err_text(err));
	assert_non_null(strstr(err_text(err), words));
	err_drop(err);
}

/* One entry of a test archive; type: AE_IF*. */
struct entry {
	const char *name;
	mode_t type, mode;
	const char *data, *link, *hardlink, *xattr;
	int64_t uid, gid;
	int acl_user; /* may read it; 0: nobody but the others */
};

static void add_acl(struct archive_entry *entry, int user)
{
	const int type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;

	if (!user)
		return;
	archive_entry_acl_add_entry(entry, type, 4, ARCHIVE_ENTRY_ACL_USER, user, "");
	archive_entry_acl_add_entry(entry, type, 4, ARCHIVE_ENTRY_ACL_MASK, -1, "");
}

static int make_archive(const struct entry *entries, size_t count)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct archive *writer = archive_write_new();

	archive_write_set_format_pax(writer);
	archive_write_add_filter_gzip(writer);
	assert_int_equal(archive_write_open_fd(writer, fd), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();
		const struct entry *row = &entries[i];
		size_t len = row->data ? strlen(row->data) : 0;

		archive_entry_set_pathname(entry, row->name);
		archive_entry_set_filetype(entry, row->type);
		archive_entry_set_perm(entry, row->mode);
		archive_entry_set_uid(entry, row->uid);
		archive_entry_set_gid(entry, row->gid);
		add_acl(entry, row->acl_user);
		archive_entry_set_size(entry, (int64_t)len);
		archive_entry_set_rdev(entry, makedev(1, 3));
		if (row->link)
			archive_entry_set_symlink(entry, row->link);
		if (row->hardlink)
			archive_entry_set_hardlink(entry, row->hardlink);
		if (row->xattr)
			archive_entry_xattr_add_entry(entry, row->xattr, "1", 1);
		assert_true(archive_write_header(writer, entry) <= ARCHIVE_OK);
		if (len)
			archive_write_data(writer, row->data, len);
		archive_entry_free(entry);
	}
	archive_write_close(writer);
	archive_write_free(writer);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int fresh_dir(const char *name)
{
	must(path_remove_tree(scratch_fd, name));
	assert_int_equal(mkdirat(scratch_fd, name, 0755), 0);
	return openat(scratch_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const struct entry good[] = {
	{ ".", AE_IFDIR, 0755 },
	{ "./sbin", AE_IFDIR, 0755 },
	{ "./sbin/init", AE_IFREG, 04755, "program" },
	{ "./etc", AE_IFDIR, 0750, .uid = 7 },
	{ "./etc/os-release", AE_IFREG, 0644, "A=b\nPRETTY_NAME=\"Test \x1b[31m OS\"\n" },
	{ "./etc/lines", AE_IFREG, 0640, "text", .uid = 1000, .xattr = "user.note" },
	{ "./etc/bad-xattr", AE_IFREG, 0640, "text", .xattr = "trusted.evil" },
	{ "./etc/abs", AE_IFLNK, 0777, .link = "/etc/passwd" },
	{ "./etc/up", AE_IFLNK, 0777, .link = "../../../../etc/passwd" },
	{ "./etc/hard", AE_IFREG, 0, .hardlink = "./etc/lines" },
	{ "./null", AE_IFCHR, 0666 },
	{ "./disk", AE_IFBLK, 0666 },
	{ "./fifo", AE_IFIFO, 0600 },
	{ "./gr\xc3\xbc\xc3\x9f", AE_IFREG, 0600, "utf-8" },
};

static void check_good_tree(int dir_fd)
{
	struct stat st, other;
	char text[16] = "";

	assert_int_equal(fstatat(dir_fd, "sbin/init", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(fstatat(dir_fd, "etc", &st, 0), 0);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(fstatat(dir_fd, "etc/lines", &st, 0), 0);
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(fstatat(dir_fd, "etc/hard", &other, 0), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(readlinkat(dir_fd, "etc/abs", text, sizeof(text)), 11);
	assert_int_equal(fstatat(dir_fd, "null", &st, 0), -1);
	assert_int_equal(fstatat(dir_fd, "disk", &st, 0), -1);
	assert_int_equal(fstatat(dir_fd, "fifo", &st, 0), 0);
	assert_int_equal(fstatat(dir_fd, "gr\xc3\xbc\xc3\x9f", &st, 0), 0);
	OWN(fd) int fd = openat(dir_fd, "etc/lines", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fgetxattr(fd, "user.note", text, sizeof(text)), 1);
	OWN(fd) int bad_fd = openat(dir_fd, "etc/bad-xattr", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fgetxattr(bad_fd, "trusted.evil", text, sizeof(text)), -1);
}

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

static int may_idmap(void)
{
	OWN(fd) int archive = make_archive(good, 1), dir = fresh_dir("probe");
	struct template_counts counts;
	struct err *err = template_unpack(archive, dir, &sandbox, NULL, &counts);

	if (!err)
		return 1;
	printf("1..0 # SKIP rootfs_template: %s\n", err_text(err));
	err_drop(err);
	return 0;
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_archive_arrives_whole),
		cmocka_unit_test(copy_is_exact),
		cmocka_unit_test(foreign_ids_are_counted_from_the_root),
		cmocka_unit_test(first_files_are_shown),
		cmocka_unit_test(shifted_archive_begins_at_0),
		cmocka_unit_test(shifted_capability_begins_at_0),
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
	int failed = 0;

	if (!mkdtemp(scratch))
		return 1;
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (may_idmap())
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	else
		printf("1..0 # SKIP no idmapped mounts here\n");
	must(path_remove_tree(AT_FDCWD, scratch));
	return failed;
}
