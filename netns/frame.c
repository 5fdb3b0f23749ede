/* Frames of ARP, RARP and neighbour discovery; see frame.h. */
#include "netns/frame.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <string.h>

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[16];

static void add(struct frame *frame, const void *data, size_t len)
{
	memcpy(frame->bytes + frame->len, data, len);
	frame->len += len;
}

static void add_u16(struct frame *frame, uint16_t value)
{
	const uint8_t bytes[] = { (uint8_t)(value >> 8), (uint8_t)value };

	add(frame, bytes, sizeof(bytes));
}

static void add_ethernet(struct frame *frame, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	add(frame, to, 6);
	add(frame, from, 6);
	add_u16(frame, type);
}

struct arp_fields {
	uint16_t ethertype, op;
	const uint8_t *sender_mac, *sender_ip, *target_mac, *target_ip;
};

static struct frame make_arp(const struct arp_fields *arp)
{
	struct frame frame = { .len = 0 };

	add_ethernet(&frame, broadcast, arp->sender_mac, arp->ethertype);
	add_u16(&frame, ARPHRD_ETHER);
	add_u16(&frame, ETHERTYPE_IP);
	add(&frame, "\6\4", 2);
	add_u16(&frame, arp->op);
	add(&frame, arp->sender_mac, 6);
	add(&frame, arp->sender_ip, 4);
	add(&frame, arp->target_mac, 6);
	add(&frame, arp->target_ip, 4);
	frame.len = ETH_ZLEN; /* the shortest that Ethernet has */
	return frame;
}

struct frame frame_arp_announcement(const uint8_t *mac, const struct net_addr *addr,
				    enum frame_arp form)
{
	return make_arp(&(struct arp_fields){ .ethertype = ETHERTYPE_ARP,
					      .op = (uint16_t)form,
					      .sender_mac = mac,
					      .sender_ip = addr->bytes,
					      .target_mac = form == FRAME_ARP_REPLY ? mac : nobody,
					      .target_ip = addr->bytes });
}

struct frame frame_rarp(const uint8_t *mac)
{
	return make_arp(&(struct arp_fields){ .ethertype = ETHERTYPE_REVARP,
					      .op = ARPOP_RREQUEST,
					      .sender_mac = mac,
					      .sender_ip = nobody,
					      .target_mac = mac,
					      .target_ip = nobody });
}

static uint32_t sum(uint32_t start, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		start += (uint32_t)data[i] << 8 | data[i + 1];
	return start;
}

/* RFC 8200 8.1: over a header of addresses, length and protocol, and the message. */
static uint16_t checksum(const uint8_t *from, const uint8_t *to, const uint8_t *message, size_t len)
{
	uint32_t total = sum(sum((uint32_t)len + IPPROTO_ICMPV6, from, 16), to, 16);

	total = sum(total, message, len);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* option: link-layer address of this type; 0: none. */
static struct frame make_nd(const uint8_t *mac, const uint8_t *from, const uint8_t *to,
			    uint8_t type, uint32_t flags, const struct net_addr *target,
			    uint8_t option)
{
	const uint8_t to_mac[] = { 0x33, 0x33, to[12], to[13], to[14], to[15] };
	struct frame frame = { .len = 0 };
	size_t len = 24 + (option ? 8 : 0), message;
	uint16_t check;

	add_ethernet(&frame, to_mac, mac, ETHERTYPE_IPV6);
	add(&frame, "\x60\0\0\0", 4);
	add_u16(&frame, (uint16_t)len);
	add(&frame, "\x3a\xff", 2); /* ICMPv6, hop limit 255 */
	add(&frame, from, 16);
	add(&frame, to, 16);
	message = frame.len;
	add(&frame, &type, 1);
	add(&frame, "\0\0\0", 3); /* code, checksum */
	add(&frame, &flags, 4);
	add(&frame, target->bytes, 16);
	if (option) {
		add(&frame, &option, 1);
		add(&frame, "\1", 1);
		add(&frame, mac, 6);
	}
	check = checksum(from, to, frame.bytes + message, len);
	frame.bytes[message + 2] = (uint8_t)(check >> 8);
	frame.bytes[message + 3] = (uint8_t)check;
	return frame;
}

struct frame frame_advertisement(const uint8_t *mac, const struct net_addr *addr)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

	return make_nd(mac, addr->bytes, all_nodes, ND_NEIGHBOR_ADVERT, ND_NA_FLAG_OVERRIDE, addr,
		       ND_OPT_TARGET_LINKADDR);
}

static struct frame make_solicitation(const uint8_t *mac, const struct net_addr *addr)
{
	uint8_t solicited[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff };

	memcpy(solicited + 13, addr->bytes + 13, 3);
	return make_nd(mac, nobody, solicited, ND_NEIGHBOR_SOLICIT, 0, addr, 0);
}

struct frame frame_probe(const uint8_t *mac, const struct net_addr *addr)
{
	if (addr->family == AF_INET6)
		return make_solicitation(mac, addr);
	return make_arp(&(struct arp_fields){ .ethertype = ETHERTYPE_ARP,
					      .op = ARPOP_REQUEST,
					      .sender_mac = mac,
					      .sender_ip = nobody,
					      .target_mac = nobody,
					      .target_ip = addr->bytes });
}

enum { ARP_OP = 20, ARP_SENDER = 28, ARP_TARGET = 38, ARP_END = 42 };
enum { ND_NEXT = 20, ND_FROM = 22, ND_TYPE = 54, ND_TARGET = 62, ND_END = 78 };

/* Any ARP whose sender is the address; a probe of another one for it, at the same moment. */
static bool arp_claims(const struct frame *frame, const uint8_t *ip)
{
	const uint8_t *bytes = frame->bytes;

	if (frame->len < ARP_END || memcmp(bytes + 14, "\0\1\x08\0\6\4", 6) != 0)
		return false;
	if (memcmp(bytes + ARP_SENDER, ip, 4) == 0)
		return true;
	return bytes[ARP_OP + 1] == ARPOP_REQUEST && memcmp(bytes + ARP_SENDER, nobody, 4) == 0 &&
	       memcmp(bytes + ARP_TARGET, ip, 4) == 0;
}

static bool nd_claims(const struct frame *frame, const uint8_t *ip)
{
	const uint8_t *bytes = frame->bytes;

	if (frame->len < ND_END || bytes[ND_NEXT] != IPPROTO_ICMPV6 ||
	    memcmp(bytes + ND_TARGET, ip, 16) != 0)
		return false;
	return bytes[ND_TYPE] == ND_NEIGHBOR_ADVERT ||
	       (bytes[ND_TYPE] == ND_NEIGHBOR_SOLICIT && memcmp(bytes + ND_FROM, nobody, 16) == 0);
}

bool frame_claims(const struct frame *frame, const uint8_t *mac, const struct net_addr *addr)
{
	uint16_t type = (uint16_t)(frame->bytes[12] << 8 | frame->bytes[13]);

	if (frame->len < sizeof(struct ether_header) || memcmp(frame->bytes + 6, mac, 6) == 0)
		return false;
	if (addr->family == AF_INET)
		return type == ETHERTYPE_ARP && arp_claims(frame, addr->bytes);
	return type == ETHERTYPE_IPV6 && nd_claims(frame, addr->bytes);
}
