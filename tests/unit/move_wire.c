/* What the ends of a move say and remember: each kind of frame reads as it was written, and what is
 * not as the tables have it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "migrate-criu/move/wire.h"

#define ID "0123456789abcdef0123456789abcdef"
#define DIGEST ID ID

static void refused(struct err *err, const char *why)
{
	assert_non_null(err);
	if (!strstr(err_text(err), why))
		fail_msg("'%s' is not in '%s'", why, err_text(err));
	err_drop(err);
}

/* All that any frame may say. */
static void fill(struct move_message *message)
{
	*message = (struct move_message){
		.protocol = 1, .bytes = 7, .running = 1, .done = 3, .total = 4
	};
	assert_null(str_dup("0.1", &message->cella));
	assert_null(str_dup(ID, &message->id));
	assert_null(str_dup("web", &message->name));
	assert_null(str_dup("A=\"b\"\n", &message->conf));
	assert_null(str_dup(DIGEST, &message->digest));
	assert_null(str_dup("why", &message->text));
	assert_null(str_dup("done", &message->state));
	assert_null(strlist_add(&message->lines, "one"));
	assert_null(strlist_add(&message->traffic, "eth0"));
	assert_null(strlist_add(&message->traffic, "a\nb\n"));
}

static void every_kind_reads_as_written(void **state)
{
	OWN(move_message) struct move_message message;

	(void)state;
	fill(&message);
	for (enum move_kind kind = MOVE_HELLO; kind < MOVE_KIND_COUNT; kind++) {
		OWN(move_message) struct move_message read = { 0 };
		OWN(str) char *text = NULL, *again = NULL;

		if (kind == MOVE_DATA)
			continue;
		assert_null(move_message_format(kind, &message, &text));
		assert_null(move_message_parse(kind, text, strlen(text), &read));
		assert_null(move_message_format(kind, &read, &again));
		assert_string_equal(text, again);
		assert_true(strlen(text) <= move_kind_max(kind));
	}
}

static void bad_payloads_are_refused(void **state)
{
	static const struct {
		enum move_kind kind;
		const char *text, *why;
	} rows[] = {
		{ MOVE_BEGIN, "{}", "it has no id" },
		{ MOVE_BEGIN, "{\"id\":\"../../etc\"}", "id: it is not what it should be" },
		{ MOVE_BEGIN, "{\"id\":\"" ID "\",\"more\":1}", "should not have" },
		{ MOVE_BEGIN, "[]", "expected an object" },
		{ MOVE_QUERY, "{\"id\":\"" ID "\",\"name\":\"../web\"}", "name: it is not" },
		{ MOVE_QUERY, "{\"id\":\"" ID "\",\"name\":\"\"}", "name: it is not" },
		{ MOVE_STATE, "{\"state\":\"asleep\"}", "state: it is not" },
		{ MOVE_FAILED, "{\"text\":\"\\u001b[2J\"}", "text: it is not" },
		{ MOVE_REFUSE, "{\"lines\":[\"a\\nb\"]}", "lines[0]: it is not" },
		{ MOVE_PROGRESS, "{\"done\":-1,\"total\":1}", "done" },
		{ MOVE_ROUND, "{\"bytes\":1}", "it has no digest" },
		{ MOVE_END, "{\"bytes\":1,\"digest\":\"00\",\"traffic\":[]}", "digest: it is not" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		OWN(move_message) struct move_message message = { 0 };

		refused(move_message_parse(rows[i].kind, rows[i].text, strlen(rows[i].text),
					   &message),
			rows[i].why);
		assert_null(message.id);
	}
}

static void headers_are_checked(void **state)
{
	unsigned char header[MOVE_HEADER_BYTES];
	enum move_kind kind;
	size_t len;

	(void)state;
	move_header_format(MOVE_DATA, MOVE_DATA_MAX, header);
	assert_null(move_header_parse(header, MOVE_SOURCE, &kind, &len));
	assert_int_equal(kind, MOVE_DATA);
	assert_int_equal(len, MOVE_DATA_MAX);
	refused(move_header_parse(header, MOVE_TARGET, &kind, &len), "not its to send");
	move_header_format(MOVE_DATA, MOVE_DATA_MAX + 1, header);
	refused(move_header_parse(header, MOVE_SOURCE, &kind, &len), "are the most");
	move_header_format(MOVE_KIND_COUNT, 0, header);
	refused(move_header_parse(header, MOVE_SOURCE, &kind, &len), "not its to send");
	header[0] = 'X';
	refused(move_header_parse(header, MOVE_SOURCE, &kind, &len), "no cella");
}

/* What is sent at one end is received at the other; a broken frame and an end are told apart. */
static void frames_go_through(void **state)
{
	OWN(move_message) struct move_message message, got = { 0 };
	struct move_channel a = { .end = MOVE_SOURCE, .peer = "b" };
	OWN(move_channel) struct move_channel b = { .end = MOVE_TARGET, .peer = "a" };
	enum move_kind kind;
	int fds[2];

	(void)state;
	fill(&message);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	a.in_fd = a.out_fd = fds[0];
	b.in_fd = b.out_fd = fds[1];
	assert_null(move_send_frame(&a, MOVE_OFFER, &message));
	assert_null(move_send_data(&a, "disk", 4));
	assert_null(move_expect(&b, MOVE_OFFER, &got));
	assert_string_equal(got.conf, message.conf);
	assert_null(move_recv_frame(&b, &kind, &got));
	assert_int_equal(kind, MOVE_DATA);
	assert_memory_equal(b.payload.data, "disk", 4);
	assert_null(move_send_frame(&b, MOVE_FAILED, &message));
	refused(move_expect(&a, MOVE_READY, &got), "b: why");
	buf_release(&a.payload);
	assert_int_equal(write(fds[0], "CMV1", 4), 4);
	close(fds[0]);
	refused(move_recv_frame(&b, &kind, &got), "in the middle of a frame");
	assert_null(move_recv_frame(&b, &kind, &got));
	assert_int_equal(kind, MOVE_EOF);
	close(fds[1]);
}

static void only_hosts_are_told_to_ssh(void **state)
{
	static const char *const good[] = { "b", "root@b.example", "10.0.0.1",
					    "root@[fe80::1%eth0]" };
	static const char *const bad[] = {
		"", "-oProxyCommand=x", "root@-b", "a b", "a\nb", "a;b", "root@", "$(x)", "-l@host"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_null(move_check_peer(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(move_check_peer(bad[i]), "is no [USER@]HOST");
}

static void journals_read_as_written(void **state)
{
	(void)state;
	for (enum moving_state s = MOVING_SENDING; s < MOVING_STATE_COUNT; s++) {
		const struct moving moving = {
			.state = s, .id = ID, .peer = "b", .was_running = true, .since_s = 5
		};
		OWN(str) char *text = NULL;
		struct moving read;

		assert_null(moving_format(&moving, &text));
		assert_null(moving_parse(text, strlen(text), &read));
		assert_memory_equal(&moving, &read, sizeof(read));
		/* a file that a power cut left short is no journal of another state */
		for (size_t len = 0; len + 2 < strlen(text); len++)
			refused(moving_parse(text, len, &read), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_reads_as_written),
		cmocka_unit_test(bad_payloads_are_refused),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(frames_go_through),
		cmocka_unit_test(only_hosts_are_told_to_ssh),
		cmocka_unit_test(journals_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
