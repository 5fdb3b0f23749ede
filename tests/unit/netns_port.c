/*
 * Ports of all modes on the real kernel, inside a user namespace of our own: packets pass both
 * ways, in IPv4 and IPv6; what is removed is gone; taken names and addresses are refused; a change
 * that was broken off is completed by the next one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#include "netns/rtnl.h"
#include "tests/unit/netns_lab.h"

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

static struct net_port *routed(struct net_ports *ports)
{
	struct net_port *port = add_port(ports, NET_ROUTED, "eth0", "cvtest0");

	add_addr(port, "192.0.2.7");
	add_addr(port, "2001:db8::7/64");
	return port;
}

static void packets_pass(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	struct net_counters counters;

	(void)state;
	routed(&ports);
	must(net_ports_change(&none, &ports, inside_ns));
	assert_true(link_exists(host_ns, "cvtest0"));
	assert_true(link_exists(inside_ns, "eth0"));
	assert_false(link_exists(host_ns, "eth0"));
	exchange("192.0.2.7");
	exchange("2001:db8::7");
	must(net_counters_read("lo", &counters));
	must(net_ports_remove(&ports));
	assert_false(link_exists(host_ns, "cvtest0"));
	assert_false(link_exists(inside_ns, "eth0"));
	must(net_ports_remove(&ports)); /* twice is fine */
}

static void refused(struct err *err, enum err_kind kind)
{
	assert_non_null(err);
	if (err_kind(err) != kind)
		print_message("error: %s\n", err_text(err));
	assert_int_equal(err_kind(err), kind);
	err_drop(err);
}

static void taken_is_refused(void **state)
{
	OWN(net_ports) struct net_ports first = { 0 }, second = { 0 };

	(void)state;
	routed(&first);
	must(net_ports_change(&none, &first, inside_ns));
	refused(net_ports_change(&none, &first, inside_ns), ERR_EXISTS); /* the name */
	add_addr(add_port(&second, NET_ROUTED, "eth1", "cvtest1"), "192.0.2.7");
	refused(net_ports_change(&none, &second, inside_ns), ERR_EXISTS);   /* the address */
	refused(net_ports_change(&second, &second, inside_ns), ERR_EXISTS); /* and in a repair */
	must(net_ports_remove(&second));
	assert_false(link_exists(host_ns, "cvtest1"));
	exchange("192.0.2.7"); /* the first owner is undisturbed */
	must(net_ports_remove(&first));
}

static void addresses_come_and_go(void **state)
{
	OWN(net_ports) struct net_ports old = { 0 }, want = { 0 }, more = { 0 };

	(void)state;
	routed(&old);
	add_addr(routed(&more), "192.0.2.8");
	add_addr(add_port(&want, NET_ROUTED, "eth0", "cvtest0"), "192.0.2.8");
	must(net_ports_change(&none, &old, inside_ns));
	must(net_ports_change(&old, &more, inside_ns));
	exchange("192.0.2.8");
	exchange("192.0.2.7");
	must(net_ports_change(&more, &want, inside_ns));
	exchange("192.0.2.8");
	must(net_ports_change(&want, &want, inside_ns)); /* again changes nothing */
	/* really gone: another port may have it */
	add_addr(add_port(&want, NET_ROUTED, "eth1", "cvtest1"), "192.0.2.7");
	must(net_ports_change(&want, &want, inside_ns));
	must(net_ports_remove(&want));
}

static void broken_off_is_completed(void **state)
{
	OWN(net_ports) struct net_ports old = { 0 }, want = { 0 }, both = { 0 };

	(void)state;
	routed(&old);
	add_port(&want, NET_NONE, "eth1", "cvtest1");
	must(net_ports_merge(&old, &both));
	must(net_ports_merge(&want, &both));
	must(net_ports_merge(&old, &both));
	assert_int_equal(both.count, 2);
	assert_int_equal(both.items[0].addr_count, 2);
	must(net_ports_change(&none, &both, inside_ns));
	must(net_ports_change(&both, &want, inside_ns));
	assert_false(link_exists(host_ns, "cvtest0"));
	assert_true(link_exists(inside_ns, "eth1"));
	must(net_ports_remove(&want));
	must(net_ports_change(&both, &old, inside_ns)); /* neither is there: made */
	exchange("192.0.2.7");
	must(net_ports_remove(&old));
}

