/*
 * The source guard. Chain "from" sees what the containers send, "to" what they get. A packet walks
 * from -> (v4 | v6 | arp) -> ... -> passed; what reaches the end of any other chain is dropped
 * there. Written as what is allowed; what is allowed to which port lies in the sets, so that a port
 * that nothing is known of may send nothing. Each port has counters and limits of its own, by maps.
 * A lookup is what costs most, so the packets of most ports take the way with the fewest of them.
 * Rests on RFC 826, 5227 (ARP), 4861, 6980, 7112 (ND: no fragments, no extension headers), 3315.
 */
#include "netns/guard_port.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

#define PRIORITY (-300) /* before the chains of others */
#define FLOOD_PER_S 200
#define FLOOD_BURST 400

/* Both ways have a table each: the kernel takes a device into two chains of one table only in two
 * transactions. */
enum way { WAY_OUT, WAY_IN, WAYS };

/* clang-format off */
static const struct chain_row {
	struct nft_chain chain;
	enum way way;
} chains[] = {
	{ { "from", "filter", NF_NETDEV_INGRESS, PRIORITY }, WAY_OUT },
	{ { "to", "filter", NF_NETDEV_EGRESS, PRIORITY }, WAY_IN },
	{ { "v4" }, WAY_OUT },
	{ { "v4own" }, WAY_OUT },
	{ { "dhcp" }, WAY_OUT },
	{ { "udp" }, WAY_OUT },
	{ { "v6" }, WAY_OUT },
	{ { "v6own" }, WAY_OUT },
	{ { "v6none" }, WAY_OUT },
	{ { "icmp6" }, WAY_OUT },
	{ { "target" }, WAY_OUT },
	{ { "rs" }, WAY_OUT },
	{ { "ns" }, WAY_OUT },
	{ { "na" }, WAY_OUT },
	{ { "arp" }, WAY_OUT },
	{ { "rarp" }, WAY_OUT },
	{ { "passed" }, WAY_OUT },
};
/* the two with a hook */
static const struct chain_row *const base_chains[WAYS] = { [WAY_OUT] = &chains[0], [WAY_IN] = &chains[1] };

static const struct set_row {
	struct nft_set set;
	enum way way;
} sets[] = {
	{ { .name = "flood", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_LIMIT }, WAY_OUT },
	/* what most packets are found in by one lookup */
	{ { .name = "own4", .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV4 } }, WAY_OUT },
	{ { .name = "own6", .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV6 } }, WAY_OUT },
	{ { .name = "mac", .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER } }, WAY_OUT },
	{ { .name = "v4", .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV4 } }, WAY_OUT },
	{ { .name = "v6", .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV6 } }, WAY_OUT },
	{ { .name = "gateway6", .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV6 } }, WAY_OUT },
	/* kinds of ports */
	{ { .name = "routed", .key = { NFT_TYPE_IFNAME } }, WAY_OUT },
	{ { .name = "any-mac", .key = { NFT_TYPE_IFNAME } }, WAY_OUT },
	{ { .name = "any-ip", .key = { NFT_TYPE_IFNAME } }, WAY_OUT },
	/* a port is in these two, or it has a rate and is in the others */
	{ { .name = "in", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_COUNTER }, WAY_IN },
	{ { .name = "out", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_COUNTER }, WAY_OUT },
	{ { .name = "pps-in", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_LIMIT }, WAY_IN },
	{ { .name = "pps-out", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_LIMIT }, WAY_OUT },
	{ { .name = "paced-in", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_COUNTER }, WAY_IN },
	{ { .name = "paced-out", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_COUNTER }, WAY_OUT },
	{ { .name = "ifb", .key = { NFT_TYPE_IFNAME }, .data = { NFT_TYPE_IFINDEX } }, WAY_OUT },
};
/* of the sets: each port is in it, once */
#define EACH_PORT 0

/* What the maps have of each port: "PORT.in" is its counter of what comes in. */
static const struct object_row {
	const char *name;
	uint32_t type;
	enum way way;
} objects[] = {
	{ "flood", NFT_OBJECT_LIMIT, WAY_OUT },
	{ "pps-in", NFT_OBJECT_LIMIT, WAY_IN },
	{ "pps-out", NFT_OBJECT_LIMIT, WAY_OUT },
	{ "in", NFT_OBJECT_COUNTER, WAY_IN },
	{ "out", NFT_OBJECT_COUNTER, WAY_OUT },
};
/* clang-format on */

