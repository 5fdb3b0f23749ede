/*
 * A container's network: loopback, the veth pair with its routed addresses, moved host devices.
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
/* The address without its prefix, in the one canonical spelling. text has NET_ADDR_TEXT_MAX bytes.
 */
void net_addr_format(const struct net_addr *addr, char *text);
bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b);

/* A usable interface name: 1..15 bytes, no "/", ":", white space or control byte, not "." or "..",
 * "all" or "default". ERR_INVALID. Source: dev_valid_name() in net/core/dev.c. */
MUST_CHECK struct err *net_name_check(const char *name);

/* A veth pair whose host end is a router's port: each address is a host route, nothing is bridged.
 */
struct net_guard;
struct net_veth {
	const char *host_name, *name; /* host's end; the container's end ("eth0") */
	uint8_t host_mac[6], mac[6];  /* all zero: the kernel picks one */
	uint32_t mtu;		      /* 0: the kernel's default */
	const struct net_addr *addrs; /* borrowed */
	size_t addr_count;
	const struct net_guard
		*guard; /* guard.h; set before the host's end is raised; NULL: none */
};

/*
 * Make the pair with its container end already in netns_fd, raise both ends, give the container its
 * addresses and default routes (via 169.254.1.1 and fe80::1, which the host end owns), and the host
 * a /32 or /128 route to each address. A failure removes what was made. ERR_EXISTS: host_name is
 * taken, or an address is routed elsewhere already.
 */
MUST_CHECK struct err *net_veth_create(const struct net_veth *veth, int netns_fd);
/* Remove the pair by its host end; only a veth is ever removed. Missing is success. */
MUST_CHECK struct err *net_veth_destroy(const char *host_name);
/* Add or remove one address of a live pair, on both ends. */
MUST_CHECK struct err *net_veth_add_addr(const struct net_veth *veth, int netns_fd,
					 const struct net_addr *addr);
MUST_CHECK struct err *net_veth_remove_addr(const struct net_veth *veth, int netns_fd,
					    const struct net_addr *addr);

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
