/*
 * The policy of a VPS: its filter asked through the kernel, in children that install it, and the
 * pure part of its identity.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "runtime/process/process.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/room.h"

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

/* One system call, and the errno that the filter has to give it; 0: whatever the kernel says, but
 * not the filter's two. */
static const struct probe {
	const char *what;
	long number, args[3];
	int errnum;
} probes[] = {
	{ "getpid", SYS_getpid, { 0 }, 0 },
	{ "unix socket", SYS_socket, { AF_UNIX, SOCK_DGRAM, 0 }, 0 },
	{ "inet socket", SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, 0 },
	{ "inet6 socket", SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, 0 },
	{ "route netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, 0 },
	{ "netfilter netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 12 }, 0 },
	{ "audit netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 9 }, EAFNOSUPPORT },
	{ "vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT },
	{ "alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "ax25", SYS_socket, { 3, SOCK_DGRAM, 0 }, EAFNOSUPPORT },
	{ "family with a high bit",
	  SYS_socket,
	  { 0x100000000L | AF_ALG, SOCK_SEQPACKET, 0 },
	  EAFNOSUPPORT },
	{ "alg pair", SYS_socketpair, { AF_ALG, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "TIOCSTI", SYS_ioctl, { 0, 0x5412, 0 }, EPERM },
	{ "TIOCSTI with a high bit", SYS_ioctl, { 0, 0x100005412L, 0 }, EPERM },
	{ "TIOCLINUX", SYS_ioctl, { 0, 0x541c, 0 }, EPERM },
	{ "TIOCLINUX, sign extended", SYS_ioctl, { 0, -0xffffabe4L, 0 }, EPERM },
	{ "TIOCGWINSZ", SYS_ioctl, { -1, 0x5413, 0 }, 0 },
	{ "TCGETS", SYS_ioctl, { -1, 0x5401, 0 }, 0 },
	{ "BTRFS_IOC_SUBVOL_CREATE", SYS_ioctl, { -1, 0x5000940e, 0 }, EPERM },
	{ "BTRFS_IOC_SUBVOL_CREATE_V2 with a high bit", SYS_ioctl, { -1, 0x150009418L, 0 }, EPERM },
	{ "BTRFS_IOC_SNAP_CREATE", SYS_ioctl, { -1, 0x50009401, 0 }, EPERM },
	{ "BTRFS_IOC_SNAP_CREATE_V2", SYS_ioctl, { -1, 0x50009417, 0 }, EPERM },
	{ "BTRFS_IOC_SNAP_DESTROY", SYS_ioctl, { -1, 0x5000940f, 0 }, 0 },
	{ "FICLONE", SYS_ioctl, { -1, 0x40049409, 0 }, 0 },
	{ "a request with the sign bit", SYS_ioctl, { -1, (long)0xffffffff80045430UL, 0 }, 0 },
	{ "io_uring_setup", SYS_io_uring_setup, { 1, 0, 0 }, ENOSYS },
	{ "bpf", SYS_bpf, { 0, 0, 0 }, ENOSYS },
	{ "keyctl", SYS_keyctl, { 0, 0, 0 }, ENOSYS },
	{ "userfaultfd", SYS_userfaultfd, { 0, 0, 0 }, ENOSYS },
	{ "a call of the future", 4000, { 0 }, ENOSYS },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, 0, 0 }, EPERM },
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0 }, EPERM },
	{ "init_module", SYS_init_module, { 0, 0, 0 }, EPERM },
	{ "perf_event_open", SYS_perf_event_open, { 0, 0, 0 }, EPERM },
	{ "clock_settime", SYS_clock_settime, { 0, 0, 0 }, EPERM },
	{ "unshare nothing", SYS_unshare, { 0, 0, 0 }, 0 },
	{ "mount of nothing", SYS_mount, { 0, 0, 0 }, 0 },
};

/* Exit status: the errno of the call, in a process that has the filter. */
static int ask(const struct seccomp_filter *filter, const struct probe *probe)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int listener = -1;
		long result;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    seccomp_install(filter, &listener))
			_exit(255);
		errno = 0;
		result = syscall(probe->number, probe->args[0], probe->args[1], probe->args[2], 0,
				 0);
		_exit(result < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void filter_answers_as_meant(void **state)
{
	struct seccomp_filter filter = { 0 };
	OWN(spec) struct spec spec;

	(void)state;
	spec_init(&spec);
	must(policy_fill_seccomp(&spec.seccomp));
	must(seccomp_prepare(&spec.seccomp, -1, &filter));
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int errnum = ask(&filter, &probes[i]);
		bool right = probes[i].errnum ? errnum == probes[i].errnum :
						errnum != ENOSYS && errnum != 255;

		if (!right)
			print_message("%s: %s\n", probes[i].what, strerror(errnum));
		assert_true(right);
	}
	seccomp_filter_release(&filter);
}

static void policy_is_whole(void **state)
{
	OWN(spec) struct spec spec;

	(void)state;
	spec_init(&spec);
	must(policy_fill(&spec));
	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		assert_true(spec.ns.is_new[kind]);
	assert_true(spec.process.caps.is_set);
	assert_int_equal(spec.process.caps.bounding >> CAP_SYS_MODULE & 1, 0);
	assert_int_equal(spec.process.caps.bounding >> CAP_SYS_ADMIN & 1, 1);
	assert_int_equal(spec.process.caps.inheritable, 0);
	assert_int_equal(spec.process.caps.ambient, 0);
	assert_true(spec.cgroup.device_filter);
	assert_true(spec.cgroup.delegate);
	assert_true(spec.seccomp.is_set);
	assert_string_equal(strlist_env(&spec.process.env, "container"), "cella");
}

static void hosts_keeps_what_is_not_ours(void **state)
{
	OWN(buf) struct buf first = { 0 }, second = { 0 };

	(void)state;
	must(identity_hosts("10.0.0.1 db\n127.0.1.1\told # cella\nlast line", "web.example.org",
			    &first));
	assert_string_equal(first.data,
			    "10.0.0.1 db\nlast line\n127.0.1.1\tweb.example.org web # cella\n");
	must(identity_hosts(first.data, "web.example.org", &second));
	assert_string_equal(first.data, second.data);
}

static void hosts_is_made_when_missing(void **state)
{
	OWN(buf) struct buf text = { 0 };

	(void)state;
	must(identity_hosts("", "web", &text));
	assert_non_null(strstr(text.data, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(text.data, "\n127.0.1.1\tweb # cella\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_answers_as_meant),
		cmocka_unit_test(policy_is_whole),
		cmocka_unit_test(hosts_keeps_what_is_not_ours),
		cmocka_unit_test(hosts_is_made_when_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
