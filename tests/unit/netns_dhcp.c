/*
 * DHCP's questions and answers on the real kernel, in a user namespace of our own: what clients of
 * several kinds send, and what comes back to them on the same port.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>

#include "netns/guard_port.h"
#include "tests/unit/netns_lab.h"

enum kind { DISCOVER = 1, OFFER = 2, REQUEST = 3, DECLINE = 4, ACK = 5, RELEASE = 7, INFORM = 8 };
#define BOOTP_MIN 300

struct packet {
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t op, head[3], xid[4], rest[4], ciaddr[4], yiaddr[4], siaddr[4], giaddr[4];
	uint8_t chaddr[16], names[192], cookie[4], options[312];
} __attribute__((packed));
#define BOOTP_AT offsetof(struct packet, op)

static const uint8_t my_mac[] = { 0x02, 0, 0, 0, 0, '0' };
static struct net_addr addrs[3]; /* 2001:db8::7, 192.0.2.7/24, 192.0.2.9/24 */
static struct net_addr dns[3];	 /* IPv6, 192.0.2.53, 192.0.2.54 */
static int raw_fd = -1;

static uint16_t sum(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t total = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		total += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

/* from: 0 for a client without address, else its own. */
static struct packet question(enum kind kind, const char *from)
{
	struct packet packet = { .ether = { .ether_type = htons(ETHERTYPE_IP) },
				 .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = 17 },
				 .udp = { .source = htons(68), .dest = htons(67) },
				 .op = 1,
				 .head = { 1, 6 },
				 .xid = { 1, 2, 3, 4 },
				 .cookie = { 99, 130, 83, 99 },
				 .options = { 53, 1, (uint8_t)kind, 55, 3, 1, 3, 6, 255 } };

	memset(packet.ether.ether_dhost, 0xff, 6);
	memcpy(packet.ether.ether_shost, my_mac, 6);
	memcpy(packet.chaddr, my_mac, 6);
	packet.ip.saddr = inet_addr(from);
	packet.ip.daddr = inet_addr(packet.ip.saddr ? "169.254.1.1" : "255.255.255.255");
	return packet;
}

static void ask(struct packet *packet, size_t bootp_len)
{
	size_t len = BOOTP_AT + bootp_len;

	packet->ip.tot_len = htons((uint16_t)(len - sizeof(packet->ether)));
	packet->udp.len = htons((uint16_t)(bootp_len + 8));
	packet->ip.check = 0;
	packet->ip.check = htons((uint16_t)~sum(&packet->ip, 20));
	assert_int_equal(send(raw_fd, packet, len, 0), len);
}

/* What comes back is there when the question has been sent. */
static bool answer(struct packet *ret_packet)
{
	struct sockaddr_ll from = { 0 };
	socklen_t from_len = sizeof(from);

	memset(ret_packet, 0, sizeof(*ret_packet));
	while (recvfrom(raw_fd, ret_packet, sizeof(*ret_packet), MSG_DONTWAIT, (void *)&from,
			&from_len) > 0)
		if (from.sll_pkttype != PACKET_OUTGOING && ret_packet->ip.protocol == 17)
			return true;
	return false;
}

/* The value of an option, as long as it should be; NULL: it is not there. */
static const uint8_t *option(const struct packet *packet, uint8_t wanted, uint8_t len)
{
	const uint8_t *at = packet->options;

	while (at < packet->options + sizeof(packet->options) && *at != 255) {
		if (*at == wanted) {
			assert_int_equal(at[1], len);
			return at + 2;
		}
		at += *at ? 2 + at[1] : 1;
	}
	return NULL;
}

static void assert_option(const struct packet *packet, uint8_t wanted, const void *value,
			  uint8_t len)
{
	const uint8_t *found = option(packet, wanted, len);

	assert_non_null(found);
	assert_memory_equal(found, value, len);
}

