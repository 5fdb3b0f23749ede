/* config-linux.md "Seccomp". The names and their values are runtime/process/seccomp.c's, which
 * makes the filter. */
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "runtime/process/process.h"
#include "runtime/spec/tables.h"

static struct err *parse_action(const struct json *value, const struct field *field, void *out);
static struct err *parse_errno(const struct json *value, const struct field *field, void *out);
static struct err *parse_op(const struct json *value, const struct field *field, void *out);
static struct err *parse_archs(const struct json *value, const struct field *field, void *out);
static struct err *parse_flags(const struct json *value, const struct field *field, void *out);
static struct err *parse_names(const struct json *value, const struct field *field, void *out);
static struct err *parse_args(const struct json *value, const struct field *field, void *out);
static struct err *parse_rules(const struct json *value, const struct field *field, void *out);

#define ERRNO_MAX 4095	   /* MAX_ERRNO of the kernel: more is cut */
#define ACTION_DATA 0xffff /* SECCOMP_RET_DATA */

/* clang-format off */
static const struct field arg_rows[] = {
	{ "index",    field_u32, AT(seccomp_arg, index), .required = true, .max = 5 },
	{ "op",       parse_op,  AT(seccomp_arg, op),    .required = true },
	{ "value",    field_u64, AT(seccomp_arg, value), .required = true },
	{ "valueTwo", field_u64, AT(seccomp_arg, value_two) },
};
static const struct field_table arg_table = FIELD_TABLE(arg_rows);

static const struct field rule_rows[] = {
	{ "action",   parse_action, AT(seccomp_rule, action), .required = true },
	{ "args",     parse_args,   .table = &arg_table, .shape = FIELD_LIST },
	{ "errnoRet", parse_errno,  .max = ERRNO_MAX },
	{ "names",    parse_names,  AT(seccomp_rule, names),  .required = true },
};
static const struct field_table rule_table = FIELD_TABLE(rule_rows);

static const struct field seccomp_rows[] = {
	{ "architectures",    parse_archs },
	{ "defaultAction",    parse_action, AT(seccomp_spec, default_action), .required = true },
	{ "defaultErrnoRet",  parse_errno,  .max = ERRNO_MAX },
	{ "flags",            parse_flags,  AT(seccomp_spec, flags) },
	{ "listenerMetadata", field_text,   AT(seccomp_spec, listener_metadata) },
	{ "listenerPath",     field_text,   AT(seccomp_spec, listener_path) },
	{ "syscalls",         parse_rules,  .table = &rule_table, .shape = FIELD_LIST },
};
const struct field_table seccomp_table = FIELD_TABLE(seccomp_rows);
/* clang-format on */

static struct err *parse_action(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	TRY(json_expect(value, JSON_STRING));
	return json_wrap(value, seccomp_action_parse(value->text, out));
}

/* Only checked here: merge_errno() puts it into the action once both are known. */
static struct err *parse_errno(const struct json *value, const struct field *field, void *out)
{
	uint64_t number;

	(void)out;
	return json_u64(value, NULL, (uint64_t)field->max, &number);
}

static struct err *parse_op(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	TRY(json_expect(value, JSON_STRING));
	return json_wrap(value, seccomp_op_parse(value->text, out));
}

static struct err *parse_archs(const struct json *value, const struct field *field, void *out)
{
	struct seccomp_spec *seccomp = out;
	void *items = NULL;

	(void)field;
	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*seccomp->archs), &items));
	seccomp->archs = items;
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(json_expect(item, JSON_STRING));
		TRY(json_wrap(item, seccomp_arch_parse(item->text,
						       &seccomp->archs[seccomp->arch_count])));
		seccomp->arch_count++;
	}
	return NULL;
}

static struct err *parse_flags(const struct json *value, const struct field *field, void *out)
{
	unsigned int flags = 0, flag = 0;

	(void)field;
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(json_expect(item, JSON_STRING));
		TRY(json_wrap(item, seccomp_flag_parse(item->text, &flag)));
		flags |= flag;
	}
	*(unsigned int *)out = flags;
	return NULL;
}

/* How much text the names have with their NULs; each must be a string that is not empty. */
static struct err *measure_names(const struct json *list, size_t *ret_bytes)
{
	size_t bytes = 0;

	for (const struct json *item = list->child; item; item = item->next) {
		TRY(json_expect(item, JSON_STRING));
		if (!*item->text)
			return json_err(item, ERR_INVALID, "is empty");
		bytes += strlen(item->text) + 1;
	}
	*ret_bytes = bytes;
	return NULL;
}

