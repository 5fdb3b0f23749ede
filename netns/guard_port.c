/*
 * A port's own table: the source guard. Chain "from" sees what the container sends, "to" what it
 * gets. A packet walks from -> (v4 | v6 | arp) -> ... -> passed; what reaches the end of any other
 * chain is dropped there. Written as what is allowed.
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

static const struct nft_chain chains[] = {
	{ "from", "filter", NF_NETDEV_INGRESS, PRIORITY },
	{ "to", "filter", NF_NETDEV_EGRESS, PRIORITY },
	{ "v4" },
	{ "dhcp" },
	{ "udp" },
	{ "v6" },
	{ "v6own" },
	{ "v6none" },
	{ "icmp6" },
	{ "target" },
	{ "rs" },
	{ "ns" },
	{ "na" },
	{ "arp" },
	{ "rarp" },
	{ "passed" },
};

static const struct nft_set sets[] = {
	{ .name = "mac", .key = { NFT_TYPE_ETHER }, .size = 4 },
	{ .name = "v4", .key = { NFT_TYPE_IPV4 }, .size = 1024 },
	{ .name = "v6", .key = { NFT_TYPE_IPV6 }, .size = 1024 },
	{ .name = "gateway6", .key = { NFT_TYPE_IPV6 }, .size = 4 },
};

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
#define DROP .verdict = NFT_DROP_IT
#define RETURN .verdict = NFT_RETURN_NOW
#define JUMP(chain) .verdict = NFT_JUMP_TO, .to = chain
#define GOTO(chain) .verdict = NFT_GO_TO, .to = chain
#define PASS GOTO("passed")

enum only { ALWAYS, ROUTED, OWN_IP, ANY_IP };

static const struct guard_row {
	struct nft_rule rule;
	enum only only;
} rows[] = {
	{ { "from", { NOT_IN(ETHER_SOURCE, "mac") }, DROP } },
	{ { "from", { GROUP_BIT }, FLOOD_PER_S, FLOOD_BURST, DROP } },
	/* a tag stands where the type is looked for: it is an unknown type */
	{ { "from", { IS(ETHER_TYPE, 0x08, 0x00) }, GOTO("v4") } },
	{ { "from", { IS(ETHER_TYPE, 0x86, 0xdd) }, GOTO("v6") } },
	{ { "from", { IS(ETHER_TYPE, 0x08, 0x06) }, GOTO("arp") } },
	{ { "from", { IS(ETHER_TYPE, 0x80, 0x35) }, GOTO("rarp") } },
	{ { "from", { ANY }, DROP } },

	{ { "v4", { NOT_IN(IP_SOURCE, "v4") }, GOTO("dhcp") }, OWN_IP },
	/* nft(8) would read its data as a header; it is worth nothing without the first one */
	{ { "v4", { LATER_FRAGMENT4 }, PASS } },
	{ { "v4", { PROTO(IPPROTO_UDP) }, JUMP("udp") } },
	{ { "v4", { PROTO(IPPROTO_IGMP), IS(ICMP_TYPE, 0x11) }, DROP } },	/* query: a router's */
	{ { "v4", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 5) }, DROP } },		/* redirect */
	{ { "v4", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 9) }, DROP } },		/* router advertisement */
	{ { "v4", { ANY }, PASS } },

	/* a client without address, from 68 to 67 of everybody */
	{ { "dhcp", { IS(IP_BOTH, 0, 0, 0, 0, 255, 255, 255, 255), PROTO(IPPROTO_UDP),
		      IS(PORTS, 0, 68, 0, 67) }, PASS } },
	{ { "dhcp", { ANY }, DROP } },

	/* nobody here serves DHCP */
	{ { "udp", { IS(SOURCE_PORT, 0, 67) }, DROP } },
	{ { "udp", { IS(DEST_PORT, 0, 68) }, DROP } },
	{ { "udp", { IS(SOURCE_PORT, 2, 35) }, DROP } },	/* 547 */
	{ { "udp", { IS(DEST_PORT, 2, 34) }, DROP } },		/* 546 */

	{ { "v6", { IN(IP6_SOURCE, "v6") }, GOTO("v6own") } },
	/* only the host is on the link, and the gateway is the host */
	{ { "v6", { IN(IP6_SOURCE, "gateway6") }, DROP }, ROUTED },
	{ { "v6", { LINK_LOCAL(IP6_SOURCE) }, GOTO("v6own") }, ROUTED },
	{ { "v6", { IS(IP6_SOURCE, 0) }, GOTO("v6none") } },
	{ { "v6", { ANY }, GOTO("v6own") }, ANY_IP },
	{ { "v6", { ANY }, DROP } },

	/* what has no protocol does not match: the end of the chain of headers is not in it. RFC 7112 */
	{ { "v6own", { LATER_FRAGMENT6, IS_NOT(L4_PROTO, 255) }, PASS } },
	{ { "v6own", { PROTO(IPPROTO_UDP) }, JUMP("udp") } },
	{ { "v6own", { PROTO(IPPROTO_ICMPV6) }, GOTO("icmp6") } },
	{ { "v6own", { IS_NOT(L4_PROTO, 255) }, PASS } },
	{ { "v6own", { ANY }, DROP } },

	{ { "icmp6", { TYPE_MASKED(0xfe, 128) }, PASS } },	/* echo */
	{ { "icmp6", { TYPE_MASKED(0xfc, 0) }, PASS } },	/* errors */
	{ { "icmp6", { IS(ICMP_TYPE, 4) }, PASS } },
	{ { "icmp6", { IS(ICMP_TYPE, 131) }, PASS } },		/* of multicast groups: reports, done */
	{ { "icmp6", { IS(ICMP_TYPE, 132) }, PASS } },
	{ { "icmp6", { IS(ICMP_TYPE, 143) }, PASS } },
	{ { "icmp6", { IS_NOT(IP6_NEXT, IPPROTO_ICMPV6) }, DROP } },
	{ { "icmp6", { IS(ICMP_TYPE, 133) }, GOTO("rs") } },
	{ { "icmp6", { IS(ICMP_TYPE, 135) }, GOTO("ns") } },
	{ { "icmp6", { IS(ICMP_TYPE, 136) }, GOTO("na") } },
	{ { "icmp6", { ANY }, DROP } },		/* 134 and 137 among them */

	/* no option at all, or just the one with the own hardware address */
	{ { "rs", { IS(IP6_LENGTH, 0, 8) }, PASS } },
	{ { "rs", { NOT_IN(OPTION_MAC_AT(10), "mac") }, DROP } },
	{ { "rs", { IS(IP6_LENGTH, 0, 16), IS(OPTION_AT(8), SOURCE_MAC_OPTION) }, PASS } },
	{ { "rs", { ANY }, DROP } },
	{ { "ns", { IS(IP6_LENGTH, 0, 24) }, PASS } },
	{ { "ns", { NOT_IN(OPTION_MAC_AT(26), "mac") }, DROP } },
	{ { "ns", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), SOURCE_MAC_OPTION) }, PASS } },
	{ { "ns", { ANY }, DROP } },
	{ { "na", { ANY }, JUMP("target") } },
	{ { "na", { IS(IP6_LENGTH, 0, 24) }, PASS } },
	{ { "na", { NOT_IN(OPTION_MAC_AT(26), "mac") }, DROP } },
	{ { "na", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), TARGET_MAC_OPTION) }, PASS } },
	{ { "na", { ANY }, DROP } },

	{ { "target", { IN(ND_TARGET, "v6") }, RETURN } },
	{ { "target", { ANY }, RETURN }, ANY_IP },
	{ { "target", { IN(ND_TARGET, "gateway6") }, DROP }, ROUTED },
	{ { "target", { LINK_LOCAL(ND_TARGET) }, RETURN }, ROUTED },
	{ { "target", { ANY }, DROP } },

	/* before it has an address it looks whether that is free, asks for routers, joins groups */
	{ { "v6none", { IS_NOT(L4_PROTO, IPPROTO_ICMPV6) }, DROP } },
	{ { "v6none", { IS(ICMP_TYPE, 131) }, PASS } },
	{ { "v6none", { IS(ICMP_TYPE, 132) }, PASS } },
	{ { "v6none", { IS(ICMP_TYPE, 143) }, PASS } },
	{ { "v6none", { IS_NOT(IP6_NEXT, IPPROTO_ICMPV6) }, DROP } },
	{ { "v6none", { IS(ICMP_TYPE, 133), IS(IP6_LENGTH, 0, 8) }, PASS } },
	{ { "v6none", { IS_NOT(ICMP_TYPE, 135) }, DROP } },
	{ { "v6none", { ANY }, JUMP("target") } },
	{ { "v6none", { IS(IP6_LENGTH, 0, 24) }, PASS } },
	{ { "v6none", { IS(IP6_LENGTH, 0, 32), IS(OPTION_AT(24), NONCE_OPTION) }, PASS } }, /* RFC 7527 */
	{ { "v6none", { ANY }, DROP } },

	/* Ethernet and IPv4 */
	{ { "arp", { IS_NOT(ARP_KIND, 0, 1, 8, 0, 6, 4) }, DROP } },
	{ { "arp", { NOT_IN(ARP_SENDER_MAC, "mac") }, DROP } },
	{ { "arp", { IS_NOT(ARP_OPERATION, 0, 1), IS_NOT(ARP_OPERATION, 0, 2) }, DROP } },
	{ { "arp", { ANY }, PASS }, ANY_IP },
	{ { "arp", { IN(ARP_SENDER, "v4") }, PASS } },
	{ { "arp", { IS(ARP_OPERATION, 0, 1), IS(ARP_SENDER, 0, 0, 0, 0), IN(ARP_ASKED, "v4") }, PASS } },
	{ { "arp", { ANY }, DROP } },

	/* "where am I?", which tells switches the way: what cella itself sends from inside */
	{ { "rarp", { IS_NOT(ARP_KIND, 0, 1, 8, 0, 6, 4) }, DROP } },
	{ { "rarp", { NOT_IN(ARP_SENDER_MAC, "mac") }, DROP } },
	{ { "rarp", { IS(ARP_OPERATION, 0, 3), IS(ARP_SENDER, 0, 0, 0, 0), IS(ARP_ASKED, 0, 0, 0, 0) }, PASS } },
	{ { "rarp", { ANY }, DROP } },
};
/* clang-format on */

