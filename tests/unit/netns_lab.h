/* A laboratory for tests of netns/: root of a user namespace of our own, with a network namespace
 * for the host and one for a container. Included once per test. */
#ifndef TESTS_UNIT_NETNS_LAB_H
#define TESTS_UNIT_NETNS_LAB_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/fd.h"
#include "netns/guard.h"
#include "netns/netns.h"

static int host_ns = -1, inside_ns = -1;

static inline void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static inline int open_ns(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static const struct net_ports none = { 0 };

static inline void add_addr(struct net_port *port, const char *text)
{
	struct net_addr addr;

	must(net_addr_parse("test", text, &addr));
	must(net_port_add_addr(port, &addr));
}

/* The mode's one port, "eth0" inside. */
static inline struct net_port *add_port(struct net_ports *ports, enum net_mode mode,
					const char *name, const char *host_name)
{
	struct net_port *port;

	must(net_ports_add(ports, &port));
	*port = (struct net_port){ .mode = mode, .mac = { 0x02, 0, 0, 0, 0, (uint8_t)name[3] } };
	memcpy(port->host_mac,
	       (uint8_t[]){ 0xfe, 0, 0, 0, (uint8_t)strlen(host_name), (uint8_t)name[3] }, 6);
	snprintf(port->name, IFNAMSIZ, "%s", name);
	snprintf(port->host_name, IFNAMSIZ, "%s", host_name);
	return port;
}

/* A new network namespace; we stay where we are. */
static inline int fresh_ns(void)
{
	int ns;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	ns = open_ns();
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	return ns;
}

/* Root of a user namespace of our own, with two network namespaces; false where that is not
 * allowed. */
static inline bool enter_lab(void)
{
	OWN(fd) int uid_map = -1, gid_map = -1, setgroups = -1;
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", getuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	setgroups = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	uid_map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	gid_map = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	if (write(setgroups, "deny", 4) < 0 || write(uid_map, uid, strlen(uid)) < 0 ||
	    write(gid_map, gid, strlen(gid)) < 0)
		return false;
	inside_ns = open_ns();
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	host_ns = open_ns();
	return inside_ns >= 0 && host_ns >= 0;
}

/* nftables' netdev and inet families may be missing where user namespaces are not: why is printed.
 * The guard's port exists. */
static inline bool can_guard(const struct net_guard *guard)
{
	struct err *err = net_guard_set(guard);

	if (!err)
		err = net_guard_remove(guard->host_name);
	if (!err)
		return true;
	printf("# %s\n", err_text(err));
	err_drop(err);
	return false;
}

#endif
