/*
 * The guard on the real kernel, in a user namespace of our own: honest frames pass, each kind of
 * lie is dropped before anything else sees it, ports of one host do not reach each other, and
 * nothing is left. A frame has passed when the port's own counter counted it.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>

#include "netns/guard_port.h"
#include "netns/rtnl.h"
#include "tests/unit/netns_lab.h"

static struct net_addr addrs[2]; /* 192.0.2.7, 2001:db8::7 */
static int raw_fd = -1;

/* --- frames: our port is 02:00:00:00:00:07, 192.0.2.7, 2001:db8::7 --- */

#define ME 0x02, 0, 0, 0, 0, 0x07
#define OTHER 0x02, 0, 0, 0, 0, 0x08
#define HOST_MAC 0x02, 0, 0, 0, 0, 0x01
#define ALL 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define IP 0x08, 0
#define IP6 0x86, 0xdd
#define ARP 0x08, 0x06, 0, 1, 8, 0, 6, 4
#define RARP 0x80, 0x35, 0, 1, 8, 0, 6, 4
#define MY4 192, 0, 2, 7
#define OTHER4 192, 0, 2, 8
#define NO4 0, 0, 0, 0
#define MY6 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7
#define OTHER6 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8
#define NO6 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define GATEWAY 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define MY_LINK 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 7
#define MY_CHOICE 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8
#define ALL6 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define V4HEAD(len, proto) 0x45, 0, 0, len, 0, 1, 0, 0, 64, proto, 0, 0
#define V4PART(len, proto, offset) 0x45, 0, 0, len, 0, 1, 0x20, offset, 64, proto, 0, 0
#define V6HEAD(len, next) 0x60, 0, 0, 0, 0, len, next, 255
#define UDP(from, to) 0, from, 0, to, 0, 8, 0, 0
#define HIGH_PORTS 200, 0, 200, 1, 0, 8, 0, 0
#define TCP 200, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0
#define UDP546(from, to) 2, from, 2, to, 0, 8, 0, 0
#define ICMP(type) type, 0, 0, 0, 0, 0, 0, 0
#define SOURCE_LL(mac) 1, 1, mac
#define TARGET_LL(mac) 2, 1, mac
#define FRAGMENT(next, offset) next, 0, 0, offset, 0, 0, 0, 1
#define PADDING(next) next, 0, 1, 4, 0, 0, 0, 0

