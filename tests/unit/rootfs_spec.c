/* The rules of a plan that need no kernel: what is refused, with the reason, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "rootfs/rootfs.h"

static char *text(const char *from)
{
	return (char *)(uintptr_t)from; /* only read */
}

/* Check a plan with this one mount; NULL: it must pass. */
static void check_mount(const struct mount_spec *mount, const char *complaint)
{
	struct mount_spec copy = *mount;
	struct rootfs_spec spec = { .path = text("/root"), .mounts = &copy, .mount_count = 1 };
	struct err *err = rootfs_spec_check(&spec, false, true);

	if (complaint && (!err || !strstr(err_text(err), complaint)))
		fail_msg("'%s' has no '%s'", err ? err_text(err) : "no error", complaint);
	if (!complaint && err)
		fail_msg("%s", err_text(err));
	if (err)
		assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
}

/* clang-format off */
#define BIND_FROM(from, to, ...)                                                       \
	&(const struct mount_spec){ .source = text(from), .destination = text(to),     \
				    .flags = MS_BIND, ##__VA_ARGS__ }
#define BIND(to, ...) BIND_FROM("/host", to, ##__VA_ARGS__)
#define FS(kind, to, ...)                                                              \
	&(const struct mount_spec){ .type = text(kind), .destination = text(to), ##__VA_ARGS__ }
/* clang-format on */

static void test_mounts(void **state)
{
	struct id_map map = { 0, 1, 2 };

	(void)state;
	check_mount(BIND("/data"), NULL);
	check_mount(BIND("data"), NULL); /* deprecated, but allowed */
	check_mount(BIND_FROM("relative", "/data"), "not absolute");
	check_mount(BIND_FROM(NULL, "/data"), "not absolute");
	check_mount(BIND("/data", .data = text("size=1")), "size=1");
	check_mount(BIND(""), "destination");
	check_mount(BIND_FROM("/host", NULL), "destination");
	check_mount(FS("tmpfs", "/tmp"), NULL);
	check_mount(&(struct mount_spec){ .destination = text("/x") }, "type");
	check_mount(FS("tmpfs", "/tmp", .copy_up = true), NULL);
	check_mount(FS("ext4", "/tmp", .copy_up = true), "tmpcopyup");
	check_mount(BIND("/data", .idmap = MOUNT_IDMAP), "user namespace");
	check_mount(BIND("/data", .idmap = MOUNT_IDMAP, .maps = { &map, &map, 1, 1 }), NULL);
	check_mount(BIND("/data", .idmap = MOUNT_IDMAP, .maps = { &map, NULL, 1, 0 }), "together");
	check_mount(BIND("/data", .maps = { &map, &map, 1, 1 }), "without idmap");
	check_mount(FS("tmpfs", "/t", .idmap = MOUNT_RIDMAP, .maps = { &map, &map, 1, 1 }), "bind");
}

static void test_proc(void **state)
{
	(void)state;
	check_mount(FS("proc", "/proc"), NULL);
	check_mount(BIND("/proc"), NULL); /* the builder looks at the source */
	check_mount(FS("tmpfs", "/proc"), "not proc");
	check_mount(BIND("/proc/cpuinfo"), NULL);
	check_mount(BIND("/proc/sys/kernel/ns_last_pid"), NULL);
	check_mount(BIND("/proc/self/attr"), "procfs");
	check_mount(BIND("/proc/cpuinfo/x"), "procfs");
	check_mount(FS("tmpfs", "/proc/acpi"), "procfs");
	check_mount(BIND("proc/sys"), "procfs");
	check_mount(BIND("//proc/./sys/"), "procfs");
	check_mount(BIND("/x/../proc/sys"), "procfs");
	check_mount(BIND("/../proc//sys"), "procfs");
	check_mount(BIND("/procfs/sys"), NULL);
}

static void check_device(struct device_node node, const char *complaint)
{
	struct rootfs_spec spec = { .path = text("/r"), .devices = &node, .device_count = 1 };
	struct err *err = rootfs_spec_check(&spec, false, true);

	if (complaint ? !err || !strstr(err_text(err), complaint) : err != NULL)
		fail_msg("'%s' has no '%s'", err ? err_text(err) : "no error", complaint);
	err_drop(err);
}

static void test_devices(void **state)
{
	(void)state;
	check_device((struct device_node){ 'c', text("/dev/x"), 1, 3, 0666, 0, 0 }, NULL);
	check_device((struct device_node){ 'p', text("/dev/x"), -1, -1, 0666, 0, 0 }, NULL);
	check_device((struct device_node){ 'c', text("dev/x"), 1, 3, 0666, 0, 0 }, "absolute");
	check_device((struct device_node){ 'c', NULL, 1, 3, 0666, 0, 0 }, "absolute");
	check_device((struct device_node){ 'x', text("/dev/x"), 1, 3, 0666, 0, 0 }, "'x'");
	check_device((struct device_node){ 0, text("/dev/x"), 1, 3, 0666, 0, 0 }, "type");
	check_device((struct device_node){ 'b', text("/dev/x"), -1, 3, 0666, 0, 0 }, "number");
	check_device((struct device_node){ 'b', text("/dev/x"), 1, 1 << 20, 0666, 0, 0 }, "number");
	check_device((struct device_node){ 'b', text("/dev/x"), 1, 1, 0100666, 0, 0 }, "mode");
}

static void check_plan(const struct rootfs_spec *spec, bool mount_ns, const char *complaint)
{
	struct err *err = rootfs_spec_check(spec, false, mount_ns);

	if (complaint ? !err || !strstr(err_text(err), complaint) : err != NULL)
		fail_msg("'%s' has no '%s'", err ? err_text(err) : "no error",
			 complaint ? complaint : "");
	err_drop(err);
}

static void test_plan(void **state)
{
	struct mount_spec mount = { .type = text("proc"), .destination = text("/proc") };
	char *relative[] = { text("proc/kcore"), NULL }, *good[] = { text("/proc/kcore"), NULL };
	struct strlist bad_list = { relative, 1 }, good_list = { good, 1 };

	(void)state;
	check_plan(&(struct rootfs_spec){ .path = text("/r") }, true, NULL);
	check_plan(&(struct rootfs_spec){ .path = text("r") }, true, "absolute");
	check_plan(&(struct rootfs_spec){ 0 }, true, "absolute");
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .masked_paths = bad_list }, true,
		   "masked path");
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .readonly_paths = bad_list }, true,
		   "read-only path");
	/* without a mount namespace nothing may be mounted */
	check_plan(&(struct rootfs_spec){ .path = text("/r") }, false, NULL);
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .mounts = &mount, .mount_count = 1 },
		   false, "mount namespace");
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .readonly = true }, false,
		   "mount namespace");
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .masked_paths = good_list }, false,
		   "mount namespace");
	check_plan(&(struct rootfs_spec){ .path = text("/r"), .propagation = MS_SHARED }, false,
		   "mount namespace");
}

static void test_release(void **state)
{
	struct rootfs_spec spec = { .path = strdup("/r"),
				    .mounts = calloc(1, sizeof(struct mount_spec)),
				    .mount_count = 1,
				    .devices = calloc(1, sizeof(struct device_node)),
				    .device_count = 1,
				    .mount_label = strdup("l") };

	(void)state;
	spec.mounts[0].destination = strdup("/x");
	spec.devices[0].path = strdup("/dev/x");
	rootfs_spec_release(&spec);
	assert_null(spec.path);
	assert_int_equal(spec.mount_count, 0);
	rootfs_spec_release(&spec); /* twice is safe */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts),	cmocka_unit_test(test_proc),
		cmocka_unit_test(test_devices), cmocka_unit_test(test_plan),
		cmocka_unit_test(test_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
