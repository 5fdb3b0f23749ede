/*
 * What ports have to do with each other and with the host: "inet cella" for what the host routes or
 * gets itself, "bridge cella" for what its bridges pass on. A few rules over sets; each element
 * says whose it is. No connection is tracked unless a port is behind NAT: a tenant that opens many
 * would use up the host's table. So replies are known by their looks: TCP by its flags, UDP because
 * the host sent there a moment ago.
 */
#include "netns/guard_port.h"

#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define REPLY_S 30

enum part { ALWAYS, NAT };

static const struct nft_table tables[] = {
	{ NFPROTO_INET, "cella" },
	{ NFPROTO_BRIDGE, "cella" },
};
#define INET (&tables[0])
#define BRIDGE (&tables[1])

/* clang-format off */
static const struct chain_row {
	struct nft_chain chain;
	enum part part;
} chains[] = {
	{ { "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER }, ALWAYS },
	{ { "input", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER }, ALWAYS },
	{ { "output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER }, ALWAYS },
	{ { "from-port" }, ALWAYS },
	{ { "tenant" }, ALWAYS },
	{ { "tenant-udp" }, ALWAYS },
	{ { "tenant-icmp6" }, ALWAYS },
	{ { "question" }, ALWAYS },
	{ { "publish", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST }, NAT },
	{ { "publish-here", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST }, NAT },
	{ { "masquerade", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC }, NAT },
};

static const struct nft_chain bridge_chain = { "forward", "filter", NF_BR_FORWARD, NF_BR_PRI_FILTER_BRIDGED };

static const struct set_row {
	struct nft_set set;
	enum part part;
	bool of_bridge; /* in "bridge cella", too */
} sets[] = {
	{ { .name = "ports", .key = { NFT_TYPE_IFNAME } }, ALWAYS, true },
	{ { .name = "peers", .key = { NFT_TYPE_IFNAME, NFT_TYPE_IFNAME } }, ALWAYS, true },
	/* of bridged ports: what comes from them comes in by the bridge */
	{ { .name = "macs", .key = { NFT_TYPE_ETHER } }, ALWAYS },
	{ { .name = "bridged4", .key = { NFT_TYPE_IPV4 } }, ALWAYS },
	{ { .name = "bridged6", .key = { NFT_TYPE_IPV6 } }, ALWAYS },
	{ { .name = "services", .key = { NFT_TYPE_PROTO, NFT_TYPE_PORT } }, ALWAYS },
	{ { .name = "asked4", .key = { NFT_TYPE_IPV4, NFT_TYPE_PORT, NFT_TYPE_PORT }, .size = 65535, .timeout_s = REPLY_S }, ALWAYS },
	{ { .name = "asked6", .key = { NFT_TYPE_IPV6, NFT_TYPE_PORT, NFT_TYPE_PORT }, .size = 65535, .timeout_s = REPLY_S }, ALWAYS },
	{ { .name = "nat4", .key = { NFT_TYPE_IPV4 } }, NAT },
	{ { .name = "nat6", .key = { NFT_TYPE_IPV6 } }, NAT },
	{ { .name = "publish4", .key = { NFT_TYPE_PROTO, NFT_TYPE_PORT }, .data = { NFT_TYPE_IPV4, NFT_TYPE_PORT } }, NAT },
	{ { .name = "publish6", .key = { NFT_TYPE_PROTO, NFT_TYPE_PORT }, .data = { NFT_TYPE_IPV6, NFT_TYPE_PORT } }, NAT },
};

#define ACCEPT .verdict = NFT_ACCEPT_IT
#define DROP .verdict = NFT_DROP_IT
#define GOTO(chain) .verdict = NFT_GO_TO, .to = (chain)
#define REMEMBER(set, family) .verdict = NFT_REMEMBER, .to = (set), .number = (family)
#define DNAT(map, family) .verdict = NFT_DNAT_BY, .to = (map), .number = (family)
#define ANY { .load = { { NFT_NOTHING } } }
#define V4 IS(NF_PROTO, NFPROTO_IPV4)
#define V6 IS(NF_PROTO, NFPROTO_IPV6)
#define NOT_PEERS { .load = { { IN_NAME }, { OUT_NAME } }, .test = NFT_NOT_IN, .set = "peers" }
#define SERVICE { .load = { { L4_PROTO }, { DEST_PORT } }, .test = NFT_IN, .set = "services" }
#define REPLY4 { .load = { { IP_SOURCE }, { SOURCE_PORT }, { DEST_PORT } }, .test = NFT_IN, .set = "asked4" }
#define REPLY6 { .load = { { IP6_SOURCE }, { SOURCE_PORT }, { DEST_PORT } }, .test = NFT_IN, .set = "asked6" }
/* SYN without ACK begins a connection; without either nothing begins */
#define NO_NEW_TCP { .load = { { NFT_TRANSPORT, 13, 1 } }, .test = NFT_IS_NOT, .mask = { 0x12 }, .value = { 0x02 } }
#define ICMP6_ECHO { .load = { { ICMP_TYPE } }, .test = NFT_IS, .mask = { 0xfe }, .value = { 128 } }
#define ICMP6_ERROR { .load = { { ICMP_TYPE } }, .test = NFT_IS, .mask = { 0xf8 }, .value = { 0 } }
#define TO_HERE { .load = { { NFT_TARGET, 0, 4 } }, .test = NFT_IS, .value = { RTN_LOCAL } } /* little endian */

static const struct rule_row {
	struct nft_rule rule;
	enum part part;
} rules[] = {
	/* a look into a set is what costs most: each packet takes few of them */
	{ { "forward", { IN(IN_NAME, "ports") }, GOTO("from-port") } },
	{ { "forward", { IN(OUT_NAME, "ports"), IN(ETHER_SOURCE, "macs") }, DROP } },
	{ { "from-port", { IN(OUT_NAME, "ports"), NOT_PEERS }, DROP } },
	{ { "from-port", { V4, IN(IP_DEST, "bridged4") }, DROP } },
	{ { "from-port", { V6, IN(IP6_DEST, "bridged6") }, DROP } },

	{ { "input", { IN(IN_NAME, "ports") }, GOTO("tenant") } },
	{ { "input", { IN(ETHER_SOURCE, "macs") }, GOTO("tenant") } },
	{ { "tenant", { PROTO(IPPROTO_TCP), NO_NEW_TCP }, ACCEPT } },
	{ { "tenant", { PROTO(IPPROTO_UDP) }, GOTO("tenant-udp") } },
	{ { "tenant", { PROTO(IPPROTO_ICMPV6) }, GOTO("tenant-icmp6") } },
	{ { "tenant", { SERVICE }, ACCEPT } },
	{ { "tenant", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 8) }, ACCEPT } },		/* echo request */
	{ { "tenant", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 0) }, ACCEPT } },		/* and reply */
	{ { "tenant", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 3) }, ACCEPT } },		/* errors */
	{ { "tenant", { PROTO(IPPROTO_ICMP), IS(ICMP_TYPE, 11) }, ACCEPT } },
	{ { "tenant", { ANY }, DROP } },
	{ { "tenant-udp", { V4, REPLY4 }, ACCEPT } },
	{ { "tenant-udp", { V6, REPLY6 }, ACCEPT } },
	{ { "tenant-udp", { SERVICE }, ACCEPT } },
	{ { "tenant-udp", { ANY }, DROP } },
	{ { "tenant-icmp6", { ICMP6_ECHO }, ACCEPT } },
	{ { "tenant-icmp6", { ICMP6_ERROR }, ACCEPT } },
	{ { "tenant-icmp6", { IS(ICMP_TYPE, 135) }, ACCEPT } },				/* neighbours */
	{ { "tenant-icmp6", { IS(ICMP_TYPE, 136) }, ACCEPT } },
	{ { "tenant-icmp6", { ANY }, DROP } },
	{ { "output", { IS_NOT(L4_PROTO, IPPROTO_UDP) }, ACCEPT } },
	{ { "output", { IN(OUT_NAME, "ports") }, GOTO("question") } },
	{ { "output", { V4, IN(IP_DEST, "bridged4") }, REMEMBER("asked4", NFPROTO_IPV4) } },
	{ { "output", { V6, IN(IP6_DEST, "bridged6") }, REMEMBER("asked6", NFPROTO_IPV6) } },
	{ { "question", { V4 }, REMEMBER("asked4", NFPROTO_IPV4) } },
	{ { "question", { V6 }, REMEMBER("asked6", NFPROTO_IPV6) } },

	{ { "publish", { V4, TO_HERE }, DNAT("publish4", NFPROTO_IPV4) }, NAT },
	{ { "publish", { V6, TO_HERE }, DNAT("publish6", NFPROTO_IPV6) }, NAT },
	{ { "publish-here", { V4, TO_HERE }, DNAT("publish4", NFPROTO_IPV4) }, NAT },
	{ { "publish-here", { V6, TO_HERE }, DNAT("publish6", NFPROTO_IPV6) }, NAT },
	{ { "masquerade", { V4, IN(IP_SOURCE, "nat4"), NOT_IN(OUT_NAME, "ports") }, .verdict = NFT_MASQUERADE }, NAT },
	{ { "masquerade", { V6, IN(IP6_SOURCE, "nat6"), NOT_IN(OUT_NAME, "ports") }, .verdict = NFT_MASQUERADE }, NAT },
};

