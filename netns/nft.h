/*
 * Private to netns/: nftables by libnftnl. One batch is one transaction: the kernel takes all of it
 * or nothing. Rules are rows of constant tables (struct nft_rule); what differs between ports lies
 * in named sets, so that a change of an address is a change of an element. Rests on nft(8) and
 * include/uapi/linux/netfilter/nf_tables.h.
 */
#ifndef NETNS_NFT_H
#define NETNS_NFT_H

#include <netinet/in.h> /* before the kernel's own, which steps aside then */

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

#include "base/err.h"
#include "base/str.h"
#include "netns/netns.h"

/* A table of ours. Family: NFPROTO_INET, NFPROTO_BRIDGE or NFPROTO_NETDEV. */
struct nft_table {
	uint32_t family;
	const char *name;
};

/* --- a transaction (nft.c) --- */

struct nft {
	struct mnl_socket *socket;
	uint32_t sequence, first;	/* of the batch's first message */
	uint32_t generation;		/* of the rules that the batch was made for */
	char *data;			/* owned */
	size_t used, room, count, last; /* last: where the last message begins */
	uint32_t set_id;
	struct err *err; /* the first failure while the batch was made */
};

MUST_CHECK struct err *nft_open(struct nft *ret_nft);
void nft_close(struct nft *nft);
static inline __attribute__((unused)) void own_nft(struct nft *nft)
{
	nft_close(nft);
}
/* Begin a transaction (what was added before is dropped). It will be refused with EAGAIN if anybody
 * changes rules before nft_commit(): what was read in between is still true then. */
MUST_CHECK struct err *nft_begin(struct nft *nft);
/* Send all. ERR_NOT_FOUND: something named does not exist; ERR_EXISTS; ERR_SYS with errno EAGAIN:
 * begin again. */
MUST_CHECK struct err *nft_commit(struct nft *nft);
/* One message of the batch: its header is made, the caller adds the payload and calls
 * nft_end_message(). NULL: no memory, which nft_commit() will report. */
struct nlmsghdr *nft_message(struct nft *nft, uint16_t type, uint32_t family, uint16_t flags);
void nft_end_message(struct nft *nft, const struct nlmsghdr *message);
/* A query outside of the transaction: message has the dump's header and payload. */
struct nft_reader {
	struct err *(*read)(struct nft_reader *reader, const struct nlmsghdr *message);
};
MUST_CHECK struct err *nft_query(struct nft *nft, struct nlmsghdr *message,
				 struct nft_reader *reader);
struct nlmsghdr *nft_query_header(struct nft *nft, char *room, uint16_t type, uint32_t family,
				  uint16_t flags);

/* --- tables and chains (nft_table.c) --- */

/* Make it; an existing one stays as it is. */
void nft_add_table(struct nft *nft, const struct nft_table *table);
void nft_delete_table(struct nft *nft, const struct nft_table *table);
/* *ret_handle: the kernel's number of this very table; 0: there is none. */
MUST_CHECK struct err *nft_find_table(struct nft *nft, const struct nft_table *table,
				      uint64_t *ret_handle);

struct nft_chain {
	const char *name;
	const char *type; /* "filter" or "nat"; NULL: no base chain, only jumped to */
	uint32_t hook;
	int32_t priority;
};
/* device: for NFPROTO_NETDEV, else NULL. An existing chain keeps its rules and gets one more
 * device; kernels before 6.4 refuse that with ERR_EXISTS. */
void nft_add_chain(struct nft *nft, const struct nft_table *table, const struct nft_chain *chain,
		   const char *device);
/* Its packets see the chain no more; the device goes on existing. */
void nft_leave_chain(struct nft *nft, const struct nft_table *table, const struct nft_chain *chain,
		     const char *device);
/* All its rules go. */
void nft_flush_chain(struct nft *nft, const struct nft_table *table, const char *chain);
MUST_CHECK struct err *nft_has_chain(struct nft *nft, const struct nft_table *table,
				     const char *chain, bool *ret_has);
