/*
 * Ports of a bridge. Of somebody else's bridge nothing but our own ports is changed. One that does
 * not exist is made, bears our link group as a mark from birth, and goes with its last port. Rests
 * on linux/if_bridge.h; net/bridge/br_netlink.c.
 */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "netns/guard.h"
#include "netns/port.h"

/* A link of this group that is a bridge was made here. Any number would do. */
#define OWN_GROUP 0x00ce11a0

static struct err *make_bridge(struct rtnl *host, const char *name)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request =
		rtnl_add(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make bridge %s", name);
	struct nlattr *info, *data;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	mnl_attr_put_u32(request, IFLA_GROUP, OWN_GROUP);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u8(request, IFLA_BR_VLAN_FILTERING, 1);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	rtnl_end(&batch, request);
	rtnl_allow(&batch, EEXIST); /* another VPS's start was quicker */
	return rtnl_run(host, &batch);
}

/* The address that it was born with, set, so that ports which come and go do not change it. */
static struct err *raise_bridge(struct rtnl *host, const struct rtnl_link *bridge, const char *name)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add_link(&batch, RTM_SETLINK, bridge->index, "raise", name);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(request);

	link->ifi_flags = link->ifi_change = IFF_UP;
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(bridge->mac), bridge->mac);
	rtnl_end(&batch, request);
	return rtnl_run(host, &batch);
}

static bool is_ours(const struct rtnl_link *link)
{
	return str_eq(link->kind, "bridge") && link->group == OWN_GROUP;
}

/* *ret_bridge has index 0 when the bridge that the port was in is gone: whose it was is not known
 * any more, so it is not ours to make again. */
static struct err *find_bridge(struct port_work *work, struct rtnl_link *ret_bridge)
{
	struct rtnl *host = &work->host;
	const char *name = work->want->link;

	TRY(rtnl_seek_link(host, name, ret_bridge));
	if (ret_bridge->index == 0 && work->old && str_eq(work->old->link, name))
		return NULL;
	if (ret_bridge->index == 0) {
		TRY(make_bridge(host, name));
		TRY(rtnl_read_link(host, name, ret_bridge));
	}
	if (!str_eq(ret_bridge->kind, "bridge"))
		return err_new(ERR_STATE, "interface %s is not a bridge", name);
	/* ours may be down still: made by a command that was killed */
	if (is_ours(ret_bridge) && !ret_bridge->is_up)
		return raise_bridge(host, ret_bridge, name);
	return NULL;
}

static struct err *check_vlan(const struct net_port *port, const struct rtnl_link *bridge)
{
	if (port->vlan == 0 || bridge->vlan_filtering)
		return NULL;
	return err_new(ERR_STATE,
		       "interface %s: bridge %s has no VLAN filtering, so VLAN %u cannot be kept "
		       "apart; switch it on (vlan_filtering 1) or name a bridge of that VLAN",
		       port->name, port->link, port->vlan);
}

static void add_master(struct port_work *work, const struct rtnl_link *bridge)
{
	struct nlmsghdr *request =
		rtnl_add(&work->host_batch, RTM_SETLINK, 0, "put interface %s into bridge %s",
			 work->want->host_name, work->want->link);
	struct ifinfomsg *link;

	if (!request)
		return;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = work->host_index;
	mnl_attr_put_u32(request, IFLA_MASTER, (uint32_t)bridge->index);
	rtnl_end(&work->host_batch, request);
}

/* One that has peers may be among them, so its guard alone keeps it apart from the others. */
static bool is_isolated(const struct net_port *port)
{
	return !(port->flags & NET_PORT_OPEN) && !(port->guard && port->guard->peer_count);
}

/* Settings of the port in its bridge: tenants do not reach each other, and the bridge knows their
 * address instead of believing what they send. */
static void add_settings(struct port_work *work)
{
	uint8_t believe = work->want->flags & NET_PORT_ANY_MAC ? 1 : 0;
	struct nlmsghdr *request =
		rtnl_add_link(&work->host_batch, RTM_SETLINK, work->host_index,
			      "set up the bridge port of", work->want->host_name);
	struct nlattr *info;

	if (!request)
		return;
	((struct ifinfomsg *)mnl_nlmsg_get_payload(request))->ifi_family = AF_BRIDGE;
	info = mnl_attr_nest_start(request, IFLA_PROTINFO);
	mnl_attr_put_u8(request, IFLA_BRPORT_ISOLATED, is_isolated(work->want));
	mnl_attr_put_u8(request, IFLA_BRPORT_LEARNING, believe);
	mnl_attr_put_u8(request, IFLA_BRPORT_UNICAST_FLOOD, believe);
	mnl_attr_put_u8(request, IFLA_BRPORT_GUARD, 1); /* no spanning tree from a tenant */
	mnl_attr_nest_end(request, info);
	rtnl_end(&work->host_batch, request);
}

