/* NETIF as a table of values; see netif.h. */
#include "runtime/vps/netif.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"

/* One value. read: what is "NETIF: eth0: mac" or so. write: appends ",name=value" when it is set.
 */
struct netif_key {
	const char *name;
	struct err *(*read)(const char *what, const char *value, struct net_port *port);
	struct err *(*write)(const struct netif_key *key, const struct net_port *port,
			     struct buf *text);
	size_t offset; /* of what the functions for names and MAC addresses work on */
};

void netif_format_mac(const uint8_t *mac, char *text)
{
	snprintf(text, NETIF_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

bool netif_has_mac(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) != 0;
}

/* --- reading --- */

static struct err *read_name(const char *what, const char *value, char *ret_name)
{
	TRY(err_wrap(net_name_check(value), "%s", what));
	if (strpbrk(value, ",;=\"'`$\\"))
		return err_new(ERR_INVALID, "%s: '%.20s' is not a usable interface name", what,
			       value);
	snprintf(ret_name, IFNAMSIZ, "%s", value);
	return NULL;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | (c > '9' ? 0x20 : 0)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static struct err *read_mac_text(const char *what, const char *value, uint8_t *ret_mac)
{
	uint8_t mac[6];
	bool good = strlen(value) == 17;

	for (size_t i = 0; i < 6 && good; i++) {
		int high = hex_digit(value[3 * i]), low = hex_digit(value[3 * i + 1]);

		good = high >= 0 && low >= 0 && (i == 5 || value[3 * i + 2] == ':');
		mac[i] = good ? (uint8_t)(high << 4 | low) : 0;
	}
	if (!good)
		return err_new(ERR_INVALID, "%s: '%.40s' is not a MAC address (02:00:5e:00:53:01)",
			       what, value);
	if (mac[0] & 1 || !netif_has_mac(mac))
		return err_new(ERR_INVALID, "%s: no interface can have the address %s", what,
			       value);
	memcpy(ret_mac, mac, sizeof(mac));
	return NULL;
}

static struct err *read_ifname(const char *what, const char *value, struct net_port *port)
{
	if (str_eq(value, "lo"))
		return err_new(ERR_INVALID, "%s: 'lo' is the loopback interface", what);
	return read_name(what, value, port->name);
}

static struct err *read_host_ifname(const char *what, const char *value, struct net_port *port)
{
	return read_name(what, value, port->host_name);
}

static struct err *read_link(const char *what, const char *value, struct net_port *port)
{
	return read_name(what, value, port->link);
}

/* OpenVZ's interfaces have no mode: they are bridged if they have a bridge. */
static struct err *read_bridge(const char *what, const char *value, struct net_port *port)
{
	TRY(read_name(what, value, port->link));
	if (port->mode == NET_NONE)
		port->mode = NET_BRIDGED;
	return NULL;
}

static struct err *read_mac(const char *what, const char *value, struct net_port *port)
{
	return read_mac_text(what, value, port->mac);
}

static struct err *read_host_mac(const char *what, const char *value, struct net_port *port)
{
	return read_mac_text(what, value, port->host_mac);
}

static struct err *read_mode(const char *what, const char *value, struct net_port *port)
{
	for (unsigned int mode = 0; mode < NET_MODE_COUNT; mode++)
		if (str_eq(net_mode_name(mode), value) ||
		    (mode == NET_BRIDGED && str_eq(value, "bridge"))) {
			port->mode = mode;
			return NULL;
		}
	return err_new(ERR_INVALID,
		       "%s: '%.20s' is none of routed, nat, bridged, macvlan, ipvlan, none", what,
		       value);
}

static struct err *read_vlan(const char *what, const char *value, struct net_port *port)
{
	uint64_t vlan;

	TRY(parse_u64(what, value, 1, 4094, &vlan));
	port->vlan = (uint16_t)vlan;
	return NULL;
}

static struct err *read_mtu(const char *what, const char *value, struct net_port *port)
{
	uint64_t mtu;

	TRY(parse_u64(what, value, 68, 65535, &mtu));
	port->mtu = (uint32_t)mtu;
	return NULL;
}

static struct err *read_ip(const char *what, const char *value, struct net_port *port)
{
	struct net_addr addr;

	TRY(net_addr_parse(what, value, &addr));
	if (port->addr_count == NETIF_ADDRS_MAX)
		return err_new(ERR_INVALID, "%s: more than %d addresses", what, NETIF_ADDRS_MAX);
	return net_port_add_addr(port, &addr);
}

static struct err *read_gateway(const char *what, const char *value, struct net_port *port)
{
	struct net_addr addr;

	TRY(net_addr_parse_gateway(what, value, &addr));
	*(addr.family == AF_INET ? &port->gateway4 : &port->gateway6) = addr;
	return NULL;
}

static struct err *read_flag(const char *what, const char *value, struct net_port *port,
			     unsigned int off_flag)
{
	bool on;

	TRY(parse_bool(what, value, &on));
	port->flags = on ? port->flags & ~off_flag : port->flags | off_flag;
	return NULL;
}

static struct err *read_mac_filter(const char *what, const char *value, struct net_port *port)
{
	return read_flag(what, value, port, NET_PORT_ANY_MAC);
}

static struct err *read_ip_filter(const char *what, const char *value, struct net_port *port)
{
	return read_flag(what, value, port, NET_PORT_ANY_IP);
}

static struct err *read_isolated(const char *what, const char *value, struct net_port *port)
{
	return read_flag(what, value, port, NET_PORT_OPEN);
}

/* OpenVZ 7 writes it; it means nothing here. */
static struct err *read_nothing(const char *what, const char *value, struct net_port *port)
{
	(void)what;
	(void)value;
	(void)port;
	return NULL;
}

/* --- writing --- */

static struct err *write_name(const struct netif_key *key, const struct net_port *port,
			      struct buf *text)
{
	const char *name = (const char *)port + key->offset;

	return *name ? buf_format(text, ",%s=%s", key->name, name) : NULL;
}

static struct err *write_mac(const struct netif_key *key, const struct net_port *port,
			     struct buf *text)
{
	const uint8_t *mac = (const uint8_t *)port + key->offset;
	char mac_text[NETIF_MAC_TEXT];

	if (!netif_has_mac(mac))
		return NULL;
	netif_format_mac(mac, mac_text);
	return buf_format(text, ",%s=%s", key->name, mac_text);
}

static bool mode_is_plain(const struct net_port *port)
{
	return port->mode == NET_NONE ? !*port->link : port->mode == NET_BRIDGED && *port->link;
}

static struct err *write_mode(const struct netif_key *key, const struct net_port *port,
			      struct buf *text)
{
	if (mode_is_plain(port))
		return NULL;
	return buf_format(text, ",%s=%s", key->name, net_mode_name(port->mode));
}

static struct err *write_bridge(const struct netif_key *key, const struct net_port *port,
				struct buf *text)
{
	return port->mode == NET_BRIDGED ? write_name(key, port, text) : NULL;
}

static struct err *write_link(const struct netif_key *key, const struct net_port *port,
			      struct buf *text)
{
	return port->mode == NET_BRIDGED ? NULL : write_name(key, port, text);
}

static struct err *write_vlan(const struct netif_key *key, const struct net_port *port,
			      struct buf *text)
{
	return port->vlan ? buf_format(text, ",%s=%u", key->name, port->vlan) : NULL;
}

static struct err *write_mtu(const struct netif_key *key, const struct net_port *port,
			     struct buf *text)
{
	return port->mtu ? buf_format(text, ",%s=%u", key->name, port->mtu) : NULL;
}

static struct err *write_addr(const char *name, const struct net_addr *addr, struct buf *text)
{
	char host[NET_ADDR_TEXT_MAX];

	net_addr_format(addr, host);
	TRY(buf_format(text, ",%s=%s", name, host));
	if (addr->prefix == (addr->family == AF_INET ? 32 : 128))
		return NULL;
	return buf_format(text, "/%u", addr->prefix);
}

static struct err *write_ip(const struct netif_key *key, const struct net_port *port,
			    struct buf *text)
{
	for (size_t i = 0; i < port->addr_count; i++)
		TRY(write_addr(key->name, &port->addrs[i], text));
	return NULL;
}

static struct err *write_gateway(const struct netif_key *key, const struct net_port *port,
				 struct buf *text)
{
	if (port->gateway4.family)
		TRY(write_addr(key->name, &port->gateway4, text));
	return port->gateway6.family ? write_addr(key->name, &port->gateway6, text) : NULL;
}

static struct err *write_mac_filter(const struct netif_key *key, const struct net_port *port,
				    struct buf *text)
{
	return port->flags & NET_PORT_ANY_MAC ? buf_format(text, ",%s=off", key->name) : NULL;
}

static struct err *write_ip_filter(const struct netif_key *key, const struct net_port *port,
				   struct buf *text)
{
	return port->flags & NET_PORT_ANY_IP ? buf_format(text, ",%s=off", key->name) : NULL;
}

static struct err *write_isolated(const struct netif_key *key, const struct net_port *port,
				  struct buf *text)
{
	return port->flags & NET_PORT_OPEN ? buf_format(text, ",%s=off", key->name) : NULL;
}

/* --- the table, in the order of writing: the mode before the bridge, which depends on it --- */

#define FIELD(member) offsetof(struct net_port, member)

/* clang-format off */
static const struct netif_key netif_keys[] = {
	{ "ifname",      read_ifname,      write_name,       FIELD(name) },
	{ "mode",        read_mode,        write_mode },
	{ "bridge",      read_bridge,      write_bridge,     FIELD(link) },
	{ "link",        read_link,        write_link,       FIELD(link) },
	{ "mac",         read_mac,         write_mac,        FIELD(mac) },
	{ "host_ifname", read_host_ifname, write_name,       FIELD(host_name) },
	{ "host_mac",    read_host_mac,    write_mac,        FIELD(host_mac) },
	{ "vlan",        read_vlan,        write_vlan },
	{ "mtu",         read_mtu,         write_mtu },
	{ "ip",          read_ip,          write_ip },
	{ "gateway",     read_gateway,     write_gateway },
	{ "mac_filter",  read_mac_filter,  write_mac_filter },
	{ "ip_filter",   read_ip_filter,   write_ip_filter },
	{ "isolated",    read_isolated,    write_isolated },
	/* OpenVZ 7's other spellings */
	{ "type",        read_mode },
	{ "network",     read_bridge },
	{ "ip6",         read_ip },
	{ "gw",          read_gateway },
	{ "gw6",         read_gateway },
	{ "configure",   read_nothing },
	{ "dhcp",        read_nothing },
	{ "dhcp6",       read_nothing },
	{ "ifaceid",     read_nothing },
	{ "vport",       read_nothing },
	{ "vporttype",   read_nothing },
};
/* clang-format on */

struct err *netif_set(const char *what, struct net_port *port, const char *name, const char *value)
{
	OWN(str) char *label = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(netif_keys); i++) {
		if (!str_eq(netif_keys[i].name, name))
			continue;
		TRY(str_format(&label, "%s: %s", what, name));
		return netif_keys[i].read(label, value, port);
	}
	return err_new(ERR_INVALID, "%s: an interface has no '%.20s'", what, name);
}

/* "name=value"; an empty value is as good as none. */
static struct err *set_word(const char *what, struct net_port *port, const char *word)
{
	const char *equals = strchr(word, '=');
	OWN(str) char *name = NULL;

	if (!equals)
		return err_new(ERR_INVALID, "%s: '%.40s' is not KEY=VALUE", what, word);
	TRY(str_format(&name, "%.*s", (int)(equals - word), word));
	return equals[1] ? netif_set(what, port, name, equals + 1) : NULL;
}

/* Split at a separator, empty parts included; blanks at the edges do not count. */
static struct err *split(const char *text, char separator, struct strlist *ret_parts)
{
	for (;;) {
		const char *end = strchrnul(text, separator), *from = text, *to = end;

		while (from < to && (*from == ' ' || *from == '\t'))
			from++;
		while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		TRY(strlist_format(ret_parts, "%.*s", (int)(to - from), from));
		if (!*end)
			return NULL;
		text = end + 1;
	}
}

static struct err *parse_one(const char *what, const char *text, struct net_ports *ports)
{
	OWN(strlist) struct strlist words = { 0 };
	struct net_port *port;

	TRY(split(text, ',', &words));
	TRY(net_ports_add(ports, &port));
	port->mode = NET_NONE;
	for (size_t i = 0; i < words.count; i++)
		if (*words.items[i])
			TRY(set_word(what, port, words.items[i]));
	if (!*port->name)
		return err_new(ERR_INVALID, "%s: an interface without ifname=", what);
	return NULL;
}

struct err *netif_parse(const char *what, const char *text, struct net_ports *ret_ports)
{
	OWN(strlist) struct strlist parts = { 0 };
	OWN(net_ports) struct net_ports ports = { 0 };

	TRY(split(text, ';', &parts));
	for (size_t i = 0; i < parts.count; i++) {
		if (ports.count == NETIF_PORTS_MAX)
			return err_new(ERR_INVALID, "%s: more than %d interfaces", what,
				       NETIF_PORTS_MAX);
		if (*parts.items[i])
			TRY(parse_one(what, parts.items[i], &ports));
	}
	*ret_ports = ports;
	ports = (struct net_ports){ 0 };
	return NULL;
}

struct err *netif_parse_add(const char *what, const char *text, struct net_ports *ports)
{
	static const char *const places[] = { "ifname", "mac", "host_ifname", "host_mac",
					      "bridge" };
	OWN(strlist) struct strlist words = { 0 };
	struct net_port *port;
	size_t place = 0;

	TRY(split(text, ',', &words));
	TRY(net_ports_add(ports, &port));
	port->mode = NET_NONE;
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];

		if (strchr(word, '='))
			TRY(set_word(what, port, word));
		else if (place == ARRAY_SIZE(places))
			return err_new(ERR_INVALID, "%s: '%.40s' is one word too many", what, word);
		else if (*word || place == 0)
			TRY(netif_set(what, port, places[place++], word));
		else
			place++;
	}
	return *port->name ? NULL : err_new(ERR_INVALID, "%s: the interface has no name", what);
}

struct err *netif_format(const struct net_ports *ports, struct buf *text)
{
	for (size_t i = 0; i < ports->count; i++) {
		OWN(buf) struct buf one = { 0 };

		for (size_t k = 0; k < ARRAY_SIZE(netif_keys); k++)
			if (netif_keys[k].write)
				TRY(netif_keys[k].write(&netif_keys[k], &ports->items[i], &one));
		/* without the first comma */
		TRY(buf_format(text, "%s%s", i ? ";" : "", one.data + 1));
	}
	return NULL;
}