#define IP_BOTH NFT_NETWORK, 12, 8
#define PORTS NFT_TRANSPORT, 0, 4
#define ARP_KIND NFT_NETWORK, 0, 6
#define ARP_OPERATION NFT_NETWORK, 6, 2
#define ARP_SENDER_MAC NFT_NETWORK, 8, 6
#define ARP_SENDER NFT_NETWORK, 14, 4
#define ARP_ASKED NFT_NETWORK, 24, 4
#define IP6_LENGTH NFT_NETWORK, 4, 2 /* without the fixed header: of ICMPv6 alone, behind icmp6 */
#define IP6_NEXT NFT_NETWORK, 6, 1
#define ND_TARGET NFT_TRANSPORT, 8, 16
#define OPTION_AT(offset) NFT_TRANSPORT, offset, 2 /* type and length in units of 8 bytes */
#define OPTION_MAC_AT(offset) NFT_TRANSPORT, offset, 6
#define SOURCE_MAC_OPTION 1, 1
#define TARGET_MAC_OPTION 2, 1
#define NONCE_OPTION 14, 1

/* clang-format off */
#define LINK_LOCAL(field) { .load = { { field } }, .test = NFT_IS, .mask = { 0xff, 0xc0 }, .value = { 0xfe, 0x80 } }
#define TYPE_MASKED(bits, type) { .load = { { ICMP_TYPE } }, .test = NFT_IS, .mask = { bits }, .value = { type } }
#define GROUP_BIT { .load = { { NFT_LINK, 0, 1 } }, .test = NFT_IS, .mask = { 1 }, .value = { 1 } }
#define LATER_FRAGMENT4 { .load = { { NFT_NETWORK, 6, 2 } }, .test = NFT_IS_NOT, .mask = { 0x1f, 0xff } }
#define LATER_FRAGMENT6 { .load = { { NFT_FRAGMENT, 2, 2 } }, .test = NFT_IS_NOT, .mask = { 0xff, 0xf8 } }

#define ANY { .load = { { NFT_NOTHING } } }
#define ACCEPT .verdict = NFT_ACCEPT_IT
#define DROP .verdict = NFT_DROP_IT
#define RETURN .verdict = NFT_RETURN_NOW
#define JUMP(chain) .verdict = NFT_JUMP_TO, .to = chain
#define GOTO(chain) .verdict = NFT_GO_TO, .to = chain
#define PASS GOTO("passed")
#define MINE(field, name) { .load = { { IN_NAME }, { field } }, .test = NFT_IN, .set = (name) }
#define NOT_MINE(field, name) { .load = { { IN_NAME }, { field } }, .test = NFT_NOT_IN, .set = (name) }
#define NOT_MY_MAC(...) { .load = { { IN_NAME }, { __VA_ARGS__ } }, .test = NFT_NOT_IN, .set = "mac" }, \
	{ .load = { { IN_NAME } }, .test = NFT_NOT_IN, .set = "any-mac" }
#define OWN_SOURCE(field, name) { .load = { { IN_NAME }, { ETHER_SOURCE }, { field } }, .test = NFT_IN, .set = (name) }
#define ROUTED { .load = { { IN_NAME } }, .test = NFT_IN, .set = "routed" }
#define ANY_IP { .load = { { IN_NAME } }, .test = NFT_IN, .set = "any-ip" }
#define OVER(limits, key) .objects = (limits), .by = (key)
#define COUNT(counters, key) .objects = (counters), .by = (key)

