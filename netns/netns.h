/*
 * A container's network: loopback, interfaces of all modes, moved host devices.
 * Works on interfaces, addresses and descriptors of network namespaces; knows nothing of
 * containers.
 *
 * Which object files need libmnl matters: cella-oci is static and libmnl has no static archive, so
 * it uses loopback.c and addr.c alone; everything else here is for the dynamically linked programs.
 * Rests on rtnetlink(7), netdevice(7), Documentation/networking/ip-sysctl.rst.
 */
#ifndef NETNS_NETNS_H
#define NETNS_NETNS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Raise "lo" of the network namespace the caller is in. One ioctl pair, no netlink. Source:
 * netdevice(7), SIOCSIFFLAGS. */
MUST_CHECK struct err *net_loopback_up(void);

/* One address of either family with its prefix length. */
struct net_addr {
	int family;	   /* AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
	uint8_t prefix;	   /* bits; 32 or 128 when the text had none */
};
#define NET_ADDR_TEXT_MAX 64

/*
 * "192.0.2.7", "192.0.2.7/24", "2001:db8::7/64", "192.0.2.7/255.255.255.0" (OpenVZ's spelling).
 * Refused with ERR_INVALID: anything else, and addresses no host can own (unspecified, loopback,
 * multicast, broadcast, link-local, IPv4-mapped).
 */
MUST_CHECK struct err *net_addr_parse(const char *what, const char *text,
				      struct net_addr *ret_addr);
/* A server's address (name server): loopback and link-local are fine, a prefix is not. */
MUST_CHECK struct err *net_addr_parse_host(const char *what, const char *text,
					   struct net_addr *ret_addr);
/* A gateway's: link-local is fine, a prefix is not. */
MUST_CHECK struct err *net_addr_parse_gateway(const char *what, const char *text,
					      struct net_addr *ret_addr);
/* The address without its prefix, in the one canonical spelling. text has NET_ADDR_TEXT_MAX bytes.
 */
void net_addr_format(const struct net_addr *addr, char *text);
bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b);

/* A usable interface name: 1..15 bytes, no "/", ":", white space or control byte, not "." or "..",
 * "all" or "default". ERR_INVALID. Source: dev_valid_name() in net/core/dev.c. */
MUST_CHECK struct err *net_name_check(const char *name);

/* --- a container's interfaces (port.c, and a file per kind) --- */

enum net_mode {
	NET_ROUTED,  /* a cable to the host, which routes each address to it; nothing is bridged */
	NET_NAT,     /* the same, for addresses that only this host knows */
	NET_BRIDGED, /* a cable into a bridge */
	NET_MACVLAN, /* a second MAC address on an interface of the host */
	NET_IPVLAN,  /* a second address on an interface of the host, with its MAC address */
	NET_NONE,    /* a cable whose host end is left to the operator */
	NET_MODE_COUNT
};
/* "routed", ...; NULL past the end. */
const char *net_mode_name(enum net_mode mode);
/* Has the mode an interface on the host's side? */
bool net_mode_is_cable(enum net_mode mode);
/* Has the host's end a guard (guard.h)? */
bool net_mode_is_guarded(enum net_mode mode);
/* Is the host the container's router? */
bool net_mode_is_routed(enum net_mode mode);

enum net_port_flags {
	NET_PORT_OPEN = 1,    /* bridged: frames pass between it and other isolated ports */
	NET_PORT_ANY_MAC = 2, /* bridged: the container may send with any source MAC */
	NET_PORT_ANY_IP = 4,  /* bridged: and with any address */
};

struct net_guard;
struct net_port {
	enum net_mode mode;
	char name[IFNAMSIZ];	     /* inside */
	char host_name[IFNAMSIZ];    /* the host's end of a cable, else "" */
	char link[IFNAMSIZ];	     /* the bridge, or macvlan's and ipvlan's interface; else "" */
	uint8_t mac[6], host_mac[6]; /* all zero: the kernel picks one, but for a routed host_mac */
	uint32_t mtu;		     /* 0: the link's */
	uint16_t vlan;		     /* bridged; 0: none */
	unsigned int flags;
	struct net_addr gateway4, gateway6; /* family 0: none. A routed port has its own */
	struct net_addr *addrs;		    /* owned */
	size_t addr_count;
	const struct net_guard *guard; /* guard.h; borrowed, NULL: none. Set before it is raised */
};

struct net_ports {
	struct net_port *items; /* owned */
	size_t count;
};
void net_port_release(struct net_port *port);
void net_ports_release(struct net_ports *ports);
static inline __attribute__((unused)) void own_net_ports(struct net_ports *ports)
{
	net_ports_release(ports);
}
MUST_CHECK struct err *net_port_add_addr(struct net_port *port, const struct net_addr *addr);
/* A new last port, empty; *ret_port is borrowed until the next one is added. */
MUST_CHECK struct err *net_ports_add(struct net_ports *ports, struct net_port **ret_port);
/* A deep copy of port as the last one. */
MUST_CHECK struct err *net_ports_add_copy(struct net_ports *ports, const struct net_port *port);
/* Add what more has and ports does not: ports of other links, addresses of the same ones. */
MUST_CHECK struct err *net_ports_merge(const struct net_ports *more, struct net_ports *ports);
/* The IPv6 gateway of a routed port, which the host end owns: made of host_mac. */
struct net_addr net_port_gateway6(const struct net_port *port);
/* Borrowed; NULL when there is none of this name inside. */
const struct net_port *net_ports_find(const struct net_ports *ports, const char *name);

