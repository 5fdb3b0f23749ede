/* Host interfaces moved into a container (OCI linux.netDevices); see netns.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "netns/rtnl.h"

#define DEVICE_ADDRS_MAX 64

struct addr_reader {
	struct rtnl_reader reader;
	int index;
	struct net_addr addrs[DEVICE_ADDRS_MAX];
	size_t count;
};

struct addr_attrs {
	const struct nlattr *local, *address;
	uint32_t flags;
};

static int attr_addr(const struct nlattr *attr, void *data)
{
	struct addr_attrs *attrs = data;

	switch (mnl_attr_get_type(attr)) {
	case IFA_LOCAL:
		attrs->local = attr;
		break;
	case IFA_ADDRESS:
		attrs->address = attr;
		break;
	case IFA_FLAGS:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			attrs->flags = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* Keep the permanent global addresses of one interface, as runtime-spec's config-linux.md asks. */
static struct err *read_addr(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	struct addr_reader *reader = (void *)base;
	const struct ifaddrmsg *body = mnl_nlmsg_get_payload(message);
	struct addr_attrs attrs = { .flags = body->ifa_flags };
	size_t len = body->ifa_family == AF_INET ? 4 : 16;
	struct net_addr *addr;
	const struct nlattr *value;

	if (message->nlmsg_type != RTM_NEWADDR || (int)body->ifa_index != reader->index)
		return NULL;
	mnl_attr_parse(message, sizeof(*body), attr_addr, &attrs);
	value = attrs.local ? attrs.local : attrs.address;
	if (!(attrs.flags & IFA_F_PERMANENT) || body->ifa_scope != RT_SCOPE_UNIVERSE || !value ||
	    mnl_attr_get_payload_len(value) != len)
		return NULL;
	if (reader->count == DEVICE_ADDRS_MAX)
		return err_new(ERR_UNSUPPORTED, "the interface has more than %d addresses",
			       DEVICE_ADDRS_MAX);
	addr = &reader->addrs[reader->count++];
	*addr = (struct net_addr){ .family = body->ifa_family, .prefix = body->ifa_prefixlen };
	memcpy(addr->bytes, mnl_attr_get_payload(value), len);
	return NULL;
}

static struct err *read_addrs(struct rtnl *rtnl, struct addr_reader *reader)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add(&batch, RTM_GETADDR, NLM_F_DUMP, "list addresses");
	struct ifaddrmsg *body = mnl_nlmsg_put_extra_header(request, sizeof(*body));

	body->ifa_index = (uint32_t)reader->index;
	rtnl_end(&batch, request);
	return rtnl_query(rtnl, &batch, &reader->reader);
}

/* Down first: a name can be changed, and addresses leave the host, without a window of traffic in
 * between. */
static struct err *move_link(struct rtnl *rtnl, int index, const char *name, int netns_fd)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add(&batch, RTM_SETLINK, 0, "lower interface %d", index);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(request, sizeof(*link));

	link->ifi_index = index;
	link->ifi_change = IFF_UP;
	rtnl_end(&batch, request);
	request = rtnl_add(&batch, RTM_SETLINK, 0, "move the interface into the container as %s",
			   name);
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = index;
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	rtnl_end(&batch, request);
	return rtnl_run(rtnl, &batch);
}

static struct err *check_free(const struct rtnl *inside, const char *name)
{
	int index;
	struct err *err = rtnl_index(inside, name, &index);

	if (!err)
		return err_new(ERR_EXISTS, "the container has an interface %s already", name);
	if (err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* free, as it must be */
	return NULL;
}

static struct err *raise_inside(struct rtnl *inside, const char *name,
				const struct addr_reader *addrs)
{
	struct rtnl_batch batch = { 0 };
	int index;

	TRY(rtnl_index(inside, name, &index));
	for (size_t i = 0; i < addrs->count; i++) {
		rtnl_add_addr(&batch, RTM_NEWADDR, index, &addrs->addrs[i], RT_SCOPE_UNIVERSE);
		if (batch.count == RTNL_BATCH_REQUESTS)
			TRY(rtnl_run(inside, &batch));
	}
	if (batch.count == RTNL_BATCH_REQUESTS)
		TRY(rtnl_run(inside, &batch));
	rtnl_add_up(&batch, index, name);
	return rtnl_run(inside, &batch);
}

struct err *net_device_move(const char *host_name, const char *new_name, int netns_fd)
{
	OWN(rtnl) struct rtnl host = { 0 }, inside = { 0 };
	struct addr_reader addrs = { .reader.read = read_addr };
	const char *name = new_name ? new_name : host_name;

	TRY(net_name_check(host_name));
	TRY(net_name_check(name));
	TRY(rtnl_open(&host));
	TRY(rtnl_open_in(netns_fd, &inside));
	TRY(rtnl_index(&host, host_name, &addrs.index));
	TRY(check_free(&inside, name));
	TRY(read_addrs(&host, &addrs));
	TRY(move_link(&host, addrs.index, name, netns_fd));
	return raise_inside(&inside, name, &addrs);
}
