/* config-linux.md "Memory policy", "IntelRdt" and "Personality": set_mempolicy(2), resctrl,
 * personality(2). */
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/personality.h>

#include "runtime/spec/tables.h"

#ifndef MPOL_WEIGHTED_INTERLEAVE
#define MPOL_WEIGHTED_INTERLEAVE 6 /* an enumerator of linux/mempolicy.h since 6.9 */
#endif

static struct err *parse_clos_id(const struct json *value, const struct field *field, void *out);
static struct err *parse_memory_bandwidth(const struct json *value, const struct field *field,
					  void *out);
static struct err *parse_schemata(const struct json *value, const struct field *field, void *out);
static struct err *parse_no_flags(const struct json *value, const struct field *field, void *out);

struct raw_policy {
	uint32_t mode;
	uint64_t flags;
	const char *nodes; /* borrowed */
};

struct raw_personality {
	uint32_t domain;
};

/* clang-format off */
static const struct word mode_words[] = {
	{ "MPOL_DEFAULT",             MPOL_DEFAULT },
	{ "MPOL_BIND",                MPOL_BIND },
	{ "MPOL_INTERLEAVE",          MPOL_INTERLEAVE },
	{ "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE },
	{ "MPOL_PREFERRED",           MPOL_PREFERRED },
	{ "MPOL_PREFERRED_MANY",      MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL",               MPOL_LOCAL },
};
const struct words memory_policy_modes = WORDS(mode_words);

static const struct word flag_words[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES",   MPOL_F_STATIC_NODES },
};
const struct words memory_policy_flags = WORDS(flag_words);

static const struct field memory_policy_rows[] = {
	{ "flags", field_flags, AT(raw_policy, flags), .words = &memory_policy_flags },
	{ "mode",  field_word,  AT(raw_policy, mode), .required = true, .words = &memory_policy_modes },
	{ "nodes", field_borrowed, AT(raw_policy, nodes) },
};
const struct field_table memory_policy_table = FIELD_TABLE(memory_policy_rows);

#define WHY_MONITORING "replaced by enableMonitoring in 1.3"

static const struct field rdt_rows[] = {
	{ "closID",           parse_clos_id,          AT(intel_rdt, clos_id) },
	{ "enableCMT",        NULL,                   .why = WHY_MONITORING },
	{ "enableMBM",        NULL,                   .why = WHY_MONITORING },
	{ "enableMonitoring", field_bool,             AT(intel_rdt, monitoring) },
	{ "l3CacheSchema",    field_line,             AT(intel_rdt, l3_schema) },
	{ "memBwSchema",      parse_memory_bandwidth, AT(intel_rdt, mb_schema) },
	{ "schemata",         parse_schemata,         AT(intel_rdt, schemata) },
};
const struct field_table rdt_table = FIELD_TABLE(rdt_rows);

static const struct word domain_words[] = { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 } };
static const struct words domains = WORDS(domain_words);

static const struct field personality_rows[] = {
	{ "domain", field_word, AT(raw_personality, domain), .required = true, .words = &domains },
	{ "flags",  parse_no_flags },
};
const struct field_table personality_table = FIELD_TABLE(personality_rows);
/* clang-format on */

/* Which modes take nodes, and which flags go together: set_mempolicy(2). */
static struct err *check_policy(const struct json *value, const struct raw_policy *raw)
{
	bool takes_none = raw->mode == MPOL_DEFAULT || raw->mode == MPOL_LOCAL;
	bool may_be_none = takes_none || raw->mode == MPOL_PREFERRED;

	if (takes_none && raw->nodes)
		return json_err(json_get(value, "nodes"), ERR_INVALID, "%s takes no nodes",
				json_get(value, "mode")->text);
	if (!may_be_none && !raw->nodes)
		return json_err(value, ERR_INVALID, "%s needs nodes",
				json_get(value, "mode")->text);
	if ((raw->flags & MPOL_F_STATIC_NODES) && (raw->flags & MPOL_F_RELATIVE_NODES))
		return json_err(json_get(value, "flags"), ERR_INVALID,
				"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return NULL;
}

struct err *parse_memory_policy(const struct json *value, const struct field *field, void *out)
{
	struct memory_policy *policy = out;
	struct raw_policy raw = { 0 };

	TRY(fields_parse(field->table, value, &raw));
	TRY(check_policy(value, &raw));
	if (raw.nodes)
		TRY(field_cpus(json_get(value, "nodes"), field, &policy->nodes));
	policy->mode = (int)(raw.mode | raw.flags);
	policy->is_set = true;
	return NULL;
}

/* It becomes a directory of resctrl; "/" alone means the root group. */
static struct err *parse_clos_id(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_STRING));
	if (str_eq(value->text, ".") || str_eq(value->text, "..") ||
	    (strchr(value->text, '/') && !str_eq(value->text, "/")))
		return json_err(value, ERR_INVALID, "'%.64s' is not a name", value->text);
	return field_line(value, field, out);
}

static struct err *parse_memory_bandwidth(const struct json *value, const struct field *field,
					  void *out)
{
	TRY(json_expect(value, JSON_STRING));
	if (*value->text && !str_has_prefix(value->text, "MB:"))
		return json_err(value, ERR_INVALID, "'%.64s' does not begin with MB:", value->text);
	return field_line(value, field, out);
}

static struct err *parse_schemata(const struct json *value, const struct field *field, void *out)
{
	TRY(field_texts(value, field, out));
	for (const struct json *item = value->child; item; item = item->next)
		if (strchr(item->text, '\n'))
			return json_err(item, ERR_INVALID, "contains a newline");
	return NULL;
}

struct err *parse_rdt(const struct json *value, const struct field *field, void *out)
{
	struct intel_rdt *rdt = out;

	TRY(fields_parse(field->table, value, rdt));
	rdt->is_set = true;
	return NULL;
}

static struct err *parse_no_flags(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	(void)out;
	TRY(json_expect(value, JSON_ARRAY));
	return value->count ? json_err(value, ERR_INVALID, "the specification has no flags yet") :
			      NULL;
}

struct err *parse_personality(const struct json *value, const struct field *field, void *out)
{
	struct raw_personality raw = { 0 };
	struct spec *spec = out;

	TRY(fields_parse(field->table, value, &raw));
	spec->personality = raw.domain;
	spec->personality_set = true;
	return NULL;
}
