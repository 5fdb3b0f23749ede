/*
 * A port in the source guard: what it has in the sets, and its counters and limits, which maps find
 * for it; whatever the rules (guard_rules.c) allow, they allow by these.
 */
#include "netns/guard_port.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

#define FLOOD_PER_S 200
#define FLOOD_BURST 400

/* clang-format off */
static const struct set_row {
	struct nft_set set;
	enum guard_way way;
} sets[] = {
	{ { .name = "flood", .key = { NFT_TYPE_IFNAME }, .object = NFT_OBJECT_LIMIT }, WAY_OUT },
	/* what most packets are found in by one lookup, where the port has no rate */
	{ { .name = "own4", .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV4 }, .object = NFT_OBJECT_COUNTER }, WAY_OUT },
	{ { .name = "own6", .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV6 }, .object = NFT_OBJECT_COUNTER }, WAY_OUT },
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
	/* what a DHCP client is told */
	{ { .name = "dhcp", .key = { NFT_TYPE_IFNAME }, .data = { NFT_TYPE_BYTES } }, WAY_OUT },
	{ { .name = "ifb", .key = { NFT_TYPE_IFNAME }, .data = { NFT_TYPE_IFINDEX } }, WAY_OUT },
};
/* of the sets: each port is in it, once */
#define EACH_PORT 0

