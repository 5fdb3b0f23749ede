/*
 * Links with one end in a container: veth pairs, macvlan, ipvlan. One request makes a link with its
 * inner end already inside, so that no container's name is ever visible on the host. Rests on
 * linux/if_link.h.
 */
#include <errno.h>
#include <linux/veth.h>
#include <string.h>

#include "base/str.h"
#include "netns/port.h"

static bool is_zero_mac(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) == 0;
}

static void put_link(struct nlmsghdr *request, const char *name, const uint8_t *mac, uint32_t mtu)
{
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	if (!is_zero_mac(mac))
		mnl_attr_put(request, IFLA_ADDRESS, 6, mac);
	if (mtu)
		mnl_attr_put_u32(request, IFLA_MTU, mtu);
}

static void add_cable(struct rtnl_batch *batch, const struct net_port *port, uint32_t host_mtu,
		      int netns_fd)
{
	struct nlmsghdr *request = rtnl_add(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					    "make interface %s", port->host_name);
	struct nlattr *info, *data, *peer;

	if (!request)
		return;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	put_link(request, port->host_name, port->host_mac, host_mtu);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	put_link(request, port->name, port->mac, port->mtu ? port->mtu : host_mtu);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	rtnl_end(batch, request);
}

/* Private mode: containers on the same interface do not reach each other through it. */
static void add_inner(struct rtnl_batch *batch, const struct net_port *port, const char *name,
		      int lower, int netns_fd)
{
	bool mac = port->mode == NET_MACVLAN;
	struct nlmsghdr *request = rtnl_add(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					    "make interface %s on %s", port->name, port->link);
	struct nlattr *info, *data;

	if (!request)
		return;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	put_link(request, name, mac ? port->mac : (uint8_t[6]){ 0 }, port->mtu);
	mnl_attr_put_u32(request, IFLA_LINK, (uint32_t)lower);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, mac ? "macvlan" : "ipvlan");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	if (mac) {
		mnl_attr_put_u32(request, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
	} else {
		mnl_attr_put_u16(request, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
		mnl_attr_put_u16(request, IFLA_IPVLAN_FLAGS, IPVLAN_F_PRIVATE);
	}
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	rtnl_end(batch, request);
}

/* A smaller port would lower the whole bridge's MTU (net/bridge/br_if.c, br_mtu_auto_adjust), so
 * the host end always has the bridge's. */
static struct err *host_mtu_of(struct port_work *work, uint32_t *ret_mtu)
{
	const struct net_port *port = work->want;
	struct rtnl_link bridge;

	*ret_mtu = port->mtu;
	if (port->mode != NET_BRIDGED)
		return NULL;
	TRY(rtnl_seek_link(&work->host, port->link, &bridge));
	if (bridge.index == 0)
		return NULL; /* one of ours is about to be made, and follows its ports */
	if (!str_eq(bridge.kind, "bridge"))
		return err_new(ERR_STATE, "interface %s is not a bridge", port->link);
	if (port->mtu > bridge.mtu)
		return err_new(ERR_STATE, "interface %s: MTU %u is larger than bridge %s's %u",
			       port->name, port->mtu, port->link, bridge.mtu);
	*ret_mtu = bridge.mtu;
	return NULL;
}

/* Is the link of this name inside the other end of our host end? */
static struct err *find_cable(struct port_work *work, bool *ret_found)
{
	const struct net_port *port = work->want;
	struct rtnl_link outer, inner;

	*ret_found = false;
	TRY(rtnl_seek_link(&work->host, port->host_name, &outer));
	TRY(rtnl_seek_link(&work->inside, port->name, &inner));
	if (outer.index == 0 && inner.index == 0)
		return NULL;
	if (outer.index &&
	    (!inner.index || inner.peer != outer.index || !str_eq(outer.kind, "veth")))
		return err_new(ERR_EXISTS, "interface %s exists already", port->host_name);
	if (!outer.index)
		return err_new(ERR_EXISTS, "the container has an interface %s of its own",
			       port->name);
	work->host_index = outer.index;
	work->index = inner.index;
	*ret_found = true;
	return NULL;
}

/* Of a cable that was made with a restored container, which knows its own end alone; or somebody
 * changed it. */
static struct err *set_host_mac(struct port_work *work)
{
	const struct net_port *port = work->want;
	struct nlmsghdr *request;
	struct rtnl_link outer;

	TRY(rtnl_seek_link(&work->host, port->host_name, &outer));
	if (is_zero_mac(port->host_mac) ||
	    memcmp(outer.mac, port->host_mac, sizeof(outer.mac)) == 0)
		return NULL;
	request = rtnl_add_link(&work->host_batch, RTM_SETLINK, work->host_index,
				"set the address of", port->host_name);
	if (!request)
		return NULL; /* which the batch tells when it is run */
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(port->host_mac), port->host_mac);
	rtnl_end(&work->host_batch, request);
	return rtnl_run(&work->host, &work->host_batch);
}