static void assert_answers(const struct packet *asked, const struct packet *got, enum kind kind,
			   const char *to)
{
	assert_memory_equal(got->ether.ether_dhost, my_mac, 6);
	assert_int_equal(got->ip.daddr, inet_addr(to));
	assert_int_equal(got->ip.saddr, inet_addr("169.254.1.1"));
	assert_int_equal(sum(&got->ip, 20), 0xffff);
	assert_int_equal(ntohs(got->udp.source), 67);
	assert_int_equal(ntohs(got->udp.dest), 68);
	assert_int_equal(got->udp.check, 0);
	assert_int_equal(got->udp.len, asked->udp.len);
	assert_int_equal(got->op, 2);
	assert_memory_equal(got->xid, asked->xid, 4);
	assert_memory_equal(got->chaddr, asked->chaddr, 16);
	assert_option(got, 53, &(uint8_t){ (uint8_t)kind }, 1);
	assert_option(got, 54, "\xa9\xfe\1\1", 4);
}

static const struct net_guard routed = { .host_name = "cvtest0",
					 .mac = { 0x02, 0, 0, 0, 0, '0' },
					 .addrs = addrs,
					 .addr_count = 3,
					 .dns = dns,
					 .dns_count = 3,
					 .mtu = 1400 };

static void guard(const struct net_guard *want)
{
	struct packet packet;

	must(net_guard_set(want));
	(void)answer(&packet); /* what came before */
}

static void a_client_is_told_all(void **state)
{
	static const enum kind kinds[][2] = { { DISCOVER, OFFER }, { REQUEST, ACK } };

	(void)state;
	guard(&routed);
	for (size_t i = 0; i < 2; i++) {
		struct packet asked = question(kinds[i][0], "0.0.0.0"), got;

		ask(&asked, BOOTP_MIN);
		assert_true(answer(&got));
		assert_answers(&asked, &got, kinds[i][1], "255.255.255.255");
		assert_memory_equal(got.yiaddr, "\xc0\0\2\7", 4);
		assert_option(&got, 51, "\0\0\x0e\x10", 4);
		assert_option(&got, 1, "\xff\xff\xff\xff", 4);
		assert_option(&got, 3, "\xa9\xfe\1\1", 4);
		assert_option(&got, 26, "\5\x78", 2);
		assert_option(&got, 121, "\x20\xa9\xfe\1\1\0\0\0\0\0\xa9\xfe\1\1", 14);
		assert_option(&got, 6, "\xc0\0\2\x35\xc0\0\2\x36", 8);
	}
	must(net_guard_remove("cvtest0"));
}

static void a_renewal_comes_to_the_address(void **state)
{
	struct packet asked = question(REQUEST, "192.0.2.9"), got;

	(void)state;
	guard(&routed);
	ask(&asked, BOOTP_MIN);
	assert_true(answer(&got));
	assert_answers(&asked, &got, ACK, "192.0.2.9");
	assert_memory_equal(got.yiaddr, "\xc0\0\2\7", 4);
	asked = question(INFORM, "192.0.2.7");
	ask(&asked, BOOTP_MIN);
	assert_true(answer(&got));
	assert_answers(&asked, &got, ACK, "192.0.2.7");
	assert_memory_equal(got.yiaddr, "\0\0\0\0", 4);
	assert_null(option(&got, 51, 4));
	assert_option(&got, 3, "\xa9\xfe\1\1", 4);
	must(net_guard_remove("cvtest0"));
}

static void a_short_question_has_a_short_answer(void **state)
{
	struct packet asked = question(DISCOVER, "0.0.0.0"), got;
	size_t shortest = 240 + 3 + 28 + 1, fits = 240 + 3 + 55;

	(void)state;
	guard(&routed);
	for (size_t len = 200; len <= BOOTP_MIN; len++) {
		ask(&asked, len);
		assert_int_equal(answer(&got), len >= shortest);
		if (len < shortest)
			continue;
		assert_answers(&asked, &got, OFFER, "255.255.255.255");
		assert_option(&got, 3, "\xa9\xfe\1\1", 4);
		assert_int_equal(option(&got, 6, 8) != NULL, len >= fits);
		assert_int_equal(option(&got, 121, 14) != NULL, len >= fits);
		memset(&asked.xid, (int)len, 4);
	}
	must(net_guard_remove("cvtest0"));
}

