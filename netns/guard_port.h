/* Private to netns/: the parts of the guard, each adding its part to one transaction. */
#ifndef NETNS_GUARD_PORT_H
#define NETNS_GUARD_PORT_H

#include "netns/guard.h"
#include "netns/nft.h"

/* --- guard_version.c --- */

void guard_version_add(struct nft *nft, const struct nft_table *table);
/* Was the table made by this very cella? One that does not exist: true. */
MUST_CHECK struct err *guard_version_check(struct nft *nft, const struct nft_table *table,
					   bool *ret_same);

/* A port for which tables are made anew. */
struct guard_member {
	const char *name;
	const struct net_guard *guard; /* NULL: nothing is known of it, and it sends nothing */
	uint32_t ifb;
	bool is_shared; /* its tables are those of several */
};

/* --- guard_port.c --- */

/* Room for an interface's name and "cella-", or the name of a map. */
#define GUARD_NAME_MAX 32
/* Where a new port goes: among the others, or, where the kernel does not take it there
 * (ERR_EXISTS), into a table of its own. */
enum guard_home { GUARD_HOME_SHARED, GUARD_HOME_OWN };
/* *ret_was_there: it changes one. */
MUST_CHECK struct err *guard_port_set(struct nft *nft, const struct net_guard *guard, uint32_t ifb,
				      enum guard_home home, bool *ret_was_there);
/* On kernels before 6.16 an interface that is gone has left the chains by itself; to take it out
 * then is ERR_NOT_FOUND. */
enum guard_device { GUARD_DEVICE_STAYS, GUARD_DEVICE_GONE };
MUST_CHECK struct err *guard_port_remove(struct nft *nft, const char *host_name,
					 enum guard_device device);
/* Bytes as the hooks count them, of a class, or all (0). ERR_NOT_FOUND: it is not guarded, or not
 * counted by this class. */
MUST_CHECK struct err *guard_port_traffic(struct nft *nft, const char *host_name, uint32_t class,
					  struct net_traffic *ret_traffic);

MUST_CHECK struct err *guard_port_check(struct nft *nft, const char *host_name, bool *ret_whole);
/* Of this version? */
MUST_CHECK struct err *guard_port_is_current(struct nft *nft, bool *ret_current);
/* Are the tables that ports share there, of this version, and with rules? */
MUST_CHECK struct err *guard_port_tables_check(struct nft *nft, bool *ret_whole);
/* Those in the tables that ports share. */
MUST_CHECK struct err *guard_port_names(struct nft *nft, struct strlist *names);
/* Everything in those tables anew, but the counters, and the chains with their devices. */
MUST_CHECK struct err *guard_port_renew(struct nft *nft, const struct guard_member *members,
					size_t count);

/* Count by these classes, for all ports in the tables that ports share, if there are any. */
MUST_CHECK struct err *guard_port_set_classes(struct nft *nft, const struct net_classes *classes);

/* --- guard_rules.c --- */

/* Both ways have a table each: the kernel takes a device into two chains of one table only in two
 * transactions. */
enum guard_way { WAY_OUT, WAY_IN, WAYS };
/* The chain, in both, through which all goes that is accepted. */
#define GUARD_CLASSED "classed"
/* All chains and rules, for a first device, or for those that the chains have (NULL); the tables
 * and sets are there, or on their way. */
void guard_rules_add(struct nft *nft, const struct nft_table tables[WAYS], const char *device);
/* One device more, or one that was made anew under an old name. */
void guard_rules_add_device(struct nft *nft, const struct nft_table tables[WAYS],
			    const char *device);
void guard_rules_drop_device(struct nft *nft, const struct nft_table tables[WAYS],
			     const char *device);
/* Are they there? An old kernel takes a chain away with its last device, and then what is left
 * guards nobody. */
MUST_CHECK struct err *guard_rules_check(struct nft *nft, const struct nft_table tables[WAYS],
					 bool *ret_whole);

/* --- guard_class.c --- */

void guard_class_add_sets(struct nft *nft, const struct nft_table tables[WAYS]);
/* Its counters: old ones go on. */
void guard_class_add_port(struct nft *nft, const struct nft_table tables[WAYS],
			  const char *host_name, const struct net_classes *classes);
/* They count no more, but stay. */
MUST_CHECK struct err *guard_class_forget_port(struct nft *nft, const struct nft_table tables[WAYS],
					       const char *host_name);
