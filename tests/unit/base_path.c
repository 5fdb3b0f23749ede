/* Paths below a root whose content is hostile: links, dangling links, "..", fifos, depth. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

static char top[] = "/tmp/cella-path-XXXXXX";
static int top_fd = -1, root_fd = -1;

static void must(struct err *err)
{
	if (err)
		fail_msg("%s", err_text(err));
}

static void must_fail(struct err *err, int errnum)
{
	if (!err)
		fail_msg("success instead of %s", strerror(errnum));
	if (err_errno(err) != errnum)
		fail_msg("%s instead of %s", err_text(err), strerror(errnum));
	err_drop(err);
}

static bool exists(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The inode that fd stands for is NAME of dir_fd. */
static bool is_same(int fd, int dir_fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void test_open_stays_inside(void **state)
{
	static const char *const ways_to_etc[] = { "etc",     "/etc",	    "../../etc",
						   "/../etc", "abs",	    "up",
						   "chain",   "etc/../etc", "etc/./..//etc" };
	int fd = -1, slash_fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways_to_etc); i++) {
		must(path_open_in(root_fd, ways_to_etc[i], O_PATH | O_DIRECTORY, &fd));
		assert_true(is_same(fd, root_fd, "etc"));
		close(fd);
	}
	must(path_open_in(root_fd, "", O_PATH, &fd));
	assert_true(is_same(fd, top_fd, "root"));
	close(fd);
	must_fail(path_open_in(root_fd, "loop", O_PATH, &fd), ELOOP);
	must_fail(path_open_in(root_fd, "up", O_PATH | O_DIRECTORY | O_NOFOLLOW, &fd), ENOTDIR);
	/* a magic link would jump out of any root */
	slash_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must_fail(path_open_in(slash_fd, "proc/self/root", O_PATH | O_DIRECTORY, &fd), ELOOP);
	close(slash_fd);
}

static void test_open_missing(void **state)
{
	struct err *err;
	int fd = 77;

	(void)state;
	err = path_open_in(root_fd, "dangling", O_PATH, &fd);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	assert_int_equal(fd, 77); /* outputs are written on success only */
}

static void test_beneath(void **state)
{
	int fd = -1;

	(void)state;
	must(path_open_beneath(root_fd, "etc/passwd", O_PATH, &fd));
	close(fd);
	must_fail(path_open_beneath(root_fd, "up", O_PATH | O_DIRECTORY, &fd), ELOOP);
	must_fail(path_open_beneath(root_fd, "../outside", O_PATH, &fd), EXDEV);
	must_fail(path_open_beneath(root_fd, "/etc", O_PATH, &fd), EXDEV);
}

static void test_make_dir(void **state)
{
	int fd = -1;
	struct stat st;

	(void)state;
	must(path_make_dir_in(root_fd, "/new/a/b/", 0700, &fd));
	assert_true(is_same(fd, root_fd, "new/a/b"));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	must(path_make_dir_in(root_fd, "new/../../../made/x", 0755, &fd));
	assert_true(is_same(fd, root_fd, "made/x"));
	close(fd);
	must(path_make_dir_in(root_fd, "/", 0755, &fd));
	assert_true(is_same(fd, top_fd, "root"));
	close(fd);
	/* through links, which all end inside */
	must(path_make_dir_in(root_fd, "up/sub/y", 0755, &fd));
	assert_true(is_same(fd, root_fd, "etc/sub/y"));
	close(fd);
	must_fail(path_make_dir_in(root_fd, "etc/passwd", 0755, &fd), ENOTDIR);
	must_fail(path_make_dir_in(root_fd, "etc/passwd/x", 0755, &fd), ENOTDIR);
	must_fail(path_make_dir_in(root_fd, "loop/x", 0755, &fd), ELOOP);
	assert_false(exists(top_fd, "made"));
}

static void test_make_through_dangling(void **state)
{
	int fd = -1;

	(void)state;
	must(path_make_dir_in(root_fd, "dangling", 0755, &fd));
	assert_true(is_same(fd, root_fd, "run/sys/there"));
	close(fd);
	must(path_make_file_in(root_fd, "etc/resolv.conf", 0644, &fd));
	assert_true(is_same(fd, root_fd, "run/stub.conf"));
	close(fd);
	/* a link that climbs out of the root as text stops at the root */
	must(path_make_dir_in(root_fd, "climb/deeper", 0755, &fd));
	assert_true(is_same(fd, root_fd, "tmp-evil/deeper"));
	close(fd);
	must(path_make_file_in(root_fd, "climb2", 0644, &fd));
	assert_true(is_same(fd, root_fd, "evil-file"));
	close(fd);
	assert_false(exists(top_fd, "tmp-evil"));
	assert_false(exists(top_fd, "evil-file"));
	/* links that make each other's targets never end by themselves */
	must_fail(path_make_dir_in(root_fd, "ping", 0755, &fd), ELOOP);
	must_fail(path_make_file_in(root_fd, "ping", 0755, &fd), ELOOP);
}

