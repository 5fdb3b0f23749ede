/* Reading JSON: yajl's events become a tree in one arena. See json.h; looking into the tree is
 * json_value.c, the writer json_out.c. */
#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define DEPTH_MAX 64
#define CHUNK_BYTES 16384
#define FEW_MEMBERS 24 /* up to here comparing all pairs is cheaper than sorting */

/* Memory in chunks, freed all at once. */
struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(max_align_t) char data[];
};

struct json_doc {
	struct chunk *chunks;
	struct json *root;
	char *text; /* our copy, in which strings end with a NUL where their quote was */
	size_t len;
};

/* Where the parser stands: the open containers, and the key of the member that comes next. */
struct builder {
	struct json_doc *doc;
	yajl_handle handle;
	const char *source; /* the caller's text */
	struct json *open[DEPTH_MAX];
	struct json *last[DEPTH_MAX]; /* last child of open[i] */
	size_t depth;
	const char *key;
	const char *why;  /* what stopped us, when a callback returns 0 */
	const char *what; /* the member it is about, or NULL */
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

/*
 * A string or number as C text. yajl gives a place in doc->text for everything without escapes; a
 * string's closing quote has been read by then and becomes its NUL. What follows a number has not.
 */
static const char *keep_text(struct builder *b, enum json_type type, const unsigned char *text,
			     size_t len)
{
	char *copy;

	if (type == JSON_STRING && (const char *)text >= b->doc->text &&
	    (const char *)text < b->doc->text + b->doc->len) {
		copy = b->doc->text + ((const char *)text - b->doc->text);
		copy[len] = '\0';
		return copy;
	}
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
	value->parent = b->open[b->depth - 1];
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
	value->text = keep_text(b, type, text, len);
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
	value->source = b->source + yajl_get_bytes_consumed(b->handle) - 1;
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

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Large objects: sort the keys, so that a hostile text cannot make this quadratic. */
static bool has_twins_sorted(struct builder *b, const struct json *object)
{
	const char **keys = calloc(object->count, sizeof(*keys));
	size_t count = 0;

	if (!keys) {
		b->why = "out of memory";
		return true;
	}
	for (const struct json *member = object->child; member; member = member->next)
		keys[count++] = member->key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count && !b->why; i++)
		if (str_eq(keys[i - 1], keys[i])) {
			b->why = "is given twice";
			b->what = keys[i];
		}
	free(keys);
	return b->why != NULL;
}

static bool has_twins(struct builder *b, const struct json *object)
{
	if (object->count > FEW_MEMBERS)
		return has_twins_sorted(b, object);
	for (const struct json *one = object->child; one; one = one->next)
		for (const struct json *two = one->next; two; two = two->next)
			if (one->key[0] == two->key[0] && str_eq(one->key, two->key)) {
				b->why = "is given twice";
				b->what = one->key;
				return true;
			}
	return false;
}

static int on_close(void *ctx)
{
	struct builder *b = ctx;
	struct json *value = b->open[--b->depth];
	const char *end = b->source + yajl_get_bytes_consumed(b->handle);

	value->source_len = (size_t)(end - value->source);
	return value->type == JSON_ARRAY || !has_twins(b, value);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;

	b->key = keep_text(b, JSON_STRING, text, len);
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
static struct err *parse_error(const struct builder *b)
{
	size_t at = yajl_get_bytes_consumed(b->handle), len = b->doc->len;
	size_t line = line_of(b->source, at < len ? at : len);
	unsigned char *said;
	struct err *err;

	if (b->what)
		return err_new(ERR_INVALID, "JSON line %zu: '%.64s' %s", line, b->what, b->why);
	if (b->why)
		return err_new(ERR_INVALID, "JSON line %zu: %s", line, b->why);
	said = yajl_get_error(b->handle, 0, (const unsigned char *)b->source, len);
	if (!said)
		return err_new(ERR_INVALID, "JSON line %zu: not JSON", line);
	said[strcspn((char *)said, "\n")] = '\0';
	err = err_new(ERR_INVALID, "JSON line %zu: %s", line, (char *)said);
	yajl_free_error(b->handle, said);
	return err;
}

static struct err *parse_all(struct builder *b)
{
	const unsigned char *text = (const unsigned char *)b->doc->text;

	if (yajl_parse(b->handle, text, b->doc->len) != yajl_status_ok ||
	    yajl_complete_parse(b->handle) != yajl_status_ok)
		return parse_error(b);
	if (!b->doc->root)
		return err_new(ERR_INVALID, "JSON: empty");
	return NULL;
}

struct err *json_parse(const char *text, size_t len, struct json_doc **ret_doc)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	struct builder b = { .source = text };
	struct err *err;

	if (len > JSON_TEXT_MAX)
		return err_new(ERR_INVALID, "JSON: larger than %zu bytes", JSON_TEXT_MAX);
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return err_sys(ENOMEM, "parse JSON");
	doc->text = arena_alloc(doc, len + 1);
	if (!doc->text)
		return err_sys(ENOMEM, "parse JSON");
	memcpy(doc->text, text, len);
	doc->len = len;
	b.doc = doc;
	b.handle = yajl_alloc(&callbacks, NULL, &b);
	if (!b.handle)
		return err_sys(ENOMEM, "parse JSON");
	err = parse_all(&b);
	yajl_free(b.handle);
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
