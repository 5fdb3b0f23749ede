/* Private to runtime/vps: pools of addresses, as IP_POOL and NAT_POOL of cella.conf name them.
 * Pure. */
#ifndef RUNTIME_VPS_POOL_H
#define RUNTIME_VPS_POOL_H

#include "netns/netns.h"

#define POOL_RANGES_MAX 16

struct pool_range {
	int family;
	unsigned __int128 first, last; /* both are in it */
};
struct pool {
	struct pool_range ranges[POOL_RANGES_MAX];
	size_t count;
};

/*
 * Words "192.0.2.0/24", "192.0.2.10-192.0.2.99", "2001:db8::7". Of a network its first address, and
 * of an IPv4 network its last, are left out: they are the network's own. ERR_INVALID.
 */
MUST_CHECK struct err *pool_parse(const char *what, const char *text, struct pool *ret_pool);
bool pool_has_family(const struct pool *pool, int family);
/* The lowest address of the family, from the first range on, that is not among taken (sorted by
 * this call). false: all are taken. */
bool pool_choose(const struct pool *pool, int family, struct net_addr *taken, size_t taken_count,
		 struct net_addr *ret_addr);

#endif