/* clang-format off */
static const struct frame {
	const char *name;
	bool passes;	/* routed */
	uint8_t len;
	uint8_t bytes[120];
} frames[] = {
#define FRAME(name, passes, ...) { name, passes, sizeof((uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ } }
	FRAME("UDP", true, HOST_MAC, ME, IP, V4HEAD(28, 17), MY4, OTHER4, UDP(9, 9)),
	FRAME("UDP in IPv6", true, HOST_MAC, ME, IP6, V6HEAD(8, 17), MY6, OTHER6, UDP(9, 9)),
	FRAME("UDP to everybody", true, ALL, ME, IP, V4HEAD(28, 17), MY4, OTHER4, UDP(9, 9)),
	FRAME("UDP to high ports", true, HOST_MAC, ME, IP, V4HEAD(28, 17), MY4, OTHER4, HIGH_PORTS),
	FRAME("UDP to high ports in IPv6", true, HOST_MAC, ME, IP6, V6HEAD(8, 17), MY6, OTHER6, HIGH_PORTS),
	FRAME("TCP", true, HOST_MAC, ME, IP, V4HEAD(40, 6), MY4, OTHER4, TCP),
	FRAME("TCP in IPv6", true, HOST_MAC, ME, IP6, V6HEAD(20, 6), MY6, OTHER6, TCP),
	FRAME("echo", true, HOST_MAC, ME, IP, V4HEAD(28, 1), MY4, OTHER4, ICMP(8)),
	FRAME("a later fragment", true, HOST_MAC, ME, IP, V4PART(28, 17, 8), MY4, OTHER4, UDP(67, 68)),
	FRAME("a first fragment in IPv6", true, HOST_MAC, ME, IP6, V6HEAD(16, 44), MY6, OTHER6, FRAGMENT(17, 1), UDP(9, 9)),
	FRAME("a later fragment of ICMPv6", true, HOST_MAC, ME, IP6, V6HEAD(16, 44), MY6, OTHER6, FRAGMENT(58, 8), ICMP(134)),
	FRAME("GRE", true, HOST_MAC, ME, IP, V4HEAD(24, 47), MY4, OTHER4, 0, 0, 8, 0),
	FRAME("RARP", true, ALL, ME, RARP, 0, 3, ME, NO4, ME, NO4),
	FRAME("RARP of another", false, ALL, ME, RARP, 0, 3, OTHER, NO4, OTHER, NO4),
	FRAME("RARP reply", false, ALL, ME, RARP, 0, 4, ME, MY4, OTHER, OTHER4),
	FRAME("RARP with an address", false, ALL, ME, RARP, 0, 3, ME, OTHER4, ME, OTHER4),
	FRAME("ARP request", true, ALL, ME, ARP, 0, 1, ME, MY4, 0, 0, 0, 0, 0, 0, OTHER4),
	FRAME("ARP reply", true, OTHER, ME, ARP, 0, 2, ME, MY4, OTHER, OTHER4),
	FRAME("ARP probe of the own address", true, ALL, ME, ARP, 0, 1, ME, NO4, 0, 0, 0, 0, 0, 0, MY4),
	FRAME("NS", true, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(135), OTHER6, SOURCE_LL(ME)),
	FRAME("NA", true, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(136), MY6, TARGET_LL(ME)),
	FRAME("NA of the link-local address", true, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY_LINK, ALL6, ICMP(136), MY_LINK, TARGET_LL(ME)),
	FRAME("DAD", true, HOST_MAC, ME, IP6, V6HEAD(24, 58), NO6, ALL6, ICMP(135), MY6),
	FRAME("DAD with a nonce", true, HOST_MAC, ME, IP6, V6HEAD(32, 58), NO6, ALL6, ICMP(135), MY6, 14, 1, 1, 2, 3, 4, 5, 6),
	FRAME("RS", true, HOST_MAC, ME, IP6, V6HEAD(16, 58), MY_LINK, ALL6, ICMP(133), SOURCE_LL(ME)),
	FRAME("echo in IPv6", true, HOST_MAC, ME, IP6, V6HEAD(8, 58), MY6, OTHER6, ICMP(128)),
	FRAME("a link-local address of its choice", true, HOST_MAC, ME, IP6, V6HEAD(8, 17), MY_CHOICE, OTHER6, UDP(9, 9)),
	FRAME("report of groups", true, HOST_MAC, ME, IP6, V6HEAD(16, 0), MY_LINK, ALL6, PADDING(58), ICMP(143)),

	FRAME("source MAC", false, HOST_MAC, OTHER, IP, V4HEAD(28, 17), MY4, OTHER4, UDP(9, 9)),
	FRAME("source IPv4", false, HOST_MAC, ME, IP, V4HEAD(28, 17), OTHER4, MY4, UDP(9, 9)),
	FRAME("source IPv4 to high ports", false, HOST_MAC, ME, IP, V4HEAD(28, 17), OTHER4, MY4, HIGH_PORTS),
	FRAME("source MAC of TCP", false, HOST_MAC, OTHER, IP, V4HEAD(40, 6), MY4, OTHER4, TCP),
	FRAME("source IPv4 of TCP", false, HOST_MAC, ME, IP, V4HEAD(40, 6), OTHER4, MY4, TCP),
	FRAME("source MAC of TCP in IPv6", false, HOST_MAC, OTHER, IP6, V6HEAD(20, 6), MY6, OTHER6, TCP),
	FRAME("source IPv6 of TCP", false, HOST_MAC, ME, IP6, V6HEAD(20, 6), OTHER6, MY6, TCP),
	FRAME("source IPv4 of an echo", false, HOST_MAC, ME, IP, V4HEAD(28, 1), OTHER4, MY4, ICMP(8)),
	FRAME("source 0.0.0.0", false, HOST_MAC, ME, IP, V4HEAD(28, 17), NO4, OTHER4, UDP(9, 9)),
	FRAME("source IPv6", false, HOST_MAC, ME, IP6, V6HEAD(8, 17), OTHER6, MY6, UDP(9, 9)),
	FRAME("source ::", false, HOST_MAC, ME, IP6, V6HEAD(8, 17), NO6, OTHER6, UDP(9, 9)),
	FRAME("source of the gateway", false, HOST_MAC, ME, IP6, V6HEAD(8, 17), GATEWAY, OTHER6, UDP(9, 9)),
	FRAME("source IPv4 in a later fragment", false, HOST_MAC, ME, IP, V4PART(28, 17, 8), OTHER4, MY4, UDP(9, 9)),
	FRAME("source IPv6 in a fragment", false, HOST_MAC, ME, IP6, V6HEAD(16, 44), OTHER6, MY6, FRAGMENT(17, 8), UDP(9, 9)),
	FRAME("ARP request from another MAC", false, ALL, ME, ARP, 0, 1, OTHER, MY4, 0, 0, 0, 0, 0, 0, OTHER4),
	FRAME("ARP request from another address", false, ALL, ME, ARP, 0, 1, ME, OTHER4, 0, 0, 0, 0, 0, 0, MY4),
	FRAME("ARP reply for another", false, HOST_MAC, ME, ARP, 0, 2, ME, OTHER4, HOST_MAC, MY4),
	FRAME("gratuitous ARP for another", false, ALL, ME, ARP, 0, 1, ME, OTHER4, ALL, OTHER4),
	FRAME("ARP probe of another's address", false, ALL, ME, ARP, 0, 1, ME, NO4, 0, 0, 0, 0, 0, 0, OTHER4),
	FRAME("ARP of another kind", false, ALL, ME, 8, 6, 0, 1, 8, 0, 6, 4, 0, 3, ME, MY4, ALL, OTHER4),
	FRAME("NS with another's MAC", false, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(135), OTHER6, SOURCE_LL(OTHER)),
	FRAME("NS with a second option", false, HOST_MAC, ME, IP6, V6HEAD(40, 58), MY6, ALL6, ICMP(135), OTHER6, SOURCE_LL(ME), SOURCE_LL(OTHER)),
	FRAME("NS with an option before", false, HOST_MAC, ME, IP6, V6HEAD(40, 58), MY6, ALL6, ICMP(135), OTHER6, 14, 1, ME, SOURCE_LL(OTHER)),
	FRAME("NA for another", false, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(136), OTHER6, TARGET_LL(ME)),
	FRAME("NA for the gateway", false, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(136), GATEWAY, TARGET_LL(ME)),
	FRAME("NA with another's MAC", false, HOST_MAC, ME, IP6, V6HEAD(32, 58), MY6, ALL6, ICMP(136), MY6, TARGET_LL(OTHER)),
	FRAME("NA behind an extension header", false, HOST_MAC, ME, IP6, V6HEAD(40, 60), MY6, ALL6, PADDING(58), ICMP(136), MY6, TARGET_LL(ME)),
	FRAME("NA in a fragment", false, HOST_MAC, ME, IP6, V6HEAD(40, 44), MY6, ALL6, FRAGMENT(58, 1), ICMP(136), MY6, TARGET_LL(ME)),
	FRAME("DAD of another's address", false, HOST_MAC, ME, IP6, V6HEAD(24, 58), NO6, ALL6, ICMP(135), OTHER6),
	FRAME("RS with another's MAC", false, HOST_MAC, ME, IP6, V6HEAD(16, 58), MY_LINK, ALL6, ICMP(133), SOURCE_LL(OTHER)),
	FRAME("RA", false, HOST_MAC, ME, IP6, V6HEAD(16, 58), MY_LINK, ALL6, ICMP(134), 0, 0, 0, 0, 0, 0, 0, 0),
	FRAME("RA behind an extension header", false, HOST_MAC, ME, IP6, V6HEAD(24, 60), MY_LINK, ALL6, PADDING(58), ICMP(134), 0, 0, 0, 0, 0, 0, 0, 0),
	FRAME("RA in a fragment", false, HOST_MAC, ME, IP6, V6HEAD(24, 44), MY_LINK, ALL6, FRAGMENT(58, 1), ICMP(134), 0, 0, 0, 0, 0, 0, 0, 0),
	FRAME("a first fragment without its headers", false, HOST_MAC, ME, IP6, V6HEAD(16, 44), MY6, OTHER6, FRAGMENT(60, 1), 58, 1, 1, 12, 0, 0, 0, 0),
	FRAME("a later fragment of headers", false, HOST_MAC, ME, IP6, V6HEAD(16, 44), MY6, OTHER6, FRAGMENT(60, 8), ICMP(134)),
	FRAME("redirect", false, HOST_MAC, ME, IP, V4HEAD(28, 1), MY4, OTHER4, ICMP(5)),
	FRAME("router advertisement in IPv4", false, HOST_MAC, ME, IP, V4HEAD(28, 1), MY4, OTHER4, ICMP(9)),
	FRAME("redirect in IPv6", false, HOST_MAC, ME, IP6, V6HEAD(8, 58), MY6, OTHER6, ICMP(137)),
	FRAME("group query", false, ALL, ME, IP, V4HEAD(28, 2), MY4, 224, 0, 0, 1, ICMP(0x11)),
	FRAME("group query in IPv6", false, HOST_MAC, ME, IP6, V6HEAD(16, 0), MY_LINK, ALL6, PADDING(58), ICMP(130)),
	/* it has an address, which it would be told: netns_dhcp.c */
	FRAME("DHCP's client", false, ALL, ME, IP, V4HEAD(28, 17), NO4, 255, 255, 255, 255, UDP(68, 67)),
	FRAME("DHCP's server", false, ALL, ME, IP, V4HEAD(28, 17), MY4, 255, 255, 255, 255, UDP(67, 68)),
	FRAME("DHCP's server in a first fragment", false, ALL, ME, IP, V4PART(28, 17, 0), MY4, 255, 255, 255, 255, UDP(67, 68)),
	FRAME("DHCPv6's server", false, HOST_MAC, ME, IP6, V6HEAD(8, 17), MY_LINK, ALL6, UDP546(35, 34)),
	FRAME("DHCPv6's server behind a header", false, HOST_MAC, ME, IP6, V6HEAD(16, 60), MY_LINK, ALL6, PADDING(17), UDP546(35, 34)),
	FRAME("a tag", false, HOST_MAC, ME, 0x81, 0, 0, 5, IP, V4HEAD(28, 17), MY4, OTHER4, UDP(9, 9)),
	FRAME("two tags", false, HOST_MAC, ME, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 5, IP, V4HEAD(28, 17), MY4, OTHER4, UDP(9, 9)),
	FRAME("a bridge's own protocol", false, 1, 0x80, 0xc2, 0, 0, 0, ME, 0, 38, 0x42, 0x42, 3, 0, 0, 0, 0, 0),
	FRAME("LLDP", false, 1, 0x80, 0xc2, 0, 0, 0x0e, ME, 0x88, 0xcc, 2, 7, 4, ME),
	FRAME("PPPoE", false, ALL, ME, 0x88, 0x63, 0x11, 9, 0, 0, 0, 0),
	FRAME("an unknown protocol", false, ALL, ME, 0x90, 0x90, 1, 2, 3, 4),
};
/* clang-format on */

