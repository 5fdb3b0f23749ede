/* config-linux.md "Namespaces", "User namespace mappings", "Offset for Time Namespace". */
#include "runtime/spec/tables.h"

static struct err *parse_ns_type(const struct json *value, const struct field *field, void *out);
static struct err *parse_ns_path(const struct json *value, const struct field *field, void *out);
static struct err *parse_time_offset(const struct json *value, const struct field *field,
				     void *out);

struct raw_namespace {
	enum ns_kind kind;
	const char *path; /* borrowed */
};

/* clang-format off */
static const struct field namespace_rows[] = {
	{ "path", parse_ns_path, AT(raw_namespace, path) },
	{ "type", parse_ns_type, AT(raw_namespace, kind), .required = true },
};
const struct field_table namespace_table = FIELD_TABLE(namespace_rows);

static const struct field id_map_rows[] = {
	{ "containerID", field_u32, AT(id_map, inside),  .required = true },
	{ "hostID",      field_u32, AT(id_map, outside), .required = true },
	{ "size",        field_u32, AT(id_map, count),   .required = true },
};
const struct field_table id_map_table = FIELD_TABLE(id_map_rows);

static const struct field time_offset_rows[] = {
	{ "nanosecs", field_u32, AT(time_offset, nanosecs), .max = 999999999 },
	{ "secs",     field_i64, AT(time_offset, secs) },
};
static const struct field_table time_offset_table = FIELD_TABLE(time_offset_rows);

static const struct field time_offsets_rows[] = {
	{ "boottime",  parse_time_offset, AT(ns_spec, boottime),  .table = &time_offset_table },
	{ "monotonic", parse_time_offset, AT(ns_spec, monotonic), .table = &time_offset_table },
};
const struct field_table time_offsets_table = FIELD_TABLE(time_offsets_rows);
/* clang-format on */

static struct err *no_such_kind(const struct json *value)
{
	OWN(buf) struct buf names = { 0 };

	for (size_t i = 0; i < NS_KIND_COUNT; i++)
		TRY(buf_format(&names, "%s%s", i ? ", " : "", ns_infos[i].oci_name));
	return json_err(value, ERR_INVALID, "'%.64s' is not one of %s", value->text, names.data);
}

static struct err *parse_ns_type(const struct json *value, const struct field *field, void *out)
{
	struct err *err;

	(void)field;
	TRY(json_expect(value, JSON_STRING));
	err = ns_kind_parse(value->text, out);
	if (!err)
		return NULL;
	err_drop(err); /* ours has the place and the list */
	return no_such_kind(value);
}

static struct err *parse_ns_path(const struct json *value, const struct field *field, void *out)
{
	const char **path = out;

	(void)field;
	TRY(json_expect(value, JSON_STRING));
	if (!*value->text)
		return NULL; /* as good as absent: callers written in Go send it */
	if (*value->text != '/')
		return json_err(value, ERR_INVALID, "'%.256s' is not an absolute path",
				value->text);
	*path = value->text;
	return NULL;
}

struct err *parse_namespaces(const struct json *value, const struct field *field, void *out)
{
	struct ns_spec *ns = out;

	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		struct raw_namespace raw = { 0 };

		TRY(fields_parse(field->table, item, &raw));
		if (ns->is_new[raw.kind] || ns->join_path[raw.kind])
			return json_err(item, ERR_INVALID, "type %s is given twice",
					ns_infos[raw.kind].oci_name);
		if (raw.path)
			TRY(str_dup(raw.path, &ns->join_path[raw.kind]));
		else
			ns->is_new[raw.kind] = true;
	}
	return NULL;
}

/* The kernel's last id is 2^32 - 2; user_namespaces(7). */
static struct err *check_id_map(const struct json *item, const struct id_map *map)
{
	if (map->count == 0)
		return json_err(item, ERR_INVALID, "size must not be 0");
	if ((uint64_t)map->inside + map->count > UINT32_MAX ||
	    (uint64_t)map->outside + map->count > UINT32_MAX)
		return json_err(item, ERR_INVALID, "reaches beyond id 4294967294");
	return NULL;
}

static struct err *parse_id_maps(const struct json *value, struct id_map **ret_maps,
				 size_t *ret_count)
{
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(**ret_maps), &items));
	*ret_maps = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct id_map *map = &(*ret_maps)[(*ret_count)++];

		TRY(fields_parse(&id_map_table, item, map));
		TRY(check_id_map(item, map));
	}
	return NULL;
}

struct err *parse_uid_maps(const struct json *value, const struct field *field, void *out)
{
	struct id_maps *maps = out;

	(void)field;
	return parse_id_maps(value, &maps->uids, &maps->uid_count);
}

struct err *parse_gid_maps(const struct json *value, const struct field *field, void *out)
{
	struct id_maps *maps = out;

	(void)field;
	return parse_id_maps(value, &maps->gids, &maps->gid_count);
}

static struct err *parse_time_offset(const struct json *value, const struct field *field, void *out)
{
	struct time_offset *offset = out;

	TRY(fields_parse(field->table, value, offset));
	offset->is_set = true;
	return NULL;
}

/* The keys are names of clocks, not properties: an unknown one is an error. */
struct err *parse_time_offsets(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_OBJECT));
	for (const struct json *item = value->child; item; item = item->next)
		if (!fields_find(field->table, item->key))
			return json_err(item, ERR_INVALID,
					"is not a clock of time namespaces (monotonic, boottime)");
	return fields_parse(field->table, value, out);
}
