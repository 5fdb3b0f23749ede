/* Private to netns/: frames of ARP, RARP and neighbour discovery as bytes. Pure. Sources: RFC 826,
 * 903, 4861, 5227. */
#ifndef NETNS_FRAME_H
#define NETNS_FRAME_H

#include "netns/netns.h"

#define FRAME_MAX 96
struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t len;
};

/* "This address is at mac": ARP with sender equal to target, in both forms since receivers heed one
 * or the other; an unsolicited neighbour advertisement that overrides. */
enum frame_arp { FRAME_ARP_REQUEST = 1, FRAME_ARP_REPLY = 2 };
struct frame frame_arp_announcement(const uint8_t *mac, const struct net_addr *addr,
				    enum frame_arp form);
struct frame frame_advertisement(const uint8_t *mac, const struct net_addr *addr);
/* For switches, which need no address: "mac is here". */
struct frame frame_rarp(const uint8_t *mac);

/* "Has anybody this address?", from nobody: RFC 5227's probe, RFC 4862's solicitation. */
struct frame frame_probe(const uint8_t *mac, const struct net_addr *addr);
/* Does the received frame say that somebody other than mac has the address, or is about to? */
bool frame_claims(const struct frame *frame, const uint8_t *mac, const struct net_addr *addr);

#endif
