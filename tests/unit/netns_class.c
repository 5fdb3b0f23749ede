/* Traffic by classes of networks: how prefixes are cut, pure, and what the kernel counts by them,
 * in a user namespace of our own. */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "netns/guard_port.h"
#include "tests/unit/netns_lab.h"

/* clang-format off */
#define PREFIX4(len, class, ...) { { AF_INET, { __VA_ARGS__ }, len }, class }
#define PREFIX6(len, class, ...) { { AF_INET6, { __VA_ARGS__ }, len }, class }
static struct net_class rows[] = {
	PREFIX4(0, 1, 0),
	PREFIX4(8, 2, 10),
	PREFIX4(16, 3, 10, 1),
	PREFIX4(24, 0, 10, 1, 2),
	PREFIX4(32, 3, 10, 1, 3, 255),
	PREFIX4(4, 2, 240),
	PREFIX6(16, 2, 0x20, 0x01),
	PREFIX6(33, 3, 0x20, 0x01, 0x0d, 0xb8, 0x80),
};
/* clang-format on */
static const struct net_classes classes = { rows, ARRAY_SIZE(rows) };

static void assert_cut(int family, const struct guard_interval *want, size_t want_count)
{
	struct guard_interval *list;
	size_t count;

	must(guard_class_cut(&classes, family, &list, &count));
	for (size_t i = 0; i < count; i++)
		print_message("%d.%d.%d.%d: %u\n", list[i].from[0], list[i].from[1],
			      list[i].from[2], list[i].from[3], list[i].class);
	assert_int_equal(count, want_count);
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(list[i].from, want[i].from, 16);
		assert_int_equal(list[i].class, want[i].class);
	}
	free(list);
}

static void prefixes_are_cut(void **state)
{
	static const struct guard_interval want4[] = {
		{ { 0 }, 1 },	     { { 10 }, 2 },    { { 10, 1 }, 3 }, { { 10, 1, 2 }, 0 },
		{ { 10, 1, 3 }, 3 }, { { 10, 2 }, 2 }, { { 11 }, 1 },	 { { 240 }, 2 },
	};
	static const struct guard_interval want6[] = {
		{ { 0x20, 0x01 }, 2 },
		{ { 0x20, 0x01, 0x0d, 0xb8, 0x80 }, 3 },
		{ { 0x20, 0x01, 0x0d, 0xb9 }, 2 },
		{ { 0x20, 0x02 }, 0 },
	};

	(void)state;
	assert_cut(AF_INET, want4, ARRAY_SIZE(want4));
	assert_cut(AF_INET6, want6, ARRAY_SIZE(want6));
}

/* --- on the kernel: a port that sends, and gets --- */

#define ME 0x02, 0, 0, 0, 0, 0x07
#define HOST_MAC 0x02, 0, 0, 0, 0, 0x01
#define UDP 200, 0, 200, 1, 0, 8, 0, 0

static struct net_addr addrs[2];
static int inner_fd = -1, outer_fd = -1;

static void send_frame(int fd, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, 0), len);
}

/* From 192.0.2.7 to the address, or the other way. */
static void packet4(enum guard_way way, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t out[] = { HOST_MAC, ME, 8, 0,   0x45, 0, 0, 28, 0, 1, 0, 0,  64,
				17,	  0,  0, 192, 0,    2, 7, a,  b, c, d, UDP };
	const uint8_t in[] = { ME, HOST_MAC, 8, 0, 0x45, 0, 0, 28,  0, 1, 0, 0,	 64,
			       17, 0,	     0, a, b,	 c, d, 192, 0, 2, 7, UDP };

	send_frame(way == WAY_OUT ? inner_fd : outer_fd, way == WAY_OUT ? out : in, sizeof(out));
}

static void packet6(uint8_t fifth)
{
	const uint8_t out[] = { HOST_MAC, ME, 0x86, 0xdd, 0x60, 0, 0,	 0,    0,     8, 17, 64,
				0x20,	  1,  0x0d, 0xb8, 0,	0, 0,	 0,    0,     0, 0,  0,
				0,	  0,  0,    7,	  0x20, 1, 0x0d, 0xb8, fifth, 0, 0,  0,
				0,	  0,  0,    0,	  0,	0, 0,	 9,    UDP };

	send_frame(inner_fd, out, sizeof(out));
}