MUST_CHECK struct err *guard_class_delete_port(struct nft *nft, const struct nft_table tables[WAYS],
					       const char *host_name);
/* Rules, prefixes and the ports' counters, if they are not what is there. */
MUST_CHECK struct err *guard_class_set(struct nft *nft, const struct nft_table tables[WAYS],
				       const struct net_classes *classes,
				       const struct strlist *host_names);
/* ERR_NOT_FOUND. */
MUST_CHECK struct err *guard_class_traffic(struct nft *nft, const struct nft_table tables[WAYS],
					   const char *host_name, uint32_t class,
					   struct nft_counter ret_counters[WAYS]);
/* From an address on, up to the next one's. */
struct guard_interval {
	uint8_t from[16];
	uint32_t class;
};
/* The prefixes of a family, cut where they lie in each other; owned. Pure. */
MUST_CHECK struct err *guard_class_cut(const struct net_classes *classes, int family,
				       struct guard_interval **ret_intervals, size_t *ret_count);

/* --- guard_dhcp.c --- */

/* The chains "ask" and "renew", to which questions of ports in the map "dhcp" go, and what they go
 * to. */
void guard_dhcp_add(struct nft *nft, const struct nft_table *table);
/* What the map has for the port; false: it has no IPv4 address. Pure. */
bool guard_dhcp_facts(const struct net_guard *guard, uint8_t ret_value[NFT_BYTES]);

/* --- guard_host.c: "inet cella" and "bridge cella" --- */

/* was_there: it may have elements, which are looked for; that takes longer the more ports there
 * are. The pairs of peers are looked for always: the others have made some, too. */
MUST_CHECK struct err *guard_host_set(struct nft *nft, const struct net_guard *guard,
				      bool was_there);
MUST_CHECK struct err *guard_host_check(struct nft *nft, const struct net_port *port,
					bool *ret_whole);
MUST_CHECK struct err *guard_host_remove(struct nft *nft, const char *host_name);
MUST_CHECK struct err *guard_host_is_current(struct nft *nft, bool *ret_current);
MUST_CHECK struct err *guard_host_names(struct nft *nft, struct strlist *names);
/* All in both tables anew, with nothing but these members, and no services. */
MUST_CHECK struct err *guard_host_renew(struct nft *nft, const struct guard_member *members,
					size_t count);
/* Into the set, which is there, or on its way. */
void guard_host_fill_services(struct nft *nft, const struct net_service *services, size_t count);
MUST_CHECK struct err *guard_host_services(struct nft *nft, const struct net_service *services,
					   size_t count);

/* Terms of rules, for tables that can be read: IS(ETHER_TYPE, 0x08, 0x00), IN(IP_SOURCE, "v4"). */
#define IS(field, ...)                                                          \
	{                                                                       \
		.load = { { field } }, .test = NFT_IS, .value = { __VA_ARGS__ } \
	}
#define IS_NOT(field, ...)                                                          \
	{                                                                           \
		.load = { { field } }, .test = NFT_IS_NOT, .value = { __VA_ARGS__ } \
	}
#define IN(field, name)                                            \
	{                                                          \
		.load = { { field } }, .test = NFT_IN, .set = name \
	}
#define NOT_IN(field, name)                                            \
	{                                                              \
		.load = { { field } }, .test = NFT_NOT_IN, .set = name \
	}
#define PROTO(number) IS(L4_PROTO, number)
#define IN_MAP(field, name)                                            \
	{                                                              \
		.load = { { field } }, .test = NFT_IN_MAP, .set = name \
	}

#define L4_PROTO NFT_META, NFT_META_L4PROTO, 1
#define NF_PROTO NFT_META, NFT_META_NFPROTO, 1
#define IN_NAME NFT_META, NFT_META_IIFNAME, 16
#define OUT_NAME NFT_META, NFT_META_OIFNAME, 16
#define ETHER_SOURCE NFT_LINK, 6, 6
#define ETHER_TYPE NFT_LINK, 12, 2
#define IP_SOURCE NFT_NETWORK, 12, 4
#define IP_DEST NFT_NETWORK, 16, 4
#define IP6_SOURCE NFT_NETWORK, 8, 16
#define IP6_DEST NFT_NETWORK, 24, 16
#define SOURCE_PORT NFT_TRANSPORT, 0, 2
#define DEST_PORT NFT_TRANSPORT, 2, 2
#define ICMP_TYPE NFT_TRANSPORT, 0, 1

#endif
