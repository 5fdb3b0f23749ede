/*
 * A process that is killed at any of its messages to the kernel leaves what the same work, done
 * again, completes, and what its undoing removes. On the real kernel, in network namespaces of our
 * own; the test stands in for mnl_socket_sendto(3), by which every message goes.
 */
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "netns/nft.h"
#include "tests/unit/netns_lab.h"

static unsigned int messages_left; /* 0: no end */

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t len)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (messages_left && --messages_left == 0)
		raise(SIGKILL);
	return sendto(mnl_socket_get_fd(socket), data, len, 0, (const void *)&kernel,
		      sizeof(kernel));
}

/* --- the network of a container: routed with rates, and in a bridge of our own --- */

struct network {
	struct net_ports ports;
	struct net_guard guards[2];
};

static struct net_uplinks uplinks = { { "cvlower" }, 1 };
static struct net_class class = { { AF_INET, { 10 }, 8 }, 1 };
static const struct net_classes classes = { &class, 1 };

static void guard(struct network *network, size_t i)
{
	struct net_port *port = &network->ports.items[i];

	network->guards[i] = (struct net_guard){ .host_name = port->host_name,
						 .mac = { 2, 0, 0, 0, 0, (uint8_t)i },
						 .addrs = port->addrs,
						 .addr_count = port->addr_count,
						 .classes = classes };
	if (port->mode == NET_BRIDGED)
		network->guards[i].flags = NET_GUARD_BRIDGED;
	else
		network->guards[i].rate = (struct net_rate){ 8000000, 8000000, 0 };
	port->guard = &network->guards[i];
}

/* Large: a second address and a second port. */
enum extent { SMALL, LARGE };

static void make(struct network *network, enum extent extent, enum net_mode second)
{
	struct net_port *port = add_port(&network->ports, NET_ROUTED, "eth0", "cvk0");

	add_addr(port, "192.0.2.7");
	add_addr(port, "2001:db8::7");
	if (extent == LARGE) {
		add_addr(port, "192.0.2.8");
		port = add_port(&network->ports, second, "eth1", "cvk1");
		snprintf(port->link, sizeof(port->link), second == NET_BRIDGED ? "cvkbr" : "");
		add_addr(port, "198.51.100.7/24");
	}
	for (size_t i = 0; i < network->ports.count; i++)
		if (net_mode_is_guarded(network->ports.items[i].mode))
			guard(network, i);
}

/* --- what is killed --- */

static struct network small, large;

static struct err *change(const struct net_ports *old, const struct net_ports *want)
{
	TRY(net_ports_change(old, want, inside_ns));
	TRY(net_guard_classes(&classes));
	TRY(net_proxy_change(&uplinks, old, &none));
	return net_proxy_change(&uplinks, &none, want);
}

static struct err *start(void)
{
	return change(&none, &large.ports);
}

static struct err *stop(void)
{
	TRY(net_proxy_change(&uplinks, &large.ports, &none));
	return net_ports_remove(&large.ports);
}

static struct err *grow(void)
{
	return change(&small.ports, &large.ports);
}

static struct err *shrink(void)
{
	return change(&large.ports, &small.ports);
}

/* False: it has fewer messages than that. */
static bool killed_at(unsigned int message, struct err *(*work)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		messages_left = message;
		_exit(work() ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || status == 0);
	return WIFSIGNALED(status);
}

/* --- what is there --- */

static bool is_classed(const char *host_name)
{
	OWN(nft) struct nft nft = { 0 };
	struct net_traffic traffic;
	struct err *err = net_guard_class_traffic(host_name, 1, &traffic);
	bool has;

	must(nft_open(&nft));
	must(nft_has_rules(&nft, &(struct nft_table){ NFPROTO_NETDEV, "cella" }, "classed", &has));
	has &= !err;
	err_drop(err); /* the answer */
	return has;
}

static void is_whole(const struct net_ports *ports)
{
	bool whole;

	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].guard)
			assert_true(is_classed(ports->items[i].host_name));

	must(net_ports_check(ports, NULL, &whole));
	assert_true(whole);
	must(net_proxy_check(&uplinks, ports, NULL, &whole));
	assert_true(whole);
}

static size_t link_count(void)
{
	struct if_nameindex *names = if_nameindex();
	size_t count = 0;

	assert_non_null(names);
	while (names[count].if_index)
		count++;
	if_freenameindex(names);
	return count;
}