/* --- the table --- */

struct nft_table guard_port_table(const char *host_name, char *name)
{
	snprintf(name, GUARD_TABLE_MAX, "cella-%s", host_name);
	return (struct nft_table){ NFPROTO_NETDEV, name };
}

static bool tests_mac(const struct nft_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(rule->terms); i++)
		if (str_eq(rule->terms[i].set, "mac"))
			return true;
	return false;
}

/* The end of both ways: what is above the rate goes, the rest is counted. */
static void add_passed(struct nft *nft, const struct nft_table *table, const char *chain,
		       const char *counter, uint64_t packets_per_s)
{
	const struct nft_rule limit = { .chain = chain,
					.over_per_s = (uint32_t)packets_per_s,
					.over_burst = (uint32_t)(packets_per_s / 20 + 5),
					DROP };
	const struct nft_rule count = { .chain = chain, .counter = counter };

	if (packets_per_s)
		nft_add_rule(nft, table, &limit);
	nft_add_rule(nft, table, &count);
}

static bool applies(const struct guard_row *row, unsigned int flags)
{
	switch (row->only) {
	case ROUTED:
		return !(flags & NET_GUARD_BRIDGED);
	case OWN_IP:
		return !(flags & NET_GUARD_ANY_IP);
	case ANY_IP:
		return flags & NET_GUARD_ANY_IP;
	case ALWAYS:
		break;
	}
	return !(flags & NET_GUARD_ANY_MAC && tests_mac(&row->rule));
}