static const struct nft_rule out_rules[] = {
	{ "from", { GROUP_BIT }, OVER("flood", NFT_META_IIFNAME), DROP },
	{ "from", { IS(ETHER_TYPE, 0x08, 0x00), OWN_SOURCE(IP_SOURCE, "own4") }, GOTO("v4own") },
	{ "from", { IS(ETHER_TYPE, 0x86, 0xdd), OWN_SOURCE(IP6_SOURCE, "own6") }, GOTO("v6own") },
	{ "from", { NOT_MY_MAC(ETHER_SOURCE) }, DROP },
	/* a tag stands where the type is looked for: it is an unknown type */
	{ "from", { IS(ETHER_TYPE, 0x08, 0x00) }, GOTO("v4") },
	{ "from", { IS(ETHER_TYPE, 0x86, 0xdd) }, GOTO("v6") },
	{ "from", { IS(ETHER_TYPE, 0x08, 0x06) }, GOTO("arp") },
	{ "from", { IS(ETHER_TYPE, 0x80, 0x35) }, GOTO("rarp") },
	{ "from", { ANY }, DROP },

	{ "v4", { NOT_MINE(IP_SOURCE, "v4"), NOT_IN(IN_NAME, "any-ip") }, GOTO("dhcp") },
	{ "v4", { ANY }, GOTO("v4own") },

	{ "v4own", { PROTO(IPPROTO_TCP) }, PASS },	/* most of all */
	/* nft(8) would read its data as a header; it is worth nothing without the first one */
	{ "v4own", { LATER_FRAGMENT4 }, PASS },
	{ "v4own", { PROTO(IPPROTO_UDP) }, JUMP("udp") },
	{ "v4own", { PROTO(IPPROTO_IGMP), IS(ICMP_TYPE, 0x11) }, DROP },	/* query: a router's */
	{ "v4own", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 5) }, DROP },		/* redirect */
	{ "v4own", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 9) }, DROP },		/* router advertisement */
	{ "v4own", { ANY }, PASS },

	/* a client without address, from 68 to 67 of everybody */
	{ "dhcp", { IS(IP_BOTH, 0, 0, 0, 0, 255, 255, 255, 255), PROTO(IPPROTO_UDP),
		    IS(PORTS, 0, 68, 0, 67) }, PASS },
	{ "dhcp", { ANY }, DROP },

	/* nobody here serves DHCP */
	{ "udp", { IS(SOURCE_PORT, 0, 67) }, DROP },
	{ "udp", { IS(DEST_PORT, 0, 68) }, DROP },
	{ "udp", { IS(SOURCE_PORT, 2, 35) }, DROP },	/* 547 */
	{ "udp", { IS(DEST_PORT, 2, 34) }, DROP },		/* 546 */

	{ "v6", { MINE(IP6_SOURCE, "v6") }, GOTO("v6own") },
	/* only the host is on the link, and the gateway is the host */
	{ "v6", { MINE(IP6_SOURCE, "gateway6"), ROUTED }, DROP },
	{ "v6", { LINK_LOCAL(IP6_SOURCE), ROUTED }, GOTO("v6own") },
	{ "v6", { IS(IP6_SOURCE, 0) }, GOTO("v6none") },
	{ "v6", { ANY_IP }, GOTO("v6own") },
	{ "v6", { ANY }, DROP },

	{ "v6own", { PROTO(IPPROTO_TCP) }, PASS },
	/* what has no protocol does not match: the end of the chain of headers is not in it. RFC 7112 */
	{ "v6own", { LATER_FRAGMENT6, IS_NOT(L4_PROTO, 255) }, PASS },
	{ "v6own", { PROTO(IPPROTO_UDP) }, JUMP("udp") },
	{ "v6own", { PROTO(IPPROTO_ICMPV6) }, GOTO("icmp6") },
	{ "v6own", { IS_NOT(L4_PROTO, 255) }, PASS },
	{ "v6own", { ANY }, DROP },

	{ "icmp6", { TYPE_MASKED(0xfe, 128) }, PASS },	/* echo */
	{ "icmp6", { TYPE_MASKED(0xfc, 0) }, PASS },	/* errors */
	{ "icmp6", { IS(ICMP_TYPE, 4) }, PASS },
	{ "icmp6", { IS(ICMP_TYPE, 131) }, PASS },		/* of multicast groups: reports, done */
	{ "icmp6", { IS(ICMP_TYPE, 132) }, PASS },
	{ "icmp6", { IS(ICMP_TYPE, 143) }, PASS },
	{ "icmp6", { IS_NOT(IP6_NEXT, IPPROTO_ICMPV6) }, DROP },
	{ "icmp6", { IS(ICMP_TYPE, 133) }, GOTO("rs") },
	{ "icmp6", { IS(ICMP_TYPE, 135) }, GOTO("ns") },
	{ "icmp6", { IS(ICMP_TYPE, 136) }, GOTO("na") },
	{ "icmp6", { ANY }, DROP },		/* 134 and 137 among them */

	/* no option at all, or just the one with the own hardware address */
	{ "rs", { IS(IP6_LENGTH, 0, 8) }, PASS },
	{ "rs", { NOT_MY_MAC(OPTION_MAC_AT(10)) }, DROP },
	{ "rs", { IS(IP6_LENGTH, 0, 16), IS(OPTION_AT(8), SOURCE_MAC_OPTION) }, PASS },
	{ "rs", { ANY }, DROP },
	{ "ns", { IS(IP6_LENGTH, 0, 24) }, PASS },
	{ "ns", { NOT_MY_MAC(OPTION_MAC_AT(26)) }, DROP },
	{ "ns", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), SOURCE_MAC_OPTION) }, PASS },
	{ "ns", { ANY }, DROP },
	{ "na", { ANY }, JUMP("target") },
	{ "na", { IS(IP6_LENGTH, 0, 24) }, PASS },
	{ "na", { NOT_MY_MAC(OPTION_MAC_AT(26)) }, DROP },
	{ "na", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), TARGET_MAC_OPTION) }, PASS },
	{ "na", { ANY }, DROP },

	{ "target", { MINE(ND_TARGET, "v6") }, RETURN },
	{ "target", { ANY_IP }, RETURN },
	{ "target", { MINE(ND_TARGET, "gateway6"), ROUTED }, DROP },
	{ "target", { LINK_LOCAL(ND_TARGET), ROUTED }, RETURN },
	{ "target", { ANY }, DROP },

	/* before it has an address it looks whether that is free, asks for routers, joins groups */
	{ "v6none", { IS_NOT(L4_PROTO, IPPROTO_ICMPV6) }, DROP },
	{ "v6none", { IS(ICMP_TYPE, 131) }, PASS },
	{ "v6none", { IS(ICMP_TYPE, 132) }, PASS },
	{ "v6none", { IS(ICMP_TYPE, 143) }, PASS },
	{ "v6none", { IS_NOT(IP6_NEXT, IPPROTO_ICMPV6) }, DROP },
	{ "v6none", { IS(ICMP_TYPE, 133), IS(IP6_LENGTH, 0, 8) }, PASS },
	{ "v6none", { IS_NOT(ICMP_TYPE, 135) }, DROP },
	{ "v6none", { ANY }, JUMP("target") },
	{ "v6none", { IS(IP6_LENGTH, 0, 24) }, PASS },
	{ "v6none", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), NONCE_OPTION) }, PASS }, /* RFC 7527 */
	{ "v6none", { ANY }, DROP },

	/* Ethernet and IPv4 */
	{ "arp", { IS_NOT(ARP_KIND, 0, 1, 8, 0, 6, 4) }, DROP },
	{ "arp", { NOT_MY_MAC(ARP_SENDER_MAC) }, DROP },
	{ "arp", { IS_NOT(ARP_OPERATION, 0, 1), IS_NOT(ARP_OPERATION, 0, 2) }, DROP },
	{ "arp", { ANY_IP }, PASS },
	{ "arp", { MINE(ARP_SENDER, "v4") }, PASS },
	{ "arp", { IS(ARP_OPERATION, 0, 1), IS(ARP_SENDER, 0, 0, 0, 0), MINE(ARP_ASKED, "v4") }, PASS },
	{ "arp", { ANY }, DROP },

	/* "where am I?", which tells switches the way: what cella itself sends from inside */
	{ "rarp", { IS_NOT(ARP_KIND, 0, 1, 8, 0, 6, 4) }, DROP },
	{ "rarp", { NOT_MY_MAC(ARP_SENDER_MAC) }, DROP },
	{ "rarp", { IS(ARP_OPERATION, 0, 3), IS(ARP_SENDER, 0, 0, 0, 0), IS(ARP_ASKED, 0, 0, 0, 0) }, PASS },
	{ "rarp", { ANY }, DROP },

	/* with a rate: what is above it goes, the rest is counted */
	{ "passed", { ANY }, COUNT("out", NFT_META_IIFNAME), ACCEPT },
	{ "passed", { ANY }, OVER("pps-out", NFT_META_IIFNAME), DROP },
	{ "passed", { ANY }, COUNT("paced-out", NFT_META_IIFNAME) },
	{ "passed", { ANY }, .verdict = NFT_FORWARD, .to = "ifb", .by = NFT_META_IIFNAME },
};

