/* The reader behind the field tables, and the parsers that know nothing of containers. See field.h.
 */
#include "runtime/spec/field.h"

#include <errno.h>
#include <string.h>

const struct field *fields_find(const struct field_table *table, const char *name)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, table->rows[middle].name);

		if (order == 0)
			return &table->rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct err *check_required(const struct field_table *table, const struct json *object,
				  uint64_t seen)
{
	for (size_t i = 0; i < table->count; i++) {
		OWN(str) char *path = NULL;

		if (!table->rows[i].required || seen >> i & 1)
			continue;
		TRY(json_path(object, &path));
		return err_new(ERR_INVALID, "%s%s%s: is missing", path, *path ? "." : "",
			       table->rows[i].name);
	}
	return NULL;
}

struct err *fields_parse(const struct field_table *table, const struct json *object, void *out)
{
	uint64_t seen = 0; /* bit N: row N; no object of the specification has 64 properties */

	TRY(json_expect(object, JSON_OBJECT));
	for (const struct json *member = object->child; member; member = member->next) {
		const struct field *row = fields_find(table, member->key);

		if (!row || member->type == JSON_NULL)
			continue;
		seen |= (uint64_t)1 << (row - table->rows);
		if (row->parse)
			TRY(row->parse(member, row, (char *)out + row->offset));
	}
	return check_required(table, object, seen);
}

struct err *field_room(const struct json *list, size_t item_size, void **ret_items)
{
	void *items = NULL;

	if (list->count) {
		items = calloc(list->count, item_size);
		if (!items)
			return err_sys(ENOMEM, "make room for %zu values", list->count);
	}
	*ret_items = items;
	return NULL;
}

struct err *field_object(const struct json *value, const struct field *field, void *out)
{
	return fields_parse(field->table, value, out);
}

static bool is_harmless(const struct json *value, const char *harmless)
{
	switch (value->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return harmless && str_eq(harmless, value->truth ? "true" : "false");
	case JSON_NUMBER:
		return harmless && str_eq(harmless, value->text);
	case JSON_STRING:
		return !*value->text;
	case JSON_ARRAY:
	case JSON_OBJECT:
	case JSON_TYPE_COUNT:
		break;
	}
	return value->count == 0;
}

struct err *field_refuse(const struct json *value, const struct field *field, void *out)
{
	(void)out;
	if (is_harmless(value, field->harmless))
		return NULL;
	return json_err(value, ERR_UNSUPPORTED, "%s", field->why);
}

struct err *field_bool(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	return json_bool(value, NULL, out);
}

struct err *field_u16(const struct json *value, const struct field *field, void *out)
{
	uint64_t number;

	TRY(json_u64(value, NULL, field->max ? (uint64_t)field->max : UINT16_MAX, &number));
	*(uint16_t *)out = (uint16_t)number;
	return NULL;
}

struct err *field_u32(const struct json *value, const struct field *field, void *out)
{
	uint64_t number;

	TRY(json_u64(value, NULL, field->max ? (uint64_t)field->max : UINT32_MAX, &number));
	*(uint32_t *)out = (uint32_t)number;
	return NULL;
}

struct err *field_u64(const struct json *value, const struct field *field, void *out)
{
	return json_u64(value, NULL, field->max ? (uint64_t)field->max : UINT64_MAX, out);
}

static struct err *ranged(const struct json *value, const struct field *field, int64_t *ret_number)
{
	int64_t number;

	TRY(json_i64(value, NULL, &number));
	if ((field->min || field->max) && (number < field->min || number > field->max))
		return json_err(value, ERR_INVALID, "%jd is not a number from %jd to %jd",
				(intmax_t)number, (intmax_t)field->min, (intmax_t)field->max);
	*ret_number = number;
	return NULL;
}

struct err *field_int(const struct json *value, const struct field *field, void *out)
{
	int64_t number;

	TRY(ranged(value, field, &number));
	*(int32_t *)out = (int32_t)number;
	return NULL;
}

