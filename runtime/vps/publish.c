/* See publish.h. */
#include "runtime/vps/publish.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"

static const struct proto {
	const char *name;
	uint8_t number;
} protos[] = {
	{ "tcp", IPPROTO_TCP }, /* the first one is meant where none is named */
	{ "udp", IPPROTO_UDP },
};

static struct err *parse_port(const char *what, const char *text, size_t len, uint16_t *ret_port)
{
	OWN(str) char *copy = NULL;
	uint64_t port;

	TRY(str_format(&copy, "%.*s", (int)len, text));
	TRY(parse_u64(what, copy, 1, 65535, &port));
	*ret_port = (uint16_t)port;
	return NULL;
}

struct err *publish_parse(const char *what, const char *word, struct net_publish *ret_publish)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
	struct net_publish publish = { .proto = protos[0].number };

	if (!colon || (slash && slash < colon))
		return err_new(ERR_INVALID, "%s: '%.40s' is not HOSTPORT:PORT[/tcp|/udp]", what,
			       word);
	TRY(parse_port(what, word, (size_t)(colon - word), &publish.host_port));
	TRY(parse_port(what, colon + 1, strcspn(colon + 1, "/"), &publish.port));
	for (size_t i = 0; i <= ARRAY_SIZE(protos) && slash; i++) {
		if (i == ARRAY_SIZE(protos))
			return err_new(ERR_INVALID, "%s: '%.20s' is neither tcp nor udp", what,
				       slash + 1);
		publish.proto = protos[i].number;
		if (str_eq(slash + 1, protos[i].name))
			break;
	}
	*ret_publish = publish;
	return NULL;
}

/* Words that can be read. */
static bool same_host_port(const char *a, const char *b)
{
	struct net_publish one = { 0 }, other = { 0 };
	struct err *err = publish_parse("", a, &one);

	err = err_first(err, publish_parse("", b, &other));
	if (err) {
		err_drop(err); /* refused elsewhere */
		return false;
	}
	return one.host_port == other.host_port && one.proto == other.proto;
}

struct err *publish_check(const char *what, const struct strlist *words)
{
	for (size_t i = 0; i < words->count; i++) {
		struct net_publish publish;

		TRY(publish_parse(what, words->items[i], &publish));
		for (size_t k = 0; k < i; k++)
			if (same_host_port(words->items[i], words->items[k]))
				return err_new(ERR_INVALID, "%s: port %u is given twice", what,
					       publish.host_port);
	}
	return NULL;
}

const char *publish_common(const struct strlist *a, const struct strlist *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (same_host_port(a->items[i], b->items[k]))
				return a->items[i];
	return NULL;
}

static const struct net_addr *first_of(const struct net_port *port, int family)
{
	for (size_t i = 0; i < port->addr_count; i++)
		if (port->addrs[i].family == family)
			return &port->addrs[i];
	return NULL;
}

struct err *publish_rows(const struct strlist *words, const struct net_port *port,
			 struct net_publish **ret_rows, size_t *ret_count)
{
	const struct net_addr *const addrs[] = { first_of(port, AF_INET),
						 first_of(port, AF_INET6) };
	struct net_publish *rows = calloc(2 * words->count + 1, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return err_sys(ENOMEM, "plan published ports");
	for (size_t i = 0; i < words->count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(addrs); k++) {
			struct err *err;

			if (!addrs[k])
				continue;
			err = publish_parse("PUBLISH", words->items[i], &rows[count]);
			if (err) {
				free(rows);
				return err;
			}
			rows[count++].addr = *addrs[k];
		}
	}
	*ret_rows = rows;
	*ret_count = count;
	return NULL;
}