static uint64_t passed_packets(void)
{
	struct net_traffic traffic = { 0 };

	must(net_guard_traffic("cvtest0", &traffic));
	return traffic.out_packets;
}

static bool send_frame(const struct frame *frame)
{
	uint64_t before = passed_packets();

	assert_int_equal(send(raw_fd, frame->bytes, frame->len, 0), frame->len);
	return passed_packets() != before;
}

static const struct net_guard test_guard = {
	.host_name = "cvtest0",
	.mac = { ME },
	.gateway6 = { AF_INET6, { GATEWAY }, 128 },
	.addrs = addrs,
	.addr_count = 2,
};

/* The truth passes, lies do not. */
static void tell_all(void)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		if (send_frame(&frames[i]) == frames[i].passes)
			continue;
		wrong++;
		print_message("%s: %s\n", frames[i].name,
			      frames[i].passes ? "was dropped" : "passed");
	}
	assert_int_equal(wrong, 0);
}

static void lies_are_dropped(void **state)
{
	(void)state;
	must(net_guard_set(&test_guard));
	tell_all();
	must(net_guard_remove("cvtest0"));
}

static const struct frame *frame_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		if (strcmp(frames[i].name, name) == 0)
			return &frames[i];
	fail_msg("no frame %s", name);
	return frames; /* not reached */
}

