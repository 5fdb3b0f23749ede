/* config.md "Annotations": kept for `state` and hooks; the few that change what the runtime does
 * have a row here. */
#include <errno.h>
#include <string.h>

#include "runtime/spec/tables.h"

static struct err *set_systemd_property(struct spec *spec, const char *name, const char *value);
static struct err *set_keep_groups(struct spec *spec, const char *name, const char *value);
static struct err *set_seccomp_receiver(struct spec *spec, const char *name, const char *value);

#define SYSTEMD_PROPERTY "org.systemd.property."

/* clang-format off */
const struct annotation annotation_table[] = {
	{ SYSTEMD_PROPERTY,                set_systemd_property, "a property of the systemd scope, in GVariant text" },
	{ "run.oci.keep_original_groups",  set_keep_groups,      "keep the caller's supplementary groups" },
	{ "run.oci.seccomp.receiver",      set_seccomp_receiver, "stands for linux.seccomp.listenerPath when that is not given" },
};
const size_t annotation_count = ARRAY_SIZE(annotation_table);
/* clang-format on */

/* Map entries become "NAME=VALUE", so the name must not hold a "=". */
struct err *parse_pairs(const struct json *value, const struct field *field, void *out)
{
	(void)field;
	TRY(json_expect(value, JSON_OBJECT));
	for (const struct json *item = value->child; item; item = item->next) {
		TRY(json_expect(item, JSON_STRING));
		if (!*item->key)
			return json_err(value, ERR_INVALID, "a name is empty");
		if (strchr(item->key, '='))
			return json_err(item, ERR_INVALID, "a name must not contain '='");
		TRY(strlist_format(out, "%s=%s", item->key, item->text));
	}
	return NULL;
}

struct err *parse_annotations(const struct json *value, const struct field *field, void *out)
{
	struct spec *spec = out;

	return parse_pairs(value, field, &spec->annotations);
}

/* D-Bus property names of units are words of letters and digits. */
static struct err *set_systemd_property(struct spec *spec, const char *name, const char *value)
{
	const char *property = name + strlen(SYSTEMD_PROPERTY);

	if (!*property ||
	    property[strspn(property,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
		return err_new(ERR_INVALID, "'%.64s' is not the name of a systemd property",
			       property);
	return strlist_format(&spec->cgroup.systemd_properties, "%s=%s", property, value);
}

static struct err *set_keep_groups(struct spec *spec, const char *name, const char *value)
{
	(void)name;
	spec->process.keep_groups = !str_eq(value, "0") && !str_eq(value, "false");
	spec->ns.keep_groups = spec->process.keep_groups;
	return NULL;
}

static struct err *set_seccomp_receiver(struct spec *spec, const char *name, const char *value)
{
	(void)name;
	if (*value != '/')
		return err_new(ERR_INVALID, "'%.256s' is not an absolute path", value);
	if (spec->seccomp.is_set && !spec->seccomp.listener_path)
		return str_dup(value, &spec->seccomp.listener_path);
	return NULL;
}

static bool is_for(const struct annotation *annotation, const char *name)
{
	size_t len = strlen(annotation->name);

	if (annotation->name[len - 1] == '.')
		return strncmp(name, annotation->name, len) == 0;
	return str_eq(name, annotation->name);
}

static struct err *apply(struct spec *spec, const char *name, const char *value)
{
	for (size_t i = 0; i < annotation_count; i++)
		if (is_for(&annotation_table[i], name))
			return err_wrap(annotation_table[i].apply(spec, name, value),
					"annotations.%.128s", name);
	return NULL;
}

struct err *annotations_apply(struct spec *spec)
{
	for (size_t i = 0; i < spec->annotations.count; i++) {
		const char *pair = spec->annotations.items[i], *equals = strchr(pair, '=');
		OWN(str) char *name = strndup(pair, (size_t)(equals - pair));

		if (!name)
			return err_sys(ENOMEM, "read annotations");
		TRY(apply(spec, name, equals + 1));
	}
	return NULL;
}
