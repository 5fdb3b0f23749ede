/* config.md "POSIX-platform Hooks". */
#include "runtime/spec/tables.h"

const char *const hook_kind_names[HOOK_KIND_COUNT] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

static struct err *parse_hook_list(const struct json *value, const struct field *field, void *out);
static struct err *parse_timeout(const struct json *value, const struct field *field, void *out);

/* clang-format off */
static const struct field hook_rows[] = {
	{ "args",    field_texts,   AT(hook, args) },
	{ "env",     field_texts,   AT(hook, env) },
	{ "path",    field_path,    AT(hook, path), .required = true },
	{ "timeout", parse_timeout, AT(hook, timeout_ms), .min = 1, .max = INT32_MAX / 1000 },
};
static const struct field_table hook_table = FIELD_TABLE(hook_rows);

#define HOOK_ROW(name, kind)                                                       \
	{ name, parse_hook_list, .offset = (kind) * sizeof(struct hook_list), \
	  .table = &hook_table, .shape = FIELD_LIST }

static const struct field hooks_rows[] = {
	HOOK_ROW("createContainer", HOOK_CREATE_CONTAINER),
	HOOK_ROW("createRuntime",   HOOK_CREATE_RUNTIME),
	HOOK_ROW("poststart",       HOOK_POSTSTART),
	HOOK_ROW("poststop",        HOOK_POSTSTOP),
	HOOK_ROW("prestart",        HOOK_PRESTART),
	HOOK_ROW("startContainer",  HOOK_START_CONTAINER),
};
const struct field_table hooks_table = FIELD_TABLE(hooks_rows);
/* clang-format on */

static struct err *parse_timeout(const struct json *value, const struct field *field, void *out)
{
	int32_t seconds;

	TRY(field_int(value, field, &seconds));
	*(int *)out = seconds * 1000;
	return NULL;
}

static struct err *parse_hook_list(const struct json *value, const struct field *field, void *out)
{
	struct hook_list *list = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*list->items), &items));
	list->items = items;
	for (const struct json *item = value->child; item; item = item->next)
		TRY(fields_parse(field->table, item, &list->items[list->count++]));
	return NULL;
}
