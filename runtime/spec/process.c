/* The process object: config.md "Process". What the tables cannot say of it is in finish_process().
 */
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "base/log.h"
#include "runtime/spec/tables.h"

static struct err *parse_console_size(const struct json *value, const struct field *field,
				      void *out);
static struct err *parse_umask(const struct json *value, const struct field *field, void *out);
static struct err *parse_groups(const struct json *value, const struct field *field, void *out);
static struct err *parse_capabilities(const struct json *value, const struct field *field,
				      void *out);
static struct err *parse_cap_set(const struct json *value, const struct field *field, void *out);
static struct err *parse_rlimits(const struct json *value, const struct field *field, void *out);
static struct err *parse_oom_score(const struct json *value, const struct field *field, void *out);

/* clang-format off */
static const struct word rlimit_words[] = {
	{ "RLIMIT_AS",         RLIMIT_AS },
	{ "RLIMIT_CORE",       RLIMIT_CORE },
	{ "RLIMIT_CPU",        RLIMIT_CPU },
	{ "RLIMIT_DATA",       RLIMIT_DATA },
	{ "RLIMIT_FSIZE",      RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS",      RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE",       RLIMIT_NICE },
	{ "RLIMIT_NOFILE",     RLIMIT_NOFILE },
	{ "RLIMIT_NPROC",      RLIMIT_NPROC },
	{ "RLIMIT_RSS",        RLIMIT_RSS },
	{ "RLIMIT_RTPRIO",     RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME",     RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK",      RLIMIT_STACK },
};
static const struct words rlimit_names = WORDS(rlimit_words);

static const struct field console_size_rows[] = {
	{ "height", field_u16, AT(process_spec, console_rows),    .required = true },
	{ "width",  field_u16, AT(process_spec, console_columns), .required = true },
};
static const struct field_table console_size_table = FIELD_TABLE(console_size_rows);

static const struct field user_rows[] = {
	{ "additionalGids", parse_groups },
	{ "gid",            field_id,    AT(process_spec, gid) },
	{ "uid",            field_id,    AT(process_spec, uid) },
	{ "umask",          parse_umask, .max = 0777 },
	{ "username",       NULL,        .why = "Windows only" },
};
static const struct field_table user_table = FIELD_TABLE(user_rows);

static const struct field capability_rows[] = {
	{ "ambient",     parse_cap_set, AT(cap_sets, ambient) },
	{ "bounding",    parse_cap_set, AT(cap_sets, bounding) },
	{ "effective",   parse_cap_set, AT(cap_sets, effective) },
	{ "inheritable", parse_cap_set, AT(cap_sets, inheritable) },
	{ "permitted",   parse_cap_set, AT(cap_sets, permitted) },
};
static const struct field_table capability_table = FIELD_TABLE(capability_rows);

static const struct field rlimit_rows[] = {
	{ "hard", field_u64,  AT(rlimit_spec, hard),     .required = true },
	{ "soft", field_u64,  AT(rlimit_spec, soft),     .required = true },
	{ "type", field_word, AT(rlimit_spec, resource), .required = true, .words = &rlimit_names },
};
static const struct field_table rlimit_table = FIELD_TABLE(rlimit_rows);

static const struct field process_rows[] = {
	{ "apparmorProfile", field_line,         AT(process_spec, apparmor_profile) },
	{ "args",            field_texts,        AT(process_spec, args), .required = true },
	{ "capabilities",    parse_capabilities, AT(process_spec, caps), .table = &capability_table },
	{ "commandLine",     NULL,               .why = "Windows only" },
	{ "consoleSize",     parse_console_size, .table = &console_size_table },
	{ "cwd",             field_path,         AT(process_spec, cwd), .required = true },
	{ "env",             field_texts,        AT(process_spec, env) },
	{ "execCPUAffinity", field_object,       .table = &affinity_table },
	{ "ioPriority",      parse_io_priority,  .table = &io_priority_table },
	{ "noNewPrivileges", field_bool,         AT(process_spec, no_new_privileges) },
	{ "oomScoreAdj",     parse_oom_score,    .min = -1000, .max = 1000 },
	{ "rlimits",         parse_rlimits,      .table = &rlimit_table, .shape = FIELD_LIST },
	{ "scheduler",       parse_scheduler,    AT(process_spec, scheduler), .table = &scheduler_table },
	{ "selinuxLabel",    field_line,         AT(process_spec, selinux_label) },
	{ "terminal",        field_bool,         AT(process_spec, terminal) },
	{ "user",            field_object,       .table = &user_table },
};
const struct field_table process_table = FIELD_TABLE(process_rows);
/* clang-format on */

