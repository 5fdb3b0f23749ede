/* What a guard adds to the way of a packet, as programs see it: round trips of small datagrams, and
 * bulk by TCP, through a routed port with guard and isolation, in turns with one that has none, on
 * a host of its own. In network namespaces; bridged ports and pings are in bench/net. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "tests/unit/netns_lab.h"

#define ROUNDS 41
#define TRIPS 500
#define BULK_BYTES ((size_t)32 << 20)
#define CHUNK ((size_t)128 << 10)
#define ADDR4 "198.51.100.1"
#define ADDR6 "2001:db8:1::1"

/* A host and a container, joined by a routed port. */
struct pair {
	int host_ns, inside_ns;
};
enum { BARE, GUARDED, PAIRS };

/* --- the container's half: children that live as long as this process --- */

/* Answers each datagram. */
static _Noreturn void echo(int fd)
{
	struct sockaddr_storage from;
	char byte;

	for (;;) {
		socklen_t len = sizeof(from);

		if (recvfrom(fd, &byte, 1, 0, (void *)&from, &len) != 1 ||
		    sendto(fd, &byte, 1, 0, (void *)&from, len) != 1)
			_exit(1);
	}
}

static char data[CHUNK];

static bool move_bulk(int fd, bool sends)
{
	ssize_t len = 1;

	for (size_t done = 0; done < BULK_BYTES && len > 0; done += (size_t)len) {
		size_t room = BULK_BYTES - done < CHUNK ? BULK_BYTES - done : CHUNK;

		len = sends ? send(fd, data, room, 0) : recv(fd, data, room, 0);
	}
	return len > 0;
}

/* Takes a bulk and says so ('t'), or sends one. */
static _Noreturn void serve(int fd)
{
	char command;

	while (recv(fd, &command, 1, 0) == 1)
		if (!move_bulk(fd, command != 't') || (command == 't' && send(fd, "", 1, 0) != 1))
			break;
	_exit(1);
}

static void start(void (*run)(int fd), int fd)
{
	pid_t parent = getpid(), child = fork();

	assert_true(child >= 0);
	if (child > 0)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		run(fd);
	_exit(1);
}

/* --- sockets of both halves --- */

struct endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
};

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint end = { 0 };
	struct sockaddr_in *v4 = (void *)&end.addr;
	struct sockaddr_in6 *v6 = (void *)&end.addr;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(7777);
		end.len = sizeof(*v4);
		return end;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(7777);
	end.len = sizeof(*v6);
	return end;
}

static int socket_in(int ns, int family, int type)
{
	int fd;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	return fd;
}

/* The host's half; the other one is served. */
static int join(const struct pair *pair, const char *addr, int type)
{
	struct endpoint end = endpoint_of(addr);
	OWN(fd) int inner = socket_in(pair->inside_ns, end.addr.ss_family, type), stream = -1;
	int outer = socket_in(pair->host_ns, end.addr.ss_family, type);

	assert_int_equal(bind(inner, (void *)&end.addr, end.len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(inner, 1), 0);
	assert_int_equal(connect(outer, (void *)&end.addr, end.len), 0);
	if (type == SOCK_DGRAM) {
		start(echo, inner);
		return outer;
	}
	stream = accept4(inner, NULL, NULL, SOCK_CLOEXEC);
	assert_true(stream >= 0);
	start(serve, stream);
	return outer;
}

/* --- what is measured --- */

static void trips(int fd)
{
	char byte = 0;

	for (int i = 0; i < TRIPS; i++) {
		assert_int_equal(send(fd, &byte, 1, 0), 1);
		assert_int_equal(recv(fd, &byte, 1, 0), 1);
	}
}

static void bulk_to(int fd)
{
	char byte;

	assert_int_equal(send(fd, "t", 1, 0), 1);
	assert_true(move_bulk(fd, true));
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
}

static void bulk_from(int fd)
{
	assert_int_equal(send(fd, "f", 1, 0), 1);
	assert_true(move_bulk(fd, false));
}

static double took_us(void (*run)(int fd), int fd)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	run(fd);
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (double)(after.tv_sec - before.tv_sec) * 1e6 +
	       (double)(after.tv_nsec - before.tv_nsec) / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* Each round has both, the first of them in turn. */
static void measure(const char *what, void (*run)(int fd), const int fds[PAIRS])
{
	double ratios[ROUNDS], bare[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		double times[PAIRS];

		for (size_t k = 0; k < PAIRS; k++)
			times[(i + k) % PAIRS] = took_us(run, fds[(i + k) % PAIRS]);
		bare[i] = times[BARE];
		ratios[i] = times[GUARDED] / times[BARE];
	}
	qsort(ratios, ROUNDS, sizeof(ratios[0]), compare);
	qsort(bare, ROUNDS, sizeof(bare[0]), compare);
	print_message("%-24s %9.0f us %8.3f %8.3f %8.3f\n", what, bare[ROUNDS / 2],
		      ratios[ROUNDS / 4], ratios[ROUNDS / 2], ratios[ROUNDS * 3 / 4]);
}

static void measure_all(const struct pair pairs[PAIRS], const char *addr)
{
	int datagrams[PAIRS], streams[PAIRS];

	for (size_t i = 0; i < PAIRS; i++) {
		datagrams[i] = join(&pairs[i], addr, SOCK_DGRAM);
		streams[i] = join(&pairs[i], addr, SOCK_STREAM);
	}
	print_message("%s\n", addr);
	measure("  500 round trips of UDP", trips, datagrams);
	measure("  32 MiB to it by TCP", bulk_to, streams);
	measure("  32 MiB from it", bulk_from, streams);
	for (size_t i = 0; i < PAIRS; i++) {
		close(datagrams[i]);
		close(streams[i]);
	}
}

/* --- the two pairs --- */

static void make_pair(const struct pair *pair, bool is_guarded)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	struct net_port *port = add_port(&ports, NET_ROUTED, "eth0", "cvport");
	struct net_guard guard;

	add_addr(port, ADDR4);
	add_addr(port, ADDR6);
	guard = (struct net_guard){ .host_name = port->host_name,
				    .addrs = port->addrs,
				    .addr_count = port->addr_count,
				    .gateway6 = net_port_gateway6(port) };
	memcpy(guard.mac, port->mac, sizeof(guard.mac));
	if (is_guarded)
		port->guard = &guard;
	assert_int_equal(setns(pair->host_ns, CLONE_NEWNET), 0);
	must(net_ports_change(&none, &ports, pair->inside_ns));
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

static void a_guard_is_cheap(void **state)
{
	struct pair pairs[PAIRS];

	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		pairs[i] = (struct pair){ fresh_ns(), fresh_ns() };
		make_pair(&pairs[i], i == GUARDED);
	}
	print_message("time, and its ratio:    without guard    lower   median    upper\n");
	measure_all(pairs, ADDR4);
	measure_all(pairs, ADDR6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guard_is_cheap),
	};

	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