struct err *field_i64(const struct json *value, const struct field *field, void *out)
{
	return ranged(value, field, out);
}

struct err *field_id(const struct json *value, const struct field *field, void *out)
{
	uint64_t number;

	(void)field;
	/* (uid_t)-1 means "unchanged" to the kernel */
	TRY(json_u64(value, NULL, UINT32_MAX - 1, &number));
	*(uint32_t *)out = (uint32_t)number;
	return NULL;
}

struct err *field_text(const struct json *value, const struct field *field, void *out)
{
	const char *text;

	(void)field;
	TRY(json_string(value, NULL, &text));
	return *text ? str_dup(text, out) : NULL;
}

static struct err *check_line(const struct json *value)
{
	const char *text;

	TRY(json_string(value, NULL, &text));
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return json_err(value, ERR_INVALID, "contains a control character");
	return NULL;
}

struct err *field_line(const struct json *value, const struct field *field, void *out)
{
	TRY(check_line(value));
	return field_text(value, field, out);
}

struct err *field_borrowed(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	TRY(check_line(value));
	if (*value->text)
		*(const char **)out = value->text;
	return NULL;
}

static struct err *check_absolute(const struct json *value)
{
	const char *path;

	TRY(json_string(value, NULL, &path));
	if (!*path)
		return json_err(value, ERR_INVALID, "is empty");
	if (*path != '/')
		return json_err(value, ERR_INVALID, "'%.256s' is not an absolute path", path);
	return NULL;
}

struct err *field_path(const struct json *value, const struct field *field, void *out)
{
	TRY(check_absolute(value));
	return field_text(value, field, out);
}

struct err *field_texts(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	return json_strlist(value, NULL, out);
}

struct err *field_paths(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next)
		TRY(check_absolute(item));
	return field_texts(value, field, out);
}

/* "N" or "N-M" with N <= M at *text, which moves behind it. */
static bool skip_range(const char **text)
{
	unsigned long first, last;
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	first = last = strtoul(*text, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return false;
		last = strtoul(end + 1, &end, 10);
	}
	*text = end;
	return first <= last && last <= UINT16_MAX;
}

struct err *field_cpus(const struct json *value, const struct field *field, void *out)
{
	const char *text;

	TRY(json_string(value, NULL, &text));
	while (*text) {
		text += strspn(text, " ");
		if (!skip_range(&text))
			return json_err(value, ERR_INVALID, "'%.64s' is not a list such as 0-3,7",
					value->text);
		text += strspn(text, " ");
		if (*text && (*text != ',' || !*++text))
			return json_err(value, ERR_INVALID, "'%.64s' is not a list such as 0-3,7",
					value->text);
	}
	return field_text(value, field, out);
}

static struct err *no_such_word(const struct words *words, const struct json *value)
{
	OWN(buf) struct buf names = { 0 };

	for (size_t i = 0; i < words->count; i++)
		TRY(buf_format(&names, "%s%s", i ? ", " : "", words->items[i].name));
	return json_err(value, ERR_INVALID, "'%.64s' is not one of %s", value->text, names.data);
}

struct err *words_find(const struct words *words, const struct json *value, uint64_t *ret_value)
{
	TRY(json_expect(value, JSON_STRING));
	for (size_t i = 0; i < words->count; i++)
		if (str_eq(words->items[i].name, value->text)) {
			*ret_value = words->items[i].value;
			return NULL;
		}
	return no_such_word(words, value);
}

struct err *field_word(const struct json *value, const struct field *field, void *out)
{
	uint64_t word;

	TRY(words_find(field->words, value, &word));
	*(uint32_t *)out = (uint32_t)word;
	return NULL;
}

struct err *field_flags(const struct json *value, const struct field *field, void *out)
{
	uint64_t flags = 0, flag;

	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(words_find(field->words, item, &flag));
		flags |= flag;
	}
	*(uint64_t *)out = flags;
	return NULL;
}
