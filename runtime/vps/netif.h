/*
 * The value of NETIF: a VPS's interfaces as text. Grammar, with OpenVZ's keys and ours:
 *
 *   NETIF="ifname=eth0,bridge=vmbr0,mac=..;ifname=eth1,mode=routed,ip=192.0.2.7;..."
 *
 * Pure: nothing here touches the kernel or a file.
 */
#ifndef RUNTIME_VPS_NETIF_H
#define RUNTIME_VPS_NETIF_H

#include "base/str.h"
#include "netns/netns.h"

#define NETIF_PORTS_MAX 32
#define NETIF_ADDRS_MAX 256 /* of a VPS */

/* what: for the error texts. ERR_INVALID. An interface is checked by itself; netif_check() sees
 * them together. */
MUST_CHECK struct err *netif_parse(const char *what, const char *text, struct net_ports *ret_ports);
/* vzctl's --netif_add: "ifname[,mac,host_ifname,host_mac,bridge]", and KEY=VALUE words as above
 * anywhere after the name. */
MUST_CHECK struct err *netif_parse_add(const char *what, const char *text, struct net_ports *ports);
/* Set one value of one interface: name as in NETIF. */
MUST_CHECK struct err *netif_set(const char *what, struct net_port *port, const char *name,
				 const char *value);
MUST_CHECK struct err *netif_format(const struct net_ports *ports, struct buf *text);
/* Each interface in itself and all of them beside each other: names unique, values that fit the
 * mode, one routed interface at most. */
MUST_CHECK struct err *netif_check(const char *what, const struct net_ports *ports);

#define NETIF_MAC_TEXT 18
/* text has NETIF_MAC_TEXT bytes. */
void netif_format_mac(const uint8_t *mac, char *text);
bool netif_has_mac(const uint8_t *mac);

#endif
