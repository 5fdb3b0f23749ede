/* Archives for tests of templates, and a directory to unpack them in. Needs the right to make
 * idmapped mounts (root), else the test skips and says so. Included once per test. */
#ifndef TESTS_UNIT_ROOTFS_ARCHIVE_H
#define TESTS_UNIT_ROOTFS_ARCHIVE_H

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

static inline void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static inline void refuse(struct err *err, const char *words)
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

static inline void add_acl(struct archive_entry *entry, int user)
{
	const int type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;

	if (!user)
		return;
	archive_entry_acl_add_entry(entry, type, 4, ARCHIVE_ENTRY_ACL_USER, user, "");
	archive_entry_acl_add_entry(entry, type, 4, ARCHIVE_ENTRY_ACL_MASK, -1, "");
}

static inline int make_archive(const struct entry *entries, size_t count)
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

static inline int fresh_dir(const char *name)
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

static inline void check_good_tree(int dir_fd)
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

static inline int may_idmap(void)
{
	OWN(fd) int archive = make_archive(good, 1), dir = fresh_dir("probe");
	struct template_counts counts;
	struct err *err = template_unpack(archive, dir, &sandbox, NULL, &counts);

	if (!err)
		return 1;
	printf("1..0 # SKIP no idmapped mounts here: %s\n", err_text(err));
	err_drop(err);
	return 0;
}

/* In a scratch directory of its own. */
static inline int run_in_scratch(int (*run)(void))
{
	int failed = 0;

	if (!mkdtemp(scratch))
		return 1;
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (may_idmap())
		failed = run();
	must(path_remove_tree(AT_FDCWD, scratch));
	return failed;
}

#endif
