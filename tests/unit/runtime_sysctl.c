/* sysctl.c: what would reach the host is refused; what is written goes into the container's own
 * namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "runtime/process/process.h"
#include "tests/unit/child.h"

static const struct ns_spec all_new = { .is_new = { true, true, true, true, true, true, true,
						    true } };

static void namespaced_names_pass(void **state)
{
	static const char *const good[] = {
		"net.ipv4.ip_forward=1",
		"net/ipv4/ip_forward=1",
		"net.core.somaxconn=4096",
		"net/ipv4/conf/eth0.1/forwarding=1",
		"net.ipv4.conf.eth0/1.forwarding=1",
		"net.ipv4.ip_local_port_range=1024 65535",
		"net.ipv4.tcp_rmem=4096\t87380\t6291456",
		"kernel.shmmax=68719476736",
		"kernel.sem=250 32000 32 32",
		"kernel.msgmni=1",
		"fs.mqueue.msg_max=10",
		"kernel.domainname=example",
		"user.max_user_namespaces=10",
		"kernel.hostname=box",
		"kernel.domainname=a=b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(went_well(sysctl_check(good[i], &all_new, false)));
}

static void the_host_is_out_of_reach(void **state)
{
	static const char *const bad[] = {
		"kernel.core_pattern=|/bin/sh",
		"kernel.modprobe=/x",
		"vm.swappiness=1",
		"kernel.shmmaxx=1",
		"kernel.sem.x=1",
		"fs.mqueue=1",
		"net=1",
		"fs.file-max=1",
		"net.../kernel/core_pattern=x",
		"net/../kernel/core_pattern=x",
		"net/./ipv4=1",
		"net//ipv4=1",
		"/net/ipv4/ip_forward=1",
		"net.ipv4.=1",
		".net=1",
		"=1",
		"net.ipv4.ip_forward",
		"net.ipv4.ip_forward=",
		"net.ipv4.x=1\n2",
		"net.ipv4 .x=1",
		"net.ipv4.x\n=1",
		"netx.ipv4=1",
		"net.ipv4.x=\x01",
		"",
		"kernel.ns_last_pid=1",
		"debug.exception-trace=1",
		"user=1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(failed_with(sysctl_check(bad[i], &all_new, false), ERR_INVALID));
}

static void each_needs_its_own_namespace(void **state)
{
	static const struct {
		const char *assignment;
		enum ns_kind kind;
	} cases[] = {
		{ "net.ipv4.ip_forward=1", NS_NET },	  { "kernel.shmmax=1", NS_IPC },
		{ "fs.mqueue.msg_max=1", NS_IPC },	  { "kernel.domainname=x", NS_UTS },
		{ "user.max_net_namespaces=1", NS_USER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ns_spec ns = all_new;

		ns.is_new[cases[i].kind] = false;
		assert_true(
			failed_with(sysctl_check(cases[i].assignment, &ns, false), ERR_INVALID));
		ns = (struct ns_spec){ 0 };
		ns.is_new[cases[i].kind] = true;
		assert_true(went_well(sysctl_check(cases[i].assignment, &ns, false)));
	}
}

static void joining_our_own_namespace_gives_nothing(void **state)
{
	char ours[] = "/proc/self/ns/net", other[] = "/proc/self/ns/uts";
	struct ns_spec ns = { 0 };

	(void)state;
	ns.join_path[NS_NET] = ours;
	assert_true(failed_with(sysctl_check("net.ipv4.ip_forward=1", &ns, false), ERR_INVALID));
	ns.join_path[NS_NET] = other; /* some other file: its kind is checked where it is opened */
	assert_true(went_well(sysctl_check("net.ipv4.ip_forward=1", &ns, false)));
}

static void host_name_is_given_once(void **state)
{
	(void)state;
	assert_true(failed_with(sysctl_check("kernel.hostname=a", &all_new, true), ERR_INVALID));
	assert_true(went_well(sysctl_check("kernel.domainname=a", &all_new, true)));
}

static bool file_is(const char *path, const char *text)
{
	OWN(buf) struct buf buf = { 0 };

	return went_well(file_read(AT_FDCWD, path, 4096, &buf)) && strcmp(buf.data, text) == 0;
}

/* net.*: the others are for the host's root even in a namespace of one's own, on some kernels. */
static int write_own(void)
{
	char one[] = "net.ipv4.conf.lo.forwarding=1", two[] = "net/ipv4/ip_forward=1",
	     bad[] = "net.ipv4.no_such=1";
	char *items[] = { one, two, NULL }, *bad_items[] = { bad, NULL };
	const struct strlist list = { items, 2 }, bad_list = { bad_items, 1 };

	CHECK(enter_userns(CLONE_NEWNET));
	CHECK(went_well(sysctl_apply(&list)));
	CHECK(file_is("/proc/sys/net/ipv4/conf/lo/forwarding", "1\n"));
	CHECK(file_is("/proc/sys/net/ipv4/ip_forward", "1\n"));
	CHECK(failed_with(sysctl_apply(&bad_list), ERR_NOT_FOUND));
	return 0;
}

/* CVE-2025-52881: what lies at the place of the real file must not swallow the write. */
static int write_faked(void)
{
	char one[] = "net.ipv4.ip_forward=1";
	char *items[] = { one, NULL };
	const struct strlist list = { items, 1 };

	CHECK(enter_userns(CLONE_NEWNET | CLONE_NEWNS));
	CHECK(mount("/dev/null", "/proc/sys/net/ipv4/ip_forward", NULL, MS_BIND, NULL) == 0);
	CHECK(failed_with(sysctl_apply(&list), ERR_INVALID));
	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(failed_with(sysctl_apply(&list), ERR_INVALID));
	return 0;
}

static void own_ones_are_written(void **state)
{
	(void)state;
	NEED_USERNS();
	assert_int_equal(in_child(write_own), 0);
}

static void a_faked_procfs_is_noticed(void **state)
{
	(void)state;
	NEED_USERNS();
	assert_int_equal(in_child(write_faked), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaced_names_pass),
		cmocka_unit_test(the_host_is_out_of_reach),
		cmocka_unit_test(each_needs_its_own_namespace),
		cmocka_unit_test(joining_our_own_namespace_gives_nothing),
		cmocka_unit_test(host_name_is_given_once),
		cmocka_unit_test(own_ones_are_written),
		cmocka_unit_test(a_faked_procfs_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