/* Packets out and in; (-1, -1): no such class. */
static void assert_counted(uint32_t class, int out, int in)
{
	struct net_traffic traffic = { 0 };
	struct err *err = net_guard_class_traffic("cvtest0", class, &traffic);

	if (out < 0) {
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_NOT_FOUND);
		err_drop(err);
		return;
	}
	must(err);
	assert_int_equal(traffic.out_packets, out);
	assert_int_equal(traffic.out_bytes, out * 42 + (class == 3 && out == 3 ? 20 : 0));
	assert_int_equal(traffic.in_packets, in);
}

static void the_kernel_counts_by_them(void **state)
{
	const struct net_classes nothing = { 0 }, fewer = { rows, 2 };
	struct net_guard guard = {
		.host_name = "cvtest0", .mac = { ME }, .addrs = addrs, .addr_count = 2
	};

	(void)state;
	must(net_guard_set(&guard));
	assert_counted(1, -1, -1);
	must(net_guard_classes(&classes));
	packet4(WAY_OUT, 10, 1, 9, 9);
	packet4(WAY_OUT, 10, 1, 3, 255);
	packet6(0x80);
	packet4(WAY_OUT, 10, 1, 2, 9); /* of no class */
	packet4(WAY_OUT, 255, 255, 255, 254);
	packet4(WAY_OUT, 11, 0, 0, 0);
	packet4(WAY_IN, 9, 255, 255, 255);
	packet4(WAY_IN, 10, 0, 0, 0);
	packet4(WAY_IN, 10, 0, 0, 0);
	assert_counted(1, 1, 1);
	assert_counted(2, 1, 2);
	assert_counted(3, 3, 0);
	assert_counted(4, -1, -1);

	/* a changed port counts on, one with a rate, too */
	guard.classes = classes;
	guard.packets_per_s = 1000;
	must(net_guard_set(&guard));
	packet4(WAY_OUT, 11, 0, 0, 0);
	packet4(WAY_IN, 10, 0, 0, 0);
	assert_counted(1, 2, 1);
	assert_counted(2, 1, 3);

	/* other classes: what is counted no more stays as it was */
	must(net_guard_classes(&fewer));
	packet4(WAY_OUT, 10, 1, 9, 9);
	assert_counted(2, 2, 3);
	assert_counted(3, 3, 0);
	must(net_guard_classes(&nothing));
	packet4(WAY_OUT, 10, 1, 9, 9);
	assert_counted(2, 2, 3);
	must(net_guard_classes(&classes));
	packet4(WAY_OUT, 11, 0, 0, 0);
	assert_counted(1, 3, 1);
	must(net_guard_remove("cvtest0"));
}

/* Of ports, one that goes leaves no counters to its next one. */
static void counters_go_with_their_port(void **state)
{
	struct net_guard guards[] = {
		{ .host_name = "cvtest0", .mac = { ME }, .addrs = addrs, .addr_count = 2 },
		{ .host_name = "cvtest1", .mac = { HOST_MAC } },
	};

	(void)state;
	must(net_guard_set(&guards[0]));
	must(net_guard_set(&guards[1]));
	must(net_guard_classes(&classes));
	packet4(WAY_OUT, 11, 0, 0, 0);
	assert_counted(1, 1, 0);
	must(net_guard_remove("cvtest0"));
	must(net_guard_set(&guards[0]));
	assert_counted(1, -1, -1);
	must(net_guard_remove("cvtest0"));
	must(net_guard_remove("cvtest1"));
}

static int raw_socket(const char *name)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&to, sizeof(to)), 0);
	return fd;
}

/* The kernel's own questions would be counted. */
static void silence(int ns)
{
	OWN(fd) int fd = -1;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	assert_true(fd < 0 || write(fd, "1", 1) == 1);
}

static void make_cables(void)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	silence(inside_ns);
	silence(host_ns);
	add_port(&ports, NET_NONE, "eth0", "cvtest0");
	add_port(&ports, NET_NONE, "eth1", "cvtest1");
	must(net_ports_change(&none, &ports, inside_ns));
	outer_fd = raw_socket("cvtest0");
	assert_int_equal(setns(inside_ns, CLONE_NEWNET), 0);
	inner_fd = raw_socket("eth0");
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_cut),
		cmocka_unit_test(the_kernel_counts_by_them),
		cmocka_unit_test(counters_go_with_their_port),
	};
	const struct net_guard guard = { .host_name = "cvtest0", .mac = { ME } };

	must(net_addr_parse("test", "192.0.2.7", &addrs[0]));
	must(net_addr_parse("test", "2001:db8::7", &addrs[1]));
	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here: %s\n", strerror(errno));
		return 0;
	}
	make_cables();
	if (!can_guard(&guard)) {
		printf("1..0 # SKIP no nftables for a user namespace here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