static struct err *make_cable(struct port_work *work)
{
	const struct net_port *port = work->want;
	uint32_t host_mtu;
	bool found = false;

	/* a first start looks for nothing: the kernel refuses a name that is taken */
	if (work->old)
		TRY(find_cable(work, &found));
	if (found)
		return set_host_mac(work);
	TRY(host_mtu_of(work, &host_mtu));
	add_cable(&work->host_batch, port, host_mtu, work->netns_fd);
	TRY(rtnl_run(&work->host, &work->host_batch));
	TRY(rtnl_index(&work->host, port->host_name, &work->host_index));
	return rtnl_index(&work->inside, port->name, &work->index);
}

static struct err *rename_inner(struct port_work *work, int index, const char *name)
{
	struct nlmsghdr *request =
		rtnl_add_link(&work->inside_batch, RTM_SETLINK, index, "name", name);

	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	rtnl_end(&work->inside_batch, request);
	return rtnl_run(&work->inside, &work->inside_batch);
}

/*
 * The kernel looks for the new link's name among the host's, where it may be taken
 * (net/core/rtnetlink.c, rtnl_newlink()): it is born with another one, and renamed inside.
 */
static struct err *make_inner(struct port_work *work)
{
	const struct net_port *port = work->want;
	struct rtnl_link inner;
	char born_as[IFNAMSIZ];
	struct err *err;
	int lower;

	snprintf(born_as, sizeof(born_as), "~%.14s", port->name);
	TRY(rtnl_index(&work->host, port->link, &lower));
	TRY(rtnl_seek_link(&work->inside, port->name, &inner));
	if (inner.index && (!work->old || inner.peer != lower))
		return err_new(ERR_EXISTS, "the container has an interface %s of its own",
			       port->name);
	work->index = inner.index;
	if (inner.index)
		return NULL;
	TRY(link_remove_inner(&work->inside, born_as)); /* of a command that was killed */
	add_inner(&work->host_batch, port, born_as, lower, work->netns_fd);
	err = rtnl_run(&work->host, &work->host_batch);
	if (err && err_errno(err) == EBUSY)
		return err_wrap(err, "%s is in a bridge, or has interfaces of another mode",
				port->link);
	TRY(err);
	TRY(rtnl_index(&work->inside, born_as, &work->index));
	return rename_inner(work, work->index, port->name);
}

struct err *link_make(struct port_work *work)
{
	return net_mode_is_cable(work->want->mode) ? make_cable(work) : make_inner(work);
}

static struct err *remove_link(struct rtnl *rtnl, const struct rtnl_link *link, const char *name)
{
	struct rtnl_batch batch = { 0 };
	/* by index: a name could have been given to another interface meanwhile */
	struct nlmsghdr *request = rtnl_add_link(&batch, RTM_DELLINK, link->index, "remove", name);

	rtnl_end(&batch, request);
	rtnl_allow(&batch, ENODEV); /* gone with its namespace, which is what was wanted */
	return rtnl_run(rtnl, &batch);
}

struct err *link_remove_cable(struct rtnl *host, const char *host_name)
{
	struct rtnl_link link;

	TRY(rtnl_seek_link(host, host_name, &link));
	if (link.index == 0)
		return NULL;
	if (!str_eq(link.kind, "veth"))
		return err_new(ERR_STATE, "interface %s is not a veth; not removed", host_name);
	return remove_link(host, &link, host_name);
}

struct err *link_remove_inner(struct rtnl *inside, const char *name)
{
	struct rtnl_link link;

	TRY(rtnl_seek_link(inside, name, &link));
	if (link.index == 0 || (!str_eq(link.kind, "macvlan") && !str_eq(link.kind, "ipvlan")))
		return NULL;
	return remove_link(inside, &link, name);
}
