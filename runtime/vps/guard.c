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

void vps_confs_release(struct vps_confs *confs)
{
	for (size_t i = 0; i < confs->names.count; i++)
		vps_conf_release(&confs->items[i]);
	free(confs->items);
	strlist_release(&confs->names);
	*confs = (struct vps_confs){ 0 };
}

static struct err *take_conf(const struct vps_host *host, const char *name, struct vps_confs *confs)
{
	OWN(vps_conf) struct vps_conf conf;
	enum other other;

	vps_conf_init(&conf);
	TRY(other_load(host, name, &conf, &other));
	if (other != OTHER_WHOLE)
		return NULL; /* a damaged definition allows nothing */
	TRY(strlist_add(&confs->names, name));
	confs->items[confs->names.count - 1] = conf;
	vps_conf_init(&conf);
	return NULL;
}

struct err *guard_load_others(const struct vps_host *host, const char *name,
			      struct vps_confs *ret_confs)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(vps_confs) struct vps_confs confs = { 0 };

	TRY(vps_names(host, &names));
	confs.items = calloc(names.count + 1, sizeof(*confs.items));
	if (!confs.items)
		return err_sys(ENOMEM, "keep the definitions of all VPSs");
	for (size_t i = 0; i < names.count; i++)
		if (!str_eq(names.items[i], name))
			TRY(take_conf(host, names.items[i], &confs));
	*ret_confs = confs;
	confs = (struct vps_confs){ 0 };
	return NULL;
}

struct err *guard_find_peers(const struct vps_host *host, const char *name,
			     const struct vps_conf *conf, const struct vps_confs *others,
			     struct strlist *ret_host_names)
{
	for (size_t i = 0; i < others->names.count; i++) {
		const char *other_name = others->names.items[i];
		const struct vps_conf *other = &others->items[i];
		OWN(net_ports) struct net_ports ports = { 0 };

		if (str_eq(other_name, name) || !are_peers(name, conf, other_name, other))
			continue;
		TRY(other_plan(host, other_name, other, &ports));
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