static size_t line_count(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t count = 0;
	int byte;

	assert_non_null(file);
	while ((byte = fgetc(file)) != EOF)
		count += byte == '\n';
	fclose(file);
	return count;
}

static size_t table_count(void)
{
	static const struct nft_table tables[] = { { NFPROTO_INET, "cella" },
						   { NFPROTO_BRIDGE, "cella" },
						   { NFPROTO_NETDEV, "cella" },
						   { NFPROTO_NETDEV, "cella_in" } };
	OWN(nft) struct nft nft = { 0 };
	size_t count = 0;

	must(nft_open(&nft));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t handle;

		must(nft_find_table(&nft, &tables[i], &handle));
		count += handle != 0;
	}
	return count;
}

/* Does the uplink answer for this address? */
static bool is_answered(const char *text)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	bool whole;

	add_addr(add_port(&ports, NET_ROUTED, "eth0", "cvk0"), text);
	must(net_proxy_check(&uplinks, &ports, NULL, &whole));
	return whole;
}

static size_t links, routes4, routes6;

static void nothing_is_left(void)
{
	assert_int_equal(link_count(), links);
	assert_int_equal(line_count("/proc/net/route"), routes4);
	assert_int_equal(line_count("/proc/net/ipv6_route"), routes6);
	assert_int_equal(table_count(), 0);
	assert_false(is_answered("192.0.2.7") || is_answered("192.0.2.8") ||
		     is_answered("2001:db8::7"));
}

/* --- the sweeps --- */

static void start_is_killed(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; killed_at(i, start); i++) {
		must(stop());
		nothing_is_left();
		assert_true(killed_at(i, start));
		must(change(&large.ports, &large.ports));
		is_whole(&large.ports);
		must(stop());
		nothing_is_left();
	}
	assert_true(i > 20);
	must(stop());
}

static void stop_is_killed(void **state)
{
	unsigned int i;

	(void)state;
	must(start());
	for (i = 1; killed_at(i, stop); i++) {
		must(stop());
		nothing_is_left();
		must(start());
	}
	assert_true(i > 10);
	nothing_is_left();
}

/* What a command finds after it: either end, by way of all that may be there. */
static void change_is_killed(struct err *(*work)(void), const struct net_ports *from,
			     const struct net_ports *to)
{
	OWN(net_ports) struct net_ports both = { 0 };
	unsigned int i;

	must(net_ports_merge(from, &both));
	must(net_ports_merge(to, &both));
	must(change(&none, from)); /* a new one */
	for (i = 1; killed_at(i, work); i++) {
		must(change(&both, to));
		is_whole(to);
		must(change(to, from));
		is_whole(from);
		assert_true(killed_at(i, work));
		must(change(&both, from));
		is_whole(from);
	}
	assert_true(i > 10);
	must(stop());
	nothing_is_left();
}

static void growth_is_killed(void **state)
{
	(void)state;
	change_is_killed(grow, &small.ports, &large.ports);
}

static void shrinking_is_killed(void **state)
{
	(void)state;
	change_is_killed(shrink, &large.ports, &small.ports);
}

static bool works(enum net_mode second)
{
	struct err *err;

	net_ports_release(&large.ports);
	make(&large, LARGE, second);
	err = start();
	if (!err)
		err = stop();
	if (!err)
		return true;
	print_message("# %s\n", err_text(err));
	err_drop(err);
	err_drop(stop()); /* what there is of it */
	return false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_is_killed),
		cmocka_unit_test(stop_is_killed),
		cmocka_unit_test(growth_is_killed),
		cmocka_unit_test(shrinking_is_killed),
	};
	OWN(net_ports) struct net_ports lower = { 0 };

	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here\n");
		return 0;
	}
	make(&small, SMALL, NET_NONE);
	add_port(&lower, NET_NONE, "peer0", "cvlower");
	must(net_ports_change(&none, &lower, inside_ns));
	links = link_count();
	if (!works(NET_BRIDGED) && !works(NET_NONE)) {
		printf("1..0 # SKIP no nftables for a user namespace here\n");
		return 0;
	}
	/* tables of routes that were used once are never gone */
	routes4 = line_count("/proc/net/route");
	routes6 = line_count("/proc/net/ipv6_route");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