/*
 * Make the kernel have the ports of want: those of old (what may be there already) are changed, or
 * removed when want does not have them; what is missing is made. So it starts a network (old is
 * empty), changes a running one, and repairs one that a killed command left half done.
 *
 * A cable's inner end is born in netns_fd. Routed ports: the host has a /32 or /128 route to each
 * address, the container default routes via 169.254.1.1 and the host end's link-local address.
 * Others: addresses with their prefix, default routes via the port's gateways. The first port with
 * a gateway of a family has the default route. A bridge that does not exist is made.
 *
 * ERR_EXISTS: an interface's name is taken, or an address is routed elsewhere already.
 * ERR_NOT_FOUND: macvlan's or ipvlan's interface. ERR_STATE: link is no bridge, or has no VLAN
 * filtering though a VLAN is wanted. Ports of old that are gone are made anew. What was made before
 * a failure stays: call again, or net_ports_remove().
 */
MUST_CHECK struct err *net_ports_change(const struct net_ports *old, const struct net_ports *want,
					int netns_fd);
/* Remove cables by their host ends, and bridges of ours that lost their last port. Only a veth is
 * ever removed. Missing is success. */
MUST_CHECK struct err *net_ports_remove(const struct net_ports *ports);
/*
 * What is whole as one reading found it, for who asks about the ports of many containers: a guard,
 * or an answer on an uplink, that is not in it is looked for by itself. All zero: none is in it.
 */
struct net_seen {
	struct strlist guarded;	 /* host ends, no bridged ones */
	struct strlist answered; /* "UPLINK ADDRESS" */
};
MUST_CHECK struct err *net_seen_read(struct net_seen *ret_seen);
void net_seen_release(struct net_seen *seen);
static inline __attribute__((unused)) void own_net_seen(struct net_seen *seen)
{
	net_seen_release(seen);
}
/* Is every cable there, guarded, and in its bridge if that exists? An operator, the container, or a
 * bridge that was made anew, may have changed that; net_ports_change() makes it so again. seen may
 * be NULL. */
MUST_CHECK struct err *net_ports_check(const struct net_ports *ports, const struct net_seen *seen,
				       bool *ret_whole);

/* --- uplinks (uplink.c) --- */

#define NET_UPLINKS_MAX 8
/* Interfaces of the host behind which other machines are. */
struct net_uplinks {
	char names[NET_UPLINKS_MAX][IFNAMSIZ];
	size_t count;
};
/* Those of the default routes of IPv4 and IPv6; none is success. */
MUST_CHECK struct err *net_uplinks_find(struct net_uplinks *ret_uplinks);
/*
 * The host answers ARP and neighbour discovery on each uplink for the addresses of the routed port
 * of want, and no more for those that old alone has. An uplink that is away is passed over. It
 * needs forwarding on the uplink, and proxy_ndp for IPv6.
 */
MUST_CHECK struct err *net_proxy_change(const struct net_uplinks *uplinks,
					const struct net_ports *old, const struct net_ports *want);
/* Is what net_proxy_change() made still there, on every uplink that is up? seen may be NULL. */
MUST_CHECK struct err *net_proxy_check(const struct net_uplinks *uplinks,
				       const struct net_ports *ports, const struct net_seen *seen,
				       bool *ret_whole);

/* --- announcing and asking (announce.c) --- */

/*
 * Tell the cables where the addresses are: from inside, those of bridged, macvlan and ipvlan ports,
 * and their MAC addresses for switches; on the uplinks, those of the routed port. Frames that
 * nobody can hear are not sent. Once: who needs it repeated calls again.
 */
MUST_CHECK struct err *net_announce(const struct net_ports *ports,
				    const struct net_uplinks *uplinks, int netns_fd);
/*
 * Ask on a host's interface whether anybody has one of the addresses (RFC 5227, RFC 4862); takes
 * about 0.6 s if nobody has, and no time if the interface is away or down. ERR_EXISTS names address
 * and owner.
 */
MUST_CHECK struct err *net_probe(const char *name, const struct net_addr *addrs, size_t count);
/* None of them is the host's own (router.c). ERR_EXISTS. */
MUST_CHECK struct err *net_check_not_own(const struct net_addr *addrs, size_t count);

/* Traffic of an interface of our namespace, as the host sees it. */
struct net_counters {
	uint64_t rx_bytes, rx_packets, rx_dropped, tx_bytes, tx_packets, tx_dropped;
};
/* ERR_NOT_FOUND: no such interface. */
MUST_CHECK struct err *net_counters_read(const char *name, struct net_counters *ret_counters);

/*
 * OCI netDevices: move a host interface into netns_fd, under new_name (NULL: keep its name), keep
 * its permanent global addresses and raise it there. Errors: ERR_NOT_FOUND, ERR_EXISTS (the name is
 * taken inside), ERR_SYS.
 */
MUST_CHECK struct err *net_device_move(const char *host_name, const char *new_name, int netns_fd);

#include "netns/guard.h"

#endif
