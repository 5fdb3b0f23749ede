/*
 * Traffic by classes of networks: counters of each port and class, which the chains "classed" find
 * by the port and the class that the map has for the other side's address. Where no classes are
 * given the chains are empty. A class is told by the longest prefix; the maps hold intervals, which
 * must not overlap, so what is nested is cut into pieces here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sha256.h"
#include "netns/guard_port.h"

/* clang-format off */
static const struct nft_set sets[] = {
	{ .name = "class4", .key = { NFT_TYPE_IPV4 }, .data = { NFT_TYPE_MARK }, .is_interval = true },
	{ .name = "class6", .key = { NFT_TYPE_IPV6 }, .data = { NFT_TYPE_MARK }, .is_interval = true },
	{ .name = "classes", .key = { NFT_TYPE_IFNAME, NFT_TYPE_MARK }, .object = NFT_OBJECT_COUNTER },
};
#define CLASSES (&sets[2])
/* in the table of the way out: a sum of what the maps were made of */
static const struct nft_set made_of = { .name = "classes-of", .key = { NFT_TYPE_MARK } };

#define BY(name, field, class) .objects = "classes", .by = { { name }, { field, class } }
static const struct rule_row {
	struct nft_rule rule;
	enum guard_way way;
} rules[] = {
	{ { GUARD_CLASSED, { IS(ETHER_TYPE, 0x08, 0x00) }, BY(IN_NAME, IP_DEST, "class4") }, WAY_OUT },
	{ { GUARD_CLASSED, { IS(ETHER_TYPE, 0x86, 0xdd) }, BY(IN_NAME, IP6_DEST, "class6") }, WAY_OUT },
	{ { GUARD_CLASSED, { IS(ETHER_TYPE, 0x08, 0x00) }, BY(OUT_NAME, IP_SOURCE, "class4") }, WAY_IN },
	{ { GUARD_CLASSED, { IS(ETHER_TYPE, 0x86, 0xdd) }, BY(OUT_NAME, IP6_SOURCE, "class6") }, WAY_IN },
};
/* clang-format on */

void guard_class_add_sets(struct nft *nft, const struct nft_table tables[WAYS])
{
	for (size_t way = 0; way < WAYS; way++)
		for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
			nft_add_set(nft, &tables[way], &sets[i]);
	nft_add_set(nft, &tables[WAY_OUT], &made_of);
}

/* --- a port --- */

/* "PORT.in.3" */
struct counter_name {
	char text[GUARD_NAME_MAX];
};

static struct counter_name counter_of(const char *host_name, enum guard_way way, uint32_t class)
{
	struct counter_name name;

	snprintf(name.text, sizeof(name.text), "%s.%s.%u", host_name, way == WAY_IN ? "in" : "out",
		 class);
	return name;
}

static bool has_class(const struct net_classes *classes, uint32_t class)
{
	for (size_t i = 0; i < classes->count; i++)
		if (classes->items[i].class == class)
			return true;
	return false;
}

static void add_counter(struct nft *nft, const struct nft_table *table, const char *host_name,
			const char *counter, uint32_t class)
{
	struct nft_element element = { .object = counter, .owner = host_name };

	nft_key_add(&element.key, NFT_TYPE_IFNAME, host_name);
	nft_key_add(&element.key, NFT_TYPE_MARK, &class);
	nft_add_counter(nft, table, counter);
	nft_add_element(nft, table, CLASSES->name, &element);
}

void guard_class_add_port(struct nft *nft, const struct nft_table tables[WAYS],
			  const char *host_name, const struct net_classes *classes)
{
	for (uint32_t class = 1; class <= NET_CLASS_MAX; class ++)
		for (enum guard_way way = 0; way < WAYS && has_class(classes, class); way++)
			add_counter(nft, &tables[way], host_name,
				    counter_of(host_name, way, class).text, class);
}

struct err *guard_class_forget_port(struct nft *nft, const struct nft_table tables[WAYS],
				    const char *host_name)
{
	size_t left;

	for (size_t way = 0; way < WAYS; way++)
		TRY(nft_delete_owned(nft, &tables[way], CLASSES, host_name, &left));
	return NULL;
}

struct err *guard_class_delete_port(struct nft *nft, const struct nft_table tables[WAYS],
				    const char *host_name)
{
	TRY(guard_class_forget_port(nft, tables, host_name));
	for (uint32_t class = 1; class <= NET_CLASS_MAX; class ++)
		for (enum guard_way way = 0; way < WAYS; way++)
			TRY(nft_delete_object(nft, &tables[way], NFT_OBJECT_COUNTER,
					      counter_of(host_name, way, class).text));
	return NULL;
}

/* --- prefixes as intervals --- */

static size_t key_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* The first address behind the prefix; false: it reaches to the end. */
static bool step_over(const struct net_addr *prefix, uint8_t *ret_bytes)
{
	size_t at = prefix->prefix ? (prefix->prefix - 1U) / 8 : 0;
	unsigned int carry = prefix->prefix ? 1U << (7 - (prefix->prefix - 1U) % 8) : 256;

	memcpy(ret_bytes, prefix->bytes, 16);
	for (;; carry = 1) {
		unsigned int sum = ret_bytes[at] + carry;

		ret_bytes[at] = (uint8_t)sum;
		if (sum < 256)
			return true;
		if (at-- == 0)
			return false;
	}
}

