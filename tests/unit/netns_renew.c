/*
 * Tables that another version of cella made are replaced on the real kernel, in a user namespace of
 * our own: nothing passes unguarded meanwhile, no count is lost, and what has no definition is
 * closed.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "netns/guard_port.h"
#include "tests/unit/netns_lab.h"

#define MAC_OF(n) 0x02, 0, 0, 0, 0, '0' + (n)
#define FRAME_LEN 60
#define LIE 0x9090 /* a protocol that no port may send */

static const struct nft_table from_table = { NFPROTO_NETDEV, "cella" };
static const struct nft_table in_table = { NFPROTO_NETDEV, "cella_in" };
static const struct nft_table bridge_table = { NFPROTO_BRIDGE, "cella" };
static const struct nft_table host_table = { NFPROTO_INET, "cella" };

static struct net_addr addrs[2];
static const struct net_service services[] = { { IPPROTO_UDP, 53 } };
static const struct net_guard guards[] = {
	{ .host_name = "cvtest0", .mac = { MAC_OF(0) }, .addrs = &addrs[0], .addr_count = 1 },
	{ .host_name = "cvtest1",
	  .mac = { MAC_OF(1) },
	  .flags = NET_GUARD_BRIDGED | NET_GUARD_NAT,
	  .addrs = &addrs[1],
	  .addr_count = 1,
	  .packets_per_s = 100000 },
};
static const struct net_guard *const both[] = { &guards[0], &guards[1] };
static int raw_fds[2] = { -1, -1 };

/* --- frames --- */

static bool send_as(int port, uint16_t type)
{
	uint8_t frame[FRAME_LEN] = { 0x02, 0, 0, 0, 0, 1, MAC_OF(port) };
	const uint8_t udp[] = { 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0 };

	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + 14, udp, sizeof(udp));
	memcpy(frame + 26, addrs[port].bytes, 4);
	memcpy(frame + 30, (uint8_t[]){ 192, 0, 2, 99, 0, 9, 0, 9, 0, 8 }, 10);
	return send(raw_fds[port], frame, sizeof(frame), 0) == FRAME_LEN;
}

static struct net_traffic traffic_of(int port)
{
	struct net_traffic traffic = { 0 };

	must(net_guard_traffic(guards[port].host_name, &traffic));
	return traffic;
}

static bool passes(int port)
{
	uint64_t before = traffic_of(port).out_packets;

	assert_true(send_as(port, ETHERTYPE_IP));
	return traffic_of(port).out_packets == before + 1;
}

/* --- what another version would have left --- */

/* Fewer sets, a set and a limit that are ours no more, other rules, another number. */
static void make_older(void)
{
	const struct nft_rule rule = { "from", { IN(IN_NAME, "bygone") }, .verdict = NFT_DROP_IT };
	const struct nft_set bygone = { .name = "bygone", .key = { NFT_TYPE_IFNAME } };
	const struct nft_set each = { .name = "flood",
				      .key = { NFT_TYPE_IFNAME },
				      .object = NFT_OBJECT_LIMIT };
	OWN(nft) struct nft nft = { 0 };

	must(nft_open(&nft));
	must(nft_begin(&nft));
	must(nft_empty_table(&nft, &from_table));
	nft_add_set(&nft, &from_table, &bygone);
	nft_add_set(&nft, &from_table, &each);
	for (size_t i = 0; i < ARRAY_SIZE(guards); i++) {
		struct nft_element element = { .object = i ? "cvtest1.flood" : "cvtest0.flood" };

		nft_key_add(&element.key, NFT_TYPE_IFNAME, guards[i].host_name);
		nft_add_element(&nft, &from_table, each.name, &element);
		element.object = NULL;
		nft_add_element(&nft, &from_table, bygone.name, &element);
	}
	nft_add_rule(&nft, &from_table, &rule);
	must(nft_commit(&nft));
}

