/*
 * The features structure (features.md, features-linux.md): what this build knows, not what the host
 * has. Every list is the one that the reader itself uses.
 */
#include <seccomp.h>
#include <sys/capability.h>

#include "runtime/process/process.h"
#include "runtime/spec/tables.h"

/* What is either acted upon or not, and the property that decides it. */
static const struct {
	const char *section, *key, *property;
} switches[] = {
	{ "apparmor", "enabled", "process.apparmorProfile" },
	{ "selinux", "enabled", "process.selinuxLabel" },
	{ "intelRdt", "enabled", "linux.intelRdt" },
	{ "intelRdt", "schemata", "linux.intelRdt.schemata" },
	{ "intelRdt", "monitoring", "linux.intelRdt.enableMonitoring" },
	{ "netDevices", "enabled", "linux.netDevices" },
};

/* The i-th name of a list, NULL past its end. */
typedef const char *name_list(size_t i);

static const char *hook_name(size_t i)
{
	return i < HOOK_KIND_COUNT ? hook_kind_names[i] : NULL;
}

static const char *ns_name(size_t i)
{
	return i < NS_KIND_COUNT ? ns_infos[i].oci_name : NULL;
}

static const char *mode_name(size_t i)
{
	return i < memory_policy_modes.count ? memory_policy_modes.items[i].name : NULL;
}

static const char *policy_flag_name(size_t i)
{
	return i < memory_policy_flags.count ? memory_policy_flags.items[i].name : NULL;
}

static const char *annotation_name(size_t i)
{
	return i < annotation_count ? annotation_table[i].name : NULL;
}

static void put_names(struct json_out *out, const char *key, name_list *names)
{
	json_out_key(out, key);
	json_out_array(out);
	for (size_t i = 0; names(i); i++)
		json_out_string(out, names(i));
	json_out_end_array(out);
}

static void put_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

/* Those that this libcap has a name for, in upper case. */
static void put_capabilities(struct json_out *out)
{
	json_out_key(out, "capabilities");
	json_out_array(out);
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
		char *name = cap_to_name(cap);

		for (char *c = name; c && *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		if (name)
			json_out_string(out, name);
		cap_free(name);
	}
	json_out_end_array(out);
}

static void put_cgroup(struct json_out *out)
{
	json_out_key(out, "cgroup");
	json_out_object(out);
	put_bool(out, "v1", false);
	put_bool(out, "v2", true);
	put_bool(out, "systemd", true);
	put_bool(out, "systemdUser", true);
	put_bool(out, "rdma", spec_property_is_used("linux.resources.rdma"));
	json_out_end_object(out);
}

static void put_seccomp(struct json_out *out)
{
	json_out_key(out, "seccomp");
	json_out_object(out);
	put_bool(out, "enabled", spec_property_is_used("linux.seccomp"));
	put_names(out, "actions", seccomp_action_name);
	put_names(out, "operators", seccomp_op_name);
	put_names(out, "archs", seccomp_arch_name);
	put_names(out, "knownFlags", seccomp_flag_name);
	put_names(out, "supportedFlags", seccomp_flag_name);
	json_out_end_object(out);
}

/* Rows of one section stand together. */
static void put_switches(struct json_out *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (i == 0 || !str_eq(switches[i].section, switches[i - 1].section)) {
			json_out_key(out, switches[i].section);
			json_out_object(out);
		}
		put_bool(out, switches[i].key, spec_property_is_used(switches[i].property));
		if (i + 1 == ARRAY_SIZE(switches) ||
		    !str_eq(switches[i].section, switches[i + 1].section))
			json_out_end_object(out);
	}
}

static void put_linux(struct json_out *out)
{
	json_out_key(out, "linux");
	json_out_object(out);
	put_names(out, "namespaces", ns_name);
	put_capabilities(out);
	put_cgroup(out);
	put_seccomp(out);
	put_switches(out);
	json_out_key(out, "memoryPolicy");
	json_out_object(out);
	put_names(out, "modes", mode_name);
	put_names(out, "flags", policy_flag_name);
	json_out_end_object(out);
	json_out_key(out, "mountExtensions");
	json_out_object(out);
	json_out_key(out, "idmap");
	json_out_object(out);
	put_bool(out, "enabled", spec_property_is_used("mounts.uidMappings"));
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_end_object(out);
}

static struct err *put_annotations(struct json_out *out)
{
	const struct scmp_version *seccomp = seccomp_version();
	OWN(str) char *version = NULL;

	TRY(str_format(&version, "%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro));
	json_out_key(out, "annotations");
	json_out_object(out);
	/* built in; whether the host has criu is seen when it is needed */
	json_out_key(out, "cella.checkpoint.enabled");
	json_out_string(out, "true");
	json_out_key(out, "cella.commit");
	json_out_string(out, CELLA_COMMIT);
	json_out_key(out, "cella.version");
	json_out_string(out, CELLA_VERSION);
	json_out_key(out, "io.github.seccomp.libseccomp.version");
	json_out_string(out, version);
	json_out_end_object(out);
	return NULL;
}

struct err *spec_features_json(char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "ociVersionMin");
	json_out_string(out, "1.0.0");
	json_out_key(out, "ociVersionMax");
	json_out_string(out, OCI_VERSION);
	put_names(out, "hooks", hook_name);
	put_names(out, "mountOptions", mount_option_name);
	put_linux(out);
	TRY(put_annotations(out));
	put_names(out, "potentiallyUnsafeConfigAnnotations", annotation_name);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}
