/* Payloads: which members each kind of frame has, and how they read; see wire.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "migrate-criu/move/wire.h"

#define LINE_MAX_BYTES 2000
#define LINES_MAX 64

/* --- members --- */

/* Text of one line, which is shown to people. */
static bool is_line(const char *text)
{
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return strlen(text) <= LINE_MAX_BYTES;
}

static bool is_any(const char *text)
{
	return strlen(text) <= CONF_FILE_MAX;
}

static bool is_name(const char *text)
{
	struct err *err = parse_container_id(text);

	err_drop(err); /* only whether, not why */
	return !err;
}

static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_state(const char *text)
{
	enum moving_state state;
	struct err *err = moving_state_parse(text, &state);

	err_drop(err); /* only whether, not why */
	return !err;
}

enum member_type { NUMBER, TEXT, LIST };
/* clang-format off */
enum member {
	PROTOCOL, CELLA, ID, NAME, CONF, BYTES, RUNNING, DIGEST, TRAFFIC, LINES, WHY, STATE, DONE,
	TOTAL, MEMBER_COUNT
};
#define BIT(member) (1U << (member))

static const struct member_row {
	const char *key;
	enum member_type type;
	size_t offset;			   /* in struct move_message */
	bool (*is_good)(const char *text); /* TEXT, and each string of a LIST */
	uint64_t max;			   /* NUMBER */
} members[MEMBER_COUNT] = {
	[PROTOCOL] = { "protocol", NUMBER, offsetof(struct move_message, protocol), NULL, UINT32_MAX },
	[CELLA]    = { "cella",    TEXT,   offsetof(struct move_message, cella), is_line, 0 },
	[ID]       = { "id",       TEXT,   offsetof(struct move_message, id), moving_is_id, 0 },
	[NAME]     = { "name",     TEXT,   offsetof(struct move_message, name), is_name, 0 },
	[CONF]     = { "conf",     TEXT,   offsetof(struct move_message, conf), is_any, 0 },
	[BYTES]    = { "bytes",    NUMBER, offsetof(struct move_message, bytes), NULL, UINT64_C(1) << 50 },
	[RUNNING]  = { "running",  NUMBER, offsetof(struct move_message, running), NULL, 1 },
	[DIGEST]   = { "digest",   TEXT,   offsetof(struct move_message, digest), is_digest, 0 },
	[TRAFFIC]  = { "traffic",  LIST,   offsetof(struct move_message, traffic), is_any, 0 },
	[LINES]    = { "lines",    LIST,   offsetof(struct move_message, lines), is_line, 0 },
	[WHY]      = { "text",     TEXT,   offsetof(struct move_message, text), is_line, 0 },
	[STATE]    = { "state",    TEXT,   offsetof(struct move_message, state), is_state, 0 },
	[DONE]     = { "done",     NUMBER, offsetof(struct move_message, done), NULL, UINT64_C(1) << 62 },
	[TOTAL]    = { "total",    NUMBER, offsetof(struct move_message, total), NULL, UINT64_C(1) << 62 },
};

/* Each has these members and no others. */
static const struct kind_row {
	const char *name;
	unsigned int ends;    /* that send it */
	size_t max_bytes;
	unsigned int members; /* BIT()s */
} kinds[MOVE_KIND_COUNT] = {
	[MOVE_EOF]      = { "the end",  0, 0, 0 },
	[MOVE_HELLO]    = { "HELLO",    BIT(MOVE_SOURCE) | BIT(MOVE_TARGET), 4096, BIT(PROTOCOL) | BIT(CELLA) },
	[MOVE_OFFER]    = { "OFFER",    BIT(MOVE_SOURCE), 1 << 20, BIT(NAME) | BIT(CONF) | BIT(BYTES) | BIT(RUNNING) },
	[MOVE_BEGIN]    = { "BEGIN",    BIT(MOVE_SOURCE), 4096, BIT(ID) },
	[MOVE_DATA]     = { "DATA",     BIT(MOVE_SOURCE), MOVE_DATA_MAX, 0 },
	[MOVE_ROUND]    = { "ROUND",    BIT(MOVE_SOURCE), 4096, BIT(BYTES) | BIT(DIGEST) },
	[MOVE_END]      = { "END",      BIT(MOVE_SOURCE), 1 << 20, BIT(BYTES) | BIT(DIGEST) | BIT(TRAFFIC) },
	[MOVE_COMMIT]   = { "COMMIT",   BIT(MOVE_SOURCE), 4096, BIT(ID) | BIT(NAME) },
	[MOVE_ABORT]    = { "ABORT",    BIT(MOVE_SOURCE), 4096, BIT(ID) | BIT(NAME) },
	[MOVE_RELEASE]  = { "RELEASE",  BIT(MOVE_SOURCE), 4096, BIT(ID) | BIT(NAME) },
	[MOVE_QUERY]    = { "QUERY",    BIT(MOVE_SOURCE), 4096, BIT(ID) | BIT(NAME) },
	[MOVE_ACCEPT]   = { "ACCEPT",   BIT(MOVE_TARGET), 1 << 18, BIT(LINES) },
	[MOVE_REFUSE]   = { "REFUSE",   BIT(MOVE_TARGET), 1 << 18, BIT(LINES) },
	[MOVE_READY]    = { "READY",    BIT(MOVE_TARGET), 4096, 0 },
	[MOVE_PROGRESS] = { "PROGRESS", BIT(MOVE_TARGET), 4096, BIT(DONE) | BIT(TOTAL) },
	[MOVE_PREPARED] = { "PREPARED", BIT(MOVE_TARGET), 4096, 0 },
	[MOVE_DONE]     = { "DONE",     BIT(MOVE_TARGET), 4096, 0 },
	[MOVE_FAILED]   = { "FAILED",   BIT(MOVE_TARGET), 16384, BIT(WHY) },
	[MOVE_STATE]    = { "STATE",    BIT(MOVE_TARGET), 4096, BIT(STATE) },
};
/* clang-format on */