static bool is_whole(const struct net_ports *ports)
{
	bool whole;

	must(net_ports_check(ports, NULL, &whole));
	return whole;
}

static struct net_port *bridged(struct net_ports *ports, const char *name, const char *host_name)
{
	struct net_port *port = add_port(ports, NET_BRIDGED, name, host_name);

	snprintf(port->link, IFNAMSIZ, "cbrtest");
	return port;
}

/* A link of the host by name; "" kind and index 0 when there is none. */
static struct rtnl_link look(const char *name)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_link link;

	must(rtnl_open(&rtnl));
	must(rtnl_seek_link(&rtnl, name, &link));
	return link;
}

static void request(uint16_t type, const char *name, int master)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *message;

	must(rtnl_open(&rtnl));
	message = rtnl_add_link(&batch, type, look(name).index, "test", name);
	if (type == RTM_SETLINK)
		mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)master);
	rtnl_end(&batch, message);
	must(rtnl_run(&rtnl, &batch));
}

/* skip() jumps out of the test, past what OWN() would do. */
static void skip_and_release(struct net_ports *ports, struct net_ports *others)
{
	net_ports_release(ports);
	net_ports_release(others);
	skip();
}

/* Make the ports; the test is skipped where the kernel has no links of their kind. */
static void make_or_skip(struct net_ports *ports, struct net_ports *others)
{
	struct err *err = net_ports_change(&none, ports, inside_ns);

	if (err && err_errno(err) == EOPNOTSUPP) {
		print_message("skipped: %s\n", err_text(err));
		err_drop(err);
		must(net_ports_remove(ports));
		skip_and_release(ports, others);
	}
	must(err);
}

static void own_bridge_lives_with_its_ports(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 }, one = { 0 };

	(void)state;
	bridged(&ports, "eth0", "cvtest0");
	bridged(&ports, "eth1", "cvtest1")->vlan = 7;
	must(net_ports_add_copy(&one, &ports.items[0]));
	make_or_skip(&ports, &one);
	assert_string_equal(look("cbrtest").kind, "bridge");
	assert_true(look("cbrtest").vlan_filtering);
	assert_int_equal(look("cvtest0").master, look("cbrtest").index);
	assert_true(is_whole(&ports));
	request(RTM_SETLINK, "cvtest1", 0);
	assert_false(is_whole(&ports));
	must(net_ports_change(&ports, &ports, inside_ns));
	assert_true(is_whole(&ports));
	must(net_ports_change(&ports, &one, inside_ns));
	assert_int_not_equal(look("cbrtest").index, 0);
	must(net_ports_remove(&one));
	assert_int_equal(look("cbrtest").index, 0);
}

static void lost_bridge_is_not_made_again(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	(void)state;
	bridged(&ports, "eth0", "cvtest0");
	make_or_skip(&ports, &(struct net_ports){ 0 });
	request(RTM_DELLINK, "cbrtest", 0);
	assert_true(is_whole(&ports)); /* nothing can be done */
	must(net_ports_change(&ports, &ports, inside_ns));
	assert_int_equal(look("cbrtest").index, 0);
	must(net_ports_remove(&ports));
}

static void what_is_no_bridge_is_refused(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	(void)state;
	snprintf(bridged(&ports, "eth0", "cvtest0")->link, IFNAMSIZ, "lo");
	refused(net_ports_change(&none, &ports, inside_ns), ERR_STATE);
	must(net_ports_remove(&ports));
	snprintf(ports.items[0].host_name, IFNAMSIZ, "lo");
	refused(net_ports_remove(&ports), ERR_STATE); /* only a veth is ever removed */
}