static void add_rules(struct nft *nft, const struct nft_table *table, const struct net_guard *guard,
		      uint32_t ifb)
{
	const struct nft_rule forward = { .chain = "passed",
					  .verdict = NFT_FORWARD,
					  .number = ifb };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (applies(&rows[i], guard->flags))
			nft_add_rule(nft, table, &rows[i].rule);
	add_passed(nft, table, "passed", "out", guard->packets_per_s);
	if (ifb)
		nft_add_rule(nft, table, &forward);
	add_passed(nft, table, "to", "in", guard->packets_per_s);
}

static void add_element(struct nft *nft, const struct nft_table *table, const char *set,
			enum nft_type type, const void *value)
{
	struct nft_element element = { 0 };

	nft_key_add(&element.key, type, value);
	nft_add_element(nft, table, set, &element);
}

/* What the kernel inside gives itself from its hardware address: RFC 4291, appendix A. */
static void add_own_link_local(struct nft *nft, const struct nft_table *table, const uint8_t *mac)
{
	const uint8_t addr[16] = { 0xfe,       0x80,   0,      0,    0,	   0,	   0,	   0,
				   mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };

	add_element(nft, table, "v6", NFT_TYPE_IPV6, addr);
}

static void add_elements(struct nft *nft, const struct nft_table *table,
			 const struct net_guard *guard)
{
	add_element(nft, table, "mac", NFT_TYPE_ETHER, guard->mac);
	for (size_t i = 0; i < guard->addr_count; i++) {
		bool is_v4 = guard->addrs[i].family == AF_INET;

		add_element(nft, table, is_v4 ? "v4" : "v6", is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6,
			    guard->addrs[i].bytes);
	}
	if (guard->gateway6.family)
		add_element(nft, table, "gateway6", NFT_TYPE_IPV6, guard->gateway6.bytes);
	if (guard->flags & NET_GUARD_BRIDGED)
		add_own_link_local(nft, table, guard->mac);
}

