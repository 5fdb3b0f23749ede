/* The interfaces of a VPS for show and list: as JSON and as words. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/vps.h"

static void put_text(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

/* 0 is null: nothing is said. */
static void put_number(struct json_out *out, const char *key, uint64_t value)
{
	json_out_key(out, key);
	if (value)
		json_out_u64(out, value);
	else
		json_out_string(out, NULL);
}

static void put_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

static void put_mac(struct json_out *out, const char *key, const uint8_t *mac)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	put_text(out, key, memcmp(mac, (uint8_t[6]){ 0 }, 6) == 0 ? NULL : text);
}

static void put_addr(struct json_out *out, const struct net_addr *addr)
{
	char text[NET_ADDR_TEXT_MAX];

	net_addr_format(addr, text);
	json_out_string(out, text);
}

/* Routed addresses are the host's own; others have the prefix of their network. */
static void put_port_addrs(struct json_out *out, const struct net_port *port)
{
	json_out_key(out, "addresses");
	json_out_array(out);
	for (size_t i = 0; i < port->addr_count; i++) {
		const struct net_addr *addr = &port->addrs[i];

		json_out_object(out);
		json_out_key(out, "address");
		put_addr(out, addr);
		put_number(out, "prefix",
			   !net_mode_is_routed(port->mode) ? addr->prefix :
			   addr->family == AF_INET	   ? 32 :
							     128);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void put_gateways(struct json_out *out, const struct net_port *port)
{
	const struct net_addr *const gateways[] = { &port->gateway4, &port->gateway6 };

	json_out_key(out, "gateways");
	json_out_array(out);
	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++)
		if (gateways[i]->family)
			put_addr(out, gateways[i]);
	json_out_end_array(out);
}

static void put_port(struct json_out *out, const struct net_port *port)
{
	bool bridged = port->mode == NET_BRIDGED;

	json_out_object(out);
	put_text(out, "name", port->name);
	put_text(out, "mode", net_mode_name(port->mode));
	put_text(out, "hostName", *port->host_name ? port->host_name : NULL);
	put_mac(out, "mac", port->mac);
	put_mac(out, "hostMac", port->host_mac);
	put_text(out, bridged ? "bridge" : "link", *port->link ? port->link : NULL);
	put_number(out, "vlan", port->vlan);
	put_number(out, "mtu", port->mtu);
	if (bridged) {
		put_bool(out, "macFilter", !(port->flags & NET_PORT_ANY_MAC));
		put_bool(out, "ipFilter", !(port->flags & NET_PORT_ANY_IP));
		put_bool(out, "isolated", !(port->flags & NET_PORT_OPEN));
	}
	put_port_addrs(out, port);
	put_gateways(out, port);
	json_out_end_object(out);
}

void vps_json_ports(struct json_out *out, const struct net_ports *ports)
{
	json_out_key(out, "interfaces");
	json_out_array(out);
	for (size_t i = 0; i < ports->count; i++)
		put_port(out, &ports->items[i]);
	json_out_end_array(out);
}

void vps_json_addrs(struct json_out *out, const struct net_ports *ports)
{
	json_out_key(out, "addresses");
	json_out_array(out);
	for (size_t i = 0; i < ports->count; i++)
		for (size_t k = 0; k < ports->items[i].addr_count; k++)
			put_addr(out, &ports->items[i].addrs[k]);
	json_out_end_array(out);
}

struct err *vps_addrs_text(const struct net_ports *ports, struct buf *text)
{
	TRY(buf_add(text, "", 0));
	for (size_t i = 0; i < ports->count; i++) {
		for (size_t k = 0; k < ports->items[i].addr_count; k++) {
			char addr[NET_ADDR_TEXT_MAX];

			net_addr_format(&ports->items[i].addrs[k], addr);
			TRY(buf_format(text, "%s%s", text->len ? " " : "", addr));
		}
	}
	return NULL;
}

/* "bridged in vmbr0, VLAN 7, veth1.0 on the host" */
struct err *vps_port_text(const struct net_port *port, struct buf *text)
{
	TRY(buf_format(text, "%s", net_mode_name(port->mode)));
	if (*port->link)
		TRY(buf_format(text, " %s %s", port->mode == NET_BRIDGED ? "in" : "on",
			       port->link));
	if (port->vlan)
		TRY(buf_format(text, ", VLAN %u", port->vlan));
	if (port->mtu)
		TRY(buf_format(text, ", MTU %u", port->mtu));
	return *port->host_name ? buf_format(text, ", %s on the host", port->host_name) : NULL;
}