static struct err *parse_names(const struct json *value, const struct field *field, void *out)
{
	struct name_block *names = out;
	size_t bytes = 0;
	char *text;

	(void)field;
	TRY(json_expect(value, JSON_ARRAY));
	if (value->count == 0)
		return json_err(value, ERR_INVALID, "needs at least one entry");
	TRY(measure_names(value, &bytes));
	names->items = malloc(value->count * sizeof(*names->items) + bytes);
	if (!names->items)
		return err_sys(ENOMEM, "copy %zu names of system calls", value->count);
	text = (char *)(names->items + value->count);
	for (const struct json *item = value->child; item; item = item->next) {
		size_t len = strlen(item->text) + 1;

		names->items[names->count++] = memcpy(text, item->text, len);
		text += len;
	}
	return NULL;
}

static struct err *parse_args(const struct json *value, const struct field *field, void *out)
{
	struct seccomp_rule *rule = out;

	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		if (rule->arg_count == ARRAY_SIZE(rule->args))
			return json_err(value, ERR_INVALID,
					"a system call has at most %zu arguments",
					ARRAY_SIZE(rule->args));
		TRY(fields_parse(field->table, item, &rule->args[rule->arg_count++]));
	}
	return NULL;
}

/* EPERM is the default where there is a number at all; elsewhere a number is an error. */
static struct err *merge_errno(const struct json *object, const char *key, uint32_t *action)
{
	uint32_t base = *action & ~(uint32_t)ACTION_DATA;
	const struct json *given = json_get(object, key);
	uint64_t number = EPERM;

	if (base != SCMP_ACT_ERRNO(0) && base != SCMP_ACT_TRACE(0))
		return given ? json_err(given, ERR_INVALID,
					"only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one") :
			       NULL;
	if (given)
		TRY(json_u64(given, NULL, ERRNO_MAX, &number));
	*action = base | (uint32_t)number;
	return NULL;
}

/* The agent could not be told of a write(2) that the runtime itself needs for telling it: a
 * deadlock. */
static struct err *check_notify(const struct json *item, const struct seccomp_rule *rule)
{
	if (rule->action != SCMP_ACT_NOTIFY)
		return NULL;
	for (size_t i = 0; i < rule->names.count; i++)
		if (str_eq(rule->names.items[i], "write"))
			return json_err(item, ERR_INVALID,
					"SCMP_ACT_NOTIFY cannot be used for write");
	return NULL;
}

static struct err *parse_rules(const struct json *value, const struct field *field, void *out)
{
	struct seccomp_spec *seccomp = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*seccomp->rules), &items));
	seccomp->rules = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct seccomp_rule *rule = &seccomp->rules[seccomp->rule_count++];

		TRY(fields_parse(field->table, item, rule));
		TRY(merge_errno(item, "errnoRet", &rule->action));
		TRY(check_notify(item, rule));
	}
	return NULL;
}

static bool is_listener(const struct json *member)
{
	return str_eq(member->key, "listenerPath") || str_eq(member->key, "listenerMetadata");
}

/* Rare: the section without what differs from container to container though the filter is the same.
 */
static struct err *write_source(const struct json *value, char **ret_source)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	for (const struct json *member = value->child; member; member = member->next) {
		if (is_listener(member))
			continue;
		json_out_key(out, member->key);
		json_out_value(out, member);
	}
	json_out_end_object(out);
	return json_out_take(out, ret_source);
}

static struct err *keep_source(const struct json *value, char **ret_source)
{
	for (const struct json *member = value->child; member; member = member->next)
		if (is_listener(member))
			return write_source(value, ret_source);
	*ret_source = strndup(value->source, value->source_len);
	return *ret_source ? NULL : err_sys(ENOMEM, "copy the seccomp profile");
}

struct err *parse_seccomp(const struct json *value, const struct field *field, void *out)
{
	struct seccomp_spec *seccomp = out;

	TRY(fields_parse(field->table, value, seccomp));
	TRY(merge_errno(value, "defaultErrnoRet", &seccomp->default_action));
	seccomp->default_errno_set = json_get(value, "defaultErrnoRet") != NULL;
	if (seccomp->default_action == SCMP_ACT_NOTIFY)
		return json_err(
			json_get(value, "defaultAction"), ERR_INVALID,
			"SCMP_ACT_NOTIFY cannot be the default: no agent would ever be told");
	if (seccomp->listener_metadata && !seccomp->listener_path)
		return json_err(json_get(value, "listenerMetadata"), ERR_INVALID,
				"needs listenerPath");
	TRY(keep_source(value, &seccomp->source));
	seccomp->is_set = true;
	return NULL;
}