static bool covers(const struct net_addr *prefix, const uint8_t *bytes)
{
	size_t whole = prefix->prefix / 8, rest = prefix->prefix % 8;

	return memcmp(prefix->bytes, bytes, whole) == 0 &&
	       (!rest || (prefix->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0);
}

/* Of the longest prefix; 0: none. */
static uint32_t class_at(const struct net_classes *classes, int family, const uint8_t *bytes)
{
	const struct net_class *best = NULL;

	for (size_t i = 0; i < classes->count; i++) {
		const struct net_class *row = &classes->items[i];

		if (row->prefix.family == family && covers(&row->prefix, bytes) &&
		    (!best || row->prefix.prefix > best->prefix.prefix))
			best = row;
	}
	return best ? best->class : 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct guard_interval *one = a, *other = b;

	return memcmp(one->from, other->from, sizeof(one->from));
}

struct err *guard_class_cut(const struct net_classes *classes, int family,
			    struct guard_interval **ret_intervals, size_t *ret_count)
{
	struct guard_interval *list = calloc(2 * classes->count + 1, sizeof(*list));
	size_t bounds = 0, count = 0;

	if (!list)
		return err_sys(ENOMEM, "cut the classes of networks");
	for (size_t i = 0; i < classes->count; i++) {
		const struct net_addr *prefix = &classes->items[i].prefix;

		if (prefix->family != family)
			continue;
		memcpy(list[bounds++].from, prefix->bytes, 16);
		bounds += step_over(prefix, list[bounds].from);
	}
	if (bounds)
		qsort(list, bounds, sizeof(*list), by_bytes);
	for (size_t i = 0; i < bounds; i++) {
		uint32_t class = class_at(classes, family, list[i].from);

		if (class == (count ? list[count - 1].class : 0))
			continue; /* the same goes on */
		list[count] = list[i];
		list[count++].class = class;
	}
	*ret_intervals = list;
	*ret_count = count;
	return NULL;
}

static void add_intervals(struct nft *nft, const struct nft_table *table, int family,
			  const struct guard_interval *list, size_t count)
{
	enum nft_type type = family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
	const char *set = sets[family == AF_INET ? 0 : 1].name;

	for (size_t i = 0; i < count; i++) {
		struct nft_element element = { .is_end = true };

		nft_key_add(&element.key, type, list[i].from);
		if (i && list[i - 1].class)
			nft_add_element(nft, table, set, &element);
		element.is_end = false;
		nft_key_add(&element.data, NFT_TYPE_MARK, &list[i].class);
		if (list[i].class)
			nft_add_element(nft, table, set, &element);
	}
}

static struct err *add_prefixes(struct nft *nft, const struct nft_table tables[WAYS],
				const struct net_classes *classes, int family)
{
	struct guard_interval *list;
	size_t count;

	TRY(guard_class_cut(classes, family, &list, &count));
	for (size_t way = 0; way < WAYS; way++)
		add_intervals(nft, &tables[way], family, list, count);
	free(list);
	return NULL;
}

/* --- all of them --- */

/* Four bytes of the SHA-256 of all rows. */
static struct nft_key sum_of(const struct net_classes *classes)
{
	struct sha256 sha;
	struct nft_key key = { 0 };
	char hex[SHA256_HEX_MAX];
	uint32_t sum;

	sha256_init(&sha);
	for (size_t i = 0; i < classes->count; i++) {
		const struct net_class *row = &classes->items[i];

		sha256_add(&sha, &row->class, sizeof(row->class));
		sha256_add(&sha, &row->prefix.prefix, 1);
		sha256_add(&sha, row->prefix.bytes, key_len(row->prefix.family));
	}
	sha256_hex(&sha, hex);
	hex[8] = '\0';
	sum = (uint32_t)strtoul(hex, NULL, 16);
	nft_key_add(&key, NFT_TYPE_MARK, &sum);
	return key;
}

static void flush(struct nft *nft, const struct nft_table tables[WAYS])
{
	for (size_t way = 0; way < WAYS; way++) {
		nft_flush_chain(nft, &tables[way], GUARD_CLASSED);
		for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
			nft_flush_set(nft, &tables[way], sets[i].name);
	}
	nft_flush_set(nft, &tables[WAY_OUT], made_of.name);
}

struct err *guard_class_set(struct nft *nft, const struct nft_table tables[WAYS],
			    const struct net_classes *classes, const struct strlist *host_names)
{
	const struct nft_element sum = { .key = sum_of(classes) };
	bool same;

	TRY(nft_has_element(nft, &tables[WAY_OUT], made_of.name, &sum.key, &same));
	if (same)
		return NULL;
	flush(nft, tables);
	nft_add_element(nft, &tables[WAY_OUT], made_of.name, &sum);
	if (!classes->count)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		nft_add_rule(nft, &tables[rules[i].way], &rules[i].rule);
	TRY(add_prefixes(nft, tables, classes, AF_INET));
	TRY(add_prefixes(nft, tables, classes, AF_INET6));
	for (size_t i = 0; i < host_names->count; i++)
		guard_class_add_port(nft, tables, host_names->items[i], classes);
	return NULL;
}

struct err *guard_class_traffic(struct nft *nft, const struct nft_table tables[WAYS],
				const char *host_name, uint32_t class,
				struct nft_counter ret_counters[WAYS])
{
	for (enum guard_way way = 0; way < WAYS; way++)
		TRY(nft_read_counter(nft, &tables[way], counter_of(host_name, way, class).text,
				     &ret_counters[way]));
	return NULL;
}
