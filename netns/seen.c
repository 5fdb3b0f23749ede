/* The host's network in one reading, for who asks about many ports; see netns.h. */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "netns/guard.h"
#include "netns/port.h"

/* "eth0 192.0.2.1" */
static struct err *add_answer(struct strlist *answered, const char *uplink,
			      const struct net_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(addr->family, addr->bytes, text, sizeof(text)))
		return NULL;
	return strlist_format(answered, "%s %s", uplink, text);
}

struct proxy_reader {
	struct rtnl_reader reader;
	struct strlist *answered;
	int index; /* of this name, as most have the same */
	char name[IF_NAMESIZE];
};

static int attr_dst(const struct nlattr *attr, void *data)
{
	struct net_addr *addr = data;

	if (mnl_attr_get_type(attr) == NDA_DST &&
	    mnl_attr_get_payload_len(attr) == (addr->family == AF_INET ? 4 : 16))
		memcpy(addr->bytes, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

static struct err *read_proxy(struct rtnl_reader *base, const struct nlmsghdr *message)
{
	struct proxy_reader *reader = (void *)base;
	const struct ndmsg *body = mnl_nlmsg_get_payload(message);
	struct net_addr addr = { 0 };

	if (message->nlmsg_type != RTM_NEWNEIGH || !(body->ndm_flags & NTF_PROXY) ||
	    (body->ndm_family != AF_INET && body->ndm_family != AF_INET6))
		return NULL;
	if (body->ndm_ifindex != reader->index &&
	    !if_indextoname((unsigned int)body->ndm_ifindex, reader->name))
		return NULL; /* gone this moment */
	reader->index = body->ndm_ifindex;
	addr.family = body->ndm_family;
	mnl_attr_parse(message, sizeof(*body), attr_dst, &addr);
	return add_answer(reader->answered, reader->name, &addr);
}

static struct err *read_proxies(struct strlist *answered)
{
	struct proxy_reader reader = { .reader.read = read_proxy, .answered = answered };
	struct rtnl_batch batch = { 0 };
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct nlmsghdr *request =
		rtnl_add(&batch, RTM_GETNEIGH, NLM_F_DUMP, "list addresses answered for");

	*(struct ndmsg *)mnl_nlmsg_put_extra_header(request, sizeof(struct ndmsg)) =
		(struct ndmsg){ .ndm_flags = NTF_PROXY };
	rtnl_end(&batch, request);
	TRY(rtnl_open(&rtnl));
	return rtnl_query(&rtnl, &batch, &reader.reader);
}

struct err *net_seen_read(struct net_seen *ret_seen)
{
	OWN(net_seen) struct net_seen seen = { 0 };

	TRY(net_guard_list(&seen.guarded));
	TRY(read_proxies(&seen.answered));
	*ret_seen = seen;
	seen = (struct net_seen){ 0 };
	return NULL;
}

void net_seen_release(struct net_seen *seen)
{
	strlist_release(&seen->guarded);
	strlist_release(&seen->answered);
}

bool net_seen_guards(const struct net_seen *seen, const char *host_name)
{
	return seen && strlist_has(&seen->guarded, host_name);
}

bool net_seen_answers(const struct net_seen *seen, const char *uplink, const struct net_addr *addr)
{
	OWN(strlist) struct strlist want = { 0 };
	struct err *err = seen ? add_answer(&want, uplink, addr) : NULL;
	bool has = !err && want.count && strlist_has(&seen->answered, want.items[0]);

	err_drop(err); /* not known, then */
	return has;
}
