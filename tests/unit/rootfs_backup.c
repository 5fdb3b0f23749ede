/*
 * Backups: a tree arrives again as it was, a part of it alone too, every flipped byte is found, and
 * the parts of the file survive their own parsers. Needs the right to make idmapped mounts (root)
 * for what unpacks, else skips and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "tests/unit/rootfs_chain.h"

#define SPARSE_BYTES (INT64_C(8) << 20)
#define ODD_NAME "odd\n\xe9 name" /* a line break, and what is no UTF-8 */

static int make_tree(void)
{
	const struct timespec times[2] = { { 1, 2 }, { 1234567890, 987654321 } };
	int tree_fd = fresh_dir("tree");
	OWN(fd) int sparse_fd = -1;

	assert_int_equal(fchmod(tree_fd, 0711), 0);
	assert_int_equal(mkdirat(tree_fd, "etc", 0750), 0);
	make_file(tree_fd, "etc/passwd", 0644, "root:x:0:0");
	make_file(tree_fd, "etc/passwd2", 0600, "not below it");
	make_file(tree_fd, "su", 04755, "program");
	make_file(tree_fd, ODD_NAME, 0600, "odd");
	make_file(tree_fd, "empty", 0600, "");
	assert_int_equal(fchownat(tree_fd, "etc/passwd", 7, 8, 0), 0);
	assert_int_equal(linkat(tree_fd, "etc/passwd", tree_fd, "etc/hard", 0), 0);
	assert_int_equal(symlinkat("../../out", tree_fd, "link"), 0);
	assert_int_equal(mkfifoat(tree_fd, "fifo", 0600), 0);
	assert_int_equal(mknodat(tree_fd, "whiteout", S_IFCHR | 0600, 0), 0);
	assert_int_equal(mknodat(tree_fd, "null", S_IFCHR | 0600, makedev(1, 3)), 0);
	sparse_fd = openat(tree_fd, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(sparse_fd, SPARSE_BYTES), 0);
	assert_int_equal(pwrite(sparse_fd, "middle", 6, SPARSE_BYTES / 2), 6);
	assert_int_equal(fsetxattr(sparse_fd, "user.note", "1", 1, 0), 0);
	assert_int_equal(utimensat(tree_fd, "etc/passwd", times, 0), 0);
	assert_int_equal(utimensat(tree_fd, "link", times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(tree_fd, "etc", times, 0), 0);
	return tree_fd;
}

static struct err *verify(int fd)
{
	OWN(backup_chain) struct backup_chain chain = { 0 };

	TRY(chain_of(&fd, 1, &chain));
	return backup_verify(&chain, id_first, NULL);
}

static int make_backup(struct backup_info *info)
{
	OWN(fd) int tree_fd = make_tree();

	return write_backup("backup", tree_fd, NULL, info);
}

static void a_tree_arrives_as_it_was(void **state)
{
	static const char *const names[] = { ".",     "etc",	"etc/passwd", "etc/hard",
					     "su",    ODD_NAME, "link",	      "fifo",
					     "empty", "sparse", "whiteout",   "etc/passwd2" };
	OWN(backup_info) struct backup_info info = { 0 }, read = { 0 };
	OWN(fd) int fd = make_backup(&info), copy_fd = fresh_dir("copy"), sparse_fd = -1;
	OWN(fd) int tree_fd = openat(scratch_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_unpack request = { .chain = &chain,
					 .dest_fd = copy_fd,
					 .id_first = id_first };
	struct stat st, hard;
	char text[8] = "";

	(void)state;
	must(backup_read_info(fd, "backup", &read));
	assert_string_equal(read.name, "web");
	assert_string_equal(read.conf, info.conf);
	assert_int_equal(read.entries, ARRAY_SIZE(names));
	assert_int_equal(read.skipped, 1);
	assert_int_equal(read.created_ns, info.created_ns);
	assert_true(read.sparse_bytes > SPARSE_BYTES && read.bytes < SPARSE_BYTES / 2);
	must(verify(fd));
	must(chain_of(&fd, 1, &chain));
	must(backup_unpack(&request));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		same_entry(tree_fd, copy_fd, names[i]);
	assert_int_equal(fstatat(copy_fd, "etc/passwd", &st, 0), 0);
	assert_int_equal(fstatat(copy_fd, "etc/hard", &hard, 0), 0);
	assert_int_equal(st.st_ino, hard.st_ino);
	sparse_fd = openat(copy_fd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(sparse_fd, &st), 0);
	assert_true(st.st_blocks * 512 < SPARSE_BYTES / 2);
	assert_int_equal(pread(sparse_fd, text, 6, SPARSE_BYTES / 2), 6);
	assert_string_equal(text, "middle");
	assert_int_equal(fgetxattr(sparse_fd, "user.note", text, sizeof(text)), 1);
}

static bool has(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_part_arrives_alone(void **state)
{
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(fd) int fd = make_backup(&info), copy_fd = fresh_dir("part");
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_unpack request = { .chain = &chain,
					 .dest_fd = copy_fd,
					 .id_first = id_first };
	struct stat st;

	(void)state;
	must(chain_of(&fd, 1, &chain));
	request.only = "etc/passwd2";
	must(backup_unpack(&request));
	assert_true(has(copy_fd, "etc/passwd2") && !has(copy_fd, "etc/passwd") &&
		    !has(copy_fd, "su"));
	assert_int_equal(fstatat(copy_fd, "etc", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	request.only = "etc/";
	must(backup_unpack(&request));
	assert_true(has(copy_fd, "etc/passwd") && has(copy_fd, "etc/hard") && !has(copy_fd, "su"));
	request.only = "et";
	refused(backup_unpack(&request), ERR_NOT_FOUND, "no et");
	request.only = "";
	must(backup_unpack(&request));
	assert_true(has(copy_fd, "su"));
}

/* One of two names of a file: which one has the content is a matter of the directory's order. */
static void half_a_hard_link_is_named(void **state)
{
	static const char *const names[] = { "etc/passwd", "etc/hard" };
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(fd) int fd = make_backup(&info), copy_fd = fresh_dir("part");
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_unpack request = { .chain = &chain,
					 .dest_fd = copy_fd,
					 .id_first = id_first };
	int refusals = 0;

	(void)state;
	must(chain_of(&fd, 1, &chain));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err *err;

		request.only = names[i];
		err = backup_unpack(&request);
		if (!err)
			continue;
		refusals++;
		refused(err, ERR_INVALID, "is another name of etc/");
	}
	assert_int_equal(refusals, 1);
}

static void each_flipped_byte_is_found(void **state)
{
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(fd) int fd = make_backup(&info);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, info.file_bytes);
	for (off_t at = 0; at < st.st_size; at += at + 256 < st.st_size ? 61 : 1) {
		struct err *err;
		char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		err = verify(fd);
		if (!err)
			fail_msg("byte %jd of %jd", (intmax_t)at, (intmax_t)st.st_size);
		err_drop(err); /* it was wanted */
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	must(verify(fd));
	assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
	refused(verify(fd), ERR_INVALID, "not a whole one");
}

/* Bytes of a file into another one, which grows, and its digest. */
static void append(int to_fd, struct sha256 *sha, const void *data, size_t len)
{
	must(fd_write_all(to_fd, "forged", data, len));
	sha256_add(sha, data, len);
}

static void append_frame(int to_fd, struct sha256 *sha, enum backup_frame frame, const void *data,
			 size_t len)
{
	struct frame_header header;

	must(frame_header(frame, len, &header));
	append(to_fd, sha, header.bytes, sizeof(header.bytes));
	append(to_fd, sha, data, len);
}

/* The archive of one backup with the index of another, and a digest that fits. */
static int forge(int fd, struct backup_info *info, int index_fd, const struct backup_info *index)
{
	int forged_fd = openat(scratch_fd, "forged", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = (size_t)info->index_offset - FRAME_HEADER_BYTES;
	char block[65536], digest[SHA256_HEX_MAX], end[BACKUP_END_BYTES];
	OWN(str) char *text = NULL;
	uint64_t info_offset;
	struct sha256 sha;

	sha256_init(&sha);
	assert_true(len < sizeof(block) && index->index_bytes < sizeof(block));
	assert_int_equal(pread(fd, block, len, 0), len);
	append(forged_fd, &sha, block, len);
	info->index_bytes = index->index_bytes;
	assert_int_equal(pread(index_fd, block, info->index_bytes, (off_t)index->index_offset),
			 info->index_bytes);
	append_frame(forged_fd, &sha, FRAME_INDEX, block, info->index_bytes);
	append_frame(forged_fd, &sha, FRAME_CONF, info->conf, strlen(info->conf));
	info_offset = (uint64_t)lseek(forged_fd, 0, SEEK_CUR);
	must(backup_info_format(info, &text));
	append_frame(forged_fd, &sha, FRAME_INFO, text, strlen(text));
	sha256_hex(&sha, digest);
	must(backup_end_format(info_offset, digest, end));
	must(fd_write_all(forged_fd, "forged", end, sizeof(end)));
	return forged_fd;
}

static void a_lying_index_is_found(void **state)
{
	static const struct lie {
		const char *text, *name;
		mode_t mode;
		const char *found;
	} lies[] = {
		{ "another", "su", 04755, "its content is" }, /* of the same length */
		{ "longer than it was", "su", 04755, "its size is" },
		{ "program", "su", 0755, "its mode is" },
		{ "program", "so", 04755, "its name is" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		const struct lie *lie = &lies[i];
		OWN(backup_info) struct backup_info honest = { 0 }, other = { 0 };
		OWN(fd) int tree_fd = fresh_dir("tree"), other_fd = -1, fd = -1, forged_fd = -1;
		const struct timespec times[2] = { { 1, 2 }, { 3, 4 } };

		make_file(tree_fd, "su", 04755, "program");
		assert_int_equal(utimensat(tree_fd, "su", times, 0), 0);
		assert_int_equal(utimensat(tree_fd, ".", times, 0), 0);
		fd = write_backup("backup", tree_fd, NULL, &honest);
		assert_int_equal(unlinkat(tree_fd, "su", 0), 0);
		make_file(tree_fd, lie->name, lie->mode, lie->text);
		assert_int_equal(utimensat(tree_fd, lie->name, times, 0), 0);
		assert_int_equal(utimensat(tree_fd, ".", times, 0), 0);
		other_fd = write_backup("other", tree_fd, NULL, &other);
		forged_fd = forge(fd, &honest, fd, &honest);
		must(verify(forged_fd));
		own_fd(&forged_fd);
		forged_fd = forge(fd, &honest, other_fd, &other);
		refused(verify(forged_fd), ERR_INVALID, lie->found);
	}
}

static void records_read_as_written(void **state)
{
	const struct index_record record = { .type = 'l',
					     .mode = 07777,
					     .uid = 65535,
					     .size_bytes = INT64_MAX,
					     .inode = UINT64_MAX,
					     .mtime = { -5, 1 },
					     .ctime = { 5, 999999999 },
					     .digest = "-",
					     .attributes = "-",
					     .in = BACKUP_CHAIN_MAX - 1,
					     .name = " odd\n name ",
					     .target = "\xe9" };
	static const char *const bad[] = {
		"x 644 0 0 0 0.0 0.0 1 - - 0",
		"d 10000 0 0 0 0.0 0.0 1 - - 0",
		"d 644 65536 0 0 0.0 0.0 1 - - 0",
		"d 644 0 0 0 0.0 0.0 1 - - 0 more",
		"f 644 0 0 0 0.0 0.0 1 - - 0",
		"d 644 0 0 0 0.-1 0.0 1 - - 0",
		"f 644 0 0 0 0.0 0.0 1 abc - 0",
		"d 644 0 0 0 0.0 0.0 1 - + 0",
		"d 644 0 0 0 0.0 0.0 1 - - 32",
		"d 644 0 0 0 0.0 0.0 1 - - -1",
		"",
	};
	OWN(buf) struct buf text = { 0 };
	struct index_record got;
	size_t used;

	(void)state;
	must(index_record_format(&record, &text));
	for (size_t len = 0; len < text.len; len++) {
		must(index_record_parse(text.data, len, &got, &used));
		assert_int_equal(used, 0);
	}
	must(index_record_parse(text.data, text.len, &got, &used));
	assert_int_equal(used, text.len);
	assert_null(index_record_differs(&record, &got));
	assert_true(got.inode == record.inode && got.ctime.ns == record.ctime.ns);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		OWN(buf) struct buf line = { 0 };

		must(buf_add(&line, bad[i], strlen(bad[i]) + 1));
		must(buf_add(&line, "name\0", 6));
		refused(index_record_parse(line.data, line.len, &got, &used), ERR_INVALID, "index");
	}
}

static char a_digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void what_it_is_reads_as_written(void **state)
{
	struct backup_info info = { .name = (char[]){ "web" },
				    .layout = (char[]){ "image" },
				    .created_ns = INT64_MAX,
				    .depth = BACKUP_CHAIN_MAX - 1,
				    .base = a_digest,
				    .bytes = 1 };
	OWN(backup_info) struct backup_info got = { 0 };
	OWN(str) char *text = NULL;
	static const char *const bad[] = { "[]", "{}", "{\"version\":1}",
					   "{\"version\":1,\"name\":1}" };
	/* they become parts of paths and of what is shown, and not all is UTF-8 that yajl takes */
	const struct backup_info bad_info[] = {
		{ .name = (char[]){ "../web" }, .layout = (char[]){ "image" } },
		{ .name = (char[]){ "web\x1b[2J" }, .layout = (char[]){ "image" } },
		{ .name = (char[]){ "web\xef\xbf\xbd" }, .layout = (char[]){ "image" } },
		{ .name = (char[]){ "web" }, .layout = (char[]){ "" } },
		{ .name = (char[]){ "web" }, .layout = (char[]){ "dir" }, .depth = 1 },
		{ .name = (char[]){ "web" },
		  .layout = (char[]){ "dir" },
		  .depth = 1,
		  .base = (char[]){ "ab" } },
		{ .name = (char[]){ "web" }, .layout = (char[]){ "dir" }, .base = a_digest },
		{ .name = (char[]){ "web" },
		  .layout = (char[]){ "dir" },
		  .depth = 32,
		  .base = a_digest },
	};

	(void)state;
	must(backup_info_format(&info, &text));
	must(backup_info_parse(text, strlen(text), &got));
	assert_string_equal(got.layout, "image");
	assert_true(got.created_ns == INT64_MAX && got.bytes == 1 && got.depth == info.depth);
	assert_string_equal(got.base, a_digest);
	for (size_t i = 0; i < ARRAY_SIZE(bad_info); i++) {
		OWN(str) char *bad_text = NULL;
		struct err *err = NULL;

		must(backup_info_format(&bad_info[i], &bad_text));
		err = backup_info_parse(bad_text, strlen(bad_text), &got);
		assert_non_null(err);
		err_drop(err); /* it was wanted */
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err *err = backup_info_parse(bad[i], strlen(bad[i]), &got);

		assert_non_null(err);
		err_drop(err); /* it was wanted */
	}
}

static bool may_idmap(void)
{
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(fd) int fd = make_backup(&info), copy_fd = fresh_dir("probe");
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_unpack request = { .chain = &chain,
					 .dest_fd = copy_fd,
					 .id_first = id_first };
	struct err *err;

	must(chain_of(&fd, 1, &chain));
	err = backup_unpack(&request);
	if (!err)
		return true;
	printf("1..0 # SKIP rootfs_backup: %s\n", err_text(err));
	err_drop(err); /* said */
	return false;
}

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	printf("1..0 # SKIP rootfs_backup: only root makes idmapped mounts\n");
	return false;
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(records_read_as_written),
		cmocka_unit_test(what_it_is_reads_as_written),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_read_as_written),
		cmocka_unit_test(what_it_is_reads_as_written),
		cmocka_unit_test(a_tree_arrives_as_it_was),
		cmocka_unit_test(a_part_arrives_alone),
		cmocka_unit_test(half_a_hard_link_is_named),
		cmocka_unit_test(each_flipped_byte_is_found),
		cmocka_unit_test(a_lying_index_is_found),
	};
	int failed;

	if (!mkdtemp(scratch))
		return 1;
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = is_root() && may_idmap() ? cmocka_run_group_tests(tests, NULL, NULL) :
					    cmocka_run_group_tests(pure, NULL, NULL);
	must(path_remove_tree(AT_FDCWD, scratch));
	return failed;
}
