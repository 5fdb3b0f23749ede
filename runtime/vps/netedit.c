/* The network options of create and set, applied to a definition in the order they were given; see
 * vps.h. Pure. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/vps/netif.h"
#include "runtime/vps/vps.h"

struct edit {
	struct vps_conf *conf;
	struct net_port *port; /* chosen by --ifname or --netif_add; NULL: none */
	const char *what;      /* "--ipadd" */
};

struct edit_verb {
	const char *name;
	struct err *(*apply)(struct edit *edit, const struct edit_verb *verb, const char *value);
	const char *key; /* of NETIF, for set_key */
};

static struct net_port *find(const struct vps_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->netifs.count; i++)
		if (str_eq(conf->netifs.items[i].name, name))
			return &conf->netifs.items[i];
	return NULL;
}

static struct err *choose(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	(void)verb;
	edit->port = find(edit->conf, value);
	if (edit->port)
		return NULL;
	return err_new(ERR_INVALID,
		       "%s: the VPS has no interface '%.20s'; --netif_add %.15s gives it one",
		       edit->what, value, value);
}

static struct err *add_netif(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	OWN(net_ports) struct net_ports added = { 0 };

	(void)verb;
	TRY(netif_parse_add(edit->what, value, &added));
	if (find(edit->conf, added.items[0].name))
		return err_new(ERR_INVALID, "%s: the VPS has an interface %s already", edit->what,
			       added.items[0].name);
	TRY(net_ports_add_copy(&edit->conf->netifs, &added.items[0]));
	edit->port = &edit->conf->netifs.items[edit->conf->netifs.count - 1];
	return NULL;
}

static struct err *delete_netif(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	struct net_ports *ports = &edit->conf->netifs;
	struct net_port *port = find(edit->conf, value);

	(void)verb;
	edit->port = NULL;
	if (str_eq(value, "all")) {
		net_ports_release(ports);
		return NULL;
	}
	if (!port)
		return err_new(ERR_INVALID, "%s: the VPS has no interface '%.20s'", edit->what,
			       value);
	net_port_release(port);
	memmove(port, port + 1, (size_t)(ports->items + ports->count - (port + 1)) * sizeof(*port));
	ports->count--;
	return NULL;
}

static struct err *set_key(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	if (!edit->port)
		return err_new(ERR_INVALID, "%s: of which interface? --ifname in front says",
			       edit->what);
	return netif_set(edit->what, edit->port, verb->key, value);
}

/* The list that --ipadd and --ipdel are about. */
struct addrs {
	struct net_addr **items;
	size_t *count;
};

static struct addrs addrs_of(const struct edit *edit)
{
	if (edit->port)
		return (struct addrs){ &edit->port->addrs, &edit->port->addr_count };
	return (struct addrs){ &edit->conf->addrs, &edit->conf->addr_count };
}

static struct err *add_addr(struct edit *edit, const char *text)
{
	struct addrs addrs = addrs_of(edit);
	struct net_addr addr;

	if (str_eq(text, "auto")) {
		if (edit->port)
			return err_new(ERR_INVALID,
				       "%s: auto is for routed addresses, in front of any --ifname",
				       edit->what);
		edit->conf->wants_addr = true;
		return NULL;
	}
	TRY(net_addr_parse(edit->what, text, &addr));
	for (size_t i = 0; i < *addrs.count; i++)
		if (net_addr_same_host(&(*addrs.items)[i], &addr)) {
			(*addrs.items)[i].prefix = addr.prefix; /* it has it, or its network */
			return NULL;
		}
	if (edit->port)
		return net_port_add_addr(edit->port, &addr);
	return vps_conf_add_addr(edit->conf, &addr);
}

static struct err *delete_addr(struct edit *edit, const char *text)
{
	struct addrs addrs = addrs_of(edit);
	struct net_addr addr;

	if (str_eq(text, "all")) {
		*addrs.count = 0;
		return NULL;
	}
	TRY(net_addr_parse(edit->what, text, &addr));
	for (size_t i = 0; i < *addrs.count; i++) {
		struct net_addr *at = &(*addrs.items)[i];

		if (!net_addr_same_host(at, &addr))
			continue;
		memmove(at, at + 1, (size_t)(*addrs.items + *addrs.count - (at + 1)) * sizeof(*at));
		(*addrs.count)--;
		return NULL;
	}
	return err_new(ERR_INVALID, "%s: %.60s is not an address of %s", edit->what, text,
		       edit->port ? edit->port->name : "the VPS");
}

/* One or several, as in the file. */
static struct err *each_word(struct edit *edit, const char *value,
			     struct err *(*apply)(struct edit *edit, const char *text))
{
	for (const char *at = value + strspn(value, " ,"); *at; at += strspn(at, " ,")) {
		size_t len = strcspn(at, " ,");
		OWN(str) char *word = NULL;

		TRY(str_format(&word, "%.*s", (int)len, at));
		TRY(apply(edit, word));
		at += len;
	}
	return NULL;
}

static struct err *add_addrs(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	(void)verb;
	return each_word(edit, value, add_addr);
}

static struct err *delete_addrs(struct edit *edit, const struct edit_verb *verb, const char *value)
{
	(void)verb;
	return each_word(edit, value, delete_addr);
}

static const struct edit_verb verbs[] = {
	{ "ipadd", add_addrs },
	{ "ip", add_addrs },
	{ "ipdel", delete_addrs },
	{ "netif_add", add_netif },
	{ "netif_del", delete_netif },
	{ "ifname", choose },
	{ "mac", set_key, "mac" },
	{ "host_ifname", set_key, "host_ifname" },
	{ "host_mac", set_key, "host_mac" },
	{ "bridge", set_key, "bridge" },
	{ "mac_filter", set_key, "mac_filter" },
	{ "ip_filter", set_key, "ip_filter" },
	{ "isolated", set_key, "isolated" },
	{ "vlan", set_key, "vlan" },
	{ "mtu", set_key, "mtu" },
	{ "gateway", set_key, "gateway" },
};

static struct err *apply_one(struct edit *edit, const char *word)
{
	const char *value = strchr(word, '=');
	OWN(str) char *name = NULL, *what = NULL;

	if (!value)
		return err_new(ERR_INVALID, "'%.40s' is not OPTION=VALUE", word);
	TRY(str_format(&name, "%.*s", (int)(value - word), word));
	TRY(str_format(&what, "--%s", name));
	edit->what = what;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].name, name))
			return verbs[i].apply(edit, &verbs[i], value + 1);
	return err_new(ERR_INVALID, "%s is not an option of the network", what);
}

struct err *vps_net_edit(const struct strlist *edits, struct vps_conf *conf)
{
	struct edit edit = { .conf = conf };

	for (size_t i = 0; i < edits->count; i++)
		TRY(apply_one(&edit, edits->items[i]));
	return NULL;
}