static void test_make_file(void **state)
{
	int fd = -1;
	struct stat st;

	(void)state;
	must(path_make_file_in(root_fd, "/etc/new/file", 0640, &fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
	close(fd);
	must(path_make_file_in(root_fd, "etc/passwd", 0640, &fd)); /* there already: left alone */
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	close(fd);
	/* a fifo is found, not opened: nobody waits for a writer */
	alarm(5);
	must(path_make_file_in(root_fd, "etc/fifo", 0640, &fd));
	alarm(0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(fd);
	for (const char *const *bad = (const char *const[]){ "/", "new-dir/", "x/..", "x/.", NULL };
	     *bad; bad++) {
		struct err *err = path_make_file_in(root_fd, *bad, 0644, &fd);

		if (!err) /* an existing directory is a mount point as good as any */
			close(fd);
		err_drop(err);
	}
	assert_false(exists(root_fd, "x"));
}

static void test_fifo_as_passwd(void **state)
{
	struct buf buf = { 0 };
	int dir_fd = -1;
	struct err *err;

	(void)state;
	must(path_open_in(root_fd, "etc", O_PATH | O_DIRECTORY, &dir_fd));
	alarm(5);
	err = file_read(dir_fd, "fifo", 4096, &buf);
	alarm(0);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
	close(dir_fd);
}

/* While a directory is swapped with links to the outside, nothing is ever made there. */
static void test_race(void **state)
{
	pid_t pid = fork();
	int fd;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (mkdirat(root_fd, "swap", 0755) < 0 ||
		    symlinkat("../../outside", root_fd, "swap-link") < 0)
			_exit(1);
		for (;;)
			renameat2(root_fd, "swap", root_fd, "swap-link", RENAME_EXCHANGE);
	}
	for (int i = 0; i < 3000; i++) {
		char name[64];
		struct err *err;

		snprintf(name, sizeof(name), "swap/d%d/e", i);
		err = path_make_dir_in(root_fd, name, 0755, &fd);
		if (!err)
			close(fd);
		err_drop(err); /* may lose the race, may not leave the root */
		snprintf(name, sizeof(name), "swap/f%d", i);
		err = path_make_file_in(root_fd, name, 0644, &fd);
		if (!err)
			close(fd);
		err_drop(err);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	must(path_open_in(top_fd, "outside", O_RDONLY | O_DIRECTORY, &fd));
	assert_int_equal(unlinkat(top_fd, "outside", AT_REMOVEDIR), 0); /* still empty */
	close(fd);
	assert_int_equal(mkdirat(top_fd, "outside", 0755), 0);
}

static void test_clean(void **state)
{
	static const struct {
		const char *path, *clean;
	} rows[] = {
		{ "", "/" },
		{ "/", "/" },
		{ "//", "/" },
		{ ".", "/" },
		{ "..", "/" },
		{ "a", "/a" },
		{ "/a//b/", "/a/b" },
		{ "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/../../a", "/a" },
		{ "/a/b/../..", "/" },
		{ "/a/...", "/a/..." },
		{ "/.a/..b", "/.a/..b" },
		{ "/a/.", "/a" },
		{ "a/..", "/" },
		{ "/ab/cd/../ef/.././gh", "/ab/gh" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		OWN(str) char *clean = NULL;

		must(path_clean(rows[i].path, &clean));
		assert_string_equal(clean, rows[i].clean);
	}
}

static void test_parent(void **state)
{
	const char *name;
	int fd = -1;

	(void)state;
	must(path_open_parent_in(root_fd, "up/passwd", &fd, &name));
	assert_true(is_same(fd, root_fd, "etc"));
	assert_string_equal(name, "passwd");
	close(fd);
	must(path_open_parent_in(root_fd, "lone", &fd, &name));
	assert_true(is_same(fd, top_fd, "root"));
	close(fd);
	must_fail(path_open_parent_in(root_fd, "etc/", &fd, &name), 0);
	must_fail(path_open_parent_in(root_fd, "etc/..", &fd, &name), 0);
	must_fail(path_open_parent_in(root_fd, "", &fd, &name), 0);
}

static void test_remove_tree(void **state)
{
	int fd = -1;

	(void)state;
	must(path_make_dir_in(top_fd, "gone/a/b", 0755, &fd));
	assert_int_equal(symlinkat("../../..", fd, "link"), 0);
	assert_int_equal(symlinkat("/", fd, "link2"), 0);
	assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
	close(fd);
	must(path_make_dir_in(top_fd, "gone/c", 0, &fd));
	close(fd);
	must(path_remove_tree(top_fd, "gone"));
	assert_false(exists(top_fd, "gone"));
	assert_true(exists(root_fd, "etc/passwd"));
	must(path_remove_tree(top_fd, "gone")); /* missing is success */
	assert_int_equal(symlinkat("root", top_fd, "alias"), 0);
	must(path_remove_tree(top_fd, "alias")); /* the link, not what it names */
	assert_true(exists(root_fd, "etc/passwd"));
}

/* Deeper than there are descriptors, and deeper than any path is long. */
static void test_remove_deep_tree(void **state)
{
	enum { DEPTH = 3000 };
	int fd = fcntl(top_fd, F_DUPFD_CLOEXEC, 3), next;
	struct rlimit old, tight = { 64, 64 };

	(void)state;
	for (int i = 0; i < DEPTH; i++) {
		const char *name = i == 0 ? "deep" : "abcdefghijklmnop";

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		if (i % 100 == 0)
			assert_int_equal(mkdirat(fd, i == 0 ? "deep/side" : "side", 0755), 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	must(path_remove_tree(top_fd, "deep"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(exists(top_fd, "deep"));
}

/* In a mount namespace of a child: a bind mount of the same file system is not emptied. */
static void test_remove_stops_at_mounts(void **state)
{
	pid_t pid;
	int status, flags = CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);

	(void)state;
	pid = fork();
	if (pid == 0) {
		char source[PATH_MAX], target[PATH_MAX];
		struct err *err;
		int fd;

		if (unshare(flags) < 0)
			_exit(77);
		snprintf(source, sizeof(source), "%s/root", top);
		snprintf(target, sizeof(target), "%s/tree/mnt", top);
		if (path_make_dir_in(top_fd, "tree/mnt", 0755, &fd) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(source, target, NULL, MS_BIND, NULL) < 0)
			_exit(2);
		fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = path_remove_tree(fd, "tree");
		if (!err || err_kind(err) != ERR_STATE || !exists(root_fd, "etc/passwd"))
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("no mount namespaces for us here\n");
		skip();
	}
	assert_int_equal(status, 0);
	must(path_remove_tree(top_fd, "tree"));
}

static void test_own_dirs(void **state)
{
	OWN(str) char *path = NULL;

	(void)state;
	must(str_format(&path, "%s/own/x/y", top));
	must(path_make_own_dirs(path, 0700));
	must(path_make_own_dirs(path, 0700));
	assert_true(exists(top_fd, "own/x/y"));
}

static int set_up(void **state)
{
	static const struct {
		const char *text, *name;
	} links[] = {
		{ "/etc", "abs" },
		{ "../../../etc", "up" },
		{ "abs", "chain" },
		{ "loop", "loop" },
		{ "run/sys/there", "dangling" },
		{ "../run/stub.conf", "etc/resolv.conf" },
		{ "../../tmp-evil", "climb" },
		{ "/../../evil-file", "climb2" },
		{ "pong", "ping" },
		{ "ping", "pong" },
	};
	int fd;

	(void)state;
	umask(0);
	assert_non_null(mkdtemp(top));
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(top_fd, "root", 0755), 0);
	assert_int_equal(mkdirat(top_fd, "outside", 0755), 0);
	root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root_fd, "etc", 0755), 0);
	fd = openat(root_fd, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "root", 4), 4);
	close(fd);
	assert_int_equal(mkfifoat(root_fd, "etc/fifo", 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i].text, root_fd, links[i].name), 0);
	return 0;
}

static int tear_down(void **state)
{
	const char *slash = strrchr(top, '/');
	int tmp_fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	must(path_remove_tree(tmp_fd, slash + 1));
	close(tmp_fd);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_stays_inside),
		cmocka_unit_test(test_open_missing),
		cmocka_unit_test(test_beneath),
		cmocka_unit_test(test_make_dir),
		cmocka_unit_test(test_make_through_dangling),
		cmocka_unit_test(test_make_file),
		cmocka_unit_test(test_fifo_as_passwd),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_parent),
		cmocka_unit_test(test_remove_tree),
		cmocka_unit_test(test_remove_deep_tree),
		cmocka_unit_test(test_remove_stops_at_mounts),
		cmocka_unit_test(test_own_dirs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
