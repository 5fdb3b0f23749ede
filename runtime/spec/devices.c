/* config-linux.md "Devices" (nodes to make) and "Allowed Device list" (rules of the cgroup's device
 * filter). */
#include <string.h>
#include <sys/stat.h>

#include "runtime/spec/tables.h"

static struct err *parse_type(const struct json *value, const struct field *field, void *out);
static struct err *parse_access(const struct json *value, const struct field *field, void *out);

/* The kernel packs 12 bits of major and 20 of minor: MINORBITS in linux/kdev_t.h. */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)
#define NUMBER_UNSET (-2)

static const struct word node_words[] = { { "c", 'c' }, { "b", 'b' }, { "u", 'u' }, { "p", 'p' } };
static const struct words node_types = WORDS(node_words);
static const struct word rule_words[] = { { "a", 'a' }, { "b", 'b' }, { "c", 'c' } };
static const struct words rule_types = WORDS(rule_words);

/* clang-format off */
static const struct field device_rows[] = {
	{ "fileMode", field_u32,  AT(device_node, mode), .max = 0177777 },
	{ "gid",      field_id,   AT(device_node, gid) },
	{ "major",    field_i64,  AT(device_node, major), .min = 0, .max = MAJOR_MAX },
	{ "minor",    field_i64,  AT(device_node, minor), .min = 0, .max = MINOR_MAX },
	{ "path",     field_path, AT(device_node, path), .required = true },
	{ "type",     parse_type, AT(device_node, type), .required = true, .words = &node_types },
	{ "uid",      field_id,   AT(device_node, uid) },
};
const struct field_table device_table = FIELD_TABLE(device_rows);

static const struct field device_rule_rows[] = {
	{ "access", parse_access },
	{ "allow",  field_bool, AT(device_rule, allow), .required = true },
	{ "major",  field_i64,  AT(device_rule, major), .min = -1, .max = MAJOR_MAX },
	{ "minor",  field_i64,  AT(device_rule, minor), .min = -1, .max = MINOR_MAX },
	{ "type",   parse_type, AT(device_rule, type), .words = &rule_types },
};
const struct field_table device_rule_table = FIELD_TABLE(device_rule_rows);
/* clang-format on */

static struct err *parse_type(const struct json *value, const struct field *field, void *out)
{
	uint64_t type;

	TRY(words_find(field->words, value, &type));
	*(char *)out = (char)type;
	return NULL;
}

static struct err *finish_node(const struct json *value, struct device_node *node)
{
	/* some callers put the bits of the file type in, too */
	node->mode &= 07777;
	if (node->type != 'p' && (node->major == NUMBER_UNSET || node->minor == NUMBER_UNSET))
		return json_err(value, ERR_INVALID, "major and minor are required for type %c",
				node->type);
	if (node->type == 'p')
		node->major = node->minor = 0;
	return NULL;
}

struct err *parse_devices(const struct json *value, const struct field *field, void *out)
{
	struct rootfs_spec *root = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*root->devices), &items));
	root->devices = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct device_node *node = &root->devices[root->device_count++];

		*node = (struct device_node){ .major = NUMBER_UNSET,
					      .minor = NUMBER_UNSET,
					      .mode = 0666 };
		TRY(fields_parse(field->table, item, node));
		TRY(finish_node(item, node));
	}
	return NULL;
}

static struct err *parse_access(const struct json *value, const struct field *field, void *out)
{
	struct device_rule *rule = out;

	(void)field;
	TRY(json_expect(value, JSON_STRING));
	if (!*value->text)
		return NULL; /* as good as absent */
	if (value->text[strspn(value->text, "rwm")])
		return json_err(value, ERR_INVALID, "'%.64s' is not made of r, w and m",
				value->text);
	rule->may_read = strchr(value->text, 'r') != NULL;
	rule->may_write = strchr(value->text, 'w') != NULL;
	rule->may_mknod = strchr(value->text, 'm') != NULL;
	return NULL;
}

struct err *parse_device_rules(const struct json *value, const struct field *field, void *out)
{
	struct cgroup_spec *cgroup = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_ARRAY));
	TRY(field_room(value, sizeof(*cgroup->device_rules), &items));
	cgroup->device_rules = items;
	cgroup->device_filter = true;
	for (const struct json *item = value->child; item; item = item->next) {
		struct device_rule *rule = &cgroup->device_rules[cgroup->device_rule_count++];

		*rule = (struct device_rule){ .type = 'a',
					      .major = -1,
					      .minor = -1,
					      .may_read = true,
					      .may_write = true,
					      .may_mknod = true };
		TRY(fields_parse(field->table, item, rule));
	}
	return NULL;
}