static void add_vlan(struct port_work *work, uint16_t type, uint16_t vlan)
{
	struct bridge_vlan_info info = { .vid = vlan };
	struct nlmsghdr *request;
	struct nlattr *spec;

	if (type == RTM_SETLINK)
		info.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
	request = rtnl_add(&work->host_batch, type, 0, "%s interface %s %s VLAN %u",
			   type == RTM_SETLINK ? "put" : "take", work->want->host_name,
			   type == RTM_SETLINK ? "into" : "out of", vlan);
	if (!request)
		return;
	*(struct ifinfomsg *)mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg)) =
		(struct ifinfomsg){ .ifi_family = AF_BRIDGE, .ifi_index = work->host_index };
	spec = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	mnl_attr_put(request, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
	mnl_attr_nest_end(request, spec);
	rtnl_end(&work->host_batch, request);
}

/* The wanted VLAN, untagged, and no other: neither the bridge's default nor the one it had. */
static void add_vlans(struct port_work *work, const struct rtnl_link *bridge)
{
	uint16_t vlan = work->want->vlan ? work->want->vlan : bridge->default_vlan;
	const uint16_t others[] = { bridge->default_vlan, work->old ? work->old->vlan : 0 };

	if (!bridge->vlan_filtering)
		return;
	if (vlan)
		add_vlan(work, RTM_SETLINK, vlan);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i] && others[i] != vlan)
			add_vlan(work, RTM_DELLINK, others[i]);
}

/* "Sticky": the same source address on another port does not draw the entry there. Source:
 * bridge(8). */
static void add_mac(struct port_work *work, uint16_t type, const uint8_t *mac, uint16_t vlan)
{
	bool add = type == RTM_NEWNEIGH;
	struct nlmsghdr *request =
		rtnl_add(&work->host_batch, type, add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
			 "%s the bridge the address of %s", add ? "tell" : "make forget",
			 work->want->host_name);

	if (!request)
		return;
	*(struct ndmsg *)mnl_nlmsg_put_extra_header(request, sizeof(struct ndmsg)) =
		(struct ndmsg){ .ndm_family = AF_BRIDGE,
				.ndm_ifindex = work->host_index,
				.ndm_state = NUD_NOARP,
				.ndm_flags = NTF_MASTER | NTF_STICKY };
	mnl_attr_put(request, NDA_LLADDR, 6, mac);
	if (vlan)
		mnl_attr_put_u16(request, NDA_VLAN, vlan);
	rtnl_end(&work->host_batch, request);
	if (!add)
		rtnl_allow(&work->host_batch, ENOENT);
}

static uint16_t fdb_vlan(const struct net_port *port, const struct rtnl_link *bridge)
{
	if (!bridge->vlan_filtering)
		return 0;
	return port->vlan ? port->vlan : bridge->default_vlan;
}

static void add_macs(struct port_work *work, const struct rtnl_link *bridge)
{
	const struct net_port *old = work->old, *want = work->want;
	bool was = old && !(old->flags & NET_PORT_ANY_MAC) && str_eq(old->link, want->link);
	bool is = !(want->flags & NET_PORT_ANY_MAC);
	bool same = was && is && memcmp(old->mac, want->mac, sizeof(want->mac)) == 0 &&
		    old->vlan == want->vlan;

	if (was && !same)
		add_mac(work, RTM_DELNEIGH, old->mac, fdb_vlan(old, bridge));
	if (is)
		add_mac(work, RTM_NEWNEIGH, want->mac, fdb_vlan(want, bridge));
}

struct err *bridge_join(struct port_work *work)
{
	struct rtnl_link bridge = { 0 };

	TRY(find_bridge(work, &bridge));
	if (bridge.index == 0)
		return NULL;
	TRY(check_vlan(work->want, &bridge));
	add_master(work, &bridge);
	add_settings(work);
	add_vlans(work, &bridge);
	add_macs(work, &bridge);
	rtnl_add_up(&work->host_batch, work->host_index, work->want->host_name);
	return rtnl_run(&work->host, &work->host_batch);
}

struct err *bridge_check(struct rtnl *host, const struct net_port *port,
			 const struct rtnl_link *link, bool *ret_joined)
{
	struct rtnl_link bridge;

	TRY(rtnl_seek_link(host, port->link, &bridge));
	*ret_joined = bridge.index == 0 || link->master == bridge.index;
	return NULL;
}

struct port_counter {
	struct rtnl_reader reader;
	size_t count;
};

static struct err *count_port(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		((struct port_counter *)base)->count++;
	return NULL;
}

static struct err *count_ports(struct rtnl *host, int bridge, size_t *ret_count)
{
	struct port_counter counter = { .reader.read = count_port };
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add(&batch, RTM_GETLINK, NLM_F_DUMP, "list bridge ports");

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(request, IFLA_MASTER, (uint32_t)bridge);
	rtnl_end(&batch, request);
	TRY(rtnl_query(host, &batch, &counter.reader));
	*ret_count = counter.count;
	return NULL;
}

struct err *bridge_drop(struct rtnl *host, const char *name)
{
	struct rtnl_batch batch = { 0 };
	struct rtnl_link bridge;
	size_t ports;

	TRY(rtnl_seek_link(host, name, &bridge));
	if (bridge.index == 0 || !is_ours(&bridge))
		return NULL;
	TRY(count_ports(host, bridge.index, &ports));
	if (ports)
		return NULL;
	rtnl_end(&batch, rtnl_add_link(&batch, RTM_DELLINK, bridge.index, "remove", name));
	return rtnl_run(host, &batch);
}
