/*
 * The host's interfaces towards the rest of the world, and what the host answers for there: a
 * neighbour proxy entry per routed address, so that other machines on that cable find it. Rests on
 * rtnetlink(7), linux/neighbour.h, arp_process() in net/ipv4/arp.c, ndisc_recv_ns() in net/ipv6.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/str.h"
#include "netns/port.h"

struct oif_reader {
	struct rtnl_reader reader;
	int oif;
};

static int attr_oif(const struct nlattr *attr, void *data)
{
	struct oif_reader *route = data;

	if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		route->oif = (int)mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == RTA_MULTIPATH &&
	    mnl_attr_get_payload_len(attr) >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = mnl_attr_get_payload(attr);

		route->oif = hop->rtnh_ifindex; /* the first of several is good enough */
	}
	return MNL_CB_OK;
}

static struct err *read_default(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWROUTE && route->rtm_dst_len == 0 &&
	    route->rtm_type == RTN_UNICAST)
		mnl_attr_parse(message, sizeof(*route), attr_oif, base);
	return NULL;
}

/*
 * The interface of the default route: asked for by an address that nobody can have, so the answer
 * is this route or none, and does not take longer with the number of routes.
 */
static struct err *default_interface(struct rtnl *rtnl, const struct net_addr *nobody,
				     int *ret_index)
{
	struct oif_reader reader = { .reader.read = read_default };
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add(&batch, RTM_GETROUTE, 0, "look for the default route");
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	struct err *err;

	route->rtm_family = (uint8_t)nobody->family;
	route->rtm_dst_len = nobody->prefix;
	route->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(request, RTA_DST, nobody->prefix / 8, nobody->bytes);
	rtnl_end(&batch, request);
	err = rtnl_query(rtnl, &batch, &reader.reader);
	*ret_index = reader.oif;
	if (err && (err_errno(err) == ENETUNREACH || err_errno(err) == EHOSTUNREACH ||
		    err_errno(err) == EAFNOSUPPORT || err_errno(err) == EOPNOTSUPP)) {
		err_drop(err); /* no default route, or not even the family */
		return NULL;
	}
	return err;
}

static void add_name(const struct rtnl *rtnl, int index, struct net_uplinks *uplinks)
{
	struct ifreq request = { .ifr_ifindex = index };

	if (index == 0 || ioctl(mnl_socket_get_fd(rtnl->socket), SIOCGIFNAME, &request) < 0)
		return;
	for (size_t i = 0; i < uplinks->count; i++)
		if (str_eq(uplinks->names[i], request.ifr_name))
			return;
	snprintf(uplinks->names[uplinks->count++], IFNAMSIZ, "%s", request.ifr_name);
}

struct err *net_uplinks_find(struct net_uplinks *ret_uplinks)
{
	static const struct net_addr nobody[] = { { AF_INET, { 240, 0, 0, 1 }, 32 },
						  { AF_INET6, { 0x40, [15] = 1 }, 128 } };
	struct net_uplinks uplinks = { 0 };
	OWN(rtnl) struct rtnl rtnl = { 0 };

	TRY(rtnl_open(&rtnl));
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		int index;

		TRY(default_interface(&rtnl, &nobody[i], &index));
		add_name(&rtnl, index, &uplinks);
	}
	*ret_uplinks = uplinks;
	return NULL;
}

static struct nlmsghdr *add_proxy(struct rtnl_batch *batch, uint16_t type, int index,
				  const struct net_addr *addr, const char *uplink)
{
	uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	char text[NET_ADDR_TEXT_MAX];
	struct nlmsghdr *request;

	net_addr_format(addr, text);
	request = rtnl_add(batch, type, flags, "answer for %s on %s", text, uplink);
	if (!request)
		return NULL;
	*(struct ndmsg *)mnl_nlmsg_put_extra_header(request, sizeof(struct ndmsg)) = (struct ndmsg){
		.ndm_family = (uint8_t)addr->family, .ndm_ifindex = index, .ndm_flags = NTF_PROXY
	};
	mnl_attr_put(request, NDA_DST, addr->family == AF_INET ? 4 : 16, addr->bytes);
	rtnl_end(batch, request);
	if (type == RTM_DELNEIGH)
		rtnl_allow(batch, ENOENT);
	return request;
}

static const struct net_port *routed_port(const struct net_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].mode == NET_ROUTED)
			return &ports->items[i];
	return NULL;
}

static struct err *change_on(struct rtnl *rtnl, const char *uplink, const struct net_port *old,
			     const struct net_port *want)
{
	static const struct net_port nothing = { 0 };
	struct rtnl_batch batch = { 0 };
	int index;
	struct err *err = rtnl_index(rtnl, uplink, &index);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* away for now; the next command after its return sees to it */
		return NULL;
	}
	TRY(err);
	old = old ? old : &nothing;
	want = want ? want : &nothing;
	for (size_t i = 0; i < old->addr_count; i++) {
		if (port_has_addr(want, &old->addrs[i]))
			continue;
		TRY(rtnl_make_room(rtnl, &batch, 1));
		add_proxy(&batch, RTM_DELNEIGH, index, &old->addrs[i], uplink);
	}
	for (size_t i = 0; i < want->addr_count; i++) {
		TRY(rtnl_make_room(rtnl, &batch, 1));
		add_proxy(&batch, RTM_NEWNEIGH, index, &want->addrs[i], uplink);
	}
	return rtnl_run(rtnl, &batch);
}

struct err *net_proxy_change(const struct net_uplinks *uplinks, const struct net_ports *old,
			     const struct net_ports *want)
{
	const struct net_port *was = routed_port(old), *is = routed_port(want);
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct err *err = NULL;

	if (uplinks->count == 0 || (!was && !is))
		return NULL;
	TRY(rtnl_open(&rtnl));
	for (size_t i = 0; i < uplinks->count; i++)
		err = err_first(err, change_on(&rtnl, uplinks->names[i], was, is));
	return err;
}

static struct err *see(struct rtnl_reader *reader, const struct nlmsghdr *message)
{
	(void)reader;
	(void)message;
	return NULL;
}

/* One entry stands for all: the kernel drops them together, when the interface goes down. As it was
 * where the uplink is down. */
static struct err *check_on(const char *uplink, const struct net_addr *addr, bool *ret_whole)
{
	struct rtnl_reader reader = { see };
	struct rtnl_batch batch = { 0 };
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_link link;
	struct err *err;

	TRY(rtnl_open(&rtnl));
	TRY(rtnl_seek_link(&rtnl, uplink, &link));
	if (!link.is_up)
		return NULL; /* nothing can be done now */
	add_proxy(&batch, RTM_GETNEIGH, link.index, addr, uplink);
	err = rtnl_query(&rtnl, &batch, &reader);
	*ret_whole = !err;
	if (err && err_errno(err) != ENOENT)
		return err;
	err_drop(err); /* an answer */
	return NULL;
}

struct err *net_proxy_check(const struct net_uplinks *uplinks, const struct net_ports *ports,
			    const struct net_seen *seen, bool *ret_whole)
{
	const struct net_port *port = routed_port(ports);

	*ret_whole = true;
	for (size_t i = 0; port && port->addr_count && i < uplinks->count && *ret_whole; i++)
		if (!net_seen_answers(seen, uplinks->names[i], &port->addrs[0]))
			TRY(check_on(uplinks->names[i], &port->addrs[0], ret_whole));
	return NULL;
}
