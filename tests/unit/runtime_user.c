/* user.c: names resolved below a root, and ids really taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "runtime/process/process.h"
#include "tests/unit/bpf.h"

static char root[] = "/tmp/cella-user-XXXXXX";
static int root_fd = -1;

static void write_file(const char *name, const char *text)
{
	int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root_fd, "etc", 0755), 0);
	write_file("etc/passwd",
		   "root:x:0:0::/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\n"
		   "1001:x:0:0::/:/bin/sh\nhomeless:x:1002:1002:::\n");
	write_file("etc/group", "audio:x:29:alice\nusers:x:100:\n");
	return 0;
}

static int drop_root(void **state)
{
	(void)state;
	err_drop(path_remove_tree(AT_FDCWD, root));
	close(root_fd);
	return 0;
}

static void release(struct process_spec *process)
{
	free(process->groups);
	strlist_release(&process->env);
}

static void names_and_numbers_become_ids(void **state)
{
	static const struct {
		const char *text;
		uid_t uid;
		gid_t gid;
		size_t groups;
	} cases[] = {
		{ "alice", 1000, 100, 1 },	{ "1000", 1000, 100, 1 },
		{ "alice:audio", 1000, 29, 0 }, { "alice:7", 1000, 7, 0 },
		{ "1001", 1001, 55, 0 },	{ "0", 0, 0, 0 },
		{ "1001:100", 1001, 100, 0 },	{ "4294967294", 4294967294U, 55, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process_spec process = { .uid = 55, .gid = 55 };

		assert_true(went_well(process_lookup_user(root_fd, cases[i].text, &process)));
		assert_true(process.uid == cases[i].uid);
		assert_true(process.gid == cases[i].gid);
		assert_int_equal(process.group_count, cases[i].groups);
		release(&process);
	}
}

static void groups_of_the_configuration_stay(void **state)
{
	struct process_spec process = { 0 };

	(void)state;
	assert_null(group_list_add(&process.groups, &process.group_count, 5));
	assert_true(went_well(process_lookup_user(root_fd, "alice", &process)));
	assert_int_equal(process.group_count, 2);
	assert_int_equal(process.groups[0], 5);
	assert_int_equal(process.groups[1], 29);
	release(&process);
}

/* CVE-2026-30892 and its kin: nothing that is almost a number ends as root. */
static void what_is_no_user_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
	} cases[] = {
		{ "", ERR_INVALID },
		{ ":", ERR_INVALID },
		{ ":0", ERR_INVALID },
		{ "alice:", ERR_INVALID },
		{ "4294967295", ERR_INVALID },
		{ "4294967296", ERR_INVALID },
		{ "0:4294967295", ERR_INVALID },
		{ "-1", ERR_NOT_FOUND },
		{ "+0", ERR_NOT_FOUND },
		{ " 0", ERR_NOT_FOUND },
		{ "0x0", ERR_NOT_FOUND },
		{ "bob", ERR_NOT_FOUND },
		{ "alice:wheel", ERR_NOT_FOUND },
		{ "alice:100:1", ERR_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process_spec process = { .uid = 55, .gid = 55 };

		assert_true(failed_with(process_lookup_user(root_fd, cases[i].text, &process),
					cases[i].kind));
		release(&process);
	}
}

static void home_comes_from_the_container(void **state)
{
	static const struct {
		uid_t uid;
		const char *home;
	} cases[] = { { 1000, "/home/alice" }, { 0, "/root" }, { 1002, "/" }, { 4242, "/" } };
	struct process_spec process = { .uid = 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process_spec other = { .uid = cases[i].uid };

		assert_true(went_well(process_set_home(root_fd, &other)));
		assert_string_equal(strlist_env(&other.env, "HOME"), cases[i].home);
		release(&other);
	}
	assert_null(strlist_add(&process.env, "HOME=/given"));
	assert_true(went_well(process_set_home(root_fd, &process)));
	assert_string_equal(strlist_env(&process.env, "HOME"), "/given");
	assert_int_equal(process.env.count, 1);
	release(&process);
}

static void hostile_files_hold_nobody_up(void **state)
{
	struct process_spec process = { .uid = 1000 };

	(void)state;
	assert_int_equal(renameat(root_fd, "etc/passwd", root_fd, "etc/kept"), 0);
	assert_int_equal(mkfifoat(root_fd, "etc/passwd", 0600), 0);
	assert_true(failed_with(process_lookup_user(root_fd, "alice", &process), ERR_INVALID));
	assert_true(went_well(process_set_home(root_fd, &process)));
	assert_string_equal(strlist_env(&process.env, "HOME"), "/");
	assert_int_equal(unlinkat(root_fd, "etc/passwd", 0), 0);
	/* a link is followed inside the root only */
	assert_int_equal(symlinkat("/etc/kept", root_fd, "etc/passwd"), 0);
	assert_true(went_well(process_lookup_user(root_fd, "alice", &process)));
	assert_int_equal(process.uid, 1000);
	assert_int_equal(unlinkat(root_fd, "etc/passwd", 0), 0);
	assert_true(failed_with(process_lookup_user(root_fd, "alice", &process), ERR_NOT_FOUND));
	assert_true(went_well(process_lookup_user(root_fd, "1000", &process)));
	assert_int_equal(renameat(root_fd, "etc/kept", root_fd, "etc/passwd"), 0);
	release(&process);
}

