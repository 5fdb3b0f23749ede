/* The top of config.json (config.md), and the entry points that read a text. */
#include <string.h>

#include "runtime/spec/tables.h"

static struct err *parse_oci_version(const struct json *value, const struct field *field,
				     void *out);
static struct err *parse_root_path(const struct json *value, const struct field *field, void *out);
static struct err *parse_container_process(const struct json *value, const struct field *field,
					   void *out);

#define WHY_PLATFORM "for another platform"

/* clang-format off */
static const struct field root_rows[] = {
	{ "path",     parse_root_path, AT(rootfs_spec, path), .required = true },
	{ "readonly", field_bool,      AT(rootfs_spec, readonly) },
};
static const struct field_table root_table = FIELD_TABLE(root_rows);

static const struct field spec_rows[] = {
	{ "annotations", parse_annotations },
	{ "domainname",  field_line,        AT(spec, domainname) },
	{ "freebsd",     NULL,              .why = WHY_PLATFORM },
	{ "hooks",       field_object,      AT(spec, hooks), .table = &hooks_table },
	{ "hostname",    field_line,        AT(spec, hostname) },
	{ "linux",       field_object,      .table = &linux_table },
	{ "mounts",      parse_mounts,      AT(spec, root), .table = &mount_table, .shape = FIELD_LIST },
	{ "ociVersion",  parse_oci_version, AT(spec, oci_version), .required = true },
	{ "process",     parse_container_process, .table = &process_table },
	{ "root",        field_object,      AT(spec, root), .required = true, .table = &root_table },
	{ "solaris",     NULL,              .why = WHY_PLATFORM },
	{ "vm",          NULL,              .why = WHY_PLATFORM },
	{ "windows",     NULL,              .why = WHY_PLATFORM },
	{ "zos",         NULL,              .why = WHY_PLATFORM },
};
const struct field_table spec_table = FIELD_TABLE(spec_rows);
/* clang-format on */

/* One number of SemVer: digits without leading zeros; moves behind it. */
static bool skip_number(const char **text)
{
	size_t digits = strspn(*text, "0123456789");
	bool good = digits == 1 || (digits > 1 && **text != '0');

	*text += digits;
	return good;
}

/* The identifiers behind "-" or "+": not empty, dots between them; numbers of a pre-release have no
 * leading zeros. */
static bool skip_identifiers(const char **text, bool strict_numbers)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

	do {
		size_t len, digits;

		(*text)++; /* "-", "+" or "." */
		len = strspn(*text, allowed);
		digits = strspn(*text, "0123456789");
		if (len == 0 || (strict_numbers && digits == len && len > 1 && **text == '0'))
			return false;
		*text += len;
	} while (**text == '.');
	return true;
}

/* semver.org 2.0.0. */
static bool is_semver(const char *text)
{
	for (int part = 0; part < 3; part++) {
		if (part && *text++ != '.')
			return false;
		if (!skip_number(&text))
			return false;
	}
	if (*text == '-' && !skip_identifiers(&text, true))
		return false;
	if (*text == '+' && !skip_identifiers(&text, false))
		return false;
	return !*text;
}

static struct err *parse_oci_version(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_STRING));
	if (!is_semver(value->text))
		return json_err(value, ERR_INVALID,
				"'%.64s' is not a version such as %s (SemVer 2.0)", value->text,
				OCI_VERSION);
	if (!str_has_prefix(value->text, "1."))
		return json_err(value, ERR_UNSUPPORTED, "'%.64s' is not a version 1", value->text);
	return field_text(value, field, out);
}

static struct err *parse_root_path(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_STRING));
	if (!*value->text)
		return json_err(value, ERR_INVALID, "is empty");
	return field_text(value, field, out);
}

static struct err *parse_container_process(const struct json *value, const struct field *field,
					   void *out)
{
	struct spec *spec = out;

	TRY(parse_process(value, field, &spec->process));
	spec->has_process = true;
	return NULL;
}

struct err *spec_parse(const char *text, size_t len, const char *bundle, struct spec *ret_spec)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(spec) struct spec spec;

	spec_init(&spec);
	TRY(json_parse(text, len, &doc));
	TRY(fields_parse(&spec_table, json_root(doc), &spec));
	TRY(spec_complete(&spec, bundle));
	*ret_spec = spec;
	spec_init(&spec);
	return NULL;
}

struct err *spec_parse_process(const char *text, size_t len, struct process_spec *ret_process)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(process_spec) struct process_spec process = { 0 };

	TRY(json_parse(text, len, &doc));
	TRY(parse_process(json_root(doc), NULL, &process));
	*ret_process = process;
	process = (struct process_spec){ 0 };
	return NULL;
}

struct err *spec_parse_resources(const char *text, size_t len, struct cgroup_spec *ret_cgroup)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	struct cgroup_spec cgroup;
	struct err *err;

	cgroup_spec_init(&cgroup);
	TRY(json_parse(text, len, &doc));
	err = fields_parse(&resources_table, json_root(doc), &cgroup);
	if (!err)
		err = cgroup_limits_check(&cgroup.limits);
	if (err) {
		cgroup_spec_release(&cgroup);
		return err;
	}
	*ret_cgroup = cgroup;
	return NULL;
}