static struct err *parse_console_size(const struct json *value, const struct field *field,
				      void *out)
{
	return fields_parse(field->table, value, out);
}

static struct err *parse_umask(const struct json *value, const struct field *field, void *out)
{
	struct process_spec *process = out;
	uint64_t bits;

	TRY(json_u64(value, NULL, (uint64_t)field->max, &bits));
	process->umask_bits = (mode_t)bits;
	process->umask_set = true;
	return NULL;
}

static struct err *parse_oom_score(const struct json *value, const struct field *field, void *out)
{
	struct process_spec *process = out;

	TRY(field_int(value, field, &process->oom_score_adj));
	process->oom_score_adj_set = true;
	return NULL;
}

static struct err *parse_groups(const struct json *value, const struct field *field, void *out)
{
	struct process_spec *process = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*process->groups), &items));
	process->groups = items;
	for (const struct json *item = value->child; item; item = item->next)
		TRY(field_id(item, field, &process->groups[process->group_count++]));
	return NULL;
}

static bool is_word(const char *text)
{
	for (; *text; text++)
		if (*text != '_' && (*text < 'A' || *text > 'Z') && (*text < 'a' || *text > 'z'))
			return false;
	return true;
}

struct err *spec_parse_capability(const char *name, unsigned int *ret_cap)
{
	char full[40];
	const char *known = name;
	cap_value_t cap;

	if (strncasecmp(name, "cap_", 4) != 0) {
		snprintf(full, sizeof(full), "cap_%s", name);
		known = full;
	}
	/* cap_from_name() would take numbers and trailing text, too */
	if (!is_word(name) || cap_from_name(known, &cap) < 0 || cap < 0 || cap > 63)
		return err_new(ERR_INVALID, "'%.64s' is not a capability", name);
	*ret_cap = (unsigned int)cap;
	return NULL;
}

/* What cannot be mapped is a warning: config.md, "capabilities". */
static struct err *parse_cap_set(const struct json *value, const struct field *field, void *out)
{
	uint64_t *set = out;

	(void)field;
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		unsigned int cap;
		struct err *err;

		TRY(json_expect(item, JSON_STRING));
		err = spec_parse_capability(item->text, &cap);
		if (err)
			log_warn(json_wrap(item, err));
		else
			*set |= (uint64_t)1 << cap;
	}
	return NULL;
}

static struct err *parse_capabilities(const struct json *value, const struct field *field,
				      void *out)
{
	struct cap_sets *caps = out;

	TRY(fields_parse(field->table, value, caps));
	caps->is_set = true;
	return NULL;
}

static struct err *parse_rlimits(const struct json *value, const struct field *field, void *out)
{
	struct process_spec *process = out;
	uint64_t seen = 0;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*process->rlimits), &items));
	process->rlimits = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct rlimit_spec *limit = &process->rlimits[process->rlimit_count++];

		TRY(fields_parse(field->table, item, limit));
		if (seen >> limit->resource & 1)
			return json_err(item, ERR_INVALID, "type %s is given twice",
					json_get(item, "type")->text);
		seen |= (uint64_t)1 << limit->resource;
		if (limit->soft > limit->hard)
			return json_err(item, ERR_INVALID,
					"soft limit %ju is above the hard limit %ju",
					(uintmax_t)limit->soft, (uintmax_t)limit->hard);
	}
	return NULL;
}

static struct err *check_env(const struct json *object)
{
	const struct json *env = json_get(object, "env");

	for (const struct json *item = env ? env->child : NULL; item; item = item->next)
		if (*item->text == '=' || !strchr(item->text, '='))
			return json_err(item, ERR_INVALID, "'%.64s' is not NAME=VALUE", item->text);
	return NULL;
}

struct err *parse_process(const struct json *value, const struct field *field, void *out)
{
	struct process_spec *process = out;

	(void)field;
	TRY(fields_parse(&process_table, value, process));
	if (process->args.count == 0)
		return json_err(json_get(value, "args"), ERR_INVALID, "needs at least one entry");
	TRY(check_env(value));
	TRY(env_drop_shadowed(&process->env));
	if (!process->terminal) /* config.md: must be ignored then */
		process->console_rows = process->console_columns = 0;
	return NULL;
}
