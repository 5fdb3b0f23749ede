/*
 * Who has an address already? Definitions know (ids.c), the host knows its own, the cables are
 * asked. Asked is when an address is given out, not at every start, which would take half a second
 * longer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "runtime/vps/wire.h"

struct addrs {
	struct net_addr *items;
	size_t count;
};

static void own_addrs(struct addrs *addrs)
{
	free(addrs->items);
}

static struct err *add(struct addrs *addrs, const struct net_port *port)
{
	struct net_addr *items;

	if (port->addr_count == 0)
		return NULL;
	items = reallocarray(addrs->items, addrs->count + port->addr_count, sizeof(*items));
	if (!items)
		return err_sys(ENOMEM, "keep addresses");
	addrs->items = items;
	memcpy(items + addrs->count, port->addrs, port->addr_count * sizeof(*items));
	addrs->count += port->addr_count;
	return NULL;
}

/* Of all other VPSs; a damaged one has those that it runs with. */
static struct err *add_all(const struct vps_host *host, const char *but, struct addrs *addrs)
{
	OWN(strlist) struct strlist names = { 0 };

	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++) {
		OWN(net_ports) struct net_ports ports = { 0 };
		OWN(vps_conf) struct vps_conf conf;
		enum other other;

		vps_conf_init(&conf);
		if (str_eq(names.items[i], but))
			continue;
		TRY(other_load(host, names.items[i], &conf, &other));
		if (other == OTHER_GONE)
			continue;
		TRY(other_plan(host, names.items[i], &conf, &ports));
		for (size_t k = 0; k < ports.count; k++)
			TRY(add(addrs, &ports.items[k]));
	}
	return NULL;
}

/* Does anybody on the uplinks have this one? */
static struct err *probe_uplinks(const struct vps_host *host, const struct net_addr *addrs,
				 size_t count)
{
	struct net_uplinks uplinks = { 0 };

	TRY(host_net_uplinks(host, &uplinks));
	for (size_t i = 0; i < uplinks.count; i++)
		TRY(net_probe(uplinks.names[i], addrs, count));
	return NULL;
}

struct source {
	const char *name;
	const struct pool *pool;
	bool probe; /* others might have them */
};

/* The next address of the pool that nobody has, which is added to taken as well. */
static struct err *choose(const struct vps_host *host, const struct source *source, int family,
			  struct addrs *taken, struct net_addr *ret_addr)
{
	for (;;) {
		struct net_port found = { 0 };
		struct err *err;

		if (!pool_choose(source->pool, family, taken->items, taken->count, ret_addr))
			return err_new(ERR_STATE, "no free IPv%d address in %s of cella.conf",
				       family == AF_INET ? 4 : 6, source->name);
		found = (struct net_port){ .addrs = ret_addr, .addr_count = 1 };
		TRY(add(taken, &found));
		err = net_check_not_own(ret_addr, 1);
		if (!err && source->probe)
			err = probe_uplinks(host, ret_addr, 1);
		if (!err || err_kind(err) != ERR_EXISTS)
			return err;
		log_warn(err); /* the pool says it is ours to give: worth knowing */
	}
}

/* One of each family that the pool has. port NULL: IP_ADDRESS. */
static struct err *choose_all(const struct vps_host *host, const struct source *source,
			      struct addrs *taken, struct vps_conf *conf, struct net_port *port)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct net_addr addr;

		if (!pool_has_family(source->pool, families[i]))
			continue;
		TRY(choose(host, source, families[i], taken, &addr));
		TRY(port ? net_port_add_addr(port, &addr) : vps_conf_add_addr(conf, &addr));
	}
	return NULL;
}

static struct net_port *nat_without_addrs(const struct vps_conf *conf)
{
	for (size_t i = 0; i < conf->netifs.count; i++)
		if (conf->netifs.items[i].mode == NET_NAT && conf->netifs.items[i].addr_count == 0)
			return &conf->netifs.items[i];
	return NULL;
}

struct err *addrs_choose(const struct vps_host *host, const char *name, struct vps_conf *conf)
{
	const struct source ip = { "IP_POOL", &host->net.ip_pool, true },
			    nat = { "NAT_POOL", &host->net.nat_pool, false };
	struct net_port *nat_port = nat_without_addrs(conf);
	OWN(addrs) struct addrs taken = { 0 };

	if (!conf->wants_addr && !nat_port)
		return NULL;
	if (conf->wants_addr && ip.pool->count == 0)
		return err_new(ERR_STATE,
			       "--ipadd auto: cella.conf has no IP_POOL to take it from");
	TRY(add_all(host, name, &taken));
	if (conf->wants_addr)
		TRY(choose_all(host, &ip, &taken, conf, NULL));
	conf->wants_addr = false;
	return nat_port ? choose_all(host, &nat, &taken, conf, nat_port) : NULL;
}

/* Addresses of port that its predecessor did not have. */
static struct err *new_addrs(const struct net_port *port, const struct net_ports *old,
			     struct addrs *ret_addrs)
{
	const struct net_port *before = net_ports_find(old, port->name);
	size_t kept = 0;

	TRY(add(ret_addrs, port));
	for (size_t i = 0; i < ret_addrs->count; i++) {
		bool had = false;

		for (size_t k = 0; before && k < before->addr_count && !had; k++)
			had = net_addr_same_host(&before->addrs[k], &ret_addrs->items[i]);
		if (!had)
			ret_addrs->items[kept++] = ret_addrs->items[i];
	}
	ret_addrs->count = kept;
	return NULL;
}

static struct err *check_port(const struct vps_host *host, const struct net_port *port,
			      const struct net_ports *old)
{
	OWN(addrs) struct addrs fresh = { 0 };

	TRY(new_addrs(port, old, &fresh));
	if (fresh.count == 0)
		return NULL;
	switch (port->mode) {
	case NET_ROUTED:
		TRY(net_check_not_own(fresh.items, fresh.count));
		return probe_uplinks(host, fresh.items, fresh.count);
	case NET_BRIDGED:
		/* of a VLAN the host hears nothing */
		return port->vlan ? NULL : net_probe(port->link, fresh.items, fresh.count);
	case NET_MACVLAN:
	case NET_IPVLAN:
		return net_probe(port->link, fresh.items, fresh.count);
	case NET_NAT:
	case NET_NONE:
	case NET_MODE_COUNT:
		break;
	}
	return NULL;
}

struct err *addrs_probe(const struct vps_host *host, const char *name,
			const struct vps_conf *before, const struct vps_conf *conf)
{
	OWN(net_ports) struct net_ports old = { 0 }, ports = { 0 };

	if (before)
		TRY(net_plan(host, name, before, &old));
	TRY(net_plan(host, name, conf, &ports));
	for (size_t i = 0; i < ports.count; i++)
		TRY(check_port(host, &ports.items[i], &old));
	return NULL;
}
