/* config.md "Mounts". Options are the business of rootfs/; here are only the other members. */
#include "runtime/spec/tables.h"

static struct err *parse_destination(const struct json *value, const struct field *field,
				     void *out);
static struct err *parse_options(const struct json *value, const struct field *field, void *out);

/* clang-format off */
static const struct field mount_rows[] = {
	{ "destination", parse_destination, AT(mount_spec, destination), .required = true },
	{ "gidMappings", parse_gid_maps,    AT(mount_spec, maps), .table = &id_map_table, .shape = FIELD_LIST },
	{ "options",     parse_options },
	{ "source",      field_text,        AT(mount_spec, source) },
	{ "type",        field_line,        AT(mount_spec, type) },
	{ "uidMappings", parse_uid_maps,    AT(mount_spec, maps), .table = &id_map_table, .shape = FIELD_LIST },
};
const struct field_table mount_table = FIELD_TABLE(mount_rows);
/* clang-format on */

/* A relative one is deprecated and stands below "/". */
static struct err *parse_destination(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	TRY(json_expect(value, JSON_STRING));
	if (!*value->text)
		return json_err(value, ERR_INVALID, "is empty");
	if (*value->text == '/')
		return str_dup(value->text, out);
	return str_format(out, "/%s", value->text);
}

static struct err *parse_options(const struct json *value, const struct field *field, void *out)
{
	struct mount_spec *mount = out;

	(void)field;
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		struct err *err;

		TRY(json_expect(item, JSON_STRING));
		err = mount_spec_option(mount, item->text);
		if (err)
			return json_wrap(item, err);
	}
	return NULL;
}

static struct err *check_maps(const struct json *value, struct mount_spec *mount)
{
	bool has_maps = mount->maps.uid_count || mount->maps.gid_count;

	if (!mount->maps.uid_count != !mount->maps.gid_count)
		return json_err(value, ERR_INVALID,
				"uidMappings and gidMappings must be given together");
	/* config.md wants the option beside the mappings for the sake of older runtimes only */
	if (has_maps && mount->idmap == MOUNT_NO_IDMAP)
		mount->idmap = MOUNT_IDMAP;
	return NULL;
}

struct err *parse_mounts(const struct json *value, const struct field *field, void *out)
{
	struct rootfs_spec *root = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*root->mounts), &items));
	root->mounts = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct mount_spec *mount = &root->mounts[root->mount_count++];

		TRY(fields_parse(field->table, item, mount));
		TRY(check_maps(item, mount));
	}
	return NULL;
}