static const struct nft_rule in_rules[] = {
	{ "to", { ANY }, COUNT("in", NFT_META_OIFNAME), ACCEPT },
	{ "to", { ANY }, OVER("pps-in", NFT_META_OIFNAME), DROP },
	{ "to", { ANY }, COUNT("paced-in", NFT_META_OIFNAME) },
};
/* clang-format on */

/* --- where a port is --- */

/* A port in tables, and a transaction. */
struct place {
	struct nft *nft;
	struct nft_table tables[WAYS];
	const char *host_name;
	char own_names[WAYS][GUARD_NAME_MAX];
};

static const char *const table_names[WAYS] = { [WAY_OUT] = "cella", [WAY_IN] = "cella_in" };

/*
 * The same two tables for all ports, so that one more costs the same beside 500 others: a few
 * elements. A kernel before 6.4 gives a chain no second device; there each further port has tables
 * of its own, of the same rules.
 */
static void place_shared(struct place *place)
{
	for (size_t way = 0; way < WAYS; way++)
		place->tables[way] = (struct nft_table){ NFPROTO_NETDEV, table_names[way] };
}

static void place_own(struct place *place)
{
	for (size_t way = 0; way < WAYS; way++) {
		snprintf(place->own_names[way], GUARD_NAME_MAX, "%s-%s", table_names[way],
			 place->host_name);
		place->tables[way] = (struct nft_table){ NFPROTO_NETDEV, place->own_names[way] };
	}
}

