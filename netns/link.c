/* Reading links and asking about them; see rtnl.h. Rests on rtnetlink(7), linux/if_link.h. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "netns/rtnl.h"

struct link_reader {
	struct rtnl_reader reader;
	struct rtnl_link link;
};

static int attr_bridge(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_BR_VLAN_FILTERING:
		if (mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
			link->vlan_filtering = mnl_attr_get_u8(attr);
		break;
	case IFLA_BR_VLAN_DEFAULT_PVID:
		if (mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
			link->default_vlan = mnl_attr_get_u16(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int attr_info(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;

	/* the kernel puts the kind before its data */
	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && str_eq(link->kind, "bridge"))
		mnl_attr_parse_nested(attr, attr_bridge, link);
	return MNL_CB_OK;
}

static uint32_t number(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attr) : 0;
}

static int attr_link(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_MASTER:
		link->master = (int)number(attr);
		break;
	case IFLA_LINK:
		link->peer = (int)number(attr);
		break;
	case IFLA_MTU:
		link->mtu = number(attr);
		break;
	case IFLA_GROUP:
		link->group = number(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, attr_info, link);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static struct err *read_link(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	struct link_reader *reader = (void *)base;
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWLINK)
		return NULL;
	reader->link.index = body->ifi_index;
	reader->link.is_up = body->ifi_flags & IFF_UP;
	mnl_attr_parse(message, sizeof(*body), attr_link, &reader->link);
	return NULL;
}

struct err *rtnl_read_link(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link)
{
	struct link_reader reader = { .reader.read = read_link };
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request = rtnl_add(&batch, RTM_GETLINK, 0, "look at interface %s", name);

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	rtnl_end(&batch, request);
	TRY(rtnl_query(rtnl, &batch, &reader.reader));
	*ret_link = reader.link;
	return NULL;
}

struct err *rtnl_seek_link(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link)
{
	struct err *err = rtnl_read_link(rtnl, name, ret_link);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* an answer as well */
	*ret_link = (struct rtnl_link){ 0 };
	return NULL;
}

struct nlmsghdr *rtnl_add_link(struct rtnl_batch *batch, uint16_t type, int index, const char *what,
			       const char *name)
{
	struct nlmsghdr *request = rtnl_add(batch, type, 0, "%s interface %s", what, name);
	struct ifinfomsg *link;

	if (!request)
		return NULL;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = index;
	return request;
}
