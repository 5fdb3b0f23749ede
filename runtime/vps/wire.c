/* The VPS's network: a routed veth pair, made while init waits. See netns/netns.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "runtime/vps/room.h"

#define INSIDE_NAME "eth0"

/*
 * "vethNAME.0" as OpenVZ calls it, where that fits into the kernel's 15 bytes; else the VPS's place
 * in the pool of ids, which is its own, behind a "~" that no VPS name can have.
 */
void wire_host_name(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		    char *ret_name)
{
	uint64_t place =
		conf->id_first == VPS_UNSET ? 0 : (conf->id_first - host->id_first) / VPS_ID_RANGE;

	if (strlen(name) <= IFNAMSIZ - 1 - strlen("veth.0"))
		snprintf(ret_name, IFNAMSIZ, "veth%s.0", name);
	else
		snprintf(ret_name, IFNAMSIZ, "veth~%x.0", (unsigned int)place & 0xffff);
}

/* Always the same for the same name, also on another host: locally administered, unicast. */
static void mac_of(const char *name, uint8_t *ret_mac)
{
	char hex[SHA256_HEX_MAX];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, name, strlen(name));
	sha256_hex(&sha, hex);
	for (size_t i = 0; i < 6; i++) {
		unsigned int byte;

		(void)sscanf(hex + 2 * i, "%2x", &byte);
		ret_mac[i] = (uint8_t)byte;
	}
	ret_mac[0] = 0x02;
}

static void undo(const struct ct_wire *base)
{
	const struct vps_wire *wire = (const void *)base;

	/* the pair goes with its namespace in any case; what is left of the guard the next start
	 * replaces */
	err_drop(net_veth_destroy(wire->host_name));
	err_drop(net_guard_remove(wire->host_name));
}

/* Guarded before it is up. */
static struct err *make_guarded(const struct vps_wire *wire, int netns_fd)
{
	OWN(strlist) struct strlist peers = { 0 };
	struct net_guard guard = { .host_name = wire->host_name,
				   .addrs = wire->conf->addrs,
				   .addr_count = wire->conf->addr_count };
	struct net_veth veth = { .host_name = wire->host_name,
				 .name = INSIDE_NAME,
				 .addrs = wire->conf->addrs,
				 .addr_count = wire->conf->addr_count,
				 .guard = &guard };

	mac_of(wire->name, veth.mac);
	memcpy(guard.mac, veth.mac, sizeof(guard.mac));
	TRY(guard_find_peers(wire->host, wire->name, wire->conf, &peers));
	guard.peers = (const char *const *)peers.items;
	guard.peer_count = peers.count;
	TRY(guard_fill_rates(wire->conf, &guard));
	TRY(net_veth_create(&veth, netns_fd));
	return net_guard_services(wire->host->services, wire->host->service_count);
}

static struct err *run(const struct ct_wire *base, pid_t pid, int pidfd)
{
	const struct vps_wire *wire = (const void *)base;
	OWN(str) char *path = NULL;
	OWN(fd) int netns_fd = -1;
	struct err *err;

	(void)pidfd;
	TRY(str_format(&path, "/proc/%d/ns/net", (int)pid));
	netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (netns_fd < 0)
		return err_sys(errno, "open %s", path);
	err = make_guarded(wire, netns_fd);
	if (err)
		undo(base);
	return err;
}

void wire_init(const struct vps_host *host, const char *name, const struct vps_conf *conf,
	       struct vps_wire *ret_wire)
{
	*ret_wire = (struct vps_wire){
		.base = { .run = run, .undo = undo }, .host = host, .name = name, .conf = conf
	};
	wire_host_name(host, name, conf, ret_wire->host_name);
}