static void changes_keep_the_count(void **state)
{
	struct net_guard guard = test_guard;
	uint64_t before;

	(void)state;
	must(net_guard_set(&guard));
	assert_true(send_frame(frame_named("UDP")));
	before = passed_packets();
	guard.addr_count = 0;
	must(net_guard_set(&guard));
	assert_int_equal(passed_packets(), before);
	assert_false(send_frame(frame_named("UDP")));
	assert_true(send_frame(frame_named("DHCP's client")));
	guard = test_guard;
	guard.flags = NET_GUARD_ANY_MAC;
	must(net_guard_set(&guard));
	assert_true(send_frame(frame_named("UDP")));
	assert_true(send_frame(frame_named("source MAC")));
	assert_false(send_frame(frame_named("source IPv4")));
	guard.flags = NET_GUARD_BRIDGED;
	must(net_guard_set(&guard));
	assert_true(send_frame(frame_named("UDP")));
	assert_true(send_frame(frame_named("NA of the link-local address")));
	assert_false(send_frame(frame_named("a link-local address of its choice")));
	guard.flags = NET_GUARD_BRIDGED | NET_GUARD_ANY_IP;
	must(net_guard_set(&guard));
	assert_true(send_frame(frame_named("source IPv4")));
	assert_true(send_frame(frame_named("a link-local address of its choice")));
	assert_false(send_frame(frame_named("source MAC")));
	assert_false(send_frame(frame_named("DHCP's server")));
	must(net_guard_remove("cvtest0"));
}

