/* Addresses as text and bytes; pure, no kernel is asked. See netns.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "netns/netns.h"

static size_t addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

static uint32_t v4_host_order(const struct net_addr *addr)
{
	uint32_t value;

	memcpy(&value, addr->bytes, sizeof(value));
	return ntohl(value);
}

/* Whose address it shall be. */
enum purpose { CONTAINER = 0, SERVER = 1, GATEWAY = 2 };

/* Address blocks, as IANA's special-purpose registries list them. */
static const struct v4_block {
	uint32_t first, mask;
	const char *why;
	unsigned int good_for; /* purposes */
} v4_blocks[] = {
	{ 0x00000000, 0xff000000, "is in 0.0.0.0/8 (this network)", 0 },
	{ 0x7f000000, 0xff000000, "is a loopback address", SERVER },
	{ 0xa9fe0000, 0xffff0000, "is a link-local address", SERVER | GATEWAY },
	{ 0xe0000000, 0xf0000000, "is a multicast address", 0 },
	{ 0xf0000000, 0xf0000000, "is in the reserved block 240.0.0.0/4", 0 },
};

static const struct v6_block {
	uint8_t first[16], prefix;
	const char *why;
	unsigned int good_for;
} v6_blocks[] = {
	{ { 0 }, 128, "is the unspecified address", 0 },
	{ { [15] = 1 }, 128, "is the loopback address", SERVER },
	{ { [10] = 0xff, 0xff }, 96, "is an IPv4-mapped address", 0 },
	{ { 0xfe, 0x80 }, 10, "is a link-local address", GATEWAY },
	{ { 0xff }, 8, "is a multicast address", 0 },
};

static bool prefix_match(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

static const char *why_refused(const struct net_addr *addr, enum purpose purpose)
{
	if (addr->family == AF_INET) {
		for (size_t i = 0; i < ARRAY_SIZE(v4_blocks); i++)
			if ((v4_host_order(addr) & v4_blocks[i].mask) == v4_blocks[i].first &&
			    !(purpose & v4_blocks[i].good_for))
				return v4_blocks[i].why;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(v6_blocks); i++)
		if (prefix_match(addr->bytes, v6_blocks[i].first, v6_blocks[i].prefix) &&
		    !(purpose & v6_blocks[i].good_for))
			return v6_blocks[i].why;
	return NULL;
}

/* "255.255.255.0" to 24; false for a mask with holes. */
static bool mask_bits(const char *text, uint8_t *ret_bits)
{
	struct in_addr mask;
	uint32_t value;
	uint8_t bits = 0;

	if (inet_pton(AF_INET, text, &mask) != 1)
		return false;
	value = ntohl(mask.s_addr);
	while (bits < 32 && (value & (UINT32_C(0x80000000) >> bits)))
		bits++;
	if (bits < 32 && value << bits)
		return false;
	*ret_bits = bits;
	return true;
}

static struct err *parse_prefix(const char *what, const char *text, int family, uint8_t *ret_bits)
{
	uint64_t bits;

	if (family == AF_INET && strchr(text, '.')) {
		if (mask_bits(text, ret_bits) && *ret_bits > 0)
			return NULL;
		return err_new(ERR_INVALID, "%s: '%.40s' is not a network mask", what, text);
	}
	TRY(parse_u64(what, text, 1, addr_len(family) * 8, &bits));
	*ret_bits = (uint8_t)bits;
	return NULL;
}

/* Only what inet_pton accepts, which is strict; its length is bounded before anything is copied. */
static struct err *parse_bytes_of(const char *what, const char *text, size_t len,
				  struct net_addr *ret)
{
	char host[INET6_ADDRSTRLEN + 1];

	if (len == 0 || len >= sizeof(host))
		return err_new(ERR_INVALID, "%s: '%.60s' is not an IPv4 or IPv6 address", what,
			       text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, ret->bytes) == 1)
		ret->family = AF_INET;
	else if (inet_pton(AF_INET6, host, ret->bytes) == 1)
		ret->family = AF_INET6;
	else
		return err_new(ERR_INVALID, "%s: '%.60s' is not an IPv4 or IPv6 address", what,
			       text);
	ret->prefix = (uint8_t)(addr_len(ret->family) * 8);
	return NULL;
}

struct err *net_addr_parse(const char *what, const char *text, struct net_addr *ret_addr)
{
	const char *slash = strchr(text, '/');
	struct net_addr addr = { 0 };
	const char *why;

	TRY(parse_bytes_of(what, text, slash ? (size_t)(slash - text) : strlen(text), &addr));
	if (slash)
		TRY(parse_prefix(what, slash + 1, addr.family, &addr.prefix));
	why = why_refused(&addr, CONTAINER);
	if (why)
		return err_new(ERR_INVALID, "%s: %.60s %s, which no container can be given", what,
			       text, why);
	*ret_addr = addr;
	return NULL;
}

/* Without a prefix. */
static struct err *parse_single(const char *what, const char *text, enum purpose purpose,
				struct net_addr *ret_addr)
{
	struct net_addr addr = { 0 };
	const char *why;

	TRY(parse_bytes_of(what, text, strlen(text), &addr));
	why = why_refused(&addr, purpose);
	if (why)
		return err_new(ERR_INVALID, "%s: %.60s %s, which no %s can have", what, text, why,
			       purpose == SERVER ? "server" : "gateway");
	*ret_addr = addr;
	return NULL;
}

struct err *net_addr_parse_host(const char *what, const char *text, struct net_addr *ret_addr)
{
	return parse_single(what, text, SERVER, ret_addr);
}

struct err *net_addr_parse_gateway(const char *what, const char *text, struct net_addr *ret_addr)
{
	return parse_single(what, text, GATEWAY, ret_addr);
}

void net_addr_format(const struct net_addr *addr, char *text)
{
	if (!inet_ntop(addr->family, addr->bytes, text, NET_ADDR_TEXT_MAX))
		*text = '\0';
}

bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_len(a->family)) == 0;
}

struct err *net_name_check(const char *name)
{
	size_t len = strlen(name);
	bool bad = len == 0 || len >= IFNAMSIZ || str_eq(name, ".") || str_eq(name, "..") ||
		   str_eq(name, "all") || str_eq(name, "default");

	for (size_t i = 0; i < len && !bad; i++)
		bad = name[i] == '/' || name[i] == ':' || name[i] == '%' ||
		      isspace((unsigned char)name[i]) || iscntrl((unsigned char)name[i]);
	if (bad)
		return err_new(ERR_INVALID,
			       "'%.20s' is not a usable interface name (1 to %d bytes)", name,
			       IFNAMSIZ - 1);
	return NULL;
}