const char *move_kind_name(enum move_kind kind)
{
	return kinds[kind].name;
}

size_t move_kind_max(enum move_kind kind)
{
	return kinds[kind].max_bytes;
}

bool move_kind_is_from(enum move_kind kind, enum move_end end)
{
	return kinds[kind].ends & BIT(end);
}

void move_message_release(struct move_message *message)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		void *field = (char *)message + members[i].offset;

		if (members[i].type == TEXT)
			free(*(char **)field);
		if (members[i].type == LIST)
			strlist_release(field);
	}
	*message = (struct move_message){ 0 };
}

/* --- reading --- */

static struct err *check_text(const struct json *value, const struct member_row *row)
{
	const char *text;

	TRY(json_string(value, NULL, &text));
	return row->is_good(text) ? NULL :
				    json_err(value, ERR_INVALID, "it is not what it should be");
}

static struct err *read_list(const struct json *value, const struct member_row *row,
			     struct strlist *list)
{
	TRY(json_expect(value, JSON_ARRAY));
	if (value->count > LINES_MAX)
		return json_err(value, ERR_INVALID, "it has more than %d members", LINES_MAX);
	for (const struct json *item = value->child; item; item = item->next)
		TRY(check_text(item, row));
	return json_strlist(value, NULL, list);
}

static struct err *read_member(const struct json *value, const struct member_row *row,
			       struct move_message *message)
{
	void *field = (char *)message + row->offset;
	const char *text;

	switch (row->type) {
	case NUMBER:
		return json_u64(value, NULL, row->max, field);
	case TEXT:
		TRY(check_text(value, row));
		TRY(json_string(value, NULL, &text));
		return str_dup(text, field);
	case LIST:
		return read_list(value, row, field);
	}
	return NULL;
}

static size_t count_bits(unsigned int bits)
{
	return (size_t)__builtin_popcount(bits);
}

static struct err *read_members(const struct json *root, enum move_kind kind,
				struct move_message *message)
{
	TRY(json_expect(root, JSON_OBJECT));
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		const struct json *value = json_get(root, members[i].key);

		if (!(kinds[kind].members & BIT(i)))
			continue;
		if (!value)
			return err_new(ERR_INVALID, "it has no %s", members[i].key);
		TRY(read_member(value, &members[i], message));
	}
	if (root->count != count_bits(kinds[kind].members))
		return err_new(ERR_INVALID, "it has a member that it should not have");
	return NULL;
}

struct err *move_message_parse(enum move_kind kind, const char *text, size_t len,
			       struct move_message *ret_message)
{
	OWN(move_message) struct move_message message = { 0 };
	OWN(json_doc) struct json_doc *doc = NULL;
	struct err *err = json_parse(text, len, &doc);

	if (!err)
		err = read_members(json_root(doc), kind, &message);
	if (err)
		return err_wrap(err, "%s", kinds[kind].name);
	*ret_message = message;
	message = (struct move_message){ 0 };
	return NULL;
}

/* --- writing --- */

static void write_member(struct json_out *out, const struct member_row *row,
			 const struct move_message *message)
{
	const void *field = (const char *)message + row->offset;

	json_out_key(out, row->key);
	switch (row->type) {
	case NUMBER:
		json_out_u64(out, *(const uint64_t *)field);
		break;
	case TEXT:
		json_out_string(out, *(const char *const *)field);
		break;
	case LIST:
		json_out_array(out);
		for (size_t i = 0; i < ((const struct strlist *)field)->count; i++)
			json_out_string(out, ((const struct strlist *)field)->items[i]);
		json_out_end_array(out);
	}
}

struct err *move_message_format(enum move_kind kind, const struct move_message *message,
				char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		if (kinds[kind].members & BIT(i))
			write_member(out, &members[i], message);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}
