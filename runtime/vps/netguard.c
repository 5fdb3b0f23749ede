/* From a plan to the guards of its ports; see wire.h and netns/guard.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "runtime/vps/publish.h"
#include "runtime/vps/traffic.h"
#include "runtime/vps/wire.h"

/* clang-format off */
static const struct flag {
	unsigned int port, guard;
} flags[] = {
	{ NET_PORT_ANY_MAC, NET_GUARD_ANY_MAC },
	{ NET_PORT_ANY_IP,  NET_GUARD_ANY_IP },
	{ NET_PORT_OPEN,    NET_GUARD_OPEN },
};
/* clang-format on */

static struct err *fill_dns(const struct vps_conf *conf, struct port_guard *ret_guard)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->nameservers.count && count < NET_DHCP_DNS_MAX; i++) {
		struct net_addr *server = &ret_guard->dns[count];

		TRY(net_addr_parse_host("NAMESERVER", conf->nameservers.items[i], server));
		count += server->family == AF_INET;
	}
	ret_guard->guard.dns = ret_guard->dns;
	ret_guard->guard.dns_count = count;
	return NULL;
}

static struct err *fill(const struct vps_conf *conf, const struct net_port *port,
			struct port_guard *ret_guard)
{
	struct net_guard *guard = &ret_guard->guard;

	*guard = (struct net_guard){ .host_name = port->host_name,
				     .addrs = port->addrs,
				     .addr_count = port->addr_count,
				     .router4 = port->gateway4,
				     .mtu = port->mtu };
	memcpy(guard->mac, port->mac, sizeof(guard->mac));
	TRY(guard_fill_rates(conf, guard));
	TRY(fill_dns(conf, ret_guard));
	if (net_mode_is_routed(port->mode))
		guard->gateway6 = net_port_gateway6(port);
	if (port->mode == NET_BRIDGED)
		guard->flags = NET_GUARD_BRIDGED;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (port->flags & flags[i].port)
			guard->flags |= flags[i].guard;
	if (port->mode != NET_NAT)
		return NULL;
	guard->flags = NET_GUARD_NAT;
	TRY(publish_rows(&conf->publish, port, &ret_guard->publish, &guard->publish_count));
	guard->publish = ret_guard->publish;
	return NULL;
}

static struct err *plan_guards(const struct vps_host *host, const char *name,
			       const struct vps_conf *conf, const struct vps_confs *others,
			       struct vps_net *net)
{
	bool is_throttled;

	net_guards_release(net);
	TRY(guard_find_peers(host, name, conf, others, &net->peers));
	TRY(quota_throttles(host, name, conf, &is_throttled));
	TRY(classes_read(host, &net->classes));
	net->guards = calloc(net->ports.count + 1, sizeof(*net->guards));
	if (!net->guards)
		return err_sys(ENOMEM, "plan guards");
	for (size_t i = 0; i < net->ports.count; i++) {
		struct net_port *port = &net->ports.items[i];

		if (!net_mode_is_guarded(port->mode))
			continue;
		TRY(fill(conf, port, &net->guards[i]));
		if (is_throttled)
			quota_throttle(&net->guards[i].guard.rate);
		net->guards[i].guard.peers = (const char *const *)net->peers.items;
		net->guards[i].guard.peer_count = net->peers.count;
		net->guards[i].guard.classes = net->classes;
		port->guard = &net->guards[i].guard;
	}
	return NULL;
}

struct err *net_plan_guards(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf, struct vps_net *net)
{
	OWN(vps_confs) struct vps_confs others = { 0 };

	TRY(guard_load_others(host, name, &others));
	return plan_guards(host, name, conf, &others, net);
}

/* --- rules of another version of cella --- */

/* The networks of all VPSs, and the guards in them. */
struct renewal {
	struct vps_net *nets; /* owned */
	size_t count;
	const struct net_guard **guards; /* owned; lent by nets */
	size_t guard_count;
};

static void own_renewal(struct renewal *renewal)
{
	for (size_t i = 0; i < renewal->count; i++)
		vps_net_release(&renewal->nets[i]);
	free(renewal->nets);
	free(renewal->guards);
}