static struct nft_key key_of(const char *host_name)
{
	struct nft_key key = { 0 };

	nft_key_add(&key, NFT_TYPE_IFNAME, host_name);
	return key;
}

/* A port that is nowhere: *ret_found is false, and the place in the shared tables. */
static struct err *find_place(struct place *place, bool *ret_found)
{
	const struct nft_key key = key_of(place->host_name);

	place_own(place);
	TRY(nft_has_element(place->nft, &place->tables[WAY_OUT], sets[EACH_PORT].set.name, &key,
			    ret_found));
	if (*ret_found)
		return NULL;
	place_shared(place);
	return nft_has_element(place->nft, &place->tables[WAY_OUT], sets[EACH_PORT].set.name, &key,
			       ret_found);
}

/* --- what a port has in the sets --- */

static void add_own(const struct place *place, const char *set, enum nft_type type,
		    const void *value)
{
	struct nft_element element = { .key = key_of(place->host_name), .owner = place->host_name };

	nft_key_add(&element.key, type, value);
	nft_add_element(place->nft, &place->tables[WAY_OUT], set, &element);
}

/* It is of a kind. */
static void add_kind(const struct place *place, const char *set)
{
	const struct nft_element element = { .key = key_of(place->host_name),
					     .owner = place->host_name };

	nft_add_element(place->nft, &place->tables[WAY_OUT], set, &element);
}

static void add_ifb(const struct place *place, uint32_t ifb)
{
	struct nft_element element = { .key = key_of(place->host_name), .owner = place->host_name };

	nft_key_add(&element.data, NFT_TYPE_IFINDEX, &ifb);
	nft_add_element(place->nft, &place->tables[WAY_OUT], "ifb", &element);
}

struct object_name {
	char text[GUARD_NAME_MAX];
};

static struct object_name object_of(const char *host_name, const char *name)
{
	struct object_name full;

	snprintf(full.text, sizeof(full.text), "%s.%s", host_name, name);
	return full;
}

static void refer(const struct place *place, enum way way, const char *map, const char *object)
{
	const struct object_name name = object_of(place->host_name, object);
	const struct nft_element element = { .key = key_of(place->host_name),
					     .object = name.text,
					     .owner = place->host_name };

	nft_add_element(place->nft, &place->tables[way], map, &element);
}

static void add_limit(const struct place *place, enum way way, const char *map,
		      uint64_t packets_per_s, uint64_t burst)
{
	nft_add_limit(place->nft, &place->tables[way], object_of(place->host_name, map).text,
		      (uint32_t)packets_per_s, (uint32_t)burst);
	refer(place, way, map, map);
}

