/* What one more port takes, on a host without and with many. A bench, as a busy machine measures
 * anything; it runs in a network namespace of its own and needs no guest. */
#include <stdlib.h>
#include <time.h>

#include "tests/unit/netns_lab.h"

/* A routed port with an address of each family. */
static void numbered(struct net_ports *ports, unsigned int number)
{
	char host_name[IFNAMSIZ], addr[40];
	struct net_port *port;

	snprintf(host_name, sizeof(host_name), "cv%u", number);
	port = add_port(ports, NET_ROUTED, "eth0", host_name);
	port->host_mac[3] = (uint8_t)(number >> 8);
	port->host_mac[4] = (uint8_t)number;
	snprintf(addr, sizeof(addr), "198.51.%u.%u", number / 250, number % 250 + 1);
	add_addr(port, addr);
	snprintf(addr, sizeof(addr), "2001:db8:1::%x", number + 1);
	add_addr(port, addr);
}

/* As the plan of a VPS has it. */
static struct net_guard guard_of(const struct net_port *port)
{
	return (struct net_guard){ .host_name = port->host_name,
				   .mac = { 2, 0, 0, 0, 0, 9 },
				   .addrs = port->addrs,
				   .addr_count = port->addr_count,
				   .gateway6 = net_port_gateway6(port) };
}

/* CPU time, ours and the kernel's for us, of making one more port in a host namespace. */
static uint64_t cost_ns(int ns)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	OWN(fd) int inner_ns = fresh_ns();
	struct timespec before, after;
	struct net_guard guard;

	numbered(&ports, 999);
	guard = guard_of(&ports.items[0]);
	ports.items[0].guard = &guard;
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	must(net_ports_change(&none, &ports, inner_ns));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	must(net_ports_remove(&ports));
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	return (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000 + (uint64_t)after.tv_nsec -
	       (uint64_t)before.tv_nsec;
}

static int compare_ns(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

#define COST_RUNS 41
#define COST_QUARTER 10
#define COST_PORTS 500

/* A port that stays; its namespace is ret_kept. */
static void keep_port(int ns, unsigned int number, int *ret_kept)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	struct net_guard guard;

	*ret_kept = fresh_ns();
	numbered(&ports, number);
	guard = guard_of(&ports.items[0]);
	ports.items[0].guard = &guard;
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	must(net_ports_change(&none, &ports, *ret_kept));
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

/* The first port of a host, which makes the tables. */
static uint64_t first_cost_ns(void)
{
	OWN(fd) int empty_ns = fresh_ns();

	return cost_ns(empty_ns);
}

/* Three hosts, one with many ports, one with a single one, which has made the tables, and one with
 * none; what one more takes is measured in turns. */
static void cost_does_not_grow(void **state)
{
	static int kept[COST_PORTS];
	uint64_t few[COST_RUNS], many[COST_RUNS], first[COST_RUNS];
	OWN(fd) int single_ns = fresh_ns(), full_ns = fresh_ns(), single = -1;

	(void)state;
	keep_port(single_ns, 0, &single);
	for (unsigned int i = 0; i < COST_PORTS; i++)
		keep_port(full_ns, i, &kept[i]);
	for (size_t i = 0; i < COST_RUNS; i++) {
		few[i] = cost_ns(single_ns);
		many[i] = cost_ns(full_ns);
		first[i] = first_cost_ns();
	}
	for (size_t i = 0; i < COST_PORTS; i++)
		close(kept[i]);
	qsort(few, COST_RUNS, sizeof(few[0]), compare_ns);
	qsort(many, COST_RUNS, sizeof(many[0]), compare_ns);
	qsort(first, COST_RUNS, sizeof(first[0]), compare_ns);
	print_message("the first port: %lu us, beside one: %lu us, beside %d: %lu us\n",
		      (unsigned long)first[COST_RUNS / 2] / 1000,
		      (unsigned long)few[COST_RUNS / 2] / 1000, COST_PORTS,
		      (unsigned long)many[COST_RUNS / 2] / 1000);
	/* Since 6.16 the kernel compares the names of all devices with those of all hooks when a
	 * device or a hook comes. */
	print_message("ratio of the lower quartiles to the first: %.2f (limit 1.20), to one beside "
		      "one: %.2f\n",
		      (double)many[COST_QUARTER] / (double)first[COST_QUARTER],
		      (double)many[COST_QUARTER] / (double)few[COST_QUARTER]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cost_does_not_grow),
	};

	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
