/*
 * The routed veth pair on the real kernel, inside a user namespace of our own: packets pass both
 * ways, in IPv4 and IPv6, between namespaces that share no layer 2 network; what is destroyed is
 * gone; taken addresses are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/fd.h"
#include "netns/netns.h"
#include "netns/rtnl.h"

static int host_ns = -1, inside_ns = -1;

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static int open_ns(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* A socket of the namespace ns, whatever namespace we are in afterwards (the host's). */
static int socket_in(int ns, int family)
{
	int fd;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	return fd;
}

static socklen_t sockaddr_of(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct net_addr addr;

	memset(ret, 0, sizeof(*ret));
	must(net_addr_parse("test", text, &addr));
	ret->ss_family = (sa_family_t)addr.family;
	if (addr.family == AF_INET) {
		struct sockaddr_in *in = (void *)ret;

		in->sin_port = htons(port);
		memcpy(&in->sin_addr, addr.bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (void *)ret;

	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr.bytes, 16);
	return sizeof(*in6);
}

/* One datagram from the host to the container's address and one back. */
static void exchange(const char *text)
{
	struct sockaddr_storage addr, from;
	socklen_t len = sockaddr_of(text, 5000, &addr), from_len = sizeof(from);
	struct timeval patience = { .tv_sec = 3 };
	int inside = socket_in(inside_ns, addr.ss_family),
	    host = socket_in(host_ns, addr.ss_family);
	char got[8] = "";

	setsockopt(inside, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(inside, (void *)&addr, len), 0);
	assert_int_equal(sendto(host, "ping", 4, 0, (void *)&addr, len), 4);
	assert_int_equal(recvfrom(inside, got, sizeof(got), 0, (void *)&from, &from_len), 4);
	assert_int_equal(sendto(inside, "pong", 4, 0, (void *)&from, from_len), 4);
	assert_int_equal(recv(host, got, sizeof(got), 0), 4);
	assert_memory_equal(got, "pong", 4);
	close(inside);
	close(host);
}

static bool link_exists(int ns, const char *name)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct err *err;
	int index;

	must(rtnl_open_in(ns, &rtnl));
	err = rtnl_index(&rtnl, name, &index);
	if (!err)
		return true;
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	return false;
}

static struct net_addr test_addrs[2];
static const struct net_veth test_veth = { .host_name = "cvtest0",
					   .name = "eth0",
					   .mac = { 0x02, 0, 0, 0, 0, 7 },
					   .addrs = test_addrs,
					   .addr_count = 2 };

static void packets_pass(void **state)
{
	struct net_counters counters;

	(void)state;
	must(net_veth_create(&test_veth, inside_ns));
	assert_true(link_exists(host_ns, "cvtest0"));
	assert_true(link_exists(inside_ns, "eth0"));
	assert_false(link_exists(host_ns, "eth0"));
	exchange("192.0.2.7");
	exchange("2001:db8::7");
	must(net_counters_read("lo", &counters));
	must(net_veth_destroy("cvtest0"));
	assert_false(link_exists(host_ns, "cvtest0"));
	assert_false(link_exists(inside_ns, "eth0"));
	must(net_veth_destroy("cvtest0")); /* twice is fine */
}

static void taken_address_is_refused(void **state)
{
	struct net_veth second = test_veth;
	struct err *err;

	(void)state;
	must(net_veth_create(&test_veth, inside_ns));
	second.host_name = "cvtest1";
	second.name = "eth1";
	err = net_veth_create(&second, inside_ns);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_EXISTS);
	err_drop(err);
	assert_false(link_exists(host_ns, "cvtest1"));
	exchange("192.0.2.7"); /* the first owner is undisturbed */
	must(net_veth_destroy("cvtest0"));
}

static void address_comes_and_goes_live(void **state)
{
	struct net_addr more;

	(void)state;
	must(net_addr_parse("test", "192.0.2.8", &more));
	must(net_veth_create(&test_veth, inside_ns));
	must(net_veth_add_addr(&test_veth, inside_ns, &more));
	exchange("192.0.2.8");
	must(net_veth_remove_addr(&test_veth, inside_ns, &more));
	must(net_veth_add_addr(&test_veth, inside_ns,
			       &more)); /* really gone: EXCL would refuse otherwise */
	must(net_veth_destroy("cvtest0"));
}

static void only_veth_is_destroyed(void **state)
{
	struct err *err;

	(void)state;
	err = net_veth_destroy("lo");
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_STATE);
	err_drop(err);
}

/* Two joined interfaces of the host, eth0 and cvtest0, with 192.0.2.7/24 and 192.0.2.1/24. */
static void make_plain_pair(void)
{
	struct net_veth plain = { .host_name = "cvtest0", .name = "eth0" };
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_batch batch = { 0 };
	struct net_addr ours, theirs;
	int index, peer;

	must(net_addr_parse("test", "192.0.2.1/24", &ours));
	must(net_addr_parse("test", "192.0.2.7/24", &theirs));
	must(net_veth_create(&plain, host_ns));
	must(rtnl_open(&rtnl));
	must(rtnl_index(&rtnl, "cvtest0", &index));
	must(rtnl_index(&rtnl, "eth0", &peer));
	rtnl_add_addr(&batch, RTM_NEWADDR, index, &ours, RT_SCOPE_UNIVERSE);
	rtnl_add_addr(&batch, RTM_NEWADDR, peer, &theirs, RT_SCOPE_UNIVERSE);
	must(rtnl_run(&rtnl, &batch));
}

static void device_moves_with_its_addresses(void **state)
{
	struct err *err;

	(void)state;
	make_plain_pair();
	must(net_device_move("eth0", "moved0", inside_ns));
	assert_false(link_exists(host_ns, "eth0"));
	assert_true(link_exists(inside_ns, "moved0"));
	exchange("192.0.2.7");
	err = net_device_move("nothere", NULL, inside_ns);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	err = net_device_move("cvtest0", "moved0", inside_ns);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_EXISTS);
	err_drop(err);
	assert_true(link_exists(host_ns, "cvtest0")); /* a refused move leaves it where it was */
	must(net_veth_destroy("cvtest0"));
}

/* Root of a user namespace of our own, with two network namespaces; false where that is not
 * allowed. */
static bool enter_lab(void)
{
	OWN(fd) int uid_map = -1, gid_map = -1, setgroups = -1;
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", getuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	setgroups = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	uid_map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	gid_map = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	if (write(setgroups, "deny", 4) < 0 || write(uid_map, uid, strlen(uid)) < 0 ||
	    write(gid_map, gid, strlen(gid)) < 0)
		return false;
	inside_ns = open_ns();
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	host_ns = open_ns();
	return inside_ns >= 0 && host_ns >= 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_pass),
		cmocka_unit_test(taken_address_is_refused),
		cmocka_unit_test(address_comes_and_goes_live),
		cmocka_unit_test(only_veth_is_destroyed),
		cmocka_unit_test(device_moves_with_its_addresses),
	};

	if (!enter_lab()) {
		printf("SKIP netns_veth: no user or network namespaces for us here: %s\n",
		       strerror(errno));
		printf("1..0 # SKIP no user or network namespaces here\n");
		return 0;
	}
	must(net_loopback_up());
	must(net_addr_parse("test", "192.0.2.7", &test_addrs[0]));
	must(net_addr_parse("test", "2001:db8::7/64", &test_addrs[1]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
