/* config-linux.md: the members of "linux" that are one line each, and the way to those that are
 * not. */
#include <string.h>
#include <sys/mount.h>

#include "runtime/spec/tables.h"

static struct err *parse_cgroups_path(const struct json *value, const struct field *field,
				      void *out);
static struct err *parse_propagation(const struct json *value, const struct field *field,
				     void *out);

/* clang-format off */
static const struct word propagation_words[] = {
	{ "private",     MS_PRIVATE },
	{ "rprivate",    MS_PRIVATE | MS_REC },
	{ "rshared",     MS_SHARED | MS_REC },
	{ "rslave",      MS_SLAVE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ "shared",      MS_SHARED },
	{ "slave",       MS_SLAVE },
	{ "unbindable",  MS_UNBINDABLE },
};
static const struct words propagations = WORDS(propagation_words);

static const struct field linux_rows[] = {
	{ "cgroupsPath",       parse_cgroups_path,  AT(spec, cgroup.path) },
	{ "devices",           parse_devices,       AT(spec, root), .table = &device_table, .shape = FIELD_LIST },
	{ "gidMappings",       parse_gid_maps,      AT(spec, ns.maps), .table = &id_map_table, .shape = FIELD_LIST },
	{ "intelRdt",          parse_rdt,           AT(spec, rdt), .table = &rdt_table },
	{ "maskedPaths",       field_paths,         AT(spec, root.masked_paths) },
	{ "memoryPolicy",      parse_memory_policy, AT(spec, memory_policy), .table = &memory_policy_table },
	{ "mountLabel",        field_line,          AT(spec, root.mount_label) },
	{ "namespaces",        parse_namespaces,    AT(spec, ns), .table = &namespace_table, .shape = FIELD_LIST },
	{ "netDevices",        parse_net_devices,   .table = &net_device_table, .shape = FIELD_MAP },
	{ "personality",       parse_personality,   .table = &personality_table },
	{ "readonlyPaths",     field_paths,         AT(spec, root.readonly_paths) },
	{ "resources",         field_object,        AT(spec, cgroup), .table = &resources_table },
	{ "rootfsPropagation", parse_propagation,   AT(spec, root.propagation), .words = &propagations },
	{ "seccomp",           parse_seccomp,       AT(spec, seccomp), .table = &seccomp_table },
	{ "sysctl",            parse_pairs,         AT(spec, sysctls) },
	{ "timeOffsets",       parse_time_offsets,  AT(spec, ns), .table = &time_offsets_table },
	{ "uidMappings",       parse_uid_maps,      AT(spec, ns.maps), .table = &id_map_table, .shape = FIELD_LIST },
};
const struct field_table linux_table = FIELD_TABLE(linux_rows);
/* clang-format on */

static bool has_dot_dot(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || !part[2]))
			return true;
	}
	return false;
}

/* A path, or "slice:prefix:name" with the systemd driver: which one is known only to the command
 * line. */
static struct err *parse_cgroups_path(const struct json *value, const struct field *field,
				      void *out)
{
	TRY(json_expect(value, JSON_STRING));
	if (has_dot_dot(value->text))
		return json_err(value, ERR_INVALID, "'%.256s' must not contain '..'", value->text);
	return field_line(value, field, out);
}

static struct err *parse_propagation(const struct json *value, const struct field *field, void *out)
{
	uint64_t flags = 0;

	TRY(json_expect(value, JSON_STRING));
	if (*value->text)
		TRY(words_find(field->words, value, &flags));
	*(unsigned long *)out = flags;
	return NULL;
}