/* An existing one counts on. */
static void add_counter(const struct place *place, enum way way, const char *name)
{
	nft_add_counter(place->nft, &place->tables[way], object_of(place->host_name, name).text);
}

static void add_counters(const struct place *place, bool is_paced)
{
	add_counter(place, WAY_IN, "in");
	add_counter(place, WAY_OUT, "out");
	refer(place, WAY_IN, is_paced ? "paced-in" : "in", "in");
	refer(place, WAY_OUT, is_paced ? "paced-out" : "out", "out");
}

static void add_rates(const struct place *place, uint64_t packets_per_s, uint32_t ifb)
{
	uint64_t burst = packets_per_s / 20 + 5;

	if (packets_per_s) {
		add_limit(place, WAY_IN, "pps-in", packets_per_s, burst);
		add_limit(place, WAY_OUT, "pps-out", packets_per_s, burst);
	}
	if (ifb)
		add_ifb(place, ifb);
}

/* What the kernel inside gives itself from its hardware address: RFC 4291, appendix A. */
static void add_own_link_local(const struct place *place, const uint8_t *mac)
{
	const uint8_t addr[16] = { 0xfe,       0x80,   0,      0,    0,	   0,	   0,	   0,
				   mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };

	add_own(place, "v6", NFT_TYPE_IPV6, addr);
}

/* Of an address with its hardware address. */
static void add_source(const struct place *place, const uint8_t *mac, const struct net_addr *addr)
{
	struct nft_element element = { .key = key_of(place->host_name), .owner = place->host_name };
	bool is_v4 = addr->family == AF_INET;

	nft_key_add(&element.key, NFT_TYPE_ETHER, mac);
	nft_key_add(&element.key, is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, addr->bytes);
	nft_add_element(place->nft, &place->tables[WAY_OUT], is_v4 ? "own4" : "own6", &element);
}

static void add_addrs(const struct place *place, const struct net_guard *guard)
{
	for (size_t i = 0; i < guard->addr_count; i++) {
		bool is_v4 = guard->addrs[i].family == AF_INET;

		add_source(place, guard->mac, &guard->addrs[i]);
		add_own(place, is_v4 ? "v4" : "v6", is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6,
			guard->addrs[i].bytes);
	}
	if (guard->gateway6.family)
		add_own(place, "gateway6", NFT_TYPE_IPV6, guard->gateway6.bytes);
	if (guard->flags & NET_GUARD_BRIDGED)
		add_own_link_local(place, guard->mac);
}

static void add_port(const struct place *place, const struct net_guard *guard, uint32_t ifb)
{
	add_limit(place, WAY_OUT, "flood", FLOOD_PER_S, FLOOD_BURST);
	add_own(place, "mac", NFT_TYPE_ETHER, guard->mac);
	add_addrs(place, guard);
	if (!(guard->flags & NET_GUARD_BRIDGED))
		add_kind(place, "routed");
	if (guard->flags & NET_GUARD_ANY_MAC)
		add_kind(place, "any-mac");
	if (guard->flags & NET_GUARD_ANY_IP)
		add_kind(place, "any-ip");
	add_counters(place, ifb || guard->packets_per_s);
	add_rates(place, guard->packets_per_s, ifb);
}

/* All but the counters, or all. *ret_left: how many other ports there are. */
enum extent { ALL, BUT_COUNTERS };

static struct err *delete_port(const struct place *place, enum extent extent, size_t *ret_left)
{
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		size_t left = 0;

		TRY(nft_delete_owned(place->nft, &place->tables[sets[i].way], &sets[i].set,
				     place->host_name, &left));
		if (i == EACH_PORT)
			*ret_left = left;
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (extent == ALL || objects[i].type != NFT_OBJECT_COUNTER)
			TRY(nft_delete_object(place->nft, &place->tables[objects[i].way],
					      objects[i].type,
					      object_of(place->host_name, objects[i].name).text));
	return NULL;
}

/* --- the tables --- */

static void add_device(const struct place *place)
{
	for (size_t way = 0; way < WAYS; way++)
		nft_add_chain(place->nft, &place->tables[way], &base_chains[way]->chain,
			      place->host_name);
}