static void inner_link(enum net_mode mode)
{
	OWN(net_ports) struct net_ports lower = { 0 }, ports = { 0 };
	struct net_port *port;
	struct err *err;

	add_port(&lower, NET_NONE, "peer0", "cvlower");
	add_port(&lower, NET_NONE, "peer1", "eth0");
	must(net_ports_change(&none, &lower, inside_ns));
	port = add_port(&ports, mode, "eth0", "");
	snprintf(port->link, IFNAMSIZ, "cvlower");
	add_addr(port, "192.0.2.9/24");
	err = net_ports_change(&none, &ports, inside_ns);
	if (err && err_errno(err) == EOPNOTSUPP) {
		must(net_ports_remove(&lower));
		print_message("skipped: %s\n", err_text(err));
		err_drop(err);
		skip_and_release(&ports, &lower);
	}
	must(err);
	must(net_ports_change(&ports, &ports, inside_ns));
	assert_true(link_exists(inside_ns, "eth0"));
	must(net_ports_change(&ports, &none, inside_ns));
	assert_false(link_exists(inside_ns, "eth0"));
	must(net_ports_remove(&lower));
	refused(net_ports_change(&none, &ports, inside_ns), ERR_NOT_FOUND);
}

/* The name inside is nothing to the host, which has one of its own. */
static void macvlan(void **state)
{
	(void)state;
	inner_link(NET_MACVLAN);
}

static void ipvlan(void **state)
{
	(void)state;
	inner_link(NET_IPVLAN);
}

static bool is_answered(const char *answer)
{
	OWN(net_seen) struct net_seen seen = { 0 };

	must(net_seen_read(&seen));
	return strlist_has(&seen.answered, answer);
}

/* Neighbour proxy entries of an uplink. */
static void uplink_answers(void **state)
{
	OWN(net_ports) struct net_ports lower = { 0 }, ports = { 0 };
	struct net_uplinks uplinks = { { "cvlower", "cvaway" }, 2 };
	bool whole;

	(void)state;
	add_port(&lower, NET_NONE, "peer0", "cvlower");
	must(net_ports_change(&none, &lower, inside_ns));
	routed(&ports);
	must(net_proxy_check(&uplinks, &ports, NULL, &whole));
	assert_false(whole);
	must(net_proxy_change(&uplinks, &none, &ports));
	must(net_proxy_change(&uplinks, &ports, &ports));
	must(net_proxy_check(&uplinks, &ports, NULL, &whole));
	assert_true(whole);
	assert_true(is_answered("cvlower 192.0.2.7"));
	assert_true(is_answered("cvlower 2001:db8::7"));
	must(net_proxy_change(&uplinks, &ports, &none));
	must(net_proxy_check(&uplinks, &ports, NULL, &whole));
	assert_false(whole);
	must(net_ports_remove(&lower));
}

static struct net_addr parsed(const char *text)
{
	struct net_addr addr;

	must(net_addr_parse("test", text, &addr));
	return addr;
}

/* A cable that was raised this moment passes nothing for a while, on a busy machine. */
static struct err *probe_until_found(const char *name, const struct net_addr *addr)
{
	struct err *err = NULL;

	for (int i = 0; i < 10 && !err; i++)
		err = net_probe(name, addr, 1);
	return err;
}

static struct err *own_until_found(const struct net_addr *addr)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct err *err = NULL;

	for (int i = 0; i < 50 && !err; i++) {
		err = net_check_not_own(addr, 1);
		nanosleep(&pause, NULL);
	}
	return err;
}

