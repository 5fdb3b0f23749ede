/*
 * The rules of the source guard. Chain "from" sees what the containers send, "to" what they get. A
 * packet walks from -> (v4 | v6 | arp) -> ... -> passed; what reaches the end of any other chain is
 * dropped there. Written as what is allowed; what is allowed to which port lies in the sets
 * (guard_port.c), so that a port that nothing is known of may send nothing. A lookup is what costs
 * most, so the packets of most ports take the way with the fewest of them.
 * Rests on RFC 826, 5227 (ARP), 4861, 6980, 7112 (ND: no fragments, no extension headers), 3315.
 */
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "base/str.h"
#include "netns/guard_port.h"

#define PRIORITY (-300) /* before the chains of others */

/* clang-format off */
static const struct chain_row {
	struct nft_chain chain;
	enum guard_way way;
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
	/* guard_class.c fills these; what comes to the end of one is accepted */
	{ { GUARD_CLASSED }, WAY_OUT },
	{ { GUARD_CLASSED }, WAY_IN },
};
/* the two with a hook */
static const struct chain_row *const base_chains[WAYS] = { [WAY_OUT] = &chains[0], [WAY_IN] = &chains[1] };
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
/* the whole Ethernet header at once: to one machine, and of this type */
#define TO_ONE(...) { .load = { { NFT_LINK, 0, 14 } }, .test = NFT_IS, \
	.mask = { 1, [12] = 0xff, 0xff }, .value = { [12] = __VA_ARGS__ } }
#define LATER_FRAGMENT4 { .load = { { NFT_NETWORK, 6, 2 } }, .test = NFT_IS_NOT, .mask = { 0x1f, 0xff } }
#define LATER_FRAGMENT6 { .load = { { NFT_FRAGMENT, 2, 2 } }, .test = NFT_IS_NOT, .mask = { 0xff, 0xf8 } }

#define ANY { .load = { { NFT_NOTHING } } }
#define DROP .verdict = NFT_DROP_IT
#define RETURN .verdict = NFT_RETURN_NOW
#define JUMP(chain) .verdict = NFT_JUMP_TO, .to = chain
#define GOTO(chain) .verdict = NFT_GO_TO, .to = chain
#define PASS GOTO("passed")
#define MINE(field, name) { .load = { { IN_NAME }, { field } }, .test = NFT_IN, .set = (name) }
#define NOT_MINE(field, name) { .load = { { IN_NAME }, { field } }, .test = NFT_NOT_IN, .set = (name) }
#define NOT_MY_MAC(...) { .load = { { IN_NAME }, { __VA_ARGS__ } }, .test = NFT_NOT_IN, .set = "mac" }, \
	{ .load = { { IN_NAME } }, .test = NFT_NOT_IN, .set = "any-mac" }
/* the source is the port's own: the packet is counted by what it is found with */
#define FROM_OWN4 .objects = "own4", .by = { { IN_NAME }, { ETHER_SOURCE }, { IP_SOURCE } }, GOTO(GUARD_CLASSED)
#define FROM_OWN6 .objects = "own6", .by = { { IN_NAME }, { ETHER_SOURCE }, { IP6_SOURCE } }, GOTO(GUARD_CLASSED)
#define NO_DHCP { .load = { { SOURCE_PORT } }, .test = NFT_IS_ABOVE, .value = { 2, 35 } }, \
	{ .load = { { DEST_PORT } }, .test = NFT_IS_ABOVE, .value = { 2, 35 } }
#define ROUTED { .load = { { IN_NAME } }, .test = NFT_IN, .set = "routed" }
#define ANY_IP { .load = { { IN_NAME } }, .test = NFT_IN, .set = "any-ip" }
#define OVER(limits, key) .objects = (limits), .by = { { key } }
#define COUNT(counters, key) .objects = (counters), .by = { { key } }

