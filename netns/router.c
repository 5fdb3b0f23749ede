/*
 * The host end of a routed port: a router with two fixed link-local addresses and a host route to
 * each of the container's. Rests on Documentation/networking/ip-sysctl.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/str.h"
#include "netns/port.h"

/*
 * The host end of every cable owns 169.254.1.1 and a link-local IPv6 address; they are valid on
 * that link only, so each container finds its gateway there and the host needs neither proxy ARP on
 * it nor an address of its own in the container's network. The IPv6 one is made of the host end's
 * MAC address, and has no prefix: the kernel keeps what is the same on many links in lists that it
 * walks (net/ipv6/ip6_fib.c), so a port beside 500 others would take twice as long.
 */
const struct net_addr router_gateway4 = { AF_INET, { 169, 254, 1, 1 }, 32 };

/* RFC 4291, appendix A. */
struct net_addr net_port_gateway6(const struct net_port *port)
{
	const uint8_t *mac = port->host_mac;

	return (struct net_addr){ AF_INET6,
				  { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
				    0xfe, mac[3], mac[4], mac[5] },
				  128 };
}

enum { ROUTED = 1, BRIDGED = 2, LOOSE = 4, ALL = 7 };

static const struct port_sysctl {
	const char *family, *name, *value;
	unsigned int where;
} port_sysctls[] = {
	/* a source that is not routed back to this port is dropped */
	{ "ipv4", "rp_filter", "1", ROUTED },
	/* a tenant does not change the host's routes */
	{ "ipv4", "accept_redirects", "0", ROUTED | LOOSE },
	{ "ipv4", "send_redirects", "0", ROUTED | LOOSE },
	{ "ipv4", "accept_source_route", "0", ROUTED | LOOSE },
	{ "ipv4", "forwarding", "1", ROUTED },
	/* no router lives behind a tenant's port */
	{ "ipv6", "accept_ra", "0", ROUTED | LOOSE },
	{ "ipv6", "accept_redirects", "0", ROUTED | LOOSE },
	/* the gateway is the only address there */
	{ "ipv6", "addr_gen_mode", "1", ALL },
	{ "ipv6", "forwarding", "1", ROUTED },
	/* what the host says there the bridge would not hear */
	{ "ipv6", "disable_ipv6", "1", BRIDGED },
};

static unsigned int where_of(enum net_mode mode)
{
	if (net_mode_is_routed(mode))
		return ROUTED;
	return mode == NET_BRIDGED ? BRIDGED : LOOSE;
}

struct err *port_write_sysctls(const struct net_port *port)
{
	for (size_t i = 0; i < ARRAY_SIZE(port_sysctls); i++) {
		const struct port_sysctl *row = &port_sysctls[i];
		OWN(str) char *path = NULL;
		struct err *err;

		if (!(row->where & where_of(port->mode)))
			continue;
		TRY(str_format(&path, "/proc/sys/net/%s/conf/%s/%s", row->family, port->host_name,
			       row->name));
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

struct route_reader {
	struct rtnl_reader reader;
	int oif, type;
};

static int attr_oif(const struct nlattr *attr, void *data)
{
	struct route_reader *route = data;

	if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		route->oif = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static struct err *read_route(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	((struct route_reader *)base)->type = route->rtm_type;
	mnl_attr_parse(message, sizeof(*route), attr_oif, base);
	return NULL;
}

/* Which way would the host send to this address? */
static struct err *ask_route(struct rtnl *host, const struct net_addr *addr,
			     struct route_reader *ret_reader)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request;
	struct rtmsg *route;
	char text[NET_ADDR_TEXT_MAX];

	*ret_reader = (struct route_reader){ .reader.read = read_route };

	net_addr_format(addr, text);
	request = rtnl_add(&batch, RTM_GETROUTE, 0, "look for the route to %s", text);
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = (uint8_t)addr->family;
	route->rtm_dst_len = addr->family == AF_INET ? 32 : 128;
	mnl_attr_put(request, RTA_DST, addr->family == AF_INET ? 4 : 16, addr->bytes);
	rtnl_end(&batch, request);
	return rtnl_query(host, &batch, &ret_reader->reader);
}

struct err *net_check_not_own(const struct net_addr *addrs, size_t count)
{
	OWN(rtnl) struct rtnl host = { 0 };

	TRY(rtnl_open(&host));
	for (size_t i = 0; i < count; i++) {
		struct route_reader reader;
		char text[NET_ADDR_TEXT_MAX];
		struct err *err = ask_route(&host, &addrs[i], &reader);

		if (err) {
			err_drop(err); /* no way there: then it is not here */
			continue;
		}
		net_addr_format(&addrs[i], text);
		if (reader.type == RTN_LOCAL)
			return err_new(ERR_EXISTS, "address %s is this host's own", text);
	}
	return NULL;
}

/* The kernel has a route to this address already: is it ours? */
static struct err *check_route(struct port_work *work, const struct net_addr *addr)
{
	struct route_reader reader;
	char text[NET_ADDR_TEXT_MAX];

	net_addr_format(addr, text);
	TRY(ask_route(&work->host, addr, &reader));
	if (reader.oif == work->host_index)
		return NULL;
	return err_new(ERR_EXISTS, "address %s is routed elsewhere on this host", text);
}

static struct err *add_routes(struct port_work *work)
{
	for (size_t i = 0; i < work->want->addr_count; i++) {
		const struct net_addr *addr = &work->want->addrs[i];
		struct err *err;

		TRY(rtnl_make_room(&work->host, &work->host_batch, 1));
		rtnl_add_host_route(&work->host_batch, RTM_NEWROUTE, work->host_index, addr);
		if (!work->old)
			continue;
		/* it may be there: each for itself, to know which one */
		err = rtnl_run(&work->host, &work->host_batch);
		if (err && err_kind(err) == ERR_EXISTS) {
			err_drop(err);
			err = check_route(work, addr);
		}
		TRY(err);
	}
	return rtnl_run(&work->host, &work->host_batch);
}

static struct err *remove_routes(struct port_work *work)
{
	for (size_t i = 0; work->old && i < work->old->addr_count; i++) {
		if (port_has_addr(work->want, &work->old->addrs[i]))
			continue;
		TRY(rtnl_make_room(&work->host, &work->host_batch, 1));
		rtnl_add_host_route(&work->host_batch, RTM_DELROUTE, work->host_index,
				    &work->old->addrs[i]);
		rtnl_allow(&work->host_batch, ESRCH);
	}
	return rtnl_run(&work->host, &work->host_batch);
}

struct err *router_join(struct port_work *work)
{
	rtnl_add_up(&work->host_batch, work->host_index, work->want->host_name);
	rtnl_add_addr(&work->host_batch, RTM_NEWADDR, work->host_index, &router_gateway4,
		      RT_SCOPE_LINK);
	rtnl_allow(&work->host_batch, EEXIST);
	if (port_has_family(work->want, AF_INET6)) {
		struct net_addr gateway6 = net_port_gateway6(work->want);

		rtnl_add_addr(&work->host_batch, RTM_NEWADDR, work->host_index, &gateway6,
			      RT_SCOPE_LINK);
		rtnl_allow(&work->host_batch, EEXIST);
	}
	if (work->old) /* later failures shall not be the raising's */
		TRY(rtnl_run(&work->host, &work->host_batch));
	TRY(remove_routes(work));
	return add_routes(work);
}
