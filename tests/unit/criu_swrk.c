/* What CRIU is told and what it says, with a criu that is this very program under that name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrate-criu/place.h"
#include "migrate-criu/rpc.pb-c.h"

#define PASSED "passed"

static char dir[] = "/tmp/criu-unit.XXXXXX"; /* holds the link named criu */
static char *criu_path;

/* --- the false criu: what it does is the log file's name in the request --- */

static void say(const Criu__Response *response, int fd)
{
	uint8_t data[4096];
	size_t len = criu__response__pack(response, data);
	struct err *err = fd_send(3, data, len, fd);

	if (err)
		_exit(10);
}

static Criu__Request *hear(void)
{
	uint8_t data[65536];
	ssize_t len = read(3, data, sizeof(data));
	Criu__Request *request = len > 0 ? criu__request__unpack(NULL, (size_t)len, data) : NULL;

	if (!request)
		_exit(11);
	return request;
}

/* Returns what was answered. */
static bool notify(const char *event, pid_t pid, int fd)
{
	Criu__Response response = CRIU__RESPONSE__INIT;
	Criu__Notice notice = CRIU__NOTICE__INIT;
	Criu__Request *answer;
	char text[32];
	bool agreed;

	snprintf(text, sizeof(text), "%s", event);
	notice.event = text;
	notice.has_pid = pid > 0;
	notice.pid = pid;
	response.verb = CRIU__VERB__NOTIFY;
	response.success = true;
	response.notice = &notice;
	say(&response, fd);
	answer = hear();
	agreed = answer->verb == CRIU__VERB__NOTIFY && answer->has_notify_success &&
		 answer->notify_success;
	criu__request__free_unpacked(answer, NULL);
	return agreed;
}

static void end_with(bool success, int error_number, const char *error)
{
	char text[64];
	Criu__Response response = CRIU__RESPONSE__INIT;
	Criu__Restored restored = CRIU__RESTORED__INIT;

	restored.pid = 42;
	response.verb = CRIU__VERB__RESTORE;
	response.success = success;
	response.restored = success ? &restored : NULL;
	response.has_error_number = error_number != 0;
	response.error_number = error_number;
	snprintf(text, sizeof(text), "%s", error);
	response.error_text = text;
	say(&response, -1);
}

static void false_criu(void)
{
	Criu__Request *request = hear();
	const char *what = request->options->log_file;
	char text[16] = "";

	if (!strcmp(what, "restores")) {
		/* the descriptor that was passed is where it was said to be */
		if (read(request->options->inherited[0]->fd, text, sizeof(text) - 1) < 0 ||
		    strcmp(text, PASSED) != 0)
			_exit(12);
		if (!notify("setup-namespaces", 42, -1) || !notify("orphan-pts-master", 0, 0) ||
		    !notify("post-restore", 42, -1))
			_exit(13);
		end_with(true, 0, "");
	} else if (!strcmp(what, "asks")) {
		text[0] = notify("post-restore", 42, -1) ? 'y' : 'n';
		if (write(CRIU_FIRST_FD + 1, text, 1) != 1)
			_exit(15);
		end_with(false, 0, "");
	} else if (!strcmp(what, "fails")) {
		end_with(false, ENOSPC, "");
	} else if (!strcmp(what, "explains")) {
		end_with(false, ENOSPC, "Error (criu/x.c:1): no room\n");
	} else if (!strcmp(what, "babbles") && write(3, "\xff\xff\xff", 3) < 0) {
		_exit(14);
	}
	criu__request__free_unpacked(request, NULL);
}

/* --- conversations --- */

struct heard {
	char events[128];
	pid_t pid;
	bool got_fd;
	const char *refuse; /* event */
	char answer;	    /* as the false criu got it */
};

static struct err *note(void *arg, const struct criu_message *notice, int fd)
{
	struct heard *heard = arg;
	size_t len = strlen(heard->events);

	snprintf(heard->events + len, sizeof(heard->events) - len, "%s ", notice->event);
	if (notice->pid)
		heard->pid = notice->pid;
	heard->got_fd |= fd >= 0;
	if (str_eq(notice->event, heard->refuse))
		return err_new(ERR_STATE, "not this one");
	return NULL;
}