static bool is_current(void)
{
	bool current;

	must(net_guard_is_current(&current));
	return current;
}

static bool is_whole(int port)
{
	const struct net_port whole = { .mode = NET_ROUTED, .host_name = "cvtest0" };
	const struct net_port other = { .mode = NET_BRIDGED, .host_name = "cvtest1" };
	bool is;

	must(net_guard_check(port ? &other : &whole, &is));
	return is;
}

static bool has(const struct nft_table *table, const char *set, const char *port)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(nft) struct nft nft = { 0 };

	must(nft_open(&nft));
	must(nft_read_ifnames(&nft, table, set, &names));
	return strlist_has(&names, port);
}

static bool table_is_there(const struct nft_table *table)
{
	OWN(nft) struct nft nft = { 0 };
	uint64_t handle;

	must(nft_open(&nft));
	must(nft_find_table(&nft, table, &handle));
	return handle != 0;
}

static bool has_rules(const struct nft_table *table, const char *chain)
{
	OWN(nft) struct nft nft = { 0 };
	bool has;

	must(nft_open(&nft));
	must(nft_has_rules(&nft, table, chain, &has));
	return has;
}

static bool is_served(void)
{
	struct nft_key key = { 0 };
	OWN(nft) struct nft nft = { 0 };
	bool is;

	nft_key_add(&key, NFT_TYPE_PROTO, (uint8_t[]){ IPPROTO_UDP });
	nft_key_add(&key, NFT_TYPE_PORT, (uint8_t[]){ 0, 53 });
	must(nft_open(&nft));
	must(nft_has_element(&nft, &host_table, "services", &key, &is));
	return is;
}

static void begin(void)
{
	must(net_guard_set(&guards[0]));
	must(net_guard_set(&guards[1]));
	must(net_guard_services(services, 1));
	assert_true(passes(0));
	assert_true(passes(1));
}

static void end(void)
{
	must(net_guard_remove("cvtest0"));
	must(net_guard_remove("cvtest1"));
	assert_false(table_is_there(&from_table));
	assert_false(table_is_there(&in_table));
	assert_false(table_is_there(&host_table));
}

/* --- tests --- */

static void another_version_is_replaced(void **state)
{
	struct net_traffic before;
	struct err *err;

	(void)state;
	assert_true(is_current()); /* there is nothing */
	begin();
	assert_true(is_current());
	before = traffic_of(0);
	make_older();
	assert_false(is_current());
	assert_false(is_whole(0));
	err = net_guard_set(&guards[0]);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_STATE);
	err_drop(err);

	must(net_guard_renew(both, 2, services, 1));
	assert_true(is_current());
	assert_true(is_whole(0) && is_whole(1));
	assert_true(has(&from_table, "pps-out", "cvtest1"));
	assert_true(has(&from_table, "dhcp", "cvtest0"));
	assert_false(has(&from_table, "bygone", "cvtest0"));
	assert_true(is_served());
	assert_int_equal(traffic_of(0).life, before.life);
	assert_int_equal(traffic_of(0).out_packets, before.out_packets);
	assert_true(passes(0));
	assert_true(passes(1));
	must(net_guard_set(&guards[1]));
	end();
}

/* The host's tables alone may be another version's. */
static void each_table_has_a_version(void **state)
{
	OWN(nft) struct nft nft = { 0 };

	(void)state;
	begin();
	must(nft_open(&nft));
	must(nft_begin(&nft));
	nft_flush_set(&nft, &host_table, "version");
	must(nft_commit(&nft));
	assert_false(is_current());
	must(net_guard_renew(both, 2, services, 1));
	assert_true(is_current());
	assert_true(is_whole(0));
	end();
}