static const struct nft_rule bridge_rule = {
	"forward", { IN(IN_NAME, "ports"), IN(OUT_NAME, "ports"), NOT_PEERS }, DROP
};
/* clang-format on */

/* --- the tables --- */

static void make_part(struct nft *nft, enum part part)
{
	nft_add_table(nft, INET);
	if (part == ALWAYS)
		guard_version_add(nft, INET);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (sets[i].part == part)
			nft_add_set(nft, INET, &sets[i].set);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (chains[i].part == part)
			nft_add_chain(nft, INET, &chains[i].chain, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].part == part)
			nft_add_rule(nft, INET, &rules[i].rule);
}

static void make_bridge(struct nft *nft)
{
	nft_add_table(nft, BRIDGE);
	guard_version_add(nft, BRIDGE);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (sets[i].of_bridge)
			nft_add_set(nft, BRIDGE, &sets[i].set);
	nft_add_chain(nft, BRIDGE, &bridge_chain, NULL);
	nft_add_rule(nft, BRIDGE, &bridge_rule);
}

/* A part that is there already is left as it is: its rules never change, only elements do. */
static struct err *add_part(struct nft *nft, enum part part, const char *probe)
{
	bool has;

	TRY(nft_has_chain(nft, INET, probe, &has));
	if (!has)
		make_part(nft, part);
	return NULL;
}