static bool is_whole(enum net_mode mode)
{
	const struct net_port port = { .mode = mode, .host_name = "cvtest0" };
	bool whole;

	must(net_guard_check(&port, &whole));
	return whole;
}

/* For ports by the dozen. */
static bool is_seen(void)
{
	OWN(net_seen) struct net_seen seen = { 0 };

	must(net_seen_read(&seen));
	return strlist_has(&seen.guarded, "cvtest0");
}

static void empty(const struct nft_table *table, const char *set)
{
	OWN(nft) struct nft nft = { 0 };

	must(nft_open(&nft));
	must(nft_begin(&nft));
	nft_flush_set(&nft, table, set);
	must(nft_commit(&nft));
}

static void one_reading_sees_the_whole(void **state)
{
	static const struct emptied {
		struct nft_table table;
		const char *set;
	} emptied[] = {
		{ { NFPROTO_INET, "cella" }, "ports" },
		{ { NFPROTO_NETDEV, "cella" }, "flood" },
		{ { NFPROTO_NETDEV, "cella" }, "version" },
	};

	(void)state;
	assert_false(is_seen());
	for (size_t i = 0; i < ARRAY_SIZE(emptied); i++) {
		must(net_guard_set(&test_guard));
		assert_true(is_seen());
		empty(&emptied[i].table, emptied[i].set);
		assert_false(is_seen());
	}
	must(net_guard_remove("cvtest0"));
	assert_false(is_seen());
}

static void what_is_missing_is_seen(void **state)
{
	struct net_guard guard = test_guard;

	(void)state;
	assert_false(is_whole(NET_ROUTED));
	must(net_guard_set(&guard));
	assert_true(is_whole(NET_ROUTED));
	assert_false(is_whole(NET_BRIDGED));
	guard.flags = NET_GUARD_BRIDGED;
	must(net_guard_set(&guard));
	assert_true(is_whole(NET_BRIDGED));
	must(net_guard_remove("cvtest0"));
	assert_false(is_whole(NET_BRIDGED));
}

static void floods_are_cut(void **state)
{
	static const char *const names[] = { "ARP request", "UDP to everybody" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t before;

		must(net_guard_set(&test_guard));
		before = passed_packets();
		for (int k = 0; k < 3000; k++)
			(void)send_frame(frame_named(names[i]));
		/* the burst, and what 3000 sends take: far below 10 s */
		assert_in_range(passed_packets() - before, 400, 2400);
		assert_true(send_frame(frame_named("UDP")));
		must(net_guard_remove("cvtest0"));
	}
}

