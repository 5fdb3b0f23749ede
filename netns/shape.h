/* Private to netns/: the rates of a port, for guard.c. */
#ifndef NETNS_SHAPE_H
#define NETNS_SHAPE_H

#include "netns/guard.h"

/*
 * To the container: a token bucket on the host's end. From it: the guard hands what passed to an
 * interface of kind ifb, which has the bucket, and which gives it back to where it came from. Not
 * on the container's end: that is the tenant's to change. Not a policer: TCP needs a queue.
 */

/* Make rate so, before the rules; *ret_ifb: the index to forward to, 0: none. */
MUST_CHECK struct err *shape_set(const char *host_name, const struct net_rate *rate,
				 uint32_t *ret_ifb);
/* *ret_ifb as shape_set() told it. */
MUST_CHECK struct err *shape_find_ifb(const char *host_name, uint32_t *ret_ifb);
/* Remove the ifb, when no rule forwards to it any more. Missing is success. */
MUST_CHECK struct err *shape_remove_ifb(const char *host_name);

#endif
