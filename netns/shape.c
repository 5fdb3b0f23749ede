/* Token buckets by rtnetlink; see shape.h. Rests on tc-tbf(8), tc-fq_codel(8), sch_tbf.c, ifb.c. */
#include "netns/shape.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "netns/rtnl.h"

/* What may go at once: 20 ms worth, which timers can meet, but never less than a few packets. */
#define BURST_MS 20
#define BURST_MIN_BYTES 6000
/* The queue without fq_codel: 100 ms worth. */
#define QUEUE_MS 100
#define QUEUE_MIN_BYTES 30000
/* How long packets may wait before fq_codel drops: its own 5 ms, or as long as three take. */
#define TARGET_MIN_US 5000
#define TARGET_BITS (UINT64_C(3) * 1514 * 8)

#define BUCKET_HANDLE (1U << 16)    /* 1: */
#define BUCKET_CLASS (1U << 16 | 1) /* 1:1, the bucket's only class */
#define QUEUE_HANDLE (2U << 16)

/* "vethNAME.0" has "ifbNAME.0"; other names, which the operator chose, a number of their own. */
static void ifb_name(const char *host_name, char *ret_name)
{
	char hex[SHA256_HEX_MAX];
	struct sha256 sha;

	if (str_has_prefix(host_name, "veth")) {
		snprintf(ret_name, IFNAMSIZ, "ifb%s", host_name + strlen("veth"));
		return;
	}
	sha256_init(&sha);
	sha256_add(&sha, host_name, strlen(host_name));
	sha256_hex(&sha, hex);
	snprintf(ret_name, IFNAMSIZ, "ifb~%.10s", hex);
}

/* --- one interface's bucket --- */

static struct nlmsghdr *add_qdisc(struct rtnl_batch *batch, uint16_t type, int index,
				  uint32_t parent, uint32_t handle)
{
	uint16_t flags = type == RTM_NEWQDISC ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nlmsghdr *request = rtnl_add(batch, type, flags, "%s a limit of its rate",
					    type == RTM_NEWQDISC ? "set" : "lift");
	struct tcmsg *body;

	if (!request)
		return NULL;
	body = mnl_nlmsg_put_extra_header(request, sizeof(*body));
	body->tcm_family = AF_UNSPEC;
	body->tcm_ifindex = index;
	body->tcm_parent = parent;
	body->tcm_handle = handle;
	return request;
}

/* queue_bytes 0: the class's queue is left as it is. */
static void add_bucket(struct rtnl_batch *batch, int index, uint64_t bits_per_s,
		       uint64_t burst_bytes, uint64_t queue_bytes)
{
	struct nlmsghdr *request = add_qdisc(batch, RTM_NEWQDISC, index, TC_H_ROOT, BUCKET_HANDLE);
	uint64_t bytes_per_s = bits_per_s / 8;
	struct tc_tbf_qopt bucket = { .limit = (uint32_t)queue_bytes };
	struct nlattr *options;

	if (!request)
		return;
	/* with the link layer told, no table of transmission times is wanted */
	bucket.rate.linklayer = TC_LINKLAYER_ETHERNET;
	bucket.rate.rate = bytes_per_s > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes_per_s;
	mnl_attr_put_strz(request, TCA_KIND, "tbf");
	options = mnl_attr_nest_start(request, TCA_OPTIONS);
	mnl_attr_put(request, TCA_TBF_PARMS, sizeof(bucket), &bucket);
	if (bytes_per_s > UINT32_MAX)
		mnl_attr_put_u64(request, TCA_TBF_RATE64, bytes_per_s);
	mnl_attr_put_u32(request, TCA_TBF_BURST, (uint32_t)burst_bytes);
	mnl_attr_nest_end(request, options);
	rtnl_end(batch, request);
}

static void add_queue(struct rtnl_batch *batch, int index, uint64_t bits_per_s)
{
	struct nlmsghdr *request =
		add_qdisc(batch, RTM_NEWQDISC, index, BUCKET_CLASS, QUEUE_HANDLE);
	uint64_t target_us = UINT64_C(1000000) * TARGET_BITS / bits_per_s;
	struct nlattr *options;

	if (!request)
		return;
	mnl_attr_put_strz(request, TCA_KIND, "fq_codel");
	options = mnl_attr_nest_start(request, TCA_OPTIONS);
	mnl_attr_put_u32(request, TCA_FQ_CODEL_TARGET,
			 (uint32_t)(target_us < TARGET_MIN_US ? TARGET_MIN_US : target_us));
	mnl_attr_nest_end(request, options);
	rtnl_end(batch, request);
}

static uint64_t at_least(uint64_t value, uint64_t min)
{
	return value < min ? min : value;
}

static struct err *ignore_missing(struct err *err)
{
	if (!err || (err_errno(err) != ENOENT && err_errno(err) != EINVAL))
		return err;
	err_drop(err); /* there was none */
	return NULL;
}