static void add_tables(const struct place *place)
{
	for (size_t way = 0; way < WAYS; way++)
		nft_add_table(place->nft, &place->tables[way]);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		nft_add_set(place->nft, &place->tables[sets[i].way], &sets[i].set);
	add_device(place);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (!chains[i].chain.type)
			nft_add_chain(place->nft, &place->tables[chains[i].way], &chains[i].chain,
				      NULL);
	for (size_t i = 0; i < ARRAY_SIZE(out_rules); i++)
		nft_add_rule(place->nft, &place->tables[WAY_OUT], &out_rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(in_rules); i++)
		nft_add_rule(place->nft, &place->tables[WAY_IN], &in_rules[i]);
}

/* Are the tables there, and whole? An old kernel takes a chain away with its last device, and then
 * what is left guards nobody. */
static struct err *has_tables(const struct place *place, bool *ret_has)
{
	*ret_has = true;
	for (size_t way = 0; way < WAYS && *ret_has; way++)
		TRY(nft_has_rules(place->nft, &place->tables[way], base_chains[way]->chain.name,
				  ret_has));
	return NULL;
}

static struct err *delete_tables(const struct place *place)
{
	for (size_t way = 0; way < WAYS; way++) {
		uint64_t handle;

		TRY(nft_find_table(place->nft, &place->tables[way], &handle));
		if (handle)
			nft_delete_table(place->nft, &place->tables[way]);
	}
	return NULL;
}

struct err *guard_port_set(struct nft *nft, const struct net_guard *guard, uint32_t ifb,
			   enum guard_home home, bool *ret_was_there)
{
	struct place place = { .nft = nft, .host_name = guard->host_name };
	bool has;
	size_t left;

	TRY(find_place(&place, ret_was_there));
	if (!*ret_was_there && home == GUARD_HOME_OWN)
		place_own(&place);
	TRY(has_tables(&place, &has));
	if (!has) {
		TRY(delete_tables(&place));
		add_tables(&place);
	} else {
		add_device(&place); /* one that was made anew under an old name, too */
	}
	if (has && *ret_was_there)
		TRY(delete_port(&place, BUT_COUNTERS, &left));
	add_port(&place, guard, ifb);
	return NULL;
}

struct err *guard_port_check(struct nft *nft, const char *host_name, bool *ret_whole)
{
	struct place place = { .nft = nft, .host_name = host_name };

	TRY(find_place(&place, ret_whole));
	return *ret_whole ? has_tables(&place, ret_whole) : NULL;
}

struct err *guard_port_remove(struct nft *nft, const char *host_name, enum guard_device device)
{
	struct place place = { .nft = nft, .host_name = host_name };
	size_t left = 0;
	bool found;

	TRY(find_place(&place, &found));
	if (!found)
		return NULL;
	TRY(delete_port(&place, ALL, &left));
	if (left == 0)
		return delete_tables(&place);
	for (size_t way = 0; way < WAYS && device == GUARD_DEVICE_STAYS; way++)
		nft_leave_chain(nft, &place.tables[way], &base_chains[way]->chain, host_name);
	return NULL;
}

/* Two counters may have the same number in two tables, and two tables the same one in two boots. */
static uint64_t life_of(uint64_t table, uint64_t counter)
{
	return table << 40 | (counter & ((UINT64_C(1) << 40) - 1));
}

struct err *guard_port_traffic(struct nft *nft, const char *host_name,
			       struct net_traffic *ret_traffic)
{
	struct place place = { .nft = nft, .host_name = host_name };
	struct nft_counter in, out;
	uint64_t table;
	bool found;

	TRY(find_place(&place, &found));
	if (!found)
		return err_new(ERR_NOT_FOUND, "interface %s is not guarded", host_name);
	TRY(nft_find_table(nft, &place.tables[WAY_OUT], &table));
	TRY(nft_read_counter(nft, &place.tables[WAY_IN], object_of(host_name, "in").text, &in));
	TRY(nft_read_counter(nft, &place.tables[WAY_OUT], object_of(host_name, "out").text, &out));
	*ret_traffic = (struct net_traffic){ .life = life_of(table, out.handle),
					     .in_bytes = in.bytes,
					     .in_packets = in.packets,
					     .out_bytes = out.bytes,
					     .out_packets = out.packets };
	return NULL;
}