static const struct nft_rule out_rules[] = {
	/* a tag stands where the type is looked for: it is an unknown type */
	{ "from", { TO_ONE(0x08, 0x00) }, GOTO("v4") },
	{ "from", { TO_ONE(0x86, 0xdd) }, GOTO("v6") },
	{ "from", { GROUP_BIT }, OVER("flood", IN_NAME), DROP },
	{ "from", { IS(ETHER_TYPE, 0x08, 0x00) }, GOTO("v4") },
	{ "from", { IS(ETHER_TYPE, 0x86, 0xdd) }, GOTO("v6") },
	{ "from", { NOT_MY_MAC(ETHER_SOURCE) }, DROP },
	{ "from", { IS(ETHER_TYPE, 0x08, 0x06) }, GOTO("arp") },
	{ "from", { IS(ETHER_TYPE, 0x80, 0x35) }, GOTO("rarp") },
	{ "from", { ANY }, DROP },

	/* what most packets are takes one lookup, which counts it, too */
	{ "v4", { PROTO(IPPROTO_TCP) }, FROM_OWN4 },
	{ "v4", { PROTO(IPPROTO_UDP), NO_DHCP }, FROM_OWN4 },
	{ "v4", { PROTO(IPPROTO_ICMP), TYPE_MASKED(0xf7, 0) }, FROM_OWN4 },		/* echo, and the reply */
	{ "v4", { NOT_MY_MAC(ETHER_SOURCE) }, DROP },
	{ "v4", { NOT_MINE(IP_SOURCE, "v4"), NOT_IN(IN_NAME, "any-ip") }, GOTO("dhcp") },
	{ "v4", { ANY }, GOTO("v4own") },

	{ "v4own", { PROTO(IPPROTO_TCP) }, PASS },
	/* nft(8) would read its data as a header; it is worth nothing without the first one */
	{ "v4own", { LATER_FRAGMENT4 }, PASS },
	{ "v4own", { PROTO(IPPROTO_UDP), IS(PORTS, 0, 68, 0, 67), IN_MAP(IN_NAME, "dhcp") }, GOTO("renew") },
	{ "v4own", { PROTO(IPPROTO_UDP) }, JUMP("udp") },
	{ "v4own", { PROTO(IPPROTO_IGMP), IS(ICMP_TYPE, 0x11) }, DROP },	/* query: a router's */
	{ "v4own", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 5) }, DROP },		/* redirect */
	{ "v4own", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 9) }, DROP },		/* router advertisement */
	{ "v4own", { ANY }, PASS },

	/* a client without address, from 68 to 67 of everybody: what has one here is told so, others
	 * may ask the network */
	{ "dhcp", { IS(IP_BOTH, 0, 0, 0, 0, 255, 255, 255, 255), PROTO(IPPROTO_UDP),
		    IS(PORTS, 0, 68, 0, 67), IN_MAP(IN_NAME, "dhcp") }, GOTO("ask") },
	{ "dhcp", { IS(IP_BOTH, 0, 0, 0, 0, 255, 255, 255, 255), PROTO(IPPROTO_UDP),
		    IS(PORTS, 0, 68, 0, 67) }, PASS },
	{ "dhcp", { ANY }, DROP },

	/* nobody here serves DHCP */
	{ "udp", { IS(SOURCE_PORT, 0, 67) }, DROP },
	{ "udp", { IS(DEST_PORT, 0, 68) }, DROP },
	{ "udp", { IS(SOURCE_PORT, 2, 35) }, DROP },	/* 547 */
	{ "udp", { IS(DEST_PORT, 2, 34) }, DROP },		/* 546 */

	{ "v6", { PROTO(IPPROTO_TCP) }, FROM_OWN6 },
	{ "v6", { PROTO(IPPROTO_UDP), NO_DHCP }, FROM_OWN6 },
	{ "v6", { PROTO(IPPROTO_ICMPV6), TYPE_MASKED(0xfe, 128) }, FROM_OWN6 },
	{ "v6", { NOT_MY_MAC(ETHER_SOURCE) }, DROP },
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
	{ "passed", { ANY }, COUNT("out", IN_NAME), GOTO(GUARD_CLASSED) },
	{ "passed", { ANY }, OVER("pps-out", IN_NAME), DROP },
	{ "passed", { ANY }, COUNT("paced-out", IN_NAME), JUMP(GUARD_CLASSED) },
	{ "passed", { ANY }, .verdict = NFT_FORWARD, .to = "ifb", .by = { { IN_NAME } } },
};

static const struct nft_rule in_rules[] = {
	{ "to", { ANY }, COUNT("in", OUT_NAME), GOTO(GUARD_CLASSED) },
	{ "to", { ANY }, OVER("pps-in", OUT_NAME), DROP },
	{ "to", { ANY }, COUNT("paced-in", OUT_NAME), GOTO(GUARD_CLASSED) },
};
/* clang-format on */

/* --- what is in the tables --- */

void guard_rules_add_device(struct nft *nft, const struct nft_table tables[WAYS],
			    const char *device)
{
	for (size_t way = 0; way < WAYS; way++)
		nft_add_chain(nft, &tables[way], &base_chains[way]->chain, device);
}

void guard_rules_drop_device(struct nft *nft, const struct nft_table tables[WAYS],
			     const char *device)
{
	for (size_t way = 0; way < WAYS; way++)
		nft_leave_chain(nft, &tables[way], &base_chains[way]->chain, device);
}

void guard_rules_add(struct nft *nft, const struct nft_table tables[WAYS], const char *device)
{
	if (device)
		guard_rules_add_device(nft, tables, device);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (!chains[i].chain.type)
			nft_add_chain(nft, &tables[chains[i].way], &chains[i].chain, NULL);
	guard_dhcp_add(nft, &tables[WAY_OUT]);
	for (size_t i = 0; i < ARRAY_SIZE(out_rules); i++)
		nft_add_rule(nft, &tables[WAY_OUT], &out_rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(in_rules); i++)
		nft_add_rule(nft, &tables[WAY_IN], &in_rules[i]);
}

struct err *guard_rules_check(struct nft *nft, const struct nft_table tables[WAYS], bool *ret_whole)
{
	*ret_whole = true;
	for (size_t way = 0; way < WAYS && *ret_whole; way++)
		TRY(nft_has_rules(nft, &tables[way], base_chains[way]->chain.name, ret_whole));
	return NULL;
}
