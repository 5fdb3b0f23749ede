/* A container's ports, all modes: lists of them, and making the kernel have them; see netns.h. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "netns/guard.h"
#include "netns/port.h"

/* clang-format off */
static const struct mode {
	const char *name;
	bool is_cable, is_routed, is_guarded;
} modes[NET_MODE_COUNT] = {
	/*                           cable  routed guarded */
	[NET_ROUTED]  = { "routed",  true,  true,  true },
	[NET_NAT]     = { "nat",     true,  true,  true },
	[NET_BRIDGED] = { "bridged", true,  false, true },
	[NET_MACVLAN] = { "macvlan", false, false, false },
	[NET_IPVLAN]  = { "ipvlan",  false, false, false },
	[NET_NONE]    = { "none",    true,  false, false },
};
/* clang-format on */

const char *net_mode_name(enum net_mode mode)
{
	return mode < NET_MODE_COUNT ? modes[mode].name : NULL;
}

bool net_mode_is_cable(enum net_mode mode)
{
	return modes[mode].is_cable;
}

bool net_mode_is_guarded(enum net_mode mode)
{
	return modes[mode].is_guarded;
}

bool net_mode_is_routed(enum net_mode mode)
{
	return modes[mode].is_routed;
}

void net_port_release(struct net_port *port)
{
	free(port->addrs);
	*port = (struct net_port){ 0 };
}

void net_ports_release(struct net_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		net_port_release(&ports->items[i]);
	free(ports->items);
	*ports = (struct net_ports){ 0 };
}

struct err *net_port_add_addr(struct net_port *port, const struct net_addr *addr)
{
	struct net_addr *addrs = reallocarray(port->addrs, port->addr_count + 1, sizeof(*addrs));

	if (!addrs)
		return err_sys(ENOMEM, "keep an address");
	port->addrs = addrs;
	addrs[port->addr_count++] = *addr;
	return NULL;
}

struct err *net_ports_add(struct net_ports *ports, struct net_port **ret_port)
{
	struct net_port *items = reallocarray(ports->items, ports->count + 1, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "keep an interface");
	ports->items = items;
	items[ports->count] = (struct net_port){ 0 };
	*ret_port = &items[ports->count++];
	return NULL;
}

struct err *net_ports_add_copy(struct net_ports *ports, const struct net_port *port)
{
	struct net_port *copy;

	TRY(net_ports_add(ports, &copy));
	*copy = *port;
	copy->addrs = NULL;
	copy->addr_count = 0;
	for (size_t i = 0; i < port->addr_count; i++)
		TRY(net_port_add_addr(copy, &port->addrs[i]));
	return NULL;
}

const struct net_port *net_ports_find(const struct net_ports *ports, const char *name)
{
	for (size_t i = 0; i < ports->count; i++)
		if (str_eq(ports->items[i].name, name))
			return &ports->items[i];
	return NULL;
}

bool port_has_family(const struct net_port *port, int family)
{
	for (size_t i = 0; i < port->addr_count; i++)
		if (port->addrs[i].family == family)
			return true;
	return false;
}

bool port_has_addr(const struct net_port *port, const struct net_addr *addr)
{
	for (size_t i = 0; i < port->addr_count; i++)
		if (net_addr_same_host(&port->addrs[i], addr))
			return true;
	return false;
}

/* --- default routes: the first port with a gateway= of the family, else the first routed one ---
 */

static const struct net_addr no_gateway;

static struct net_addr own_gateway(const struct net_port *port, int family)
{
	return family == AF_INET ? port->gateway4 : port->gateway6;
}

static struct net_addr gateway_of(const struct net_port *port, int family)
{
	struct net_addr own = own_gateway(port, family);

	if (own.family)
		return own;
	if (!net_mode_is_routed(port->mode) || !port_has_family(port, family))
		return no_gateway;
	return family == AF_INET ? router_gateway4 : net_port_gateway6(port);
}

