/* The rules for interfaces, each in itself and beside the others; see netif.h. */
#include <string.h>
#include <sys/socket.h>

#include "runtime/vps/netif.h"

static struct err *refuse(const char *what, const struct net_port *port, const char *why)
{
	return err_new(ERR_INVALID, "%s: interface %s: %s", what, port->name, why);
}

static bool has_v6(const struct net_port *port)
{
	for (size_t i = 0; i < port->addr_count; i++)
		if (port->addrs[i].family == AF_INET6)
			return true;
	return false;
}

static struct err *check_one(const char *what, const struct net_port *port)
{
	bool bridged = port->mode == NET_BRIDGED, cable = net_mode_is_cable(port->mode);

	if (port->vlan && !bridged)
		return refuse(what, port, "vlan= is for mode bridged");
	if (port->flags && !bridged)
		return refuse(what, port,
			      "mac_filter=, ip_filter= and isolated= are for mode bridged");
	if (*port->link && cable && !bridged)
		return refuse(what, port, "a bridge is for mode bridged");
	if (!*port->link && !cable)
		return refuse(what, port, "link= must name the host's interface");
	if (!cable && (*port->host_name || netif_has_mac(port->host_mac)))
		return refuse(what, port, "the host has no end of it in this mode");
	if (port->mode == NET_IPVLAN && netif_has_mac(port->mac))
		return refuse(what, port, "ipvlan has the MAC address of its link");
	if (net_mode_is_routed(port->mode) && (port->gateway4.family || port->gateway6.family))
		return refuse(what, port, "the host is the gateway in this mode");
	if (port->mtu && port->mtu < 1280 && has_v6(port))
		return refuse(what, port, "IPv6 needs an MTU of 1280 at least");
	return NULL;
}

static struct err *check_pair(const char *what, const struct net_port *a, const struct net_port *b)
{
	if (str_eq(a->name, b->name))
		return refuse(what, a, "the name is given twice");
	if (*a->host_name && str_eq(a->host_name, b->host_name))
		return refuse(
			what, b,
			"its host end would be called as another one's; give it a host_ifname=");
	if (netif_has_mac(a->mac) && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0)
		return refuse(what, b, "the MAC address is another interface's");
	if (net_mode_is_routed(a->mode) && net_mode_is_routed(b->mode))
		return refuse(what, b, "a VPS has one routed or nat interface");
	for (size_t i = 0; i < a->addr_count; i++)
		for (size_t k = 0; k < b->addr_count; k++)
			if (net_addr_same_host(&a->addrs[i], &b->addrs[k]))
				return refuse(what, b, "an address is another interface's");
	return NULL;
}

static struct err *check_addrs(const char *what, const struct net_port *port)
{
	for (size_t i = 0; i < port->addr_count; i++)
		for (size_t k = 0; k < i; k++)
			if (net_addr_same_host(&port->addrs[i], &port->addrs[k]))
				return refuse(what, port, "an address is given twice");
	return NULL;
}

struct err *netif_check(const char *what, const struct net_ports *ports)
{
	size_t addr_count = 0;

	if (ports->count > NETIF_PORTS_MAX)
		return err_new(ERR_INVALID, "%s: more than %d interfaces", what, NETIF_PORTS_MAX);
	for (size_t i = 0; i < ports->count; i++) {
		addr_count += ports->items[i].addr_count;
		TRY(check_one(what, &ports->items[i]));
		TRY(check_addrs(what, &ports->items[i]));
		for (size_t k = 0; k < i; k++)
			TRY(check_pair(what, &ports->items[k], &ports->items[i]));
	}
	if (addr_count > NETIF_ADDRS_MAX)
		return err_new(ERR_INVALID, "%s: more than %d addresses", what, NETIF_ADDRS_MAX);
	return NULL;
}