static void what_is_not_known_is_closed(void **state)
{
	uint64_t before;

	(void)state;
	begin();
	make_older();
	must(net_guard_renew(both, 1, services, 1));
	assert_true(passes(0));
	assert_false(passes(1));
	assert_true(is_whole(0));
	assert_false(is_whole(1));
	before = traffic_of(1).out_packets;
	must(net_guard_set(&guards[1]));
	assert_true(is_whole(1));
	assert_true(has_rules(&host_table, "masquerade") && has_rules(&bridge_table, "forward"));
	assert_true(traffic_of(1).out_packets == before && passes(1));

	make_older();
	must(net_guard_renew(both, 1, services, 1));
	end(); /* a closed one leaves nothing either */
}

/* --- while frames go by --- */

#define RENEWALS 50

static _Noreturn void send_on(int until_fd)
{
	char byte;
	uint32_t sent = 0;

	while (recv(until_fd, &byte, 1, MSG_DONTWAIT) != 1) {
		if (!send_as(0, LIE) || !send_as(0, ETHERTYPE_IP))
			_exit(1);
		sent++;
	}
	_exit(send(until_fd, &sent, sizeof(sent), 0) == sizeof(sent) ? 0 : 1);
}

/* What bridge and router would get: behind the guard. */
static int listen_behind(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(LIE),
				  .sll_ifindex = (int)if_nametoindex("cvtest0") };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&at, sizeof(at)), 0);
	return fd;
}

/* A frame that is under way just then may miss its counter: one each time, at most a CPU. */
static void nothing_passes_and_counters_go_on(void **state)
{
	OWN(fd) int behind = listen_behind(), mine = -1;
	int ends[2], status;
	uint64_t before;
	uint32_t sent;
	uint8_t frame[FRAME_LEN];
	pid_t child;

	(void)state;
	assert_true(send_as(0, LIE)); /* unguarded: it is heard */
	assert_int_equal(recv(behind, frame, sizeof(frame), MSG_DONTWAIT), FRAME_LEN);
	begin();
	before = traffic_of(0).out_packets;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		send_on(ends[1]);
	mine = ends[0];
	close(ends[1]);
	for (int i = 0; i < RENEWALS; i++)
		must(net_guard_renew(both, 2, services, 1));
	assert_int_equal(send(mine, "", 1, 0), 1);
	assert_int_equal(recv(mine, &sent, sizeof(sent), MSG_WAITALL), sizeof(sent));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(sent > 4 * RENEWALS);
	assert_in_range(traffic_of(0).out_packets - before, sent - RENEWALS, sent);
	assert_int_equal(recv(behind, frame, sizeof(frame), MSG_DONTWAIT), -1);
	end();
}

/* The kernel's own questions would be counted. */
static void silence(void)
{
	OWN(fd) int fd = -1;

	assert_int_equal(setns(inside_ns, CLONE_NEWNET), 0);
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	assert_true(fd < 0 || write(fd, "1", 1) == 1);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

static void make_cables(void)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	silence();
	add_port(&ports, NET_NONE, "eth0", "cvtest0");
	add_port(&ports, NET_NONE, "eth1", "cvtest1");
	must(net_ports_change(&none, &ports, inside_ns));
	assert_int_equal(setns(inside_ns, CLONE_NEWNET), 0);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_ll to = { .sll_family = AF_PACKET,
					  .sll_ifindex = (int)if_nametoindex(ports.items[i].name) };

		raw_fds[i] = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		assert_true(raw_fds[i] >= 0);
		assert_int_equal(bind(raw_fds[i], (void *)&to, sizeof(to)), 0);
	}
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_version_is_replaced),
		cmocka_unit_test(each_table_has_a_version),
		cmocka_unit_test(what_is_not_known_is_closed),
		cmocka_unit_test(nothing_passes_and_counters_go_on),
	};

	must(net_addr_parse("test", "192.0.2.7", &addrs[0]));
	must(net_addr_parse("test", "192.0.2.8", &addrs[1]));
	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here: %s\n", strerror(errno));
		return 0;
	}
	make_cables();
	if (!can_guard(&guards[0])) {
		printf("1..0 # SKIP no nftables for a user namespace here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
