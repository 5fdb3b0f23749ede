/* What cella.conf says about the host's network; see vps.h. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/room.h"

/* Of networks that are for use behind NAT (RFC 1918, RFC 4193), ones that nobody else takes by
 * default. */
#define NAT_POOL "10.213.0.0/16 fdce:11a:213::/64"

static struct err *read_ifname(const char *key, const char *text, char *ret_name)
{
	TRY(err_wrap(net_name_check(text), "%s", key));
	snprintf(ret_name, IFNAMSIZ, "%s", text);
	return NULL;
}

struct err *host_net_parse_uplinks(const char *text, struct net_uplinks *ret_uplinks)
{
	struct net_uplinks uplinks = { 0 };

	for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");
		OWN(str) char *name = NULL;

		if (uplinks.count == NET_UPLINKS_MAX)
			return err_new(ERR_INVALID, "UPLINK: more than %d interfaces",
				       NET_UPLINKS_MAX);
		TRY(str_format(&name, "%.*s", (int)len, at));
		TRY(read_ifname("UPLINK", name, uplinks.names[uplinks.count++]));
		at += len;
	}
	*ret_uplinks = uplinks;
	return NULL;
}

struct err *host_net_read(const struct conf_file *file, struct vps_host_net *net)
{
	const char *bridge = conf_file_get(file, "BRIDGE");
	const char *uplink = conf_file_get(file, "UPLINK");
	const char *nat_pool = conf_file_get(file, "NAT_POOL");
	const char *ip_pool = conf_file_get(file, "IP_POOL");

	TRY(pool_parse("NAT_POOL", nat_pool && *nat_pool ? nat_pool : NAT_POOL, &net->nat_pool));
	if (ip_pool)
		TRY(pool_parse("IP_POOL", ip_pool, &net->ip_pool));
	if (bridge && *bridge)
		TRY(read_ifname("BRIDGE", bridge, net->bridge));
	if (!uplink || !*uplink || str_eq(uplink, "detect"))
		return NULL;
	net->has_uplinks = true;
	return str_eq(uplink, "none") ? NULL : host_net_parse_uplinks(uplink, &net->uplinks);
}

struct err *host_net_uplinks(const struct vps_host *host, struct net_uplinks *ret_uplinks)
{
	if (!host->net.has_uplinks)
		return net_uplinks_find(ret_uplinks);
	*ret_uplinks = host->net.uplinks;
	return NULL;
}
