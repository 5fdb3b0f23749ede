/* The container's end of a port: raised, with its addresses and default routes; see port.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "netns/port.h"

/* The prefix of a routed address is not a network on the link: it is always the host's own. */
static struct net_addr as_given(const struct net_port *port, const struct net_addr *addr)
{
	struct net_addr given = *addr;

	if (net_mode_is_routed(port->mode))
		given.prefix = addr->family == AF_INET ? 32 : 128;
	return given;
}

static void add_change(struct port_work *work)
{
	const struct net_port *old = work->old, *want = work->want;
	bool mac = old && memcmp(old->mac, want->mac, sizeof(want->mac)) != 0;
	bool mtu = old && want->mtu && old->mtu != want->mtu;
	struct nlmsghdr *request;

	if (!mac && !mtu)
		return;
	request =
		rtnl_add_link(&work->inside_batch, RTM_SETLINK, work->index, "change", want->name);
	if (!request)
		return;
	if (mac)
		mnl_attr_put(request, IFLA_ADDRESS, 6, want->mac);
	if (mtu)
		mnl_attr_put_u32(request, IFLA_MTU, want->mtu);
	rtnl_end(&work->inside_batch, request);
}

/* An address whose prefix changed is a new one to the kernel; the old one goes last, so that a
 * failure leaves it. */
static bool keeps(const struct net_port *want, const struct net_port *old,
		  const struct net_addr *addr)
{
	for (size_t i = 0; i < want->addr_count; i++)
		if (net_addr_same_host(&want->addrs[i], addr) &&
		    as_given(want, &want->addrs[i]).prefix == as_given(old, addr).prefix)
			return true;
	return false;
}

static struct err *change_addrs(struct port_work *work)
{
	for (size_t i = 0; i < work->want->addr_count; i++) {
		struct net_addr addr = as_given(work->want, &work->want->addrs[i]);

		TRY(rtnl_make_room(&work->inside, &work->inside_batch, 1));
		rtnl_add_addr(&work->inside_batch, RTM_NEWADDR, work->index, &addr,
			      RT_SCOPE_UNIVERSE);
		rtnl_allow(&work->inside_batch, EEXIST);
	}
	for (size_t i = 0; work->old && i < work->old->addr_count; i++) {
		struct net_addr addr = as_given(work->old, &work->old->addrs[i]);

		if (keeps(work->want, work->old, &work->old->addrs[i]))
			continue;
		TRY(rtnl_make_room(&work->inside, &work->inside_batch, 1));
		rtnl_add_addr(&work->inside_batch, RTM_DELADDR, work->index, &addr,
			      RT_SCOPE_UNIVERSE);
		rtnl_allow(&work->inside_batch, EADDRNOTAVAIL);
	}
	return NULL;
}

static void add_default(struct port_work *work, const struct net_addr *gateway)
{
	if (gateway->family)
		rtnl_add_default_route(&work->inside_batch, RTM_NEWROUTE, work->index, gateway);
}

struct err *inside_set(struct port_work *work)
{
	add_change(work);
	rtnl_add_up(&work->inside_batch, work->index, work->want->name);
	TRY(change_addrs(work));
	TRY(rtnl_make_room(&work->inside, &work->inside_batch, 2));
	add_default(work, &work->default4);
	add_default(work, &work->default6);
	return rtnl_run(&work->inside, &work->inside_batch);
}