static struct err *converse(const char *what, struct heard *heard)
{
	OWN(criu) struct criu criu = CRIU_INIT;
	struct criu_start start = { 0 };
	struct cr_options options = { 0 };
	struct criu_request request = CRIU_REQUEST_INIT;
	int pair[2], back[2], number;
	struct err *err;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(pipe2(back, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(pair[1], PASSED, strlen(PASSED)), strlen(PASSED));
	request.verb = CRIU_RESTORE;
	request.options = &options;
	request.log_file = what;
	assert_null(criu_pass_fd(&start, pair[0], &number));
	assert_null(criu_request_inherit(&request, "key", number));
	assert_null(criu_pass_fd(&start, back[1], &number));
	assert_null(criu_spawn(criu_path, &start, &criu));
	close(pair[0]);
	close(pair[1]);
	err = criu_talk(&criu, &request, note, heard);
	if (read(back[0], &heard->answer, 1) < 0)
		heard->answer = 0; /* it had nothing to say */
	close(back[0]);
	close(back[1]);
	criu_request_release(&request);
	return err;
}

static void notices_come_in_order(void **state)
{
	struct heard heard = { 0 };

	(void)state;
	assert_null(converse("restores", &heard));
	assert_string_equal(heard.events, "setup-namespaces orphan-pts-master post-restore ");
	assert_int_equal(heard.pid, 42);
	assert_true(heard.got_fd);
}

static void refusal_is_told_and_returned(void **state)
{
	struct heard heard = { .refuse = "post-restore" };
	struct err *err;

	(void)state;
	err = converse("asks", &heard);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_STATE);
	assert_string_equal(err_text(err), "not this one");
	assert_int_equal(heard.answer, 'n');
	err_drop(err);
}

static void failures_are_errors(void **state)
{
	static const struct {
		const char *what, *said;
	} rows[] = {
		{ "fails", "criu: No space left on device" },
		{ "explains", "criu: no room" },
		{ "dies", "criu ended before its work was done" },
		{ "babbles", "criu said something that is no message of its protocol" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct heard heard = { 0 };
		struct err *err = converse(rows[i].what, &heard);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_PEER);
		assert_string_equal(err_text(err), rows[i].said);
		err_drop(err);
	}
}

static void a_criu_that_does_not_start_is_said(void **state)
{
	struct criu_start start = { 0 };
	struct criu criu = CRIU_INIT;
	struct err *err = criu_spawn("/nonexistent/criu", &start, &criu);

	(void)state;
	assert_non_null(err);
	assert_non_null(strstr(err_text(err), "/nonexistent/criu: No such file"));
	assert_int_equal(criu.pidfd, -1);
	err_drop(err);
}

static void absence_is_said_with_the_cure(void **state)
{
	OWN(str) char *path = NULL, *found = NULL;
	struct err *err;

	(void)state;
	setenv("PATH", "/nonexistent::relative", 1);
	err = criu_find(&path);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_text(err), "install the package criu"));
	err_drop(err);
	setenv("PATH", dir, 1);
	assert_null(criu_find(&found));
	assert_string_equal(found, criu_path);
}

/* --- messages --- */

static Criu__Request *unpack(const struct criu_request *request)
{
	OWN(buf) struct buf bytes = { 0 };
	Criu__Request *unpacked;

	assert_null(criu_request_format(request, &bytes));
	unpacked = criu__request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
	assert_non_null(unpacked);
	return unpacked;
}

static void a_dump_is_told_what_was_chosen(void **state)
{
	const struct cr_options options = {
		.tcp_established = true,
		.file_locks = true,
		.leave_running = true,
		.parent_path = "../before",
		.page_server_address = "::1",
		.page_server_port = 7,
		.cgroups = CR_CGROUPS_IGNORE,
		.network_lock = CR_LOCK_NFTABLES,
		.empty_network = true,
	};
	struct criu_request request = CRIU_REQUEST_INIT;
	Criu__Request *message;
	const Criu__Options *o;

	(void)state;
	request.verb = CRIU_DUMP;
	request.options = &options;
	request.pid = 77;
	request.images_fd = 4;
	assert_null(strlist_add(&request.external, "mnt[/a]:/b"));
	message = unpack(&request);
	o = message->options;
	assert_int_equal(message->verb, CRIU__VERB__DUMP);
	assert_true(o->tcp_established && o->file_locks && o->leave_running);
	assert_false(o->has_ext_unix_sk || o->has_shell_job || o->has_as_sibling);
	assert_true(o->has_track_memory && o->track_memory); /* for there is a parent */
	assert_string_equal(o->parent, "../before");
	assert_string_equal(o->page_server->address, "::1");
	assert_int_equal(o->page_server->port, 7);
	assert_int_equal(o->cgroup_mode, CRIU__CGROUP_MODE__IGNORE);
	assert_int_equal(o->network_lock, CRIU__NETWORK_LOCK__NFTABLES);
	assert_int_equal(o->empty_namespaces, CLONE_NEWNET);
	assert_int_equal(o->pid, 77);
	assert_false(o->has_work_fd);
	assert_int_equal(o->n_external, 1);
	assert_string_equal(o->external[0], "mnt[/a]:/b");
	criu__request__free_unpacked(message, NULL);
	criu_request_release(&request);
}