static const struct net_port *default_port(const struct net_ports *ports, int family)
{
	for (size_t i = 0; i < ports->count; i++)
		if (own_gateway(&ports->items[i], family).family)
			return &ports->items[i];
	for (size_t i = 0; i < ports->count; i++)
		if (gateway_of(&ports->items[i], family).family)
			return &ports->items[i];
	return NULL;
}

static struct net_addr default_through(const struct net_ports *ports, const struct net_port *port,
				       int family)
{
	return default_port(ports, family) == port ? gateway_of(port, family) : no_gateway;
}

/* The old default route, when no port has one any more. */
static struct err *remove_default(struct port_work *work, const struct net_ports *old,
				  const struct net_ports *want, int family)
{
	const struct net_port *was = default_port(old, family);
	struct net_addr gateway;
	struct err *err;
	int index;

	if (!was || default_port(want, family) || !net_ports_find(want, was->name))
		return NULL; /* replaced, or gone with its interface */
	err = rtnl_index(&work->inside, was->name, &index);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* gone, then */
		return NULL;
	}
	TRY(err);
	gateway = gateway_of(was, family);
	rtnl_add_default_route(&work->inside_batch, RTM_DELROUTE, index, &gateway);
	rtnl_allow(&work->inside_batch, ESRCH);
	return rtnl_run(&work->inside, &work->inside_batch);
}

/* --- change --- */

/* Can the one become the other, or is it another interface? */
static bool same_link(const struct net_port *old, const struct net_port *want)
{
	return old->mode == want->mode && str_eq(old->name, want->name) &&
	       str_eq(old->host_name, want->host_name) &&
	       memcmp(old->host_mac, want->host_mac, sizeof(want->host_mac)) == 0 &&
	       (net_mode_is_cable(want->mode) || str_eq(old->link, want->link));
}

/* The port of the list that is the same link as this one; NULL when there is none. */
static const struct net_port *same_in(const struct net_ports *ports, const struct net_port *port)
{
	for (size_t i = 0; i < ports->count; i++)
		if (same_link(&ports->items[i], port))
			return &ports->items[i];
	return NULL;
}

static bool is_used(const struct net_ports *ports, const char *bridge)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].mode == NET_BRIDGED && str_eq(ports->items[i].link, bridge))
			return true;
	return false;
}

static struct err *drop_bridges(struct rtnl *host, const struct net_ports *old,
				const struct net_ports *want)
{
	struct err *err = NULL;

	for (size_t i = 0; i < old->count; i++)
		if (old->items[i].mode == NET_BRIDGED && !is_used(want, old->items[i].link))
			err = err_first(err, bridge_drop(host, old->items[i].link));
	return err;
}

static struct err *unguard(const struct net_port *port)
{
	return net_mode_is_guarded(port->mode) ? net_guard_remove(port->host_name) : NULL;
}

static struct err *remove_surplus(struct port_work *work, const struct net_ports *old,
				  const struct net_ports *want)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct net_port *port = &old->items[i];

		if (same_in(want, port))
			continue;
		if (net_mode_is_cable(port->mode)) {
			TRY(link_remove_cable(&work->host, port->host_name));
			TRY(unguard(port));
		} else {
			TRY(link_remove_inner(&work->inside, port->name));
		}
	}
	return drop_bridges(&work->host, old, want);
}

static struct err *join(struct port_work *work)
{
	switch (work->want->mode) {
	case NET_ROUTED:
	case NET_NAT:
		return router_join(work);
	case NET_BRIDGED:
		return bridge_join(work);
	case NET_NONE:
		rtnl_add_up(&work->host_batch, work->host_index, work->want->host_name);
		return rtnl_run(&work->host, &work->host_batch);
	case NET_MACVLAN:
	case NET_IPVLAN:
	case NET_MODE_COUNT:
		break;
	}
	return NULL;
}

