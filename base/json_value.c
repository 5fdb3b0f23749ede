/* Looking into a JSON tree: members, types, and the place of a value for errors. See json.h. */
#include "base/json.h"

#include <stdarg.h>
#include <string.h>

#include "base/parse.h"

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

static size_t index_of(const struct json *value)
{
	size_t index = 0;

	for (const struct json *item = value->parent->child; item != value; item = item->next)
		index++;
	return index;
}

/* Longer keys are cut: a place is for people, and the text may be hostile. */
static struct err *add_place(struct buf *path, const struct json *value)
{
	if (!value->parent)
		return NULL;
	TRY(add_place(path, value->parent));
	if (!value->key)
		return buf_format(path, "[%zu]", index_of(value));
	return buf_format(path, "%s%.128s", path->len ? "." : "", value->key);
}

struct err *json_path(const struct json *value, char **ret_path)
{
	OWN(buf) struct buf path = { 0 };

	TRY(add_place(&path, value));
	return buf_take(&path, ret_path);
}

struct err *json_wrap(const struct json *value, struct err *cause)
{
	OWN(str) char *path = NULL;
	struct err *err;

	if (!cause)
		return NULL;
	err = json_path(value, &path);
	if (!err)
		return *path ? err_wrap(cause, "%s", path) : cause;
	err_drop(err); /* no memory: the cause says more */
	return cause;
}

struct err *json_err(const struct json *value, enum err_kind kind, const char *fmt, ...)
{
	OWN(str) char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return json_wrap(value, err_new(kind, "%s", text ? text : "out of memory"));
}

struct err *json_expect(const struct json *value, enum json_type type)
{
	if (value->type == type)
		return NULL;
	return json_err(value, ERR_INVALID, "expected %s, found %s", json_type_name(type),
			json_type_name(value->type));
}

static struct err *expect(const struct json *value, const char *what, enum json_type type)
{
	if (value->type == type)
		return NULL;
	if (!what)
		return json_expect(value, type);
	return err_new(ERR_INVALID, "%s: expected %s, found %s", what, json_type_name(type),
		       json_type_name(value->type));
}

/* The place is made only once a number turned out to be bad. */
struct err *json_u64(const struct json *value, const char *what, uint64_t max, uint64_t *ret_value)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(expect(value, what, JSON_NUMBER));
	err = parse_u64(what ? what : "", value->text, 0, max, ret_value);
	if (!err || what)
		return err;
	err_drop(err); /* said again with the place */
	TRY(json_path(value, &path));
	return parse_u64(path, value->text, 0, max, ret_value);
}

struct err *json_i64(const struct json *value, const char *what, int64_t *ret_value)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(expect(value, what, JSON_NUMBER));
	err = parse_i64(what ? what : "", value->text, ret_value);
	if (!err || what)
		return err;
	err_drop(err); /* said again with the place */
	TRY(json_path(value, &path));
	return parse_i64(path, value->text, ret_value);
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
	TRY(strlist_reserve(&list, value->count));
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(expect(item, what, JSON_STRING));
		TRY(str_dup(item->text, &list.items[list.count]));
		list.count++;
	}
	*ret_list = list;
	list = (struct strlist){ 0 };
	return NULL;
}