static void owners_are_found(void **state)
{
	OWN(net_ports) struct net_ports lower = { 0 };
	struct net_addr free_ones[] = { parsed("192.0.2.10"), parsed("2001:db8::10") };
	struct net_addr theirs4 = parsed("192.0.2.9"), theirs6 = parsed("2001:db8::9");
	struct net_port *port = add_port(&lower, NET_NONE, "peer0", "cvlower");

	(void)state;
	add_addr(port, "192.0.2.9/24");
	add_addr(port, "2001:db8::9/64");
	must(net_ports_change(&none, &lower, inside_ns));
	must(net_probe("cvlower", free_ones, 2));
	must(net_probe("cvaway", &theirs4, 1)); /* no cable, no answer */
	refused(probe_until_found("cvlower", &theirs4), ERR_EXISTS);
	refused(probe_until_found("cvlower", &theirs6), ERR_EXISTS);
	must(net_ports_remove(&lower));
	must(net_ports_change(&none, &lower, host_ns)); /* now they are our own */
	must(net_check_not_own(free_ones, 2));
	refused(net_check_not_own(&theirs4, 1), ERR_EXISTS);
	refused(own_until_found(&theirs6), ERR_EXISTS);
	must(net_ports_remove(&lower));
}

static void uplinks_are_those_of_default_routes(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	struct net_uplinks uplinks;
	struct net_port *port;

	(void)state;
	must(net_uplinks_find(&uplinks));
	assert_int_equal(uplinks.count, 0);
	port = add_port(&ports, NET_NONE, "eth0", "cvtest0");
	add_addr(port, "192.0.2.7/24");
	must(net_addr_parse_gateway("test", "192.0.2.1", &port->gateway4));
	must(net_ports_change(&none, &ports, host_ns)); /* "inside" is here */
	must(net_uplinks_find(&uplinks));
	assert_int_equal(uplinks.count, 1);
	assert_string_equal(uplinks.names[0], "eth0");
	must(net_ports_remove(&ports));
}

/* Two joined interfaces of the host, eth0 and cvtest0, with 192.0.2.7/24 and 192.0.2.1/24. */
static void make_plain_pair(struct net_ports *ports)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_batch batch = { 0 };
	struct net_addr ours;
	int index;

	must(net_addr_parse("test", "192.0.2.1/24", &ours));
	add_addr(add_port(ports, NET_NONE, "eth0", "cvtest0"), "192.0.2.7/24");
	must(net_ports_change(&none, ports, host_ns));
	must(rtnl_open(&rtnl));
	must(rtnl_index(&rtnl, "cvtest0", &index));
	rtnl_add_addr(&batch, RTM_NEWADDR, index, &ours, RT_SCOPE_UNIVERSE);
	must(rtnl_run(&rtnl, &batch));
}

static void device_moves_with_its_addresses(void **state)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	(void)state;
	make_plain_pair(&ports);
	must(net_device_move("eth0", "moved0", inside_ns));
	assert_false(link_exists(host_ns, "eth0"));
	assert_true(link_exists(inside_ns, "moved0"));
	exchange("192.0.2.7");
	refused(net_device_move("nothere", NULL, inside_ns), ERR_NOT_FOUND);
	refused(net_device_move("cvtest0", "moved0", inside_ns), ERR_EXISTS);
	assert_true(link_exists(host_ns, "cvtest0")); /* a refused move leaves it where it was */
	must(net_ports_remove(&ports));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_pass),
		cmocka_unit_test(taken_is_refused),
		cmocka_unit_test(addresses_come_and_go),
		cmocka_unit_test(broken_off_is_completed),
		cmocka_unit_test(own_bridge_lives_with_its_ports),
		cmocka_unit_test(lost_bridge_is_not_made_again),
		cmocka_unit_test(what_is_no_bridge_is_refused),
		cmocka_unit_test(macvlan),
		cmocka_unit_test(ipvlan),
		cmocka_unit_test(uplink_answers),
		cmocka_unit_test(owners_are_found),
		cmocka_unit_test(uplinks_are_those_of_default_routes),
		cmocka_unit_test(device_moves_with_its_addresses),
	};

	if (!enter_lab()) {
		printf("SKIP netns_port: no user or network namespaces for us here: %s\n",
		       strerror(errno));
		printf("1..0 # SKIP no user or network namespaces here\n");
		return 0;
	}
	must(net_loopback_up());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
