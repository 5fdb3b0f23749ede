/* Pools of addresses; see pool.h. */
#include "runtime/vps/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

typedef unsigned __int128 number;

static unsigned int bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

static number to_number(const struct net_addr *addr)
{
	number value = 0;

	for (unsigned int i = 0; i < bits_of(addr->family) / 8; i++)
		value = value << 8 | addr->bytes[i];
	return value;
}

static struct net_addr to_addr(int family, number value)
{
	struct net_addr addr = { .family = family, .prefix = (uint8_t)bits_of(family) };

	for (unsigned int i = bits_of(family) / 8; i-- > 0; value >>= 8)
		addr.bytes[i] = (uint8_t)value;
	return addr;
}

static struct pool_range network(const struct net_addr *addr)
{
	unsigned int host_bits = bits_of(addr->family) - addr->prefix;
	number size = (number)1 << host_bits; /* never 0: a prefix is 1 at least */
	struct pool_range range = { .family = addr->family };

	range.first = to_number(addr) & ~(size - 1);
	range.last = range.first + (size - 1);
	if (host_bits < 2)
		return range; /* RFC 3021, RFC 6164: both ends are hosts */
	range.first++;
	if (addr->family == AF_INET)
		range.last--;
	return range;
}

static struct err *parse_word(const char *what, const char *word, struct pool_range *ret_range)
{
	const char *dash = strchr(word, '-');
	OWN(str) char *first_text = NULL;
	struct net_addr first, last;

	if (!dash) {
		TRY(net_addr_parse(what, word, &first));
		*ret_range = network(&first);
		return NULL;
	}
	TRY(str_format(&first_text, "%.*s", (int)(dash - word), word));
	TRY(net_addr_parse(what, first_text, &first));
	TRY(net_addr_parse(what, dash + 1, &last));
	*ret_range = (struct pool_range){ first.family, to_number(&first), to_number(&last) };
	if (first.family != last.family || ret_range->first > ret_range->last ||
	    first.prefix != bits_of(first.family) || last.prefix != bits_of(last.family))
		return err_new(ERR_INVALID, "%s: '%.90s' is not FIRST-LAST", what, word);
	return NULL;
}

struct err *pool_parse(const char *what, const char *text, struct pool *ret_pool)
{
	struct pool pool = { .count = 0 };

	for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");
		OWN(str) char *word = NULL;

		if (pool.count == POOL_RANGES_MAX)
			return err_new(ERR_INVALID, "%s: more than %d ranges", what,
				       POOL_RANGES_MAX);
		TRY(str_format(&word, "%.*s", (int)len, at));
		TRY(parse_word(what, word, &pool.ranges[pool.count++]));
		at += len;
	}
	*ret_pool = pool;
	return NULL;
}

bool pool_has_family(const struct pool *pool, int family)
{
	for (size_t i = 0; i < pool->count; i++)
		if (pool->ranges[i].family == family)
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	number left = to_number(a), right = to_number(b);

	return left < right ? -1 : left > right;
}

/* The taken ones in order: the first that is not the next one leaves a gap before it. */
static bool choose_in(const struct pool_range *range, const struct net_addr *taken,
		      size_t taken_count, number *ret_value)
{
	number next = range->first;

	for (size_t i = 0; i < taken_count; i++) {
		number value = to_number(&taken[i]);

		if (taken[i].family != range->family || value < next)
			continue;
		if (value > next)
			break;
		if (next == range->last)
			return false;
		next++;
	}
	*ret_value = next;
	return true;
}

bool pool_choose(const struct pool *pool, int family, struct net_addr *taken, size_t taken_count,
		 struct net_addr *ret_addr)
{
	if (taken_count)
		qsort(taken, taken_count, sizeof(*taken), compare);
	for (size_t i = 0; i < pool->count; i++) {
		number value;

		if (pool->ranges[i].family != family ||
		    !choose_in(&pool->ranges[i], taken, taken_count, &value))
			continue;
		*ret_addr = to_addr(family, value);
		return true;
	}
	return false;
}
