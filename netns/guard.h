/*
 * What a container may send and whom it reaches: the part of netns.h, which includes this, that
 * rests on nftables.
 *
 * "netdev cella" and "netdev cella_in" have chains that see each frame of the hosts' ends of the
 * cables before bridge and router do. What ports have to do with each other, and with the host,
 * lies in "inet cella" (routed) and "bridge cella". All are a few rules over sets in which each
 * port has its elements, so that setting one up costs the same beside 500 others. (A kernel
 * before 6.4 has one port in "netdev cella", and each other one in "netdev cella-PORT".)
 *
 * Only tables of these names are ever touched. With the last port they go.
 */
#ifndef NETNS_GUARD_H
#define NETNS_GUARD_H

#include "netns/netns.h"

enum net_guard_flags {
	NET_GUARD_BRIDGED = 1, /* in a bridge: link-local addresses are guarded, too */
	NET_GUARD_ANY_MAC = 2, /* it may send with any hardware address */
	NET_GUARD_NAT = 4,     /* leaves the host with the host's address */
	NET_GUARD_ANY_IP = 8,  /* it may send with any address */
	NET_GUARD_OPEN = 16,   /* bridged: the bridge says whom it reaches there */
};

/* A service of a container at a port of the host. */
struct net_publish {
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t host_port, port;
	struct net_addr addr; /* of the container */
};

/* Rates count Ethernet frames. 0: no limit, and for the burst: one that fits the rate. */
struct net_rate {
	uint64_t in_bits_per_s;	 /* to the container */
	uint64_t out_bits_per_s; /* from it */
	uint64_t burst_bytes;	 /* of both */
};

#define NET_DHCP_DNS_MAX 2 /* name servers that a DHCP client is told; of IPv4 */

/* Networks whose traffic is counted apart. The longest prefix that an address has tells its class;
 * class 0 is none, as are addresses without any prefix. */
#define NET_CLASS_MAX 15
struct net_class {
	struct net_addr prefix; /* behind its length all bits are 0 */
	uint32_t class;
};
struct net_classes {
	struct net_class *items;
	size_t count;
};

/* All borrowed. */
struct net_guard {
	const char *host_name; /* the host's end */
	uint8_t mac[6];	       /* of the container's end */
	unsigned int flags;
	const struct net_addr *addrs;
	size_t addr_count;
	struct net_addr gateway6; /* the host's own on the link; family 0: none */
	/* what a DHCP client in it is told beside its first IPv4 address; none needs to be there */
	struct net_addr router4; /* of a bridged one; a routed one has the host */
	const struct net_addr *dns;
	size_t dns_count;
	uint32_t mtu;
	const char *const *peers; /* other ports' host ends that it reaches and is reached by */
	size_t peer_count;
	const struct net_publish *publish;
	size_t publish_count;
	uint64_t packets_per_s; /* each direction; 0: no limit */
	struct net_rate rate;
	struct net_classes classes; /* those of net_guard_classes() */
};

/* What the host's own ports are open for to containers, beside ICMP: one for all of them. */
struct net_service {
	uint8_t proto;
	uint16_t port;
};

/*
 * Guard a port, or change how it is guarded; from one packet to the next. The host's end exists and
 * is not raised yet, when it is new. What is not the container's own is dropped: source MAC, IPv4
 * and IPv6, ARP and neighbour discovery about others, router advertisements and redirects, DHCP
 * service, tags, other protocols; broadcasts above 200 a second. The container reaches no other
 * port but its peers, and of the host nothing but echo and the services.
 *
 * ERR_NOT_FOUND: the interface does not exist (newer kernels wait for it). ERR_EXISTS: a port of
 * the host is published for another. ERR_UNSUPPORTED: this kernel has no nftables, or one without
 * the egress hook (5.16).
 */
MUST_CHECK struct err *net_guard_set(const struct net_guard *guard);
/* Has the port all that net_guard_set() made? Others may flush all of nftables' rules. */
MUST_CHECK struct err *net_guard_check(const struct net_port *port, bool *ret_whole);
/* Add the ports that have all of it, but for bridged ones and those with tables of their own. */
MUST_CHECK struct err *net_guard_list(struct strlist *host_names);
/* Replace the list of services. Needs no port to be there. */
MUST_CHECK struct err *net_guard_services(const struct net_service *services, size_t count);
/* Count the traffic of all ports by these classes from now on; counters of those that were there go
 * on. Without ports it does nothing: the first one has none until this is called again. Nothing is
 * done either if they are what is there. A port with tables of its own (before 6.4) has none. */
MUST_CHECK struct err *net_guard_classes(const struct net_classes *classes);
/* Were the tables that ports share made by this very cella? No tables are none of another's. */
MUST_CHECK struct err *net_guard_is_current(bool *ret_current);
/*
 * Make all that another version made anew, in one transaction, for every port that is in the
 * tables: what is guarded stays so, and counters count on. guards: one for each port; more are
 * passed over, and a port of none may send nothing until net_guard_set() says what. A port with
 * tables of its own (before 6.4) keeps them until then. What the host has just asked containers by
 * UDP is forgotten. Until this is done, net_guard_set() refuses with ERR_STATE.
 */
MUST_CHECK struct err *net_guard_renew(const struct net_guard *const *guards, size_t count,
				       const struct net_service *services, size_t service_count);
/* Remove all that net_guard_set() made; the interface may be gone. Nothing there is success. */
MUST_CHECK struct err *net_guard_remove(const char *host_name);

/* What passed the guard, in bytes with Ethernet headers. */
struct net_traffic {
	uint64_t life;			 /* another number: the counters began at 0 again */
	uint64_t in_bytes, in_packets;	 /* to the container */
	uint64_t out_bytes, out_packets; /* from it */
};
/* ERR_NOT_FOUND: the port is not guarded. */
MUST_CHECK struct err *net_guard_traffic(const char *host_name, struct net_traffic *ret_traffic);
/* The same of a class, 1 to NET_CLASS_MAX. ERR_NOT_FOUND: the port has no such class, too. */
MUST_CHECK struct err *net_guard_class_traffic(const char *host_name, uint32_t class,
					       struct net_traffic *ret_traffic);

#endif
