/*
 * Private to netns/: how one port is made. port.c walks the ports in two passes: first all links
 * are made, and stay down (link_make), then each is joined to what its mode wants (router_join,
 * bridge_join) and raised, and its inner end gets addresses (inside_set).
 */
#ifndef NETNS_PORT_H
#define NETNS_PORT_H

#include "netns/rtnl.h"

struct port_work {
	struct rtnl host, inside;
	struct rtnl_batch host_batch, inside_batch;
	int netns_fd; /* borrowed */
	/* the port at hand; old is NULL for a new one */
	const struct net_port *old, *want;
	int host_index, index;
	struct net_addr default4, default6; /* gateways of the default routes; family 0: none */
};

static inline __attribute__((unused)) void own_port_work(struct port_work *work)
{
	rtnl_close(&work->host);
	rtnl_close(&work->inside);
}

/* One file per kind. All are safe to repeat. */

/* Make the link with its inner end in the namespace, or find the one that is there; fills
 * host_index and index. */
MUST_CHECK struct err *link_make(struct port_work *work);
/* Remove the cable with this host end; missing is success, anything but a veth ERR_STATE. */
MUST_CHECK struct err *link_remove_cable(struct rtnl *host, const char *host_name);
/* Remove a macvlan or ipvlan by its inner end. Missing is success. */
MUST_CHECK struct err *link_remove_inner(struct rtnl *inside, const char *name);

/* The host end's settings under /proc/sys/net, while it is down. */
MUST_CHECK struct err *port_write_sysctls(const struct net_port *port);
/* Gateways and host routes; raised. */
MUST_CHECK struct err *router_join(struct port_work *work);
/* Into the bridge, which is made when missing; raised. */
MUST_CHECK struct err *bridge_join(struct port_work *work);
/* Remove a bridge that bridge_join() made, if it has no port. Missing is success. */
MUST_CHECK struct err *bridge_drop(struct rtnl *host, const char *name);
/* Is the host end in its bridge, as bridge_join() leaves it, or is there no such bridge now? */
MUST_CHECK struct err *bridge_check(struct rtnl *host, const struct net_port *port,
				    const struct rtnl_link *link, bool *ret_joined);
/* The inner end: raised, addresses, default routes. */
MUST_CHECK struct err *inside_set(struct port_work *work);

/* seen.c; of seen that is NULL: no. */
bool net_seen_guards(const struct net_seen *seen, const char *host_name);
bool net_seen_answers(const struct net_seen *seen, const char *uplink, const struct net_addr *addr);

bool port_has_family(const struct net_port *port, int family);
bool port_has_addr(const struct net_port *port, const struct net_addr *addr);
/* The gateway of routed ports. */
extern const struct net_addr router_gateway4;

#endif
