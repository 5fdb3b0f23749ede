/*
 * DHCP without a server: a port's question is made its own answer where it stands, and sent back.
 * A container needs no DHCP, its addresses are there; one whose system asks all the same is told
 * what it has. Nothing runs for it, and no question leaves the port. Rests on RFC 2131, 2132, 3442.
 *
 * The answer has the question's length, so what it says lies at fixed places: every client's first
 * option is the kind of message, and is overwritten with
 *
 *   kind | facts: lease time, server, mask, MTU, router, routes, name servers | end
 *
 * A question too short for all of it is told up to the router. An option that does not apply is
 * made of pads. The facts of each port lie in the map "dhcp", behind its address. Many kernels know
 * no place above 255 to write to: all facts are one write.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "netns/guard_port.h"
#include "netns/port.h"

/* --- the facts --- */

enum option {
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_NAME_SERVERS = 6,
	OPTION_MTU = 26,
	OPTION_LEASE = 51,
	OPTION_SERVER = 54,
	OPTION_ROUTES = 121,
	OPTION_END = 255
};

/* In the map's value. */
enum place {
	AT_ADDRESS = 0,
	AT_LEASE = 4,
	AT_SERVER = AT_LEASE + 6,
	AT_MASK = AT_SERVER + 6,
	AT_MTU = AT_MASK + 6,
	AT_ROUTER = AT_MTU + 4,
	AT_ROUTES = AT_ROUTER + 6,
	AT_NAME_SERVERS = AT_ROUTES + 16,
	AT_END = AT_NAME_SERVERS + 2 + 4 * NET_DHCP_DNS_MAX
};
#define FACTS_BYTES (AT_END + 1 - AT_LEASE)
#define FEW_FACTS_BYTES (AT_ROUTES + 1 - AT_LEASE) /* and the end */
#define LEASE_S 3600
_Static_assert(AT_END < NFT_BYTES, "the map's value has no room for the facts");

static void put(uint8_t *value, enum place at, enum option option, const void *data, size_t len)
{
	value[at] = (uint8_t)option;
	value[at + 1] = (uint8_t)len;
	memcpy(value + at + 2, data, len);
}

