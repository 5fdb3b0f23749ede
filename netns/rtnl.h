/*
 * Private to netns/: one rtnetlink socket and batches of requests. Every request carries a few
 * words for the error text; the kernel's extended acknowledgement is added to them. Answers are
 * believed only from the kernel (port 0): inside a container's namespace its root may send messages
 * to our socket.
 */
#ifndef NETNS_RTNL_H
#define NETNS_RTNL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/err.h"
#include "netns/netns.h"

struct rtnl {
	struct mnl_socket *socket;
	uint32_t sequence;
};

/* In the caller's network namespace, or in netns_fd (the caller is back in its own afterwards). */
MUST_CHECK struct err *rtnl_open(struct rtnl *ret_rtnl);
MUST_CHECK struct err *rtnl_open_in(int netns_fd, struct rtnl *ret_rtnl);
/* A plain socket in netns_fd, or in the caller's namespace (-1). */
MUST_CHECK struct err *rtnl_socket_in(int netns_fd, int family, int type, int *ret_fd);
void rtnl_close(struct rtnl *rtnl);
static inline __attribute__((unused)) void own_rtnl(struct rtnl *rtnl)
{
	rtnl_close(rtnl);
}
/* Index of a link in the socket's namespace; ERR_NOT_FOUND. */
MUST_CHECK struct err *rtnl_index(const struct rtnl *rtnl, const char *name, int *ret_index);

#define RTNL_BATCH_REQUESTS 24
#define RTNL_WHAT_MAX 96

/* Requests sent together and answered one by one; the order is kept. */
struct rtnl_batch {
	size_t count, used;
	char what[RTNL_BATCH_REQUESTS][RTNL_WHAT_MAX];
	int allowed[RTNL_BATCH_REQUESTS]; /* an errno that is as good as success; 0: none */
	_Alignas(struct nlmsghdr) char data[RTNL_BATCH_REQUESTS * 320];
};

/* Begin one request; NULL when the batch is full (a caller's bug: batches here have a known size).
 */
PRINTF(4, 5)
struct nlmsghdr *rtnl_add(struct rtnl_batch *batch, uint16_t type, uint16_t flags, const char *what,
			  ...);
/* The request of rtnl_add() is complete: account for its length. */
void rtnl_end(struct rtnl_batch *batch, const struct nlmsghdr *request);
/* The last request may fail with errnum: what it asks for is so already. */
void rtnl_allow(struct rtnl_batch *batch, int errnum);
/* Send what there is when fewer than count more requests fit. */
MUST_CHECK struct err *rtnl_make_room(struct rtnl *rtnl, struct rtnl_batch *batch, size_t count);
/*
 * Send all, collect all answers, empty the batch. The first failure is the result: EEXIST becomes
 * ERR_EXISTS, ENODEV ERR_NOT_FOUND, others ERR_SYS. Later requests were tried all the same.
 */
MUST_CHECK struct err *rtnl_run(struct rtnl *rtnl, struct rtnl_batch *batch);

/* Called for each message of an answer; data: the caller's. */
struct rtnl_reader {
	struct err *(*read)(struct rtnl_reader *reader, const struct nlmsghdr *message);
};
/* Run the batch's only request, a query or a dump, giving each message to reader. */
MUST_CHECK struct err *rtnl_query(struct rtnl *rtnl, struct rtnl_batch *batch,
				  struct rtnl_reader *reader);

/* For every netlink socket of ours: one datagram of the kernel, others are thrown away; and the
 * error that a NLMSG_ERROR holds, "what: ..." (NULL: an acknowledgement). */
MUST_CHECK struct err *rtnl_receive(const struct mnl_socket *socket, char *room, size_t len,
				    size_t *ret_len);
MUST_CHECK struct err *rtnl_answer_error(const struct nlmsghdr *answer, const char *what);
/* What is known of a link of the socket's namespace (link.c). */
struct rtnl_link {
	int index, master, peer; /* 0: none; peer is IFLA_LINK, of another namespace perhaps */
	uint32_t mtu, group;
	uint8_t mac[6];
	bool is_up;
	char kind[16];	     /* "" for hardware */
	bool vlan_filtering; /* of a bridge */
	uint16_t default_vlan;
};
/* ERR_NOT_FOUND. */
MUST_CHECK struct err *rtnl_read_link(struct rtnl *rtnl, const char *name,
				      struct rtnl_link *ret_link);
/* The same; a missing link is success and has index 0. */
MUST_CHECK struct err *rtnl_seek_link(struct rtnl *rtnl, const char *name,
				      struct rtnl_link *ret_link);
/* A request about one link; NULL when the batch is full. */
struct nlmsghdr *rtnl_add_link(struct rtnl_batch *batch, uint16_t type, int index, const char *what,
			       const char *name);

/* Requests that more than one file makes (route.c). */
void rtnl_add_up(struct rtnl_batch *batch, int index, const char *name);
void rtnl_add_addr(struct rtnl_batch *batch, uint16_t type, int index, const struct net_addr *addr,
		   unsigned char scope);
/* A route to addr's host through the link itself. */
void rtnl_add_host_route(struct rtnl_batch *batch, uint16_t type, int index,
			 const struct net_addr *addr);
/* The default route of a family through gateway on the link, whether or not an address covers it.
 * It replaces another one. */
void rtnl_add_default_route(struct rtnl_batch *batch, uint16_t type, int index,
			    const struct net_addr *gateway);

#endif