static struct err *set_bucket(struct rtnl *rtnl, int index, uint64_t bits_per_s,
			      uint64_t burst_bytes)
{
	struct rtnl_batch batch = { 0 };
	struct nlmsghdr *request;
	struct err *err;

	if (bits_per_s == 0) {
		request = add_qdisc(&batch, RTM_DELQDISC, index, TC_H_ROOT, 0);
		if (request)
			rtnl_end(&batch, request);
		return ignore_missing(rtnl_run(rtnl, &batch));
	}
	if (burst_bytes == 0)
		burst_bytes = at_least(bits_per_s / 8 * BURST_MS / 1000, BURST_MIN_BYTES);
	add_bucket(&batch, index, bits_per_s, burst_bytes, 0);
	add_queue(&batch, index, bits_per_s);
	err = rtnl_run(rtnl, &batch);
	if (!err || err_errno(err) != ENOENT)
		return err;
	err_drop(err); /* a kernel without fq_codel: the bucket's own queue is good enough */
	add_bucket(&batch, index, bits_per_s, burst_bytes,
		   at_least(bits_per_s / 8 * QUEUE_MS / 1000, QUEUE_MIN_BYTES));
	return rtnl_run(rtnl, &batch);
}

/* --- the ifb --- */

static void add_removal(struct rtnl_batch *batch, int index, const char *name)
{
	struct nlmsghdr *request = rtnl_add(batch, RTM_DELLINK, 0, "remove interface %s", name);
	struct ifinfomsg *link;

	if (!request)
		return;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = index;
	rtnl_end(batch, request);
}

static struct err *find(struct rtnl *rtnl, const char *name, int *ret_index)
{
	struct err *err = rtnl_index(rtnl, name, ret_index);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* the answer */
	*ret_index = 0;
	return NULL;
}

static void add_ifb(struct rtnl_batch *batch, const char *name)
{
	struct nlmsghdr *request =
		rtnl_add(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make interface %s", name);
	struct ifinfomsg *link;
	struct nlattr *info;

	if (!request)
		return;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_flags = link->ifi_change = IFF_UP;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "ifb");
	mnl_attr_nest_end(request, info);
	rtnl_end(batch, request);
}

/* The first one loads the kernel's module, which makes two that nobody asked for. */
static struct err *make_ifb(struct rtnl *rtnl, const char *name)
{
	static const char *const uninvited[] = { "ifb0", "ifb1" };
	struct rtnl_batch batch = { 0 };
	int before[ARRAY_SIZE(uninvited)], after;

	for (size_t i = 0; i < ARRAY_SIZE(uninvited); i++)
		TRY(find(rtnl, uninvited[i], &before[i]));
	add_ifb(&batch, name);
	TRY(rtnl_run(rtnl, &batch));
	for (size_t i = 0; i < ARRAY_SIZE(uninvited); i++) {
		TRY(find(rtnl, uninvited[i], &after));
		if (after && !before[i])
			add_removal(&batch, after, uninvited[i]);
	}
	return batch.count ? rtnl_run(rtnl, &batch) : NULL;
}

/* One of this name is ours: nobody else makes ifbs of our ports' names. */
static struct err *ensure_ifb(struct rtnl *rtnl, const char *name, int *ret_index)
{
	TRY(find(rtnl, name, ret_index));
	if (*ret_index)
		return NULL;
	TRY(make_ifb(rtnl, name));
	return rtnl_index(rtnl, name, ret_index);
}

struct err *shape_set(const char *host_name, const struct net_rate *rate, uint32_t *ret_ifb)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	char name[IFNAMSIZ];
	int index;

	*ret_ifb = 0;
	TRY(rtnl_open(&rtnl));
	TRY(rtnl_index(&rtnl, host_name, &index));
	TRY(set_bucket(&rtnl, index, rate->in_bits_per_s, rate->burst_bytes));
	if (rate->out_bits_per_s == 0)
		return NULL;
	ifb_name(host_name, name);
	TRY(ensure_ifb(&rtnl, name, &index));
	TRY(set_bucket(&rtnl, index, rate->out_bits_per_s, rate->burst_bytes));
	*ret_ifb = (uint32_t)index;
	return NULL;
}

struct err *shape_find_ifb(const char *host_name, uint32_t *ret_ifb)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	char name[IFNAMSIZ];
	int index;

	ifb_name(host_name, name);
	TRY(rtnl_open(&rtnl));
	TRY(find(&rtnl, name, &index));
	*ret_ifb = (uint32_t)index;
	return NULL;
}

struct err *shape_remove_ifb(const char *host_name)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct rtnl_batch batch = { 0 };
	char name[IFNAMSIZ];
	int index;

	ifb_name(host_name, name);
	TRY(rtnl_open(&rtnl));
	TRY(find(&rtnl, name, &index));
	if (!index)
		return NULL;
	add_removal(&batch, index, name);
	return rtnl_run(&rtnl, &batch);
}
