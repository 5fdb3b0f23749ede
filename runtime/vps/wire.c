/* Making the kernel have the VPS's network, at start, live, and again after an accident; see
 * wire.h. Rests on netns/netns.h. */
#include "runtime/vps/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"

static struct err *open_netns(pid_t pid, int *ret_fd)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, "/proc/%d/ns/net", (int)pid));
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", path) : NULL;
}

static bool is_routed(const struct net_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (net_mode_is_routed(ports->items[i].mode) && ports->items[i].addr_count)
			return true;
	return false;
}

static struct err *plan(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			struct vps_net *ret_net)
{
	OWN(vps_net) struct vps_net net = { 0 };

	TRY(net_plan(host, name, conf, &net.ports));
	TRY(net_plan_guards(host, name, conf, &net));
	if (is_routed(&net.ports))
		TRY(host_net_uplinks(host, &net.uplinks));
	*ret_net = net;
	net = (struct vps_net){ 0 };
	return NULL;
}

/* From what may be there to what shall be. Bridges and settings of the host are shared: one command
 * at a time. */
static struct err *change(const struct vps_host *host, const char *name, const struct vps_net *old,
			  const struct vps_net *want, int netns_fd)
{
	static const struct net_ports none = { 0 };
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;

	TRY(host_net_lock(host, &lock));
	TRY(guard_renew(host));
	/* counters go with their guards; a disk that is full must not keep a VPS as it is */
	log_warn(traffic_save(host, name, &old->ports));
	TRY(net_ports_change(&old->ports, &want->ports, netns_fd));
	TRY(guard_set_common(host, want));
	TRY(forward_hold(host, want));
	/* the old uplinks may be others */
	TRY(net_proxy_change(&old->uplinks, &old->ports, &none));
	TRY(net_proxy_change(&want->uplinks, &none, &want->ports));
	/* who had the addresses before is remembered for a while; it only takes longer unsaid */
	log_warn(net_announce(&want->ports, &want->uplinks, netns_fd));
	return NULL;
}

static struct err *start(const struct vps_wire *wire, int netns_fd)
{
	static const struct vps_net nothing = { 0 };
	OWN(vps_net) struct vps_net net = { 0 };

	TRY(plan(wire->host, wire->name, wire->conf, &net));
	if (net.ports.count == 0)
		return NULL;
	TRY(net_record_write(wire->host, wire->name, &net));
	return change(wire->host, wire->name, wire->has_cables ? &net : &nothing, &net, netns_fd);
}

static struct err *run(const struct ct_wire *base, pid_t pid, int pidfd)
{
	const struct vps_wire *wire = (const void *)base;
	OWN(fd) int netns_fd = -1;
	struct err *err;

	(void)pidfd;
	TRY(open_netns(pid, &netns_fd));
	err = start(wire, netns_fd);
	return err ? err_first(err, net_unwire(wire->host, wire->name)) : NULL;
}

static void undo(const struct ct_wire *base)
{
	const struct vps_wire *wire = (const void *)base;

	log_warn(net_unwire(wire->host, wire->name));
}

void wire_init(const struct vps_host *host, const char *name, const struct vps_conf *conf,
	       struct vps_wire *ret_wire)
{
	*ret_wire = (struct vps_wire){
		.base = { .run = run, .undo = undo }, .host = host, .name = name, .conf = conf
	};
}

/* --- a running one --- */

/* The record says both until the kernel has the new one: a command that finds it so goes on. */
static struct err *record_both(const struct vps_host *host, const char *name,
			       const struct vps_net *old, const struct vps_net *want)
{
	OWN(vps_net) struct vps_net both = { .uplinks = old->uplinks, .pending = true };

	TRY(net_ports_merge(&old->ports, &both.ports));
	TRY(net_ports_merge(&want->ports, &both.ports));
	for (size_t i = 0; i < want->uplinks.count; i++) {
		bool known = both.uplinks.count == NET_UPLINKS_MAX;

		for (size_t k = 0; k < both.uplinks.count && !known; k++)
			known = str_eq(both.uplinks.names[k], want->uplinks.names[i]);
		if (!known)
			snprintf(both.uplinks.names[both.uplinks.count++], IFNAMSIZ, "%s",
				 want->uplinks.names[i]);
	}
	return net_record_write(host, name, &both);
}

/* What does not go back either stays on record, for the next command. */
static struct err *go_back(const struct vps_host *host, const char *name, const struct vps_net *old,
			   int netns_fd)
{
	OWN(vps_net) struct vps_net both = { 0 };

	TRY(net_record_read(host, name, &both));
	TRY(change(host, name, &both, old, netns_fd));
	return net_record_write(host, name, old);
}

struct err *wire_change(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			pid_t pid)
{
	OWN(vps_net) struct vps_net old = { 0 }, want = { 0 };
	OWN(fd) int netns_fd = -1;
	struct err *err;

	TRY(plan(host, name, conf, &want));
	TRY(net_record_read(host, name, &old));
	if (want.ports.count == 0 && old.ports.count == 0)
		return NULL;
	TRY(open_netns(pid, &netns_fd));
	TRY(record_both(host, name, &old, &want));
	err = change(host, name, &old, &want, netns_fd);
	if (!err)
		return net_record_write(host, name, &want);
	/* without a whole state to go back to, the next command tries again */
	return old.pending ? err : err_first(err, go_back(host, name, &old, netns_fd));
}

/* Under the lock of the VPS, which is pending or not whole. */
struct err *wire_repair(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			pid_t pid)
{
	OWN(vps_net) struct vps_net net = { 0 };
	OWN(fd) int netns_fd = -1;

	TRY(net_record_read(host, name, &net));
	if (net.pending)
		return wire_change(host, name, conf, pid);
	TRY(net_plan_guards(host, name, conf, &net));
	TRY(open_netns(pid, &netns_fd));
	return change(host, name, &net, &net, netns_fd);
}

struct err *wire_check(const struct vps_net *net, const struct net_seen *seen, bool *ret_whole)
{
	*ret_whole = !net->pending;
	if (*ret_whole)
		TRY(net_ports_check(&net->ports, seen, ret_whole));
	if (*ret_whole)
		TRY(net_proxy_check(&net->uplinks, &net->ports, seen, ret_whole));
	return NULL;
}

struct err *net_unwire(const struct vps_host *host, const char *name)
{
	static const struct net_ports none = { 0 };
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_net) struct vps_net net = { 0 };
	struct err *err;

	TRY(net_record_read(host, name, &net));
	if (net.ports.count == 0)
		return NULL;
	TRY(host_net_lock(host, &lock));
	log_warn(guard_renew(host)); /* so that what the port has is where it is looked for */
	log_warn(traffic_save(host, name, &net.ports));
	err = net_proxy_change(&net.uplinks, &net.ports, &none);
	err = err_first(err, net_ports_remove(&net.ports));
	if (err)
		return err; /* the record stays, and with it the duty */
	net_record_forget(host, name);
	return forward_release(host);
}
