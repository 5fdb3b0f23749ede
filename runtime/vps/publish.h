/* Private to runtime/vps: PUBLISH, ports of the host that lead into a VPS behind NAT. Pure. */
#ifndef RUNTIME_VPS_PUBLISH_H
#define RUNTIME_VPS_PUBLISH_H

#include "base/str.h"
#include "netns/netns.h"

/* "8080:80", "8080:80/tcp", "53:53/udp"; the address stays empty. ERR_INVALID. */
MUST_CHECK struct err *publish_parse(const char *what, const char *word,
				     struct net_publish *ret_publish);
/* Each word in itself, and no port of the host twice. */
MUST_CHECK struct err *publish_check(const char *what, const struct strlist *words);
/* A port of the host that both lists have; NULL: none. Borrowed from a. */
const char *publish_common(const struct strlist *a, const struct strlist *b);
/* A row for each word and each family that addrs has: its first address. *ret_rows is owned. */
MUST_CHECK struct err *publish_rows(const struct strlist *words, const struct net_port *port,
				    struct net_publish **ret_rows, size_t *ret_count);

#endif