static int become_somebody(void)
{
	gid_t groups[] = { 29, 44 }, read_back[4];
	struct process_spec process = {
		.uid = 1000, .gid = 100, .groups = groups, .group_count = 2
	};
	uid_t r, e, s;
	gid_t rg, eg, sg;

	CHECK(enter_userns(0));
	umask(077);
	CHECK(went_well(process_set_user(&process)));
	CHECK(getresuid(&r, &e, &s) == 0 && r == 1000 && e == 1000 && s == 1000);
	CHECK(getresgid(&rg, &eg, &sg) == 0 && rg == 100 && eg == 100 && sg == 100);
	CHECK(getgroups(4, read_back) == 2);
	CHECK(read_back[0] == 29 && read_back[1] == 44);
	CHECK(umask(0) == 022);
	return 0;
}

/* A kernel that says yes and does nothing: each step is looked at afterwards. */
static int change_nothing(void)
{
	static const long calls[] = { SYS_setgroups, SYS_setresgid, SYS_setresuid };
	gid_t group = 29;
	const struct process_spec process = {
		.uid = 1000, .gid = 100, .groups = &group, .group_count = 1
	};

	CHECK(enter_userns(0));
	CHECK(setgroups(0, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(fake_call(calls[i], 0) && process_set_user(&process) ? 0 : 1);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	return 0;
}

static int forget_groups(void)
{
	gid_t groups[] = { 3, 4 };
	struct process_spec process = { .umask_set = true, .umask_bits = 027 };

	CHECK(enter_userns(0));
	CHECK(setgroups(2, groups) == 0);
	CHECK(went_well(process_set_user(&process)));
	CHECK(getgroups(0, NULL) == 0);
	CHECK(umask(0) == 027);
	return 0;
}

static void ids_are_taken_for_good(void **state)
{
	(void)state;
	NEED_USERNS();
	if (geteuid() != 0) {
		print_message("needs several ids: run as root\n");
		skip();
	}
	assert_int_equal(in_child(become_somebody), 0);
	assert_int_equal(in_child(forget_groups), 0);
	assert_int_equal(in_child(change_nothing), 0);
}

static int ask_for_minus_one(void)
{
	struct process_spec process = { .uid = (uid_t)-1 };

	CHECK(failed_with(process_set_user(&process), ERR_INVALID));
	process = (struct process_spec){ .gid = (gid_t)-1 };
	CHECK(failed_with(process_set_user(&process), ERR_INVALID));
	return 0;
}

/* As `unshare -Ur` has it: setgroups(2) is forbidden. */
static int be_rootless(void)
{
	struct process_spec process = { 0 };
	gid_t gid = 0;

	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(put_file("/proc/self/setgroups", "deny"));
	CHECK(put_file("/proc/self/uid_map", "0 0 1"));
	CHECK(put_file("/proc/self/gid_map", "0 0 1"));
	CHECK(went_well(process_set_user(&process)));
	process.groups = &gid;
	process.group_count = 1;
	CHECK(failed_with(process_set_user(&process), ERR_UNSUPPORTED));
	/* an id without a mapping is an error, not the old id */
	process = (struct process_spec){ .uid = 12 };
	CHECK(failed_with(process_set_user(&process), ERR_SYS));
	CHECK(getuid() == 0);
	return 0;
}

static void minus_one_is_no_id(void **state)
{
	(void)state;
	assert_int_equal(in_child(ask_for_minus_one), 0);
}

static void denied_setgroups_is_borne_without_groups(void **state)
{
	(void)state;
	NEED_USERNS();
	if (geteuid() != 0) {
		print_message("written for root's ids\n");
		skip();
	}
	assert_int_equal(in_child(be_rootless), 0);
}

/* The pipe on descriptor 1 changes hands, a regular file does not. */
static int give_pipes(void)
{
	struct process_spec process = { .uid = 1000, .gid = 1000 };
	struct stat st;
	int pair[2], file;

	CHECK(enter_userns(0));
	CHECK(pipe(pair) == 0);
	file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	CHECK(dup2(pair[1], 1) == 1 && dup2(file, 0) == 0);
	CHECK(went_well(process_set_user(&process)));
	CHECK(fstat(1, &st) == 0 && st.st_uid == 1000);
	CHECK(fstat(0, &st) == 0 && st.st_uid == 0);
	return 0;
}

static void pipes_are_handed_over(void **state)
{
	(void)state;
	NEED_USERNS();
	if (geteuid() != 0) {
		print_message("needs several ids: run as root\n");
		skip();
	}
	assert_int_equal(in_child(give_pipes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_become_ids),
		cmocka_unit_test(groups_of_the_configuration_stay),
		cmocka_unit_test(what_is_no_user_is_refused),
		cmocka_unit_test(home_comes_from_the_container),
		cmocka_unit_test(hostile_files_hold_nobody_up),
		cmocka_unit_test(ids_are_taken_for_good),
		cmocka_unit_test(minus_one_is_no_id),
		cmocka_unit_test(denied_setgroups_is_borne_without_groups),
		cmocka_unit_test(pipes_are_handed_over),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
