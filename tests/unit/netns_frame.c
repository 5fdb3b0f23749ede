/* Frames of ARP and neighbour discovery, byte by byte, and what is taken for a claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "netns/frame.h"

static const uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 7 }, other[6] = { 0x02, 0, 0, 0, 0, 8 };

static struct net_addr address(const char *text)
{
	struct net_addr addr;

	assert_null(net_addr_parse("test", text, &addr));
	return addr;
}

static void arp(void **state)
{
	static const uint8_t wanted[] =
		"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x07\x08\x06\x00\x01\x08\x00\x06\x04"
		"\x00\x02\x02\x00\x00\x00\x00\x07\xc0\x00\x02\x09\x02\x00\x00\x00\x00\x07\xc0\x00"
		"\x02\x09";
	struct net_addr addr = address("192.0.2.9");
	struct frame frame = frame_arp_announcement(mac, &addr, FRAME_ARP_REPLY);

	(void)state;
	assert_int_equal(frame.len, 60);
	assert_memory_equal(frame.bytes, wanted, 42);
	frame = frame_arp_announcement(mac, &addr, FRAME_ARP_REQUEST);
	assert_int_equal(frame.bytes[21], 1);
	assert_int_equal(frame.bytes[32], 0); /* the request form has no target address */
	frame = frame_rarp(mac);
	assert_int_equal(frame.bytes[13], 0x35);
	assert_int_equal(frame.bytes[21], 3);
	frame = frame_probe(mac, &addr);
	assert_int_equal(frame.bytes[28], 0); /* a probe's sender is nobody */
	assert_int_equal(frame.bytes[41], 9);
}

/* The checksum over everything, itself included, is 0xffff: RFC 1071. */
static uint32_t total(const struct frame *frame)
{
	uint32_t sum = 58 + (uint32_t)(frame->len - 54);

	for (size_t i = 22; i < frame->len; i += 2)
		sum += (uint32_t)frame->bytes[i] << 8 | frame->bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void neighbour_discovery(void **state)
{
	static const uint8_t solicited[] = "\x33\x33\xff\x01\x02\x03";
	struct net_addr addr = address("2001:db8::f101:203");
	struct frame frame = frame_advertisement(mac, &addr);

	(void)state;
	assert_int_equal(frame.len, 14 + 40 + 32);
	assert_memory_equal(frame.bytes, "\x33\x33\0\0\0\1", 6);
	assert_int_equal(frame.bytes[21], 255); /* hop limit */
	assert_int_equal(frame.bytes[54], 136);
	assert_int_equal(frame.bytes[58], 0x20); /* override */
	assert_memory_equal(frame.bytes + 62, addr.bytes, 16);
	assert_memory_equal(frame.bytes + 80, mac, 6);
	assert_int_equal(total(&frame), 0xffff);
	frame = frame_probe(mac, &addr);
	assert_memory_equal(frame.bytes, solicited, 6);
	assert_int_equal(frame.bytes[54], 135);
	assert_int_equal(frame.bytes[22], 0); /* from the unspecified address */
	assert_int_equal(total(&frame), 0xffff);
}

static void claims(void **state)
{
	static const char *const texts[] = { "192.0.2.9", "2001:db8::9" };
	struct net_addr stranger4 = address("192.0.2.8"), stranger6 = address("2001:db8::8");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct net_addr addr = address(texts[i]);
		struct frame theirs = frame_probe(other, &addr), ours = frame_probe(mac, &addr);

		assert_true(frame_claims(&theirs, mac, &addr)); /* two ask at the same moment */
		assert_false(frame_claims(&ours, mac, &addr));
		theirs = addr.family == AF_INET ?
				 frame_arp_announcement(other, &addr, FRAME_ARP_REPLY) :
				 frame_advertisement(other, &addr);
		assert_true(frame_claims(&theirs, mac, &addr));
		assert_false(frame_claims(&theirs, mac, &stranger4));
		assert_false(frame_claims(&theirs, mac, &stranger6));
		for (theirs.len = 0; theirs.len < 42; theirs.len++)
			assert_false(frame_claims(&theirs, mac, &addr));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp),
		cmocka_unit_test(neighbour_discovery),
		cmocka_unit_test(claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
