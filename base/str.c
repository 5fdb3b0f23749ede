/* Owned strings, growing buffers and string lists. */
#include "base/str.h"

#include <errno.h>
#include <string.h>

struct err *str_format_args(char **ret_str, const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return err_sys(ENOMEM, "format a string");
	*ret_str = text;
	return NULL;
}

struct err *str_format(char **ret_str, const char *fmt, ...)
{
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(ret_str, fmt, args);
	va_end(args);
	return err;
}

struct err *str_dup(const char *src, char **ret_str)
{
	char *copy = strdup(src);

	if (!copy)
		return err_sys(ENOMEM, "copy a string");
	*ret_str = copy;
	return NULL;
}

struct err *str_dup_span(const char *src, size_t len, char **ret_str)
{
	char *copy = strndup(src, len);

	if (!copy)
		return err_sys(ENOMEM, "copy a string");
	*ret_str = copy;
	return NULL;
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_has_prefix(const char *str, const char *prefix)
{
	return strncmp(str, prefix, strlen(prefix)) == 0;
}

struct err *str_escape(const char *src, char **ret_str)
{
	OWN(buf) struct buf out = { 0 };

	for (const char *c = src; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte < 0x20 || byte == 0x7f)
			TRY(buf_format(&out, "\\x%02x", byte));
		else
			TRY(buf_add(&out, c, 1));
	}
	return buf_take(&out, ret_str);
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

struct err *buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!buf->data || buf->len + len + 1 > buf->room) {
		size_t room = (buf->len + len + 1) * 2;
		char *grown = realloc(buf->data, room);

		if (!grown)
			return err_sys(ENOMEM, "grow a buffer to %zu bytes", room);
		buf->data = grown;
		buf->room = room;
	}
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return NULL;
}

struct err *buf_format(struct buf *buf, const char *fmt, ...)
{
	OWN(str) char *text = NULL;
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(&text, fmt, args);
	va_end(args);
	TRY(err);
	return buf_add(buf, text, strlen(text));
}

struct err *buf_take(struct buf *buf, char **ret_str)
{
	TRY(buf_add(buf, "", 0));
	*ret_str = TAKE(buf->data);
	*buf = (struct buf){ 0 };
	return NULL;
}

void strlist_release(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist){ 0 };
}

struct err *strlist_reserve(struct strlist *list, size_t count)
{
	char **items;

	if (count == 0)
		return NULL;
	items = realloc(list->items, (list->count + count + 1) * sizeof(*items));
	if (!items)
		return err_sys(ENOMEM, "grow a list to %zu strings", list->count + count);
	list->items = items;
	memset(items + list->count, 0, (count + 1) * sizeof(*items));
	return NULL;
}

static struct err *strlist_add_take(struct strlist *list, char *str)
{
	char **grown = realloc(list->items, (list->count + 2) * sizeof(*grown));

	if (!grown) {
		free(str);
		return err_sys(ENOMEM, "grow a list to %zu strings", list->count + 1);
	}
	list->items = grown;
	list->items[list->count++] = str;
	list->items[list->count] = NULL;
	return NULL;
}

struct err *strlist_add(struct strlist *list, const char *str)
{
	char *copy = NULL;

	TRY(str_dup(str, &copy));
	return strlist_add_take(list, copy);
}

struct err *strlist_format(struct strlist *list, const char *fmt, ...)
{
	char *text = NULL;
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(&text, fmt, args);
	va_end(args);
	TRY(err);
	return strlist_add_take(list, text);
}

bool strlist_has(const struct strlist *list, const char *str)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(list->items[i], str))
			return true;
	return false;
}

const char *strlist_env(const struct strlist *list, const char *name)
{
	size_t len = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], name, len) == 0 && list->items[i][len] == '=')
			value = list->items[i] + len + 1;
	return value;
}