/* A host route has no network that the router is in: the way to it is told, too. */
static void put_router(uint8_t *value, const struct net_addr *router, bool is_routed)
{
	uint8_t routes[] = { 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	if (router->family != AF_INET)
		return;
	put(value, AT_ROUTER, OPTION_ROUTER, router->bytes, 4);
	if (!is_routed)
		return;
	memcpy(routes + 1, router->bytes, 4);
	memcpy(routes + 10, router->bytes, 4);
	put(value, AT_ROUTES, OPTION_ROUTES, routes, sizeof(routes));
}

static void put_name_servers(uint8_t *value, const struct net_guard *guard)
{
	uint8_t servers[4 * NET_DHCP_DNS_MAX];
	size_t len = 0;

	for (size_t i = 0; i < guard->dns_count && len < sizeof(servers); i++) {
		if (guard->dns[i].family != AF_INET)
			continue;
		memcpy(servers + len, guard->dns[i].bytes, 4);
		len += 4;
	}
	if (len)
		put(value, AT_NAME_SERVERS, OPTION_NAME_SERVERS, servers, len);
}

static const struct net_addr *first_addr4(const struct net_guard *guard)
{
	for (size_t i = 0; i < guard->addr_count; i++)
		if (guard->addrs[i].family == AF_INET)
			return &guard->addrs[i];
	return NULL;
}

bool guard_dhcp_facts(const struct net_guard *guard, uint8_t ret_value[NFT_BYTES])
{
	const struct net_addr *addr = first_addr4(guard);
	bool is_routed = !(guard->flags & NET_GUARD_BRIDGED);
	uint32_t bits = addr && !is_routed ? addr->prefix : 32;
	uint32_t mask = htonl(bits ? UINT32_MAX << (32 - bits) : 0), lease = htonl(LEASE_S);
	uint8_t mtu[] = { (uint8_t)(guard->mtu >> 8), (uint8_t)guard->mtu };

	if (!addr)
		return false;
	memset(ret_value, 0, NFT_BYTES);
	memcpy(ret_value + AT_ADDRESS, addr->bytes, 4);
	put(ret_value, AT_LEASE, OPTION_LEASE, &lease, 4);
	put(ret_value, AT_SERVER, OPTION_SERVER, router_gateway4.bytes, 4);
	put(ret_value, AT_MASK, OPTION_MASK, &mask, 4);
	if (guard->mtu && guard->mtu <= UINT16_MAX)
		put(ret_value, AT_MTU, OPTION_MTU, mtu, 2);
	put_router(ret_value, is_routed ? &router_gateway4 : &guard->router4, is_routed);
	put_name_servers(ret_value, guard);
	ret_value[AT_END] = OPTION_END;
	return true;
}

/* --- the rules --- */

#define UDP_BYTES 8
#define SERVER 169, 254, 1, 1 /* router_gateway4 */
#define MESSAGE_AT(offset) (UDP_BYTES + (offset))
#define COOKIE_AT MESSAGE_AT(236)
#define OPTIONS_AT MESSAGE_AT(240)
#define FACTS_AT (OPTIONS_AT + 3)
#define YOUR_ADDRESS NFT_TRANSPORT, MESSAGE_AT(16), 4

/* clang-format off */
#define ANY { .load = { { NFT_NOTHING } } }
#define DROP .verdict = NFT_DROP_IT
#define GOTO(chain) .verdict = NFT_GO_TO, .to = (chain)
/* a message with the cookie, whose first option is its kind */
#define COOKIE_AND_KIND NFT_TRANSPORT, COOKIE_AT, 7
#define KIND(number) IS(COOKIE_AND_KIND, 99, 130, 83, 99, 53, 1, number)
#define WRITE(base, at, ...) { .to = { base, at, sizeof((uint8_t[]){ __VA_ARGS__ }) }, .value = { __VA_ARGS__ } }
#define SAY_OFFER WRITE(NFT_TRANSPORT, OPTIONS_AT + 2, 2)
#define SAY_ACK WRITE(NFT_TRANSPORT, OPTIONS_AT + 2, 5)
#define TO_SENDER { .to = { IP_DEST }, .copy = { IP_SOURCE } }

static const struct nft_chain chains[] = { { "ask" }, { "renew" }, { "lease" }, { "facts" }, { "more" }, { "reply" } };

static const struct nft_rule rules[] = {
	/* from a client without address, to everybody; so is the answer */
	{ "ask", { KIND(1) }, .writes = { SAY_OFFER }, GOTO("lease") },		/* DISCOVER */
	{ "ask", { KIND(3) }, .writes = { SAY_ACK }, GOTO("lease") },		/* REQUEST */
	{ "ask", { ANY }, DROP },						/* DECLINE */
	/* from its address, to any: the answer goes to the address */
	{ "renew", { KIND(3) }, .writes = { SAY_ACK, TO_SENDER }, GOTO("lease") },
	{ "renew", { KIND(8) }, .writes = { SAY_ACK, TO_SENDER, WRITE(NFT_TRANSPORT, MESSAGE_AT(16), 0, 0, 0, 0) }, GOTO("facts") },	/* INFORM */
	{ "renew", { ANY }, DROP },						/* RELEASE */

	{ "lease", { ANY }, .writes = { { .to = { YOUR_ADDRESS }, .map = "dhcp", .map_at = AT_ADDRESS } }, GOTO("facts") },
	{ "lease", { ANY }, DROP },

	{ "facts", { ANY }, .writes = { { .to = { NFT_TRANSPORT, FACTS_AT, FEW_FACTS_BYTES }, .map = "dhcp",
		.map_at = AT_LEASE, .end_at = AT_ROUTES, .value = { OPTION_END } } }, GOTO("more") },
	{ "facts", { ANY }, DROP },
	{ "more", { ANY }, .writes = { { .to = { NFT_TRANSPORT, FACTS_AT, FACTS_BYTES }, .map = "dhcp", .map_at = AT_LEASE } } },
	/* INFORM has no lease */
	{ "more", { IS(YOUR_ADDRESS, 0, 0, 0, 0) }, .writes = { WRITE(NFT_TRANSPORT, FACTS_AT, 0, 0, 0, 0, 0, 0) } },
	{ "more", { ANY }, GOTO("reply") },

	{ "reply", { ANY }, .objects = "flood", .by = { { IN_NAME } }, DROP },
	{ "reply", { ANY }, .writes = {
		WRITE(NFT_TRANSPORT, 0, 0, 67, 0, 68),
		WRITE(NFT_TRANSPORT, 6, 0, 0),		/* no checksum: RFC 768 */
		WRITE(NFT_TRANSPORT, MESSAGE_AT(0), 2),	/* a reply */
		WRITE(NFT_NETWORK, 12, SERVER),
		{ .to = { NFT_LINK, 0, 6 }, .copy = { ETHER_SOURCE } },
		WRITE(NFT_LINK, 6, 0xfe, 0xce, 0x11, 0xa0, 0, 1) }, .verdict = NFT_SEND_BACK },
	{ "reply", { ANY }, DROP },
};
/* clang-format on */

void guard_dhcp_add(struct nft *nft, const struct nft_table *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		nft_add_chain(nft, table, &chains[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		nft_add_rule(nft, table, &rules[i]);
}