/* An interface that went took its two chains along; the rest of the table is still there. */
static struct err *add_chains(struct nft *nft, const struct nft_table *table, const char *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		bool has = false;

		if (chains[i].type)
			TRY(nft_has_chain(nft, table, chains[i].name, &has));
		if (!has)
			nft_add_chain(nft, table, &chains[i], chains[i].type ? device : NULL);
	}
	return NULL;
}

struct err *guard_port_set(struct nft *nft, const struct net_guard *guard, uint32_t ifb,
			   bool *ret_was_there)
{
	char name[GUARD_TABLE_MAX];
	struct nft_table table = guard_port_table(guard->host_name, name);
	uint64_t handle;

	TRY(nft_find_table(nft, &table, &handle));
	nft_add_table(nft, &table);
	TRY(add_chains(nft, &table, guard->host_name));
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		nft_add_set(nft, &table, &sets[i]);
		if (handle)
			nft_flush_set(nft, &table, sets[i].name);
	}
	nft_add_counter(nft, &table, "in"); /* an existing one counts on */
	nft_add_counter(nft, &table, "out");
	if (handle)
		nft_flush_rules(nft, &table);
	add_rules(nft, &table, guard, ifb);
	add_elements(nft, &table, guard);
	*ret_was_there = handle != 0;
	return NULL;
}

struct err *guard_port_check(struct nft *nft, const char *host_name, bool *ret_whole)
{
	char name[GUARD_TABLE_MAX];
	struct nft_table table = guard_port_table(host_name, name);

	*ret_whole = true;
	for (size_t i = 0; i < ARRAY_SIZE(chains) && *ret_whole; i++)
		if (chains[i].type)
			TRY(nft_has_chain(nft, &table, chains[i].name, ret_whole));
	return NULL;
}

struct err *guard_port_remove(struct nft *nft, const char *host_name)
{
	char name[GUARD_TABLE_MAX];
	struct nft_table table = guard_port_table(host_name, name);
	uint64_t handle;

	TRY(nft_find_table(nft, &table, &handle));
	if (handle)
		nft_delete_table(nft, &table);
	return NULL;
}