/* Interfaces that shaping made: their names begin so. */
static size_t ifb_count(void)
{
	struct if_nameindex *names = if_nameindex();
	size_t count = 0;

	assert_non_null(names);
	for (size_t i = 0; names[i].if_index; i++)
		count += strncmp(names[i].if_name, "ifb", 3) == 0;
	if_freenameindex(names);
	return count;
}

static size_t table_count(void)
{
	static const struct nft_table tables[] = {
		{ NFPROTO_INET, "cella" },	     { NFPROTO_BRIDGE, "cella" },
		{ NFPROTO_NETDEV, "cella" },	     { NFPROTO_NETDEV, "cella_in" },
		{ NFPROTO_NETDEV, "cella-cvtest0" }, { NFPROTO_NETDEV, "cella_in-cvtest0" }
	};
	OWN(nft) struct nft nft = { 0 };
	size_t count = 0;

	must(nft_open(&nft));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t handle;

		must(nft_find_table(&nft, &tables[i], &handle));
		count += handle != 0;
	}
	return count;
}

/* What the ports beside it have stays, and what it had is gone. */
static bool is_published(uint16_t host_port)
{
	const struct nft_table table = { NFPROTO_INET, "cella" };
	const uint8_t proto = IPPROTO_TCP;
	struct nft nft = { 0 };
	struct nft_key key = { 0 };
	bool has;

	host_port = htons(host_port);
	nft_key_add(&key, NFT_TYPE_PROTO, &proto);
	nft_key_add(&key, NFT_TYPE_PORT, &host_port);
	must(nft_open(&nft));
	must(nft_has_element(&nft, &table, "publish4", &key, &has));
	nft_close(&nft);
	return has;
}

static void nothing_is_left(void **state)
{
	static const char *const peers[] = { "cvtest0", "elsewhere" };
	const struct net_service services[] = { { IPPROTO_UDP, 53 }, { IPPROTO_TCP, 53 } };
	const struct net_publish publish = { IPPROTO_TCP, 8080, 80, addrs[0] };
	struct net_guard second = { .host_name = "cvtest1",
				    .mac = { OTHER },
				    .flags = NET_GUARD_BRIDGED | NET_GUARD_NAT,
				    .addrs = addrs,
				    .addr_count = 2,
				    .peers = peers,
				    .peer_count = 2,
				    .publish = &publish,
				    .publish_count = 1,
				    .packets_per_s = 100 };

	(void)state;
	must(net_guard_set(&test_guard));
	must(net_guard_set(&second));
	must(net_guard_services(services, 2));
	must(net_guard_services(services, 1));
	assert_int_equal(table_count(), 4);
	assert_true(is_published(8080));
	must(net_guard_remove("cvtest1"));
	assert_false(is_published(8080)); /* cvtest0 is still in the table */
	must(net_guard_set(&second));
	must(net_guard_remove("cvtest0"));
	assert_true(is_published(8080));
	assert_int_equal(table_count(), 4); /* the bridge's was cvtest1's alone */
	must(net_guard_remove("cvtest1"));
	assert_int_equal(table_count(), 0);
	must(net_guard_remove("cvtest1")); /* twice is fine */
}

/* With a rate the frames take the other way round, and are counted all the same. */
static void rates_come_and_go(void **state)
{
	struct net_guard guard = test_guard;
	uint64_t before;

	(void)state;
	must(net_guard_set(&guard));
	assert_true(send_frame(frame_named("UDP")));
	before = passed_packets();
	guard.rate = (struct net_rate){ .in_bits_per_s = 1000000, .out_bits_per_s = 2000000 };
	must(net_guard_set(&guard));
	assert_int_equal(ifb_count(), 1);
	assert_int_equal(passed_packets(), before);
	assert_true(send_frame(frame_named("UDP")));
	assert_false(send_frame(frame_named("source MAC")));
	guard.rate.out_bits_per_s = 3000000;
	must(net_guard_set(&guard));
	assert_int_equal(ifb_count(), 1);
	guard.rate = (struct net_rate){ 0 };
	must(net_guard_set(&guard));
	assert_int_equal(ifb_count(), 0);
	assert_int_equal(passed_packets(), before + 1);
	assert_true(send_frame(frame_named("UDP")));
	guard.rate.out_bits_per_s = 8000;
	must(net_guard_set(&guard));
	must(net_guard_remove("cvtest0"));
	assert_int_equal(ifb_count(), 0);
}

