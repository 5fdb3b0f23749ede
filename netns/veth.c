/*
 * The veth pair in routed mode: a two-ended link between host and container, host routes on the
 * host's side, default routes through two fixed link-local gateways on the container's. No bridge,
 * so no shared layer 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/str.h"
#include "netns/rtnl.h"

/*
 * The host end of every pair owns the same two addresses; they are valid on that link only, so each
 * container finds its gateway there and the host needs neither proxy ARP nor an address of its own
 * in the container's network.
 */
static const struct net_addr gateway4 = { AF_INET, { 169, 254, 1, 1 }, 32 };
static const struct net_addr gateway6 = { AF_INET6, { 0xfe, 0x80, [15] = 1 }, 64 };

/* Settings of the host end, written before it is raised. Source: ip-sysctl.rst. */
static const struct port_sysctl {
	const char *family, *name, *value;
} port_sysctls[] = {
	{ "ipv4", "rp_filter", "1" }, /* a source that is not routed back to this port is dropped */
	{ "ipv4", "accept_redirects", "0" }, /* a tenant does not change the host's routes */
	{ "ipv4", "send_redirects", "0" },
	{ "ipv4", "accept_source_route", "0" },
	{ "ipv4", "forwarding", "1" },
	{ "ipv6", "accept_ra", "0" }, /* no router lives behind a tenant's port */
	{ "ipv6", "accept_redirects", "0" },
	{ "ipv6", "addr_gen_mode", "1" }, /* fe80::1 is the only address there */
	{ "ipv6", "forwarding", "1" },
};

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

/* Both ends in one request: the container's end is never visible on the host, under any name. */
static void add_pair(struct rtnl_batch *batch, const struct net_veth *veth, int netns_fd)
{
	struct nlmsghdr *request = rtnl_add(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					    "make interface %s", veth->host_name);
	struct nlattr *info, *data, *peer;

	if (!request)
		return;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	put_link(request, veth->host_name, veth->host_mac, veth->mtu);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	put_link(request, veth->name, veth->mac, veth->mtu);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	rtnl_end(batch, request);
}

static struct err *write_sysctls(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(port_sysctls); i++) {
		const struct port_sysctl *row = &port_sysctls[i];
		OWN(str) char *path = NULL;
		struct err *err;

		TRY(str_format(&path, "/proc/sys/net/%s/conf/%s/%s", row->family, name, row->name));
		err = file_write_once(AT_FDCWD, path, row->value);
		/* a kernel without IPv6 has none of its files and none of its risks */
		if (err && err_errno(err) == ENOENT && str_eq(row->family, "ipv6")) {
			err_drop(err);
			continue;
		}
		TRY(err);
	}
	return NULL;
}

static bool has_family(const struct net_veth *veth, int family)
{
	for (size_t i = 0; i < veth->addr_count; i++)
		if (veth->addrs[i].family == family)
			return true;
	return false;
}

/* The prefix of a routed address is not a network on the link: it is always the host's own. */
static struct net_addr as_host(const struct net_addr *addr)
{
	struct net_addr host = *addr;

	host.prefix = addr->family == AF_INET ? 32 : 128;
	return host;
}

static struct err *set_host_end(struct rtnl *rtnl, struct rtnl_batch *batch,
				const struct net_veth *veth, int index)
{
	rtnl_add_up(batch, index, veth->host_name);
	rtnl_add_addr(batch, RTM_NEWADDR, index, &gateway4, RT_SCOPE_LINK);
	if (has_family(veth, AF_INET6))
		rtnl_add_addr(batch, RTM_NEWADDR, index, &gateway6, RT_SCOPE_LINK);
	TRY(rtnl_run(rtnl, batch));
	for (size_t i = 0; i < veth->addr_count; i++) {
		rtnl_add_host_route(batch, RTM_NEWROUTE, index, &veth->addrs[i]);
		if (batch->count == RTNL_BATCH_REQUESTS)
			TRY(rtnl_run(rtnl, batch));
	}
	return batch->count ? rtnl_run(rtnl, batch) : NULL;
}

static struct err *set_container_end(struct rtnl *rtnl, struct rtnl_batch *batch,
				     const struct net_veth *veth)
{
	int index;

	TRY(rtnl_index(rtnl, veth->name, &index));
	rtnl_add_up(batch, index, veth->name);
	for (size_t i = 0; i < veth->addr_count; i++) {
		struct net_addr host = as_host(&veth->addrs[i]);

		rtnl_add_addr(batch, RTM_NEWADDR, index, &host, RT_SCOPE_UNIVERSE);
		if (batch->count == RTNL_BATCH_REQUESTS)
			TRY(rtnl_run(rtnl, batch));
	}
	if (batch->count > RTNL_BATCH_REQUESTS - 2)
		TRY(rtnl_run(rtnl, batch));
	if (has_family(veth, AF_INET))
		rtnl_add_default_route(batch, index, &gateway4);
	if (has_family(veth, AF_INET6))
		rtnl_add_default_route(batch, index, &gateway6);
	return batch->count ? rtnl_run(rtnl, batch) : NULL;
}