/* What the maps have of each port: "PORT.in" is its counter of what comes in. */
static const struct object_row {
	const char *name;
	uint32_t type;
	enum guard_way way;
} objects[] = {
	{ "flood", NFT_OBJECT_LIMIT, WAY_OUT },
	{ "pps-in", NFT_OBJECT_LIMIT, WAY_IN },
	{ "pps-out", NFT_OBJECT_LIMIT, WAY_OUT },
	{ "in", NFT_OBJECT_COUNTER, WAY_IN },
	{ "out", NFT_OBJECT_COUNTER, WAY_OUT },
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

static bool is_own(const struct place *place)
{
	return place->tables[WAY_OUT].name == place->own_names[WAY_OUT];
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

static void refer(const struct place *place, enum guard_way way, const char *map,
		  const char *object)
{
	const struct object_name name = object_of(place->host_name, object);
	const struct nft_element element = { .key = key_of(place->host_name),
					     .object = name.text,
					     .owner = place->host_name };

	nft_add_element(place->nft, &place->tables[way], map, &element);
}

static void add_limit(const struct place *place, enum guard_way way, const char *map,
		      uint64_t packets_per_s, uint64_t burst)
{
	nft_add_limit(place->nft, &place->tables[way], object_of(place->host_name, map).text,
		      (uint32_t)packets_per_s, (uint32_t)burst);
	refer(place, way, map, map);
}

/* An existing one counts on. */
static void add_counter(const struct place *place, enum guard_way way, const char *name)
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

/* Of an address with its hardware address: packets from there are counted. */
static void add_source(const struct place *place, const uint8_t *mac, const struct net_addr *addr)
{
	const struct object_name counter = object_of(place->host_name, "out");
	struct nft_element element = { .key = key_of(place->host_name),
				       .object = counter.text,
				       .owner = place->host_name };
	bool is_v4 = addr->family == AF_INET;

	nft_key_add(&element.key, NFT_TYPE_ETHER, mac);
	nft_key_add(&element.key, is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, addr->bytes);
	nft_add_element(place->nft, &place->tables[WAY_OUT], is_v4 ? "own4" : "own6", &element);
}

static void add_addrs(const struct place *place, const struct net_guard *guard, bool is_paced)
{
	for (size_t i = 0; i < guard->addr_count; i++) {
		bool is_v4 = guard->addrs[i].family == AF_INET;

		if (!is_paced)
			add_source(place, guard->mac, &guard->addrs[i]);
		add_own(place, is_v4 ? "v4" : "v6", is_v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6,
			guard->addrs[i].bytes);
	}
	if (guard->gateway6.family)
		add_own(place, "gateway6", NFT_TYPE_IPV6, guard->gateway6.bytes);
	if (guard->flags & NET_GUARD_BRIDGED)
		add_own_link_local(place, guard->mac);
}

static void add_dhcp(const struct place *place, const struct net_guard *guard)
{
	struct nft_element element = { .key = key_of(place->host_name), .owner = place->host_name };
	uint8_t facts[NFT_BYTES];

	if (!guard_dhcp_facts(guard, facts))
		return;
	nft_key_add(&element.data, NFT_TYPE_BYTES, facts);
	nft_add_element(place->nft, &place->tables[WAY_OUT], "dhcp", &element);
}

static void add_port(const struct place *place, const struct net_guard *guard, uint32_t ifb)
{
	bool is_paced = ifb || guard->packets_per_s;

	add_counters(place, is_paced); /* what sources refer to */
	add_limit(place, WAY_OUT, "flood", FLOOD_PER_S, FLOOD_BURST);
	add_own(place, "mac", NFT_TYPE_ETHER, guard->mac);
	add_addrs(place, guard, is_paced);
	add_dhcp(place, guard);
	if (!(guard->flags & NET_GUARD_BRIDGED))
		add_kind(place, "routed");
	if (guard->flags & NET_GUARD_ANY_MAC)
		add_kind(place, "any-mac");
	if (guard->flags & NET_GUARD_ANY_IP)
		add_kind(place, "any-ip");
	add_rates(place, guard->packets_per_s, ifb);
	guard_class_add_port(place->nft, place->tables, place->host_name, &guard->classes);
}

/* What is to be found of it when it is opened or goes. */
static void add_closed(const struct place *place)
{
	add_limit(place, WAY_OUT, "flood", FLOOD_PER_S, FLOOD_BURST);
	add_counters(place, false);
}

/* All but the counters, or all. *ret_left: how many other ports there are; with none the tables go,
 * and the rest with them. */
enum extent { ALL, BUT_COUNTERS };

static struct err *delete_port(const struct place *place, enum extent extent, size_t *ret_left)
{
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const struct nft_table *table = &place->tables[sets[i].way];
		const struct nft_key key = key_of(place->host_name);
		size_t left;

		/* where the name is the whole key, the other ports' need not be read */
		if (i != EACH_PORT && !sets[i].set.key[1])
			TRY(nft_delete_element(place->nft, table, sets[i].set.name, &key));
		else
			TRY(nft_delete_owned(place->nft, table, &sets[i].set, place->host_name,
					     i == EACH_PORT ? ret_left : &left));
		if (i == EACH_PORT && *ret_left == 0 && extent == ALL)
			return NULL;
	}
	if (extent == ALL)
		TRY(guard_class_delete_port(place->nft, place->tables, place->host_name));
	else
		TRY(guard_class_forget_port(place->nft, place->tables, place->host_name));
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (extent == ALL || objects[i].type != NFT_OBJECT_COUNTER)
			TRY(nft_delete_object(place->nft, &place->tables[objects[i].way],
					      objects[i].type,
					      object_of(place->host_name, objects[i].name).text));
	return NULL;
}

/* --- the tables --- */

/* device: see guard_rules_add(). */
static void add_contents(const struct place *place, const char *device)
{
	guard_version_add(place->nft, &place->tables[WAY_OUT]);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		nft_add_set(place->nft, &place->tables[sets[i].way], &sets[i].set);
	guard_class_add_sets(place->nft, place->tables);
	guard_rules_add(place->nft, place->tables, device);
}

static void add_tables(const struct place *place)
{
	for (size_t way = 0; way < WAYS; way++)
		nft_add_table(place->nft, &place->tables[way]);
	add_contents(place, place->host_name);
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
	bool has, same;
	size_t left;

	TRY(find_place(&place, ret_was_there));
	if (!*ret_was_there && home == GUARD_HOME_OWN)
		place_own(&place);
	TRY(guard_rules_check(nft, place.tables, &has));
	TRY(guard_version_check(nft, &place.tables[WAY_OUT], &same));
	if (has && !same && !is_own(&place))
		return err_new(ERR_STATE, "the rules are those of another version of cella");
	has = has && same;
	if (!has) {
		TRY(delete_tables(&place));
		add_tables(&place);
	} else {
		guard_rules_add_device(nft, place.tables, guard->host_name);
	}
	if (has && *ret_was_there)
		TRY(delete_port(&place, BUT_COUNTERS, &left));
	add_port(&place, guard, ifb);
	return NULL;
}

static struct err *check_tables(struct nft *nft, const struct place *place, bool *ret_whole)
{
	TRY(guard_version_check(nft, &place->tables[WAY_OUT], ret_whole));
	return *ret_whole ? guard_rules_check(nft, place->tables, ret_whole) : NULL;
}

struct err *guard_port_check(struct nft *nft, const char *host_name, bool *ret_whole)
{
	struct place place = { .nft = nft, .host_name = host_name };

	TRY(find_place(&place, ret_whole));
	return *ret_whole ? check_tables(nft, &place, ret_whole) : NULL;
}

struct err *guard_port_tables_check(struct nft *nft, bool *ret_whole)
{
	struct place place = { 0 };

	place_shared(&place);
	return check_tables(nft, &place, ret_whole);
}

struct err *guard_port_set_classes(struct nft *nft, const struct net_classes *classes)
{
	struct place place = { .nft = nft };
	OWN(strlist) struct strlist names = { 0 };
	bool same, has;

	place_shared(&place);
	TRY(guard_rules_check(nft, place.tables, &has));
	TRY(guard_version_check(nft, &place.tables[WAY_OUT], &same));
	if (!has || !same)
		return NULL; /* nobody is guarded, or another cella's rules do it */
	TRY(guard_port_names(nft, &names));
	return guard_class_set(nft, place.tables, classes, &names);
}

/* --- tables of another version --- */

struct err *guard_port_is_current(struct nft *nft, bool *ret_current)
{
	struct place place = { 0 };

	place_shared(&place);
	return guard_version_check(nft, &place.tables[WAY_OUT], ret_current);
}

struct err *guard_port_names(struct nft *nft, struct strlist *names)
{
	struct place place = { 0 };

	place_shared(&place);
	return nft_read_ifnames(nft, &place.tables[WAY_OUT], sets[EACH_PORT].set.name, names);
}

static struct err *delete_limits(const struct place *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (objects[i].type == NFT_OBJECT_LIMIT)
			TRY(nft_delete_object(place->nft, &place->tables[objects[i].way],
					      NFT_OBJECT_LIMIT,
					      object_of(place->host_name, objects[i].name).text));
	return NULL;
}

/* Where there are no rules any more, nothing is guarded; the next guard_port_set() mends it. */
struct err *guard_port_renew(struct nft *nft, const struct guard_member *members, size_t count)
{
	struct place place = { .nft = nft };
	bool has;

	place_shared(&place);
	TRY(guard_rules_check(nft, place.tables, &has));
	if (!has)
		return NULL;
	for (size_t way = 0; way < WAYS; way++)
		TRY(nft_empty_table(nft, &place.tables[way]));
	add_contents(&place, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!members[i].is_shared)
			continue;
		place.host_name = members[i].name;
		TRY(delete_limits(&place));
		if (members[i].guard)
			add_port(&place, members[i].guard, members[i].ifb);
		else
			add_closed(&place);
	}
	return NULL;
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
	if (device == GUARD_DEVICE_STAYS)
		guard_rules_drop_device(nft, place.tables, host_name);
	return NULL;
}