/* cvtest0 among the counted, or gone again: not by us. What the kernel says to a port that then
 * comes is what one before 6.4 says to every second port. */
static void stand_in_the_way(bool stands)
{
	const struct nft_table table = { NFPROTO_NETDEV, "cella_in" };
	struct nft_element element = { .object = "cvtest1.in" };
	OWN(nft) struct nft nft = { 0 };

	nft_key_add(&element.key, NFT_TYPE_IFNAME, "cvtest0");
	must(nft_open(&nft));
	must(nft_begin(&nft));
	if (stands) {
		nft_add_element(&nft, &table, "in", &element);
	} else {
		struct nft_set set = { .name = "in", .key = { NFT_TYPE_IFNAME } };
		size_t left;

		must(nft_delete_owned(&nft, &table, &set, "cvtest0", &left));
	}
	must(nft_commit(&nft));
}

static void old_kernels_have_more_tables(void **state)
{
	struct net_guard first = { .host_name = "cvtest1", .mac = { OTHER } };
	uint64_t before;

	(void)state;
	must(net_guard_set(&first));
	stand_in_the_way(true);
	must(net_guard_set(&test_guard));
	assert_int_equal(table_count(), 5); /* inet cella, two shared, two of its own */
	assert_true(is_whole(NET_ROUTED));
	tell_all();
	before = passed_packets();
	must(net_guard_set(&test_guard));
	assert_int_equal(table_count(), 5);
	assert_int_equal(passed_packets(), before);
	tell_all();
	must(net_guard_remove("cvtest0"));
	assert_int_equal(table_count(), 3);
	assert_false(is_whole(NET_ROUTED));
	stand_in_the_way(false);
	must(net_guard_remove("cvtest1"));
	assert_int_equal(table_count(), 0);
}

/* The batch is one transaction: what fails at its end has changed nothing. */
static void all_or_nothing(void **state)
{
	struct net_addr same[2] = { addrs[0], addrs[0] };
	struct net_publish publish[2] = { { IPPROTO_TCP, 8080, 80, addrs[0] },
					  { IPPROTO_TCP, 8080, 81, addrs[0] } };
	struct net_guard guard = test_guard;
	struct err *err;

	(void)state;
	guard.flags = NET_GUARD_NAT;
	guard.publish = publish; /* two values for one port of the host */
	guard.publish_count = 2;
	err = net_guard_set(&guard);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_EXISTS);
	err_drop(err);
	assert_int_equal(table_count(), 0);
	guard = test_guard;
	guard.addrs = same; /* the same twice is no contradiction */
	must(net_guard_set(&guard));
	must(net_guard_remove("cvtest0"));
}

/* --- the lab: a user namespace of our own, two network namespaces, two cables --- */

static void make_cables(void)
{
	struct net_port cables[] = {
		{ .mode = NET_NONE, .host_name = "cvtest0", .name = "eth0" },
		{ .mode = NET_NONE, .host_name = "cvtest1", .name = "eth1" },
	};
	const struct net_ports ports = { cables, ARRAY_SIZE(cables) };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	must(net_ports_change(&none, &ports, inside_ns));
	assert_int_equal(setns(inside_ns, CLONE_NEWNET), 0);
	raw_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(raw_fd >= 0);
	to.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(bind(raw_fd, (void *)&to, sizeof(to)), 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lies_are_dropped),
		cmocka_unit_test(changes_keep_the_count),
		cmocka_unit_test(floods_are_cut),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(rates_come_and_go),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(one_reading_sees_the_whole),
		cmocka_unit_test(what_is_missing_is_seen),
		cmocka_unit_test(old_kernels_have_more_tables),
	};

	must(net_addr_parse("test", "192.0.2.7", &addrs[0]));
	must(net_addr_parse("test", "2001:db8::7", &addrs[1]));
	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here: %s\n", strerror(errno));
		return 0;
	}
	make_cables();
	if (!can_guard(&test_guard)) {
		printf("1..0 # SKIP no nftables for a user namespace here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
