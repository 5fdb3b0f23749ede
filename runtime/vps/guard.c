/* Whom a VPS reaches: its peers on this host, and the services that the host has for all of them.
 * See netns/guard.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/wire.h"

/* --- services --- */

static const struct proto {
	const char *name;
	uint8_t number;
} protos[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
};

static struct err *read_service(const char *word, struct net_service *ret_service)
{
	const char *slash = strchr(word, '/');
	uint64_t port;

	for (size_t i = 0; i < ARRAY_SIZE(protos) && slash; i++) {
		size_t len = strlen(protos[i].name);

		if ((size_t)(slash - word) != len || strncmp(word, protos[i].name, len) != 0)
			continue;
		TRY(parse_u64("HOST_SERVICES", slash + 1, 1, 65535, &port));
		*ret_service = (struct net_service){ protos[i].number, (uint16_t)port };
		return NULL;
	}
	return err_new(ERR_INVALID, "HOST_SERVICES: '%.40s' is not like tcp/53 or udp/53", word);
}

struct err *guard_read_services(const char *text, struct vps_host *host)
{
	for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		OWN(str) char *word = NULL;
		struct net_service *services;

		TRY(str_format(&word, "%.*s", (int)len, at));
		services = reallocarray(host->services, host->service_count + 1, sizeof(*services));
		if (!services)
			return err_sys(ENOMEM, "keep the services of HOST_SERVICES");
		host->services = services;
		TRY(read_service(word, &services[host->service_count]));
		host->service_count++;
		at += len;
	}
	return NULL;
}

struct err *guard_set_common(const struct vps_host *host, const struct vps_net *net)
{
	bool is_guarded = false;

	for (size_t i = 0; i < net->ports.count; i++)
		is_guarded |= net->ports.items[i].guard != NULL;
	if (!is_guarded)
		return NULL;
	TRY(net_guard_services(host->services, host->service_count));
	return net_guard_classes(&net->classes);
}

/* --- peers --- */

static bool have_common(const struct strlist *a, const struct strlist *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (strlist_has(b, a->items[i]))
			return true;
	return false;
}

/* One word of one side is enough: it is the operator's, who has both in hand. */
static bool are_peers(const char *name, const struct vps_conf *conf, const char *other_name,
		      const struct vps_conf *other)
{
	return have_common(&conf->groups, &other->groups) ||
	       strlist_has(&conf->allow_peers, other_name) ||
	       strlist_has(&other->allow_peers, name);
}

struct err *guard_find_peers(const struct vps_host *host, const char *name,
			     const struct vps_conf *conf, struct strlist *ret_host_names)
{
	OWN(strlist) struct strlist names = { 0 };

	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++) {
		OWN(vps_conf) struct vps_conf other;
		OWN(net_ports) struct net_ports ports = { 0 };
		struct err *err;

		vps_conf_init(&other);
		if (str_eq(names.items[i], name))
			continue;
		err = vps_load(host, names.items[i], &other);
		if (err) {
			log_warn(err); /* a damaged definition allows nothing */
			continue;
		}
		if (!are_peers(name, conf, names.items[i], &other))
			continue;
		TRY(net_plan(host, names.items[i], &other, &ports));
		for (size_t k = 0; k < ports.count; k++)
			if (net_mode_is_guarded(ports.items[k].mode))
				TRY(strlist_add(ret_host_names, ports.items[k].host_name));
	}
	return NULL;
}

/* --- rates --- */

struct err *vps_rate_kbits(const char *what, const char *text, uint64_t *ret_kbits)
{
	size_t len = strcspn(text, " ");
	OWN(str) char *word = NULL;
	const char *colon;

	TRY(str_format(&word, "%.*s", (int)len, text));
	colon = strrchr(word, ':');
	if (!colon || strchr(word, ':') == colon)
		return err_new(ERR_INVALID, "%s: '%.40s' is not DEVICE:CLASS:KBIT", what, word);
	return parse_u64(what, colon + 1, 1, UINT64_C(400000000), ret_kbits);
}

static uint64_t or_none(uint64_t value)
{
	return value == VPS_UNSET || value == VPS_UNLIMITED ? 0 : value;
}

struct err *guard_fill_rates(const struct vps_conf *conf, struct net_guard *guard)
{
	uint64_t kbits;

	guard->packets_per_s = or_none(conf->packets_per_s);
	guard->rate = (struct net_rate){ .in_bits_per_s = or_none(conf->rate_in_bits),
					 .out_bits_per_s = or_none(conf->rate_out_bits),
					 .burst_bytes = or_none(conf->rate_burst_bytes) };
	if (conf->rate_out_bits != VPS_UNSET || !conf->rate || conf->ratebound != 1)
		return NULL;
	TRY(vps_rate_kbits("RATE", conf->rate, &kbits));
	guard->rate.out_bits_per_s = kbits * 1000;
	return NULL;
}