/* Two counters may have the same number in two tables, and two tables the same one in two boots. */
static uint64_t life_of(uint64_t table, uint64_t counter)
{
	return table << 40 | (counter & ((UINT64_C(1) << 40) - 1));
}

static struct err *read_counters(const struct place *place, struct nft_counter ret_counters[WAYS])
{
	TRY(nft_read_counter(place->nft, &place->tables[WAY_IN],
			     object_of(place->host_name, "in").text, &ret_counters[WAY_IN]));
	return nft_read_counter(place->nft, &place->tables[WAY_OUT],
				object_of(place->host_name, "out").text, &ret_counters[WAY_OUT]);
}

struct err *guard_port_traffic(struct nft *nft, const char *host_name, uint32_t class,
			       struct net_traffic *ret_traffic)
{
	struct place place = { .nft = nft, .host_name = host_name };
	struct nft_counter counters[WAYS];
	uint64_t table;
	bool found;

	TRY(find_place(&place, &found));
	if (!found)
		return err_new(ERR_NOT_FOUND, "interface %s is not guarded", host_name);
	TRY(nft_find_table(nft, &place.tables[WAY_OUT], &table));
	if (class)
		TRY(guard_class_traffic(nft, place.tables, host_name, class, counters));
	else
		TRY(read_counters(&place, counters));
	*ret_traffic = (struct net_traffic){ .life = life_of(table, counters[WAY_OUT].handle),
					     .in_bytes = counters[WAY_IN].bytes,
					     .in_packets = counters[WAY_IN].packets,
					     .out_bytes = counters[WAY_OUT].bytes,
					     .out_packets = counters[WAY_OUT].packets };
	return NULL;
}
