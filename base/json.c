/* Reading JSON: yajl's events become a tree in one arena. See json.h; the writer is json_out.c. */
#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/parse.h"

#define DEPTH_MAX 64
#define CHUNK_BYTES 16384

/* Memory in chunks, freed all at once. */
struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(max_align_t) char data[];
};

struct json_doc {
	struct chunk *chunks;
	struct json *root;
};

/* Where the parser stands: the open containers, and the key of the member that comes next. */
struct builder {
	struct json_doc *doc;
	struct json *open[DEPTH_MAX];
	struct json *last[DEPTH_MAX]; /* last child of open[i] */
	size_t depth;
	const char *key;
	const char *why; /* what stopped us, when a callback returns 0 */
};

static void *arena_alloc(struct json_doc *doc, size_t size)
{
	struct chunk *chunk = doc->chunks;
	size_t need = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);

	if (!chunk || chunk->room - chunk->used < need) {
		size_t room = need > CHUNK_BYTES ? need : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->next = doc->chunks;
		chunk->used = 0;
		chunk->room = room;
		doc->chunks = chunk;
	}
	chunk->used += need;
	return chunk->data + chunk->used - need;
}

static const char *arena_text(struct builder *b, const unsigned char *text, size_t len)
{
	char *copy;

	if (memchr(text, 0, len)) {
		b->why = "a string contains a NUL character";
		return NULL;
	}
	copy = arena_alloc(b->doc, len + 1);
	if (!copy) {
		b->why = "out of memory";
		return NULL;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

static struct json *add_value(struct builder *b, enum json_type type)
{
	struct json *value = arena_alloc(b->doc, sizeof(*value));

	if (!value) {
		b->why = "out of memory";
		return NULL;
	}
	*value = (struct json){ .type = type, .key = b->key };
	b->key = NULL;
	if (b->depth == 0) {
		b->doc->root = value;
		return value;
	}
	if (b->last[b->depth - 1])
		b->last[b->depth - 1]->next = value;
	else
		b->open[b->depth - 1]->child = value;
	b->last[b->depth - 1] = value;
	b->open[b->depth - 1]->count++;
	return value;
}

static int on_null(void *ctx)
{
	return add_value(ctx, JSON_NULL) != NULL;
}

static int on_bool(void *ctx, int truth)
{
	struct json *value = add_value(ctx, JSON_BOOL);

	if (value)
		value->truth = truth;
	return value != NULL;
}

static int on_text(struct builder *b, enum json_type type, const unsigned char *text, size_t len)
{
	struct json *value = add_value(b, type);

	if (!value)
		return 0;
	value->text = arena_text(b, text, len);
	return value->text != NULL;
}

static int on_number(void *ctx, const char *text, size_t len)
{
	return on_text(ctx, JSON_NUMBER, (const unsigned char *)text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	return on_text(ctx, JSON_STRING, text, len);
}

static int on_open(struct builder *b, enum json_type type)
{
	struct json *value;

	if (b->depth == DEPTH_MAX) {
		b->why = "nested too deep";
		return 0;
	}
	value = add_value(b, type);
	if (!value)
		return 0;
	b->last[b->depth] = NULL;
	b->open[b->depth++] = value;
	return 1;
}

static int on_open_object(void *ctx)
{
	return on_open(ctx, JSON_OBJECT);
}

static int on_open_array(void *ctx)
{
	return on_open(ctx, JSON_ARRAY);
}

static int on_close(void *ctx)
{
	struct builder *b = ctx;

	b->depth--;
	return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;

	b->key = arena_text(b, text, len);
	if (b->key && json_get(b->open[b->depth - 1], b->key)) {
		b->why = "a member is given twice";
		return 0;
	}
	return b->key != NULL;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close,
};

static size_t line_of(const char *text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* yajl's own explanation, cut to its first line: "lexical error: invalid char in json text." */
static struct err *parse_error(yajl_handle handle, const struct builder *b, const char *text,
			       size_t len)
{
	size_t at = yajl_get_bytes_consumed(handle);
	unsigned char *said = NULL;
	struct err *err;

	if (!b->why)
		said = yajl_get_error(handle, 0, (const unsigned char *)text, len);
	if (said)
		said[strcspn((char *)said, "\n")] = '\0';
	err = err_new(ERR_INVALID, "JSON line %zu: %s", line_of(text, at < len ? at : len),
		      b->why ? b->why :
		      said   ? (char *)said :
			       "not JSON");
	if (said)
		yajl_free_error(handle, said);
	return err;
}

struct err *json_parse(const char *text, size_t len, struct json_doc **ret_doc)
{
	OWN(json_doc) struct json_doc *doc = calloc(1, sizeof(*doc));
	struct builder b = { .doc = doc };
	struct err *err = NULL;
	yajl_handle handle;

	if (!doc)
		return err_sys(ENOMEM, "parse JSON");
	if (len > JSON_TEXT_MAX)
		return err_new(ERR_INVALID, "JSON: larger than %zu bytes", JSON_TEXT_MAX);
	handle = yajl_alloc(&callbacks, NULL, &b);
	if (!handle)
		return err_sys(ENOMEM, "parse JSON");
	if (yajl_parse(handle, (const unsigned char *)text, len) != yajl_status_ok ||
	    yajl_complete_parse(handle) != yajl_status_ok)
		err = parse_error(handle, &b, text, len);
	else if (!doc->root)
		err = err_new(ERR_INVALID, "JSON: empty");
	yajl_free(handle);
	if (!err)
		*ret_doc = TAKE(doc);
	return err;
}

const struct json *json_root(const struct json_doc *doc)
{
	return doc->root;
}

void json_doc_free(struct json_doc *doc)
{
	struct chunk *next;

	if (!doc)
		return;
	for (struct chunk *chunk = doc->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(doc);
}

const struct json *json_get(const struct json *obj, const char *key)
{
	if (!obj || obj->type != JSON_OBJECT)
		return NULL;
	for (const struct json *member = obj->child; member; member = member->next)
		if (str_eq(member->key, key))
			return member->type == JSON_NULL ? NULL : member;
	return NULL;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[JSON_TYPE_COUNT] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "true or false",
		[JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
		[JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
	};

	return names[type];
}

static struct err *expect(const struct json *value, const char *what, enum json_type type)
{
	if (value->type == type)
		return NULL;
	return err_new(ERR_INVALID, "%s: expected %s, found %s", what, json_type_name(type),
		       json_type_name(value->type));
}

struct err *json_u64(const struct json *value, const char *what, uint64_t max, uint64_t *ret_value)
{
	TRY(expect(value, what, JSON_NUMBER));
	return parse_u64(what, value->text, 0, max, ret_value);
}

struct err *json_i64(const struct json *value, const char *what, int64_t *ret_value)
{
	TRY(expect(value, what, JSON_NUMBER));
	return parse_i64(what, value->text, ret_value);
}

struct err *json_bool(const struct json *value, const char *what, bool *ret_value)
{
	TRY(expect(value, what, JSON_BOOL));
	*ret_value = value->truth;
	return NULL;
}

struct err *json_string(const struct json *value, const char *what, const char **ret_text)
{
	TRY(expect(value, what, JSON_STRING));
	*ret_text = value->text;
	return NULL;
}

struct err *json_strlist(const struct json *value, const char *what, struct strlist *ret_list)
{
	OWN(strlist) struct strlist list = { 0 };

	TRY(expect(value, what, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(expect(item, what, JSON_STRING));
		TRY(strlist_add(&list, item->text));
	}
	*ret_list = list;
	list = (struct strlist){ 0 };
	return NULL;
}