/* Is the chain there, with any rule in it? Without looking at its devices: the kernel's answer to
 * GETCHAIN has all of them in it, and no room for more than some 300. */
MUST_CHECK struct err *nft_has_rules(struct nft *nft, const struct nft_table *table,
				     const char *chain, bool *ret_has);

/* --- objects (nft_object.c): what rules count and limit by --- */

/* An existing one goes on counting. */
void nft_add_counter(struct nft *nft, const struct nft_table *table, const char *name);
/* Those above the rate match. An existing one stays as it is. */
void nft_add_limit(struct nft *nft, const struct nft_table *table, const char *name,
		   uint32_t packets_per_s, uint32_t burst);
/* It and its last element may go in the same transaction. Missing is success. */
MUST_CHECK struct err *nft_delete_object(struct nft *nft, const struct nft_table *table,
					 uint32_t type, const char *name);
struct nft_counter {
	uint64_t bytes, packets;
	uint64_t handle; /* the kernel's number of it, in its table */
};
/* ERR_NOT_FOUND. */
MUST_CHECK struct err *nft_read_counter(struct nft *nft, const struct nft_table *table,
					const char *name, struct nft_counter *ret_counter);

/* --- sets (nft_set.c) --- */

/* nft(8)'s numbers of data types: they only make its listings readable. */
enum nft_type {
	NFT_TYPE_BYTES = 4, /* NFT_BYTES of them */
	NFT_TYPE_IPV4 = 7,
	NFT_TYPE_IPV6 = 8,
	NFT_TYPE_ETHER = 9,
	NFT_TYPE_PROTO = 12,
	NFT_TYPE_PORT = 13,
	NFT_TYPE_MARK = 19, /* a number of 4 bytes */
	NFT_TYPE_IFINDEX = 20,
	NFT_TYPE_IFNAME = 41,
};
#define NFT_BYTES 60
#define NFT_FIELDS_MAX 4
#define NFT_KEY_MAX 64

struct nft_set {
	const char *name;
	enum nft_type key[NFT_FIELDS_MAX], data[NFT_FIELDS_MAX]; /* data: of a map */
	uint32_t size;						 /* 0: no bound */
	uint32_t timeout_s; /* filled by rules; an element lives this long after its last use */
	uint32_t object;    /* of a map to objects: NFT_OBJECT_COUNTER, NFT_OBJECT_LIMIT */
	bool is_interval;   /* an element is for all keys from its own on, up to the next one */
};
/* A key or value: fields, each padded to 4 bytes. */
struct nft_key {
	uint8_t bytes[NFT_KEY_MAX];
	uint32_t len;
};
void nft_key_add(struct nft_key *key, enum nft_type type, const void *value);
struct nft_element {
	struct nft_key key, data; /* data.len 0: of a set */
	const char *object;	  /* of a map to objects: its name; NULL: of another */
	const char *owner;	  /* kept with it, as nft's comment; may be NULL */
	bool is_end;		  /* of a set of intervals: here ends what began below */
};

void nft_add_set(struct nft *nft, const struct nft_table *table, const struct nft_set *set);
void nft_flush_set(struct nft *nft, const struct nft_table *table, const char *set);
/* An element that is there already stays, with its owner. */
void nft_add_element(struct nft *nft, const struct nft_table *table, const char *set,
		     const struct nft_element *element);
/* A set or table that does not exist has none. */
MUST_CHECK struct err *nft_has_element(struct nft *nft, const struct nft_table *table,
				       const char *set, const struct nft_key *key, bool *ret_has);
/* Delete this one, if it is there. */
MUST_CHECK struct err *nft_delete_element(struct nft *nft, const struct nft_table *table,
					  const char *set, const struct nft_key *key);
/* Delete the elements of owner, and in sets of interface names those that name it; *ret_left: how
 * many others there are. A set or table that does not exist is empty. */