static void a_restore_is_told_what_it_inherits(void **state)
{
	static const char links[] = "[\"/dev/null\",\"pipe:[5]\",\"pipe:[6]\"]";
	const struct cr_options options = { 0 };
	struct criu_request request = CRIU_REQUEST_INIT;
	Criu__Request *message;
	const Criu__Options *o;

	(void)state;
	request.verb = CRIU_RESTORE;
	request.options = &options;
	request.cgroup_root = "/a/b";
	assert_null(cr_descriptors_parse(links, strlen(links), &request));
	message = unpack(&request);
	o = message->options;
	assert_int_equal(message->verb, CRIU__VERB__RESTORE);
	assert_true(o->as_sibling && o->notify && o->orphan_pts_master && o->evasive_devices);
	assert_int_equal(o->cgroup_mode, CRIU__CGROUP_MODE__SOFT);
	assert_false(o->has_network_lock || o->has_track_memory);
	assert_string_equal(o->cgroup_root[0]->path, "/a/b");
	assert_int_equal(o->n_inherited, 2);
	assert_string_equal(o->inherited[0]->key, "pipe:[5]");
	assert_int_equal(o->inherited[0]->fd, 1);
	assert_int_equal(o->inherited[1]->fd, 2);
	criu__request__free_unpacked(message, NULL);
	criu_request_release(&request);
}

static void bad_descriptors_are_refused(void **state)
{
	static const char *const bad[] = { "", "{}", "[1]", "[\"pipe:[1]\"", "\"pipe:[1]\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct criu_request request = CRIU_REQUEST_INIT;
		struct err *err = cr_descriptors_parse(bad[i], strlen(bad[i]), &request);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		assert_int_equal(request.inherited_count, 0);
		err_drop(err);
	}
}

static void errors_are_one_line(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "", "" },
		{ "words\nmore", "words" },
		{ "Error (criu/mount.c:99): mnt: no \033root\nError (criu/a.c:1): x\n",
		  "mnt: no \\x1broot" },
		{ "(00.1)   1: Error (criu/a.c:1): told\n", "told" },
		{ "Error (criu/a.c:1)\nx): y\n", "Error (criu/a.c:1)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		OWN(str) char *line = NULL;

		assert_null(criu_clean_error(rows[i].text, &line));
		assert_string_equal(line, rows[i].line);
	}
}

static void other_ids_are_noticed(void **state)
{
	const struct id_map maps[] = { { 0, 300000, 1000 }, { 1000, 500000, 5 } };

	(void)state;
	assert_true(cr_is_id_map(
		"      1000     500000          5\n         0     300000       1000\n", maps, 2));
	assert_true(cr_is_id_map("", NULL, 0));
	assert_false(cr_is_id_map("0 300000 1000\n", maps, 2));
	assert_false(cr_is_id_map("0 300000 1000\n1000 500000 6\n", maps, 2));
	assert_false(cr_is_id_map("0 300000 1000\n1000 500000 5\n", maps, 1));
	assert_false(cr_is_id_map("0 300000\n", maps, 1));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notices_come_in_order),
		cmocka_unit_test(refusal_is_told_and_returned),
		cmocka_unit_test(failures_are_errors),
		cmocka_unit_test(a_criu_that_does_not_start_is_said),
		cmocka_unit_test(absence_is_said_with_the_cure),
		cmocka_unit_test(a_dump_is_told_what_was_chosen),
		cmocka_unit_test(a_restore_is_told_what_it_inherits),
		cmocka_unit_test(bad_descriptors_are_refused),
		cmocka_unit_test(errors_are_one_line),
		cmocka_unit_test(other_ids_are_noticed),
	};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int failed;

	if (argc == 3 && !strcmp(argv[1], "swrk")) {
		false_criu();
		return 0;
	}
	if (len < 0 || !mkdtemp(dir) || asprintf(&criu_path, "%s/criu", dir) < 0)
		return 1;
	self[len] = '\0';
	if (symlink(self, criu_path) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(criu_path);
	rmdir(dir);
	free(criu_path);
	return failed;
}