static struct err *make_port(struct port_work *work)
{
	TRY(link_make(work));
	if (net_mode_is_cable(work->want->mode))
		TRY(port_write_sysctls(work->want));
	/* from the first packet on: the port is down still */
	if (work->want->guard)
		TRY(net_guard_set(work->want->guard));
	TRY(join(work));
	return inside_set(work);
}

struct err *net_ports_change(const struct net_ports *old, const struct net_ports *want,
			     int netns_fd)
{
	OWN(port_work) struct port_work work = { .netns_fd = netns_fd };

	TRY(rtnl_open(&work.host));
	TRY(rtnl_open_in(netns_fd, &work.inside));
	TRY(remove_surplus(&work, old, want));
	TRY(remove_default(&work, old, want, AF_INET));
	TRY(remove_default(&work, old, want, AF_INET6));
	for (size_t i = 0; i < want->count; i++) {
		work.want = &want->items[i];
		work.old = same_in(old, work.want);
		work.default4 = default_through(want, work.want, AF_INET);
		work.default6 = default_through(want, work.want, AF_INET6);
		TRY(err_wrap(make_port(&work), "interface %s", work.want->name));
	}
	return NULL;
}

struct err *net_ports_merge(const struct net_ports *more, struct net_ports *ports)
{
	for (size_t i = 0; i < more->count; i++) {
		const struct net_port *from = &more->items[i];
		struct net_port *to = NULL;

		for (size_t k = 0; k < ports->count && !to; k++)
			if (same_link(&ports->items[k], from))
				to = &ports->items[k];
		if (!to)
			TRY(net_ports_add_copy(ports, from));
		for (size_t k = 0; to && k < from->addr_count; k++)
			if (!port_has_addr(to, &from->addrs[k]))
				TRY(net_port_add_addr(to, &from->addrs[k]));
	}
	return NULL;
}

struct err *net_ports_remove(const struct net_ports *ports)
{
	static const struct net_ports none = { 0 };
	OWN(rtnl) struct rtnl host = { 0 };
	struct err *err = NULL;

	if (ports->count == 0)
		return NULL;
	TRY(rtnl_open(&host));
	for (size_t i = 0; i < ports->count; i++) {
		const struct net_port *port = &ports->items[i];

		if (net_mode_is_cable(port->mode))
			err = err_first(err, link_remove_cable(&host, port->host_name));
		err = err_first(err, unguard(port));
	}
	return err_first(err, drop_bridges(&host, ports, &none));
}

static struct err *check_bridged(const struct net_port *port, bool *ret_joined)
{
	OWN(rtnl) struct rtnl host = { 0 };
	struct rtnl_link link;

	TRY(rtnl_open(&host));
	TRY(rtnl_seek_link(&host, port->host_name, &link));
	*ret_joined = link.index != 0;
	return *ret_joined ? bridge_check(&host, port, &link, ret_joined) : NULL;
}

/* Where an index is enough: all that netlink tells of a link takes the kernel far longer. */
static struct err *check_link(const struct net_port *port, bool *ret_there)
{
	if (port->mode == NET_BRIDGED)
		return check_bridged(port, ret_there);
	*ret_there = if_nametoindex(port->host_name) != 0;
	if (!*ret_there && errno != ENODEV)
		return err_sys(errno, "look at interface %s", port->host_name);
	return NULL;
}

struct err *net_ports_check(const struct net_ports *ports, const struct net_seen *seen,
			    bool *ret_whole)
{
	*ret_whole = true;
	for (size_t i = 0; i < ports->count && *ret_whole; i++) {
		const struct net_port *port = &ports->items[i];

		if (!net_mode_is_cable(port->mode))
			continue;
		TRY(check_link(port, ret_whole));
		if (!*ret_whole || !net_mode_is_guarded(port->mode))
			continue;
		if (port->mode == NET_BRIDGED || !net_seen_guards(seen, port->host_name))
			TRY(net_guard_check(port, ret_whole));
	}
	return NULL;
}
