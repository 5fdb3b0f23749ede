/* What is printed from the tables: the list of properties, `features`, and the default config.json.
 */
#include "tests/unit/runtime_spec.h"

#include <unistd.h>

#include "runtime/spec/tables.h"

static void expect_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	if (!found || (found != text && found[-1] != '\n') || found[strlen(line)] != '\n')
		fail_msg("no line '%s'", line);
}

static void properties_are_listed(void **state)
{
	OWN(str) char *text = NULL;
	size_t lines = 0;

	(void)state;
	assert_null(spec_properties_text(&text));
	expect_line(text, "ociVersion\timplemented");
	expect_line(text, "linux.namespaces[].type\timplemented");
	expect_line(text, "linux.netDevices.NAME.name\timplemented");
	expect_line(text, "linux.resources.memory.useHierarchy\tignored\t"
			  "cgroup version 2 is always hierarchical");
	expect_line(text, "linux.resources.memory.swappiness\trefused\t"
			  "cgroup version 2 has no swappiness");
	expect_line(text, "linux.seccomp.syscalls[].args[].valueTwo\timplemented");
	expect_line(text, "hooks.poststop[].timeout\timplemented");
	expect_line(text, "windows\tignored\tfor another platform");
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_in_range(lines, 180, 240);
}

static void used_properties_are_known(void **state)
{
	(void)state;
	assert_true(spec_property_is_used("linux.netDevices"));
	assert_true(spec_property_is_used("mounts.uidMappings"));
	assert_false(spec_property_is_used("linux.resources.memory.swappiness"));
	assert_false(spec_property_is_used("windows"));
	assert_false(spec_property_is_used("linux.nothing"));
	assert_false(spec_property_is_used("hostname.x"));
	assert_false(spec_property_is_used(""));
}

static bool has_text(const struct json *array, const char *text)
{
	for (const struct json *item = array ? array->child : NULL; item; item = item->next)
		if (str_eq(item->text, text))
			return true;
	return false;
}

static const struct json *follow(const struct json *value, const char *one, const char *two)
{
	return json_get(json_get(value, one), two);
}

static void features_are_complete(void **state)
{
	OWN(str) char *text = NULL;
	OWN(json_doc) struct json_doc *doc = NULL;
	const struct json *root, *linux_part, *list;

	(void)state;
	assert_null(spec_features_json(&text));
	assert_null(json_parse(text, strlen(text), &doc));
	root = json_root(doc);
	linux_part = json_get(root, "linux");
	assert_string_equal(json_get(root, "ociVersionMin")->text, "1.0.0");
	assert_string_equal(json_get(root, "ociVersionMax")->text, OCI_VERSION);
	assert_int_equal(json_get(root, "hooks")->count, HOOK_KIND_COUNT);
	assert_true(has_text(json_get(root, "hooks"), "createContainer"));
	assert_true(has_text(json_get(root, "mountOptions"), "rro"));
	assert_true(has_text(json_get(root, "mountOptions"), "idmap"));
	assert_true(has_text(json_get(root, "potentiallyUnsafeConfigAnnotations"),
			     "org.systemd.property."));
	assert_int_equal(json_get(linux_part, "namespaces")->count, NS_KIND_COUNT);
	list = json_get(linux_part, "capabilities");
	assert_true(has_text(list, "CAP_CHOWN") && has_text(list, "CAP_CHECKPOINT_RESTORE"));
	assert_true(follow(linux_part, "cgroup", "v2")->truth);
	assert_false(follow(linux_part, "cgroup", "v1")->truth);
	assert_true(has_text(follow(linux_part, "seccomp", "actions"), "SCMP_ACT_ALLOW"));
	assert_non_null(follow(linux_part, "seccomp", "supportedFlags"));
	assert_true(follow(linux_part, "intelRdt", "schemata")->truth);
	assert_true(follow(linux_part, "intelRdt", "monitoring")->truth);
	assert_true(follow(linux_part, "apparmor", "enabled")->truth);
	assert_int_equal(follow(linux_part, "memoryPolicy", "modes")->count, 7);
	assert_true(json_get(follow(linux_part, "mountExtensions", "idmap"), "enabled")->truth);
	assert_true(follow(linux_part, "netDevices", "enabled")->truth);
}

static void default_config_is_accepted(void **state)
{
	(void)state;
	for (int rootless = 0; rootless < 2; rootless++) {
		OWN(str) char *text = NULL;
		OWN(spec) struct spec spec;
		struct err *err;

		spec_init(&spec);
		assert_null(spec_default_json(rootless, &text));
		err = spec_parse(text, strlen(text), "/b", &spec);
		if (err)
			fail_msg("%s", err_text(err));
		assert_string_equal(spec.root.path, "/b/rootfs");
		assert_true(spec.root.readonly && spec.process.no_new_privileges);
		assert_int_equal(spec.root.mount_count, 7);
		assert_int_equal(spec.ns.is_new[NS_USER], rootless);
		assert_int_equal(spec.ns.is_new[NS_NET], !rootless);
		assert_int_equal(spec.cgroup.device_filter, !rootless);
		if (rootless)
			assert_int_equal(spec.ns.maps.uids[0].outside, geteuid());
		assert_true(spec.process.caps.bounding ==
			    ((uint64_t)1 << 29 | (uint64_t)1 << 10 | (uint64_t)1 << 5));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_are_listed),
		cmocka_unit_test(used_properties_are_known),
		cmocka_unit_test(features_are_complete),
		cmocka_unit_test(default_config_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
