/* Names of scopes and slices, and limits as unit properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cgroups/gvariant.h"
#include "cgroups/systemd.h"

static void paths_name_slice_and_scope(void **state)
{
	static const struct {
		const char *text, *slice, *scope, *slice_path;
	} cases[] = {
		{ NULL, "system.slice", "cella-oci-box.scope", "/system.slice" },
		{ "::", "system.slice", "box.scope", "/system.slice" },
		{ "machine.slice:libpod:abc", "machine.slice", "libpod-abc.scope",
		  "/machine.slice" },
		{ "machine.slice::abc", "machine.slice", "abc.scope", "/machine.slice" },
		{ "machine.slice:libpod:", "machine.slice", "libpod-box.scope", "/machine.slice" },
		{ "-.slice:p:n", "-.slice", "p-n.scope", "" },
		{ "a-b-c.slice:p:n", "a-b-c.slice", "p-n.scope", "/a.slice/a-b.slice/a-b-c.slice" },
		{ ":p:a+b c", "system.slice", "p-a\\x2bb\\x20c.scope", "/system.slice" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(unit_names) struct unit_names names = { 0 };

		assert_null(unit_names_parse(cases[i].text, "system.slice", "cella-oci", "box",
					     &names));
		assert_string_equal(names.slice, cases[i].slice);
		assert_string_equal(names.scope, cases[i].scope);
		assert_string_equal(names.slice_path, cases[i].slice_path);
	}
}

static void other_paths_are_refused(void **state)
{
	static const char *const bad[] = { "/a/b",	   "a",
					   "a.slice:b",	   "a.slice:b:c:d",
					   "a:b:c",	   "a--b.slice:p:n",
					   "-a.slice:p:n", "a-.slice:p:n",
					   ".slice:p:n",   "a/b.slice:p:n" };
	char text[400] = "a.slice:p:";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct unit_names names = { 0 };
		struct err *err = unit_names_parse(bad[i], "system.slice", "p", "box", &names);

		if (!err)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
	memset(text + strlen(text), 'x', 300);
	{
		struct unit_names names = { 0 };
		struct err *err = unit_names_parse(text, "system.slice", "p", "box", &names);

		assert_non_null(err);
		err_drop(err);
	}
}

static void limits_become_properties(void **state)
{
	OWN(strlist) struct strlist list = { 0 };
	struct cgroup_limits limits;

	(void)state;
	cgroup_limits_init(&limits);
	limits.memory_max_bytes = 1000;
	limits.swap_max_bytes = CGROUP_MAX;
	limits.pids_max = 0; /* systemd knows no 0: only the file says it */
	limits.cpu_quota_us = 25500;
	limits.cpu_period_us = 50000;
	limits.cpu_weight = 77;
	assert_null(str_dup("0-2,9", &limits.cpuset_cpus));
	assert_null(str_dup("", &limits.cpuset_mems));
	assert_null(properties_of_limits(&limits, &list));
	assert_true(strlist_has(&list, "MemoryMax=uint64 1000"));
	assert_true(strlist_has(&list, "MemorySwapMax=uint64 18446744073709551615"));
	assert_true(strlist_has(&list, "CPUQuotaPerSecUSec=uint64 510000"));
	assert_true(strlist_has(&list, "CPUQuotaPeriodUSec=uint64 50000"));
	assert_true(strlist_has(&list, "CPUWeight=uint64 77"));
	assert_true(strlist_has(&list, "AllowedCPUs=@ay [7, 2]"));
	assert_true(strlist_has(&list, "AllowedMemoryNodes=@ay []"));
	assert_int_equal(list.count, 7);
	cgroup_limits_release(&limits);
}

/* What the helper gets, it can read. */
static void every_property_is_gvariant(void **state)
{
	OWN(strlist) struct strlist list = { 0 };
	struct cgroup_limits limits;

	(void)state;
	cgroup_limits_init(&limits);
	limits.memory_max_bytes = limits.memory_low_bytes = limits.memory_high_bytes = 5;
	limits.memory_min_bytes = limits.swap_max_bytes = limits.pids_max = limits.io_weight =
		CGROUP_MAX;
	limits.cpu_quota_us = CGROUP_MAX;
	limits.cpu_idle = 1;
	assert_null(str_dup("8191", &limits.cpuset_cpus));
	assert_null(str_dup("0-7:1/2", &limits.cpuset_mems)); /* no mask: left to the file */
	assert_null(properties_of_limits(&limits, &list));
	assert_int_equal(list.count, 10);
	for (size_t i = 0; i < list.count; i++) {
		OWN(variant) struct variant value = { 0 };
		OWN(str) char *name = NULL;

		assert_null(property_parse(list.items[i], &name, &value));
		assert_true(value.is_array ? value.type == 'y' && value.count == 1024 :
					     value.type == 't');
	}
	assert_true(strlist_has(&list, "CPUWeight=uint64 0"));
	cgroup_limits_release(&limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_name_slice_and_scope),
		cmocka_unit_test(other_paths_are_refused),
		cmocka_unit_test(limits_become_properties),
		cmocka_unit_test(every_property_is_gvariant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
