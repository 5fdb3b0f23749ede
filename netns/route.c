/* Links, addresses and routes as rtnetlink requests; see rtnl.h. */
#include <sys/socket.h>

#include "netns/rtnl.h"

static void put_addr(struct nlmsghdr *request, uint16_t type, const struct net_addr *addr)
{
	mnl_attr_put(request, type, addr->family == AF_INET ? 4 : 16, addr->bytes);
}

void rtnl_add_up(struct rtnl_batch *batch, int index, const char *name)
{
	struct nlmsghdr *request = rtnl_add(batch, RTM_SETLINK, 0, "raise interface %s", name);
	struct ifinfomsg *link;

	if (!request)
		return;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	rtnl_end(batch, request);
}

void rtnl_add_addr(struct rtnl_batch *batch, uint16_t type, int index, const struct net_addr *addr,
		   unsigned char scope)
{
	char text[NET_ADDR_TEXT_MAX];
	uint16_t flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *request;
	struct ifaddrmsg *body;

	net_addr_format(addr, text);
	request = rtnl_add(batch, type, flags, "%s address %s/%u",
			   type == RTM_NEWADDR ? "add" : "remove", text, addr->prefix);
	if (!request)
		return;
	body = mnl_nlmsg_put_extra_header(request, sizeof(*body));
	body->ifa_family = (uint8_t)addr->family;
	body->ifa_prefixlen = addr->prefix;
	body->ifa_scope = scope;
	body->ifa_index = (uint32_t)index;
	/* usable at once: nobody else can be on a two-ended link */
	body->ifa_flags = addr->family == AF_INET6 ? IFA_F_NODAD : 0;
	put_addr(request, IFA_LOCAL, addr);
	put_addr(request, IFA_ADDRESS, addr);
	rtnl_end(batch, request);
}

static struct rtmsg *put_route(struct nlmsghdr *request, int family, uint8_t dst_bits)
{
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	route->rtm_family = (uint8_t)family;
	route->rtm_dst_len = dst_bits;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_type = RTN_UNICAST;
	return route;
}

void rtnl_add_host_route(struct rtnl_batch *batch, uint16_t type, int index,
			 const struct net_addr *addr)
{
	char text[NET_ADDR_TEXT_MAX];
	/* EXCL: an address that is routed to another container is not taken away from it */
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *request;

	net_addr_format(addr, text);
	request = rtnl_add(batch, type, flags, "%s the host's route to %s",
			   type == RTM_NEWROUTE ? "add" : "remove", text);
	if (!request)
		return;
	put_route(request, addr->family, addr->family == AF_INET ? 32 : 128)->rtm_scope =
		RT_SCOPE_LINK;
	put_addr(request, RTA_DST, addr);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)index);
	rtnl_end(batch, request);
}

void rtnl_add_default_route(struct rtnl_batch *batch, uint16_t type, int index,
			    const struct net_addr *gateway)
{
	char text[NET_ADDR_TEXT_MAX];
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nlmsghdr *request;

	net_addr_format(gateway, text);
	request = rtnl_add(batch, type, flags, "%s the default route via %s",
			   type == RTM_NEWROUTE ? "add" : "remove", text);
	if (!request)
		return;
	put_route(request, gateway->family, 0)->rtm_flags = RTNH_F_ONLINK;
	put_addr(request, RTA_GATEWAY, gateway);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)index);
	rtnl_end(batch, request);
}