struct err *net_veth_create(const struct net_veth *veth, int netns_fd)
{
	OWN(rtnl) struct rtnl host = { 0 }, inside = { 0 };
	struct rtnl_batch batch = { 0 };
	struct err *err;
	int index = 0;

	TRY(net_name_check(veth->host_name));
	TRY(net_name_check(veth->name));
	TRY(rtnl_open(&host));
	TRY(rtnl_open_in(netns_fd, &inside));
	add_pair(&batch, veth, netns_fd);
	TRY(rtnl_run(&host, &batch));
	err = rtnl_index(&host, veth->host_name, &index);
	if (!err)
		err = write_sysctls(veth->host_name);
	if (!err && veth->guard)
		err = net_guard_set(veth->guard);
	if (!err)
		err = set_host_end(&host, &batch, veth, index);
	if (!err)
		err = set_container_end(&inside, &batch, veth);
	if (!err)
		return NULL;
	/* both ends go, and with them the addresses and routes */
	return err_first(err, net_veth_destroy(veth->host_name));
}

struct link_reader {
	struct rtnl_reader reader;
	bool is_veth;
};

static int attr_kind(const struct nlattr *attr, void *data)
{
	bool *is_veth = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*is_veth = str_eq(mnl_attr_get_str(attr), "veth");
	return MNL_CB_OK;
}

static int attr_link_info(const struct nlattr *attr, void *data)
{
	if ((mnl_attr_get_type(attr) & NLA_TYPE_MASK) == IFLA_LINKINFO)
		mnl_attr_parse_nested(attr, attr_kind, data);
	return MNL_CB_OK;
}

static struct err *read_link(struct rtnl_reader *reader, const struct nlmsghdr *message)
{
	struct link_reader *link = (void *)reader;

	mnl_attr_parse(message, sizeof(struct ifinfomsg), attr_link_info, &link->is_veth);
	return NULL;
}

static struct nlmsghdr *add_link_request(struct rtnl_batch *batch, uint16_t type, int index,
					 const char *what, const char *name)
{
	struct nlmsghdr *request = rtnl_add(batch, type, 0, "%s interface %s", what, name);
	struct ifinfomsg *link;

	if (!request)
		return NULL;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = index;
	rtnl_end(batch, request);
	return request;
}

static struct err *destroy_link(struct rtnl *rtnl, const char *host_name)
{
	struct link_reader reader = { .reader.read = read_link };
	struct rtnl_batch batch = { 0 };
	int index;

	TRY(rtnl_index(rtnl, host_name, &index));
	add_link_request(&batch, RTM_GETLINK, index, "look at", host_name);
	TRY(rtnl_query(rtnl, &batch, &reader.reader));
	if (!reader.is_veth)
		return err_new(ERR_STATE, "interface %s is not a veth; not removed", host_name);
	/* by index: a name could have been given to another interface meanwhile */
	add_link_request(&batch, RTM_DELLINK, index, "remove", host_name);
	return rtnl_run(rtnl, &batch);
}

struct err *net_veth_destroy(const char *host_name)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct err *err;

	TRY(net_name_check(host_name));
	TRY(rtnl_open(&rtnl));
	err = destroy_link(&rtnl, host_name);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* gone with its namespace, which is what was wanted */
		return NULL;
	}
	return err;
}

static struct err *change_addr(const struct net_veth *veth, int netns_fd,
			       const struct net_addr *addr, bool add)
{
	OWN(rtnl) struct rtnl host = { 0 }, inside = { 0 };
	struct rtnl_batch batch = { 0 };
	struct net_addr exact = as_host(addr);
	int host_index, index;

	TRY(rtnl_open(&host));
	TRY(rtnl_open_in(netns_fd, &inside));
	TRY(rtnl_index(&host, veth->host_name, &host_index));
	TRY(rtnl_index(&inside, veth->name, &index));
	rtnl_add_host_route(&batch, add ? RTM_NEWROUTE : RTM_DELROUTE, host_index, addr);
	TRY(rtnl_run(&host, &batch));
	rtnl_add_addr(&batch, add ? RTM_NEWADDR : RTM_DELADDR, index, &exact, RT_SCOPE_UNIVERSE);
	return rtnl_run(&inside, &batch);
}

struct err *net_veth_add_addr(const struct net_veth *veth, int netns_fd,
			      const struct net_addr *addr)
{
	return change_addr(veth, netns_fd, addr, true);
}

struct err *net_veth_remove_addr(const struct net_veth *veth, int netns_fd,
				 const struct net_addr *addr)
{
	return change_addr(veth, netns_fd, addr, false);
}