static struct err *add_bridge(struct nft *nft)
{
	bool has;

	TRY(nft_has_chain(nft, BRIDGE, bridge_chain.name, &has));
	if (!has)
		make_bridge(nft);
	return NULL;
}

/* --- elements --- */

static void add_peers(struct nft *nft, const struct nft_table *table, const struct net_guard *guard)
{
	struct nft_element port = { .owner = guard->host_name };

	nft_key_add(&port.key, NFT_TYPE_IFNAME, guard->host_name);
	nft_add_element(nft, table, "ports", &port);
	for (size_t i = 0; i < guard->peer_count; i++) {
		struct nft_element there = { .owner = guard->host_name };
		struct nft_element back = { .owner = guard->host_name };

		nft_key_add(&there.key, NFT_TYPE_IFNAME, guard->host_name);
		nft_key_add(&there.key, NFT_TYPE_IFNAME, guard->peers[i]);
		nft_key_add(&back.key, NFT_TYPE_IFNAME, guard->peers[i]);
		nft_key_add(&back.key, NFT_TYPE_IFNAME, guard->host_name);
		nft_add_element(nft, table, "peers", &there);
		nft_add_element(nft, table, "peers", &back);
	}
}

static void add_addrs(struct nft *nft, const struct net_guard *guard, const char *set4,
		      const char *set6)
{
	for (size_t i = 0; i < guard->addr_count; i++) {
		bool is_v4 = guard->addrs[i].family == AF_INET;
		struct nft_element element = { .owner = guard->host_name };

		nft_key_add(&element.key, is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6,
			    guard->addrs[i].bytes);
		nft_add_element(nft, INET, is_v4 ? set4 : set6, &element);
	}
}

static void add_publish(struct nft *nft, const struct net_guard *guard)
{
	for (size_t i = 0; i < guard->publish_count; i++) {
		const struct net_publish *row = &guard->publish[i];
		bool is_v4 = row->addr.family == AF_INET;
		uint16_t host_port = htons(row->host_port), port = htons(row->port);
		struct nft_element element = { .owner = guard->host_name };

		nft_key_add(&element.key, NFT_TYPE_PROTO, &row->proto);
		nft_key_add(&element.key, NFT_TYPE_PORT, &host_port);
		nft_key_add(&element.data, is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, row->addr.bytes);
		nft_key_add(&element.data, NFT_TYPE_PORT, &port);
		nft_add_element(nft, INET, is_v4 ? "publish4" : "publish6", &element);
	}
}

/* All that a port has here. */
static void add_elements(struct nft *nft, const struct net_guard *guard)
{
	struct nft_element mac = { .owner = guard->host_name };

	add_peers(nft, INET, guard);
	if (guard->flags & NET_GUARD_BRIDGED) {
		if (!(guard->flags & NET_GUARD_OPEN))
			add_peers(nft, BRIDGE, guard);
		nft_key_add(&mac.key, NFT_TYPE_ETHER, guard->mac);
		nft_add_element(nft, INET, "macs", &mac);
		add_addrs(nft, guard, "bridged4", "bridged6");
	}
	if (guard->flags & NET_GUARD_NAT) {
		add_addrs(nft, guard, "nat4", "nat6");
		add_publish(nft, guard);
	}
}