static uint64_t passed_packets(void)
{
	struct net_traffic traffic = { 0 };

	must(net_guard_traffic("cvtest0", &traffic));
	return traffic.out_packets;
}

static void what_is_no_question_is_dropped(void **state)
{
	struct packet asked[] = { question(DECLINE, "0.0.0.0"), question(RELEASE, "192.0.2.7"),
				  question(DISCOVER, "192.0.2.7"), question(DISCOVER, "0.0.0.0"),
				  question(DISCOVER, "0.0.0.0") };
	struct packet got;

	(void)state;
	asked[3].cookie[0] = 0;
	memcpy(asked[4].options, "\14\1x\65\1\1", 6); /* another option is first */
	guard(&routed);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		ask(&asked[i], BOOTP_MIN);
		assert_false(answer(&got));
	}
	assert_int_equal(passed_packets(), 0);
	must(net_guard_remove("cvtest0"));
}

static void bridged_ports_have_their_network(void **state)
{
	struct packet asked = question(DISCOVER, "0.0.0.0"), got;
	struct net_guard want = routed;

	(void)state;
	want.flags = NET_GUARD_BRIDGED;
	want.mtu = want.dns_count = 0;
	guard(&want);
	ask(&asked, BOOTP_MIN);
	assert_true(answer(&got));
	assert_option(&got, 1, "\xff\xff\xff\0", 4);
	assert_null(option(&got, 3, 4));
	assert_null(option(&got, 6, 4));
	assert_null(option(&got, 26, 2));
	assert_null(option(&got, 121, 14));
	want.router4 = addrs[2];
	guard(&want);
	ask(&asked, BOOTP_MIN);
	assert_true(answer(&got));
	assert_option(&got, 3, "\xc0\0\2\x09", 4);
	/* without an address the network may have a server */
	want.addr_count = 1;
	guard(&want);
	assert_int_equal(passed_packets(), 0);
	ask(&asked, BOOTP_MIN);
	assert_false(answer(&got));
	assert_int_equal(passed_packets(), 1);
	must(net_guard_remove("cvtest0"));
}

static void a_flood_of_questions_is_cut(void **state)
{
	struct packet asked = question(REQUEST, "192.0.2.7"), got;
	int answers = 0;

	(void)state;
	memset(asked.ether.ether_dhost, 2, 6);
	guard(&routed);
	for (int i = 0; i < 3000; i++) {
		ask(&asked, BOOTP_MIN);
		answers += answer(&got);
	}
	assert_in_range(answers, 300, 2400); /* the burst, and what 3000 sends take */
	must(net_guard_remove("cvtest0"));
}

static void make_cable(void)
{
	struct net_port cable = { .mode = NET_NONE, .host_name = "cvtest0", .name = "eth0" };
	const struct net_ports ports = { &cable, 1 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };

	must(net_ports_change(&none, &ports, inside_ns));
	assert_int_equal(setns(inside_ns, CLONE_NEWNET), 0);
	raw_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(raw_fd >= 0);
	to.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(bind(raw_fd, (void *)&to, sizeof(to)), 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_told_all),
		cmocka_unit_test(a_renewal_comes_to_the_address),
		cmocka_unit_test(a_short_question_has_a_short_answer),
		cmocka_unit_test(what_is_no_question_is_dropped),
		cmocka_unit_test(bridged_ports_have_their_network),
		cmocka_unit_test(a_flood_of_questions_is_cut),
	};
	static const char *const own[] = { "2001:db8::7", "192.0.2.7/24", "192.0.2.9/24" };
	static const char *const servers[] = { "2001:db8::53", "192.0.2.53", "192.0.2.54" };

	for (size_t i = 0; i < 3; i++) {
		must(net_addr_parse("test", own[i], &addrs[i]));
		must(net_addr_parse_host("test", servers[i], &dns[i]));
	}
	if (!enter_lab()) {
		printf("1..0 # SKIP no user or network namespaces here: %s\n", strerror(errno));
		return 0;
	}
	make_cable();
	if (!can_guard(&routed)) {
		printf("1..0 # SKIP no nftables for a user namespace here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