MUST_CHECK struct err *nft_delete_owned(struct nft *nft, const struct nft_table *table,
					const struct nft_set *set, const char *owner,
					size_t *ret_left);

/* --- emptying what another cella made (nft_clear.c) --- */

/*
 * All rules, sets and maps go; chains stay with what they are hooked to, and so do the objects. A
 * chain that was deleted and made anew would not do: for a moment there would be the two of them,
 * and a packet could find both without rules, each at its own instant.
 */
MUST_CHECK struct err *nft_empty_table(struct nft *nft, const struct nft_table *table);
/* Add the keys of a set or map of interface names. One that does not exist has none. */
MUST_CHECK struct err *nft_read_ifnames(struct nft *nft, const struct nft_table *table,
					const char *set, struct strlist *names);

/* --- rules (nft_rule.c) --- */

enum nft_from {
	NFT_NOTHING,
	NFT_META,      /* at: of enum nft_meta_keys */
	NFT_LINK,      /* at: the offset in the Ethernet header */
	NFT_NETWORK,   /* in the IP or ARP header */
	NFT_TRANSPORT, /* in what IP carries; a later fragment has none */
	NFT_FRAGMENT,  /* in IPv6's fragment header, where there is one */
	NFT_TARGET,    /* the type of route to the destination: RTN_LOCAL, ... */
};

/* Bytes of the packet or a fact about it. A packet that has no such thing does not match. */
struct nft_load {
	enum nft_from from;
	uint32_t at, len;
	const char *map; /* what this map has for it, a NFT_TYPE_MARK; NULL: itself */
};

enum nft_test { NFT_IS, NFT_IS_NOT, NFT_IS_ABOVE, NFT_IN, NFT_NOT_IN, NFT_IN_MAP };

struct nft_term {
	struct nft_load load[3]; /* more than one: a concatenation */
	enum nft_test test;
	const char *set;   /* NFT_IN, NFT_NOT_IN, NFT_IN_MAP; NULL: of the others */
	uint8_t value[16]; /* of the others: as many bytes as were loaded */
	uint8_t mask[16];  /* all zero: none */
};

/* Bytes that are put into the packet; IPv4's own checksum is kept right. A packet that is too short
 * for them matches no longer, but keeps what was written before. */
struct nft_write {
	struct nft_load to;   /* NFT_LINK, NFT_NETWORK or NFT_TRANSPORT; NFT_NOTHING: no write */
	struct nft_load copy; /* what to write: a piece of the packet, */
	const char *map;      /* or of what the map has for the interface that it came from, */
	uint32_t map_at;      /* from this byte on, */
	uint32_t end_at;  /* but for this one, if it is not 0, where value[0] is; multiples of 4; */
	uint8_t value[8]; /* or these bytes */
};

enum nft_verdict {
	NFT_CONTINUE_ON,
	NFT_ACCEPT_IT,
	NFT_DROP_IT,
	NFT_JUMP_TO,
	NFT_GO_TO,
	NFT_RETURN_NOW,
	NFT_MASQUERADE, /* as the host */
	NFT_DNAT_BY,	/* the map "to": protocol and port give address and port */
	NFT_REMEMBER,	/* the set "to" gets address, port and port of an outgoing packet */
	NFT_SEND_BACK,	/* to the interface that it came from */
	NFT_FORWARD,	/* to the interface whose index the map "to" has for the packet's own */
};

struct nft_rule {
	const char *chain;
	struct nft_term terms[4];
	/* a map to counters or limits: a packet without an element does not match, nor one that
	 * its limit does not mean */
	const char *objects;
	struct nft_load
		by[3]; /* objects, NFT_FORWARD: what the map is asked for; see struct nft_term */
	struct nft_write writes[6];
	enum nft_verdict verdict;
	const char *to;
	uint32_t number; /* NFT_DNAT_BY, NFT_REMEMBER: NFPROTO_IPV4 or 6 */
};
void nft_add_rule(struct nft *nft, const struct nft_table *table, const struct nft_rule *rule);

#endif
