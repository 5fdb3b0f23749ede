/* state.json: what is written comes back, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/birth.h"

static int temp_dir(char *path)
{
	int fd;

	memcpy(path, "/tmp/cella-state-XXXXXX", sizeof("/tmp/cella-state-XXXXXX"));
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void remove_dir(const char *path)
{
	assert_null(path_remove_tree(AT_FDCWD, path));
}

static void fill(struct ct_state *state)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	assert_null(str_dup("web", &state->id));
	assert_null(str_dup("/bundle \"x\"", &state->bundle));
	assert_null(str_dup("/bundle/rootfs", &state->rootfs));
	assert_null(str_dup("1.2.0", &state->oci_version));
	assert_null(str_dup("/cella-oci/web", &state->cgroup_path));
	assert_null(strlist_add(&state->annotations, "a.b=c=d\n"));
	state->pid = 1234;
	state->pid_start_ticks = UINT64_MAX;
	state->pidfd_inode = UINT64_MAX - 1;
	state->created = (struct timespec){ .tv_sec = 1700000000, .tv_nsec = 5 };
	state->has_process = true;
	assert_null(str_dup("/bin/true", &hook->path));
	assert_null(strlist_add(&hook->args, "true"));
	hook->timeout_ms = 1500;
	state->hooks[HOOK_POSTSTOP] = (struct hook_list){ .items = hook, .count = 1 };
}

static void what_is_written_comes_back(void **unused)
{
	OWN(ct_state) struct ct_state state = { 0 }, back = { 0 };
	char path[40];
	int fd = temp_dir(path);

	(void)unused;
	fill(&state);
	assert_null(state_save(fd, &state));
	assert_null(state_load(fd, "web", &back));
	assert_string_equal(back.bundle, state.bundle);
	assert_string_equal(back.cgroup_path, "/cella-oci/web");
	assert_null(back.scope);
	assert_int_equal(back.pid, 1234);
	assert_true(back.pid_start_ticks == UINT64_MAX);
	assert_true(back.pidfd_inode == UINT64_MAX - 1);
	assert_int_equal(back.created.tv_nsec, 5);
	assert_int_equal(back.annotations.count, 1);
	assert_string_equal(back.annotations.items[0], "a.b=c=d\n");
	assert_int_equal(back.hooks[HOOK_POSTSTOP].count, 1);
	assert_int_equal(back.hooks[HOOK_POSTSTOP].items[0].timeout_ms, 1500);
	assert_true(back.has_process);
	close(fd);
	remove_dir(path);
}

static void another_containers_state_is_refused(void **unused)
{
	OWN(ct_state) struct ct_state state = { 0 }, back = { 0 };
	char path[40];
	int fd = temp_dir(path);
	struct err *err;

	(void)unused;
	fill(&state);
	assert_null(state_save(fd, &state));
	err = state_load(fd, "other", &back);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
	close(fd);
	remove_dir(path);
}

static void junk_is_an_error(void **unused)
{
	static const char *const junk[] = {
		"",
		"{}",
		"[]",
		"{\"id\":\"a\"}",
		"{\"id\":1}",
		"null",
		"{\"id\":\"a\\u0000b\"}",
		"{\"id\":\"a\",\"ociVersion\":\"1\",\"bundle\":\"/\",\"rootfs\":\"/\",\"pid\":-1}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
		struct ct_state state = { 0 };
		struct err *err = state_parse(junk[i], strlen(junk[i]), &state);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void a_root_that_others_may_write_is_refused(void **unused)
{
	struct ct_root root = CT_ROOT_INIT;
	char path[40];
	struct err *err;

	(void)unused;
	close(temp_dir(path));
	assert_int_equal(chmod(path, 0777), 0);
	err = ct_root_open(path, &root);
	assert_non_null(err);
	err_drop(err);
	assert_int_equal(chmod(path, 0700), 0);
	assert_null(ct_root_open(path, &root));
	ct_root_release(&root);
	remove_dir(path);
}

static void a_dead_pid_is_a_stopped_container(void **unused)
{
	OWN(ct_state) struct ct_state state = { 0 }, seen = { 0 };
	struct ct_root root = CT_ROOT_INIT;
	struct strlist ids = { 0 };
	char path[40];
	int fd, dir_fd;

	(void)unused;
	fd = temp_dir(path);
	assert_null(ct_root_open(path, &root));
	assert_int_equal(mkdirat(fd, "web", 0700), 0);
	dir_fd = openat(fd, "web", O_RDONLY | O_DIRECTORY);
	fill(&state);
	/* our own pid with another start time: a reused pid must not be believed */
	state.pid = getpid();
	state.pid_start_ticks = 1;
	state.pidfd_inode = 0;
	free(TAKE(state.cgroup_path));
	assert_null(state_save(dir_fd, &state));
	assert_null(ct_load(&root, "web", &seen));
	assert_int_equal(seen.status, CT_STOPPED);
	assert_null(ct_list(&root, &ids));
	assert_int_equal(ids.count, 1);
	strlist_release(&ids);
	assert_null(ct_delete(&root, "missing", true));
	ct_root_release(&root);
	close(dir_fd);
	close(fd);
	remove_dir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(another_containers_state_is_refused),
		cmocka_unit_test(junk_is_an_error),
		cmocka_unit_test(a_root_that_others_may_write_is_refused),
		cmocka_unit_test(a_dead_pid_is_a_stopped_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