static const struct nft_set *const peers = &sets[1].set;
/* each port is in this one, once */
#define EACH_PORT 0

/* What a port has in the sets from this one on; what times out is nobody's, and may be much. */
static struct err *delete_elements(struct nft *nft, const struct nft_table *table,
				   const char *owner, size_t from)
{
	for (size_t i = from; i < ARRAY_SIZE(sets); i++) {
		size_t left;

		if (!sets[i].set.timeout_s && (table != BRIDGE || sets[i].of_bridge))
			TRY(nft_delete_owned(nft, table, &sets[i].set, owner, &left));
	}
	return NULL;
}

struct err *guard_host_set(struct nft *nft, const struct net_guard *guard, bool was_there)
{
	size_t left;

	TRY(add_part(nft, ALWAYS, "forward"));
	if (guard->flags & NET_GUARD_NAT)
		TRY(add_part(nft, NAT, "masquerade"));
	if (guard->flags & NET_GUARD_BRIDGED)
		TRY(add_bridge(nft));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (was_there)
			TRY(delete_elements(nft, &tables[i], guard->host_name, EACH_PORT));
		else
			TRY(nft_delete_owned(nft, &tables[i], peers, guard->host_name, &left));
	}
	add_elements(nft, guard);
	return NULL;
}

struct err *guard_host_check(struct nft *nft, const struct net_port *port, bool *ret_whole)
{
	bool in_bridge = port->mode == NET_BRIDGED && !(port->flags & NET_PORT_OPEN);
	struct nft_key key = { 0 };

	nft_key_add(&key, NFT_TYPE_IFNAME, port->host_name);
	TRY(nft_has_element(nft, INET, "ports", &key, ret_whole));
	return *ret_whole && in_bridge ? nft_has_element(nft, BRIDGE, "ports", &key, ret_whole) :
					 NULL;
}

struct err *guard_host_remove(struct nft *nft, const char *host_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t handle;
		size_t left;

		TRY(nft_find_table(nft, &tables[i], &handle));
		if (!handle)
			continue;
		TRY(nft_delete_owned(nft, &tables[i], &sets[EACH_PORT].set, host_name, &left));
		if (left == 0) /* and what it has in the other sets */
			nft_delete_table(nft, &tables[i]);
		else
			TRY(delete_elements(nft, &tables[i], host_name, EACH_PORT + 1));
	}
	return NULL;
}

/* --- tables of another version --- */

struct err *guard_host_is_current(struct nft *nft, bool *ret_current)
{
	*ret_current = true;
	for (size_t i = 0; i < ARRAY_SIZE(tables) && *ret_current; i++)
		TRY(guard_version_check(nft, &tables[i], ret_current));
	return NULL;
}

struct err *guard_host_names(struct nft *nft, struct strlist *names)
{
	return nft_read_ifnames(nft, INET, "ports", names);
}

/* Has a member the flag? *had: it was needed before. */
static bool is_needed(const struct guard_member *members, size_t count, unsigned int flag, bool had)
{
	for (size_t i = 0; i < count && !had; i++)
		had = members[i].guard && members[i].guard->flags & flag;
	return had;
}

struct err *guard_host_renew(struct nft *nft, const struct guard_member *members, size_t count)
{
	bool had_nat, had_bridge;

	TRY(nft_has_chain(nft, INET, "masquerade", &had_nat));
	TRY(nft_has_chain(nft, BRIDGE, bridge_chain.name, &had_bridge));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t handle;

		TRY(nft_find_table(nft, &tables[i], &handle));
		if (handle)
			TRY(nft_empty_table(nft, &tables[i]));
	}
	make_part(nft, ALWAYS);
	if (is_needed(members, count, NET_GUARD_NAT, had_nat))
		make_part(nft, NAT);
	if (is_needed(members, count, NET_GUARD_BRIDGED, had_bridge))
		make_bridge(nft);
	for (size_t i = 0; i < count; i++)
		if (members[i].guard)
			add_elements(nft, members[i].guard);
	return NULL;
}

void guard_host_fill_services(struct nft *nft, const struct net_service *services, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct nft_element element = { 0 };
		uint16_t port = htons(services[i].port);

		nft_key_add(&element.key, NFT_TYPE_PROTO, &services[i].proto);
		nft_key_add(&element.key, NFT_TYPE_PORT, &port);
		nft_add_element(nft, INET, "services", &element);
	}
}

struct err *guard_host_services(struct nft *nft, const struct net_service *services, size_t count)
{
	TRY(add_part(nft, ALWAYS, "forward"));
	nft_flush_set(nft, INET, "services");
	guard_host_fill_services(nft, services, count);
	return NULL;
}
