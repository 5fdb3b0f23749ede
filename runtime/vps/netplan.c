/* From a definition to a complete plan of interfaces; see wire.h. Pure. */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "runtime/vps/netif.h"
#include "runtime/vps/wire.h"

#define SUFFIX_MAX 5

/* The same for the same words, also on another host. */
static void hash_mac(uint8_t first, const char *name, const char *ifname, uint8_t *ret_mac)
{
	char hex[SHA256_HEX_MAX];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, name, strlen(name));
	sha256_add(&sha, "/", 1);
	sha256_add(&sha, ifname, strlen(ifname));
	sha256_hex(&sha, hex);
	for (size_t i = 0; i < 6; i++) {
		unsigned int byte;

		(void)sscanf(hex + 2 * i, "%2x", &byte);
		ret_mac[i] = (uint8_t)byte;
	}
	ret_mac[0] = first;
}

/* "eth1" is number 1, as OpenVZ counts; of another name a piece of its hash, which stays the same
 * whatever else the VPS has. */
static void suffix_of(const char *ifname, char *ret_suffix)
{
	char hex[SHA256_HEX_MAX];
	struct sha256 sha;
	size_t digits = str_has_prefix(ifname, "eth") ? strspn(ifname + 3, "0123456789") : 0;

	if (digits > 0 && digits <= 3 && ifname[3 + digits] == '\0') {
		snprintf(ret_suffix, SUFFIX_MAX, "%.3s", ifname + 3);
		return;
	}
	sha256_init(&sha);
	sha256_add(&sha, ifname, strlen(ifname));
	sha256_hex(&sha, hex);
	snprintf(ret_suffix, SUFFIX_MAX, "x%.3s", hex);
}

/*
 * "vethNAME.0" as OpenVZ calls it, where that fits into the kernel's 15 bytes; else the VPS's place
 * in the pool of ids, which is its own, behind a "~" that no VPS name can have.
 */
static void host_name_of(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			 const char *ifname, char *ret_name)
{
	uint64_t place =
		conf->id_first == VPS_UNSET ? 0 : (conf->id_first - host->id_first) / VPS_ID_RANGE;
	char suffix[SUFFIX_MAX];

	suffix_of(ifname, suffix);
	if (snprintf(ret_name, IFNAMSIZ, "veth%s.%s", name, suffix) >= IFNAMSIZ)
		snprintf(ret_name, IFNAMSIZ, "veth~%x.%s", (unsigned int)place & 0xffff, suffix);
}

/*
 * IP_ADDRESS is the routed interface's. Where NETIF has none, it is eth0 and the first, or venet0
 * beside an eth0 of NETIF.
 */
static struct err *place_addrs(const struct vps_conf *conf, struct net_ports *ports)
{
	struct net_port *routed = NULL;

	for (size_t i = 0; i < ports->count && !routed; i++)
		if (ports->items[i].mode == NET_ROUTED)
			routed = &ports->items[i];
	if (!routed) {
		const char *name = net_ports_find(ports, "eth0") ? "venet0" : "eth0";

		TRY(net_ports_add(ports, &routed));
		routed->mode = NET_ROUTED;
		snprintf(routed->name, sizeof(routed->name), "%s", name);
		if (str_eq(name, "eth0")) { /* to the front */
			struct net_port implied = *routed;

			memmove(ports->items + 1, ports->items,
				(ports->count - 1) * sizeof(*ports->items));
			ports->items[0] = implied;
			routed = &ports->items[0];
		}
	}
	for (size_t i = 0; i < conf->addr_count; i++)
		TRY(net_port_add_addr(routed, &conf->addrs[i]));
	return NULL;
}

static struct err *complete(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf, struct net_port *port)
{
	if (port->mode == NET_BRIDGED && !*port->link) {
		if (!*host->net.bridge)
			return err_new(ERR_INVALID,
				       "NETIF: interface %s: which bridge? Neither bridge= nor "
				       "cella.conf's BRIDGE says",
				       port->name);
		snprintf(port->link, sizeof(port->link), "%s", host->net.bridge);
	}
	if (port->mode != NET_IPVLAN && !netif_has_mac(port->mac))
		hash_mac(0x02, name, port->name, port->mac);
	if (!net_mode_is_cable(port->mode))
		return NULL;
	if (!*port->host_name)
		host_name_of(host, name, conf, port->name, port->host_name);
	/* the highest first byte: a bridge takes the lowest address of its ports for its own */
	if (!netif_has_mac(port->host_mac))
		hash_mac(0xfe, name, port->host_name, port->host_mac);
	return NULL;
}

static struct err *check_publish_port(const struct vps_conf *conf, const struct net_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].mode == NET_NAT)
			return NULL;
	if (conf->publish.count == 0)
		return NULL;
	return err_new(ERR_INVALID, "--publish: the VPS has no interface in mode nat");
}

struct err *net_plan(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		     struct net_ports *ret_ports)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	for (size_t i = 0; i < conf->netifs.count; i++)
		TRY(net_ports_add_copy(&ports, &conf->netifs.items[i]));
	if (conf->addr_count)
		TRY(place_addrs(conf, &ports));
	for (size_t i = 0; i < ports.count; i++)
		TRY(complete(host, name, conf, &ports.items[i]));
	TRY(netif_check("NETIF", &ports));
	TRY(check_publish_port(conf, &ports));
	*ret_ports = ports;
	ports = (struct net_ports){ 0 };
	return NULL;
}