/* As wire_repair() would: ports as they are on record, the rest as it is defined. After a failure
 * net may be half planned. */
static struct err *plan_recorded(const struct vps_host *host, const char *name,
				 const struct vps_confs *all, struct vps_net *net)
{
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(net_record_read(host, name, net));
	if (net->ports.count == 0)
		return NULL;
	TRY(vps_load(host, name, &conf));
	return plan_guards(host, name, &conf, all, net);
}

static bool is_published(const struct renewal *renewal, const struct net_publish *row)
{
	for (size_t i = 0; i < renewal->guard_count; i++) {
		const struct net_guard *guard = renewal->guards[i];

		for (size_t k = 0; k < guard->publish_count; k++)
			if (guard->publish[k].proto == row->proto &&
			    guard->publish[k].host_port == row->host_port &&
			    guard->publish[k].addr.family == row->addr.family)
				return true;
	}
	return false;
}

/* Definitions that were edited may name a port of the host twice: the first VPS has it, and nobody
 * else is held up. */
static void leave_published(const struct renewal *renewal, const char *name,
			    struct port_guard *guard)
{
	size_t kept = 0;

	for (size_t i = 0; i < guard->guard.publish_count; i++) {
		const struct net_publish row = guard->publish[i];

		if (!is_published(renewal, &row))
			guard->publish[kept++] = row;
		else
			log_warn(err_new(ERR_EXISTS,
					 "VPS %s: port %u of the host leads to another VPS "
					 "already, and not to this one: change its --publish",
					 name, row.host_port));
	}
	guard->guard.publish_count = kept;
}

static struct err *take_guards(const char *name, struct vps_net *net, struct renewal *renewal)
{
	const struct net_guard **guards =
		reallocarray(renewal->guards, renewal->guard_count + net->ports.count + 1,
			     sizeof(struct net_guard *));

	if (!guards)
		return err_sys(ENOMEM, "keep the guards of all VPSs");
	renewal->guards = guards;
	for (size_t i = 0; i < net->ports.count; i++)
		if (net->ports.items[i].guard) {
			leave_published(renewal, name, &net->guards[i]);
			guards[renewal->guard_count++] = net->ports.items[i].guard;
		}
	return NULL;
}

struct err *guard_renew(const struct vps_host *host)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(renewal) struct renewal renewal = { 0 };
	OWN(vps_confs) struct vps_confs all = { 0 };
	OWN(vps_classes) struct net_classes classes = { 0 };
	bool is_current;

	TRY(net_guard_is_current(&is_current));
	if (is_current)
		return NULL;
	TRY(vps_names(host, &names));
	renewal.nets = calloc(names.count + 1, sizeof(*renewal.nets));
	if (!renewal.nets)
		return err_sys(ENOMEM, "plan the guards of all VPSs");
	renewal.count = names.count;
	TRY(guard_load_others(host, NULL, &all));
	for (size_t i = 0; i < names.count; i++) {
		struct vps_net *net = &renewal.nets[i];
		struct err *err = plan_recorded(host, names.items[i], &all, net);

		if (err)
			vps_net_release(net);
		if (err && err_kind(err) == ERR_NOT_FOUND) {
			err_drop(err); /* destroyed since the names were read */
			continue;
		}
		/* one that cannot be read holds up no other */
		log_warn(err_wrap(err, "the network of VPS %s is closed until this is mended",
				  names.items[i]));
		TRY(take_guards(names.items[i], net, &renewal));
	}
	TRY(classes_read(host, &classes));
	TRY(net_guard_renew(renewal.guards, renewal.guard_count, host->services,
			    host->service_count));
	return net_guard_classes(&classes);
}

void net_guards_release(struct vps_net *net)
{
	for (size_t i = 0; net->guards && i < net->ports.count; i++)
		free(net->guards[i].publish);
	strlist_release(&net->peers);
	vps_classes_release(&net->classes);
	free(net->guards);
	net->guards = NULL;
}
