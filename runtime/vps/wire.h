/*
 * Private to runtime/vps: the network of a VPS. What a definition says becomes a plan (netplan.c),
 * in which nothing is left open; what was done of a plan is on record beside the monitor's lock
 * (netrecord.c); wire.c makes the kernel have the plan and keeps the record true:
 *
 *   start    the record is written, then the plan is made; whatever goes wrong, the record says
 * what to remove change   the record says old and new together, and "pending"; the kernel is
 * changed; the record says the new one. A command that finds "pending" does it again stop     what
 * the record says is removed, then the record
 */
#ifndef RUNTIME_VPS_WIRE_H
#define RUNTIME_VPS_WIRE_H

#include "runtime/vps/room.h"

/* What a guard is made of, as long as the plan lives. */
struct port_guard {
	struct net_guard guard;
	struct net_publish *publish; /* owned */
	struct net_addr dns[NET_DHCP_DNS_MAX];
};

struct vps_net {
	struct net_ports ports;
	struct strlist peers;	    /* what the guards lend */
	struct port_guard *guards;  /* owned; of a plan, one per port; NULL: as on record */
	struct net_uplinks uplinks; /* where the routed addresses are answered for */
	struct net_classes classes; /* of a plan; what its traffic is counted by */
	bool pending;
};
void vps_net_release(struct vps_net *net);
static inline __attribute__((unused)) void own_vps_net(struct vps_net *net)
{
	vps_net_release(net);
}

/* --- netplan.c --- */

/* Every interface that the definition asks for, complete. ERR_INVALID. */
MUST_CHECK struct err *net_plan(const struct vps_host *host, const char *name,
				const struct vps_conf *conf, struct net_ports *ret_ports);

/* --- netguard.c --- */

/* Give each port of the plan that is to be guarded its guard. */
MUST_CHECK struct err *net_plan_guards(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf, struct vps_net *net);
/* Rules that another version of cella made, before an upgrade, are replaced for all VPSs at once.
 * Under host_net_lock(). */
MUST_CHECK struct err *guard_renew(const struct vps_host *host);
void net_guards_release(struct vps_net *net);

/* --- netrecord.c --- */

/* Nothing on record is an empty plan. */
MUST_CHECK struct err *net_record_read(const struct vps_host *host, const char *name,
				       struct vps_net *ret_net);
MUST_CHECK struct err *net_record_write(const struct vps_host *host, const char *name,
					const struct vps_net *net);
void net_record_forget(const struct vps_host *host, const char *name);

/* --- forward.c; both under host_net_lock() --- */

MUST_CHECK struct err *forward_hold(const struct vps_host *host, const struct vps_net *net);
/* Put the host's settings back, if no VPS has a network on record any more. */
MUST_CHECK struct err *forward_release(const struct vps_host *host);

/* --- wire.c --- */

/* Everything that is on record is removed, as far as it is still there. */
MUST_CHECK struct err *net_unwire(const struct vps_host *host, const char *name);

#endif
