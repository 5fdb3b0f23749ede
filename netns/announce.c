/*
 * Telling the cable where an address is, and asking whether somebody has it, by packet sockets.
 * Rests on packet(7); migration.md 3.8 has the reasons for each frame.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "netns/frame.h"
#include "netns/port.h"

/* A cable to speak on. */
struct speaker {
	int fd;
	struct rtnl_link link;
};

static void own_speaker(struct speaker *speaker)
{
	own_fd(&speaker->fd);
}

/* *ret_speaker has fd -1 when the interface is away or down: nobody would hear. protocol: what is
 * received, in host order; 0: nothing. */
static struct err *speaker_open(int netns_fd, const char *name, uint16_t protocol,
				struct speaker *ret_speaker)
{
	OWN(rtnl) struct rtnl rtnl = { 0 };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	struct speaker speaker = { .fd = -1 };

	*ret_speaker = speaker;
	TRY(netns_fd < 0 ? rtnl_open(&rtnl) : rtnl_open_in(netns_fd, &rtnl));
	TRY(rtnl_seek_link(&rtnl, name, &speaker.link));
	if (!speaker.link.is_up)
		return NULL;
	TRY(rtnl_socket_in(netns_fd, AF_PACKET, SOCK_RAW, &speaker.fd));
	address.sll_ifindex = speaker.link.index;
	if (bind(speaker.fd, (void *)&address, sizeof(address)) < 0) {
		struct err *err = err_sys(errno, "listen on %s", name);

		own_speaker(&speaker);
		return err;
	}
	*ret_speaker = speaker;
	return NULL;
}

/* A full queue loses a frame, as the cable might; nothing else may depend on it. */
static void say(const struct speaker *speaker, const struct frame *frame)
{
	(void)!send(speaker->fd, frame->bytes, frame->len, MSG_DONTWAIT);
}

static void say_addr(const struct speaker *speaker, const uint8_t *mac, const struct net_addr *addr)
{
	struct frame frame;

	if (addr->family == AF_INET6) {
		frame = frame_advertisement(mac, addr);
		say(speaker, &frame);
		return;
	}
	frame = frame_arp_announcement(mac, addr, FRAME_ARP_REQUEST);
	say(speaker, &frame);
	frame = frame_arp_announcement(mac, addr, FRAME_ARP_REPLY);
	say(speaker, &frame);
}

static struct err *announce_on(int netns_fd, const char *name, const struct net_port *port)
{
	OWN(speaker) struct speaker speaker = { .fd = -1 };
	bool is_uplink = netns_fd < 0;

	TRY(speaker_open(netns_fd, name, 0, &speaker));
	if (speaker.fd < 0)
		return NULL;
	if (!is_uplink) {
		struct frame frame = frame_rarp(speaker.link.mac);

		say(&speaker, &frame);
	}
	for (size_t i = 0; i < port->addr_count; i++)
		say_addr(&speaker, speaker.link.mac, &port->addrs[i]);
	return NULL;
}

struct err *net_announce(const struct net_ports *ports, const struct net_uplinks *uplinks,
			 int netns_fd)
{
	struct err *err = NULL;

	for (size_t i = 0; i < ports->count; i++) {
		const struct net_port *port = &ports->items[i];

		if (port->mode == NET_ROUTED)
			for (size_t k = 0; k < uplinks->count; k++)
				err = err_first(err, announce_on(-1, uplinks->names[k], port));
		else if (!net_mode_is_routed(port->mode) && port->mode != NET_NONE)
			err = err_first(err, announce_on(netns_fd, port->name, port));
	}
	return err;
}

/* --- asking --- */

#define PROBES 3
#define PROBE_PAUSE_MS 200

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The first address that the frame claims, or NULL. */
static const struct net_addr *claimed(const struct frame *frame, const struct speaker *speaker,
				      const struct net_addr *addrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (frame_claims(frame, speaker->link.mac, &addrs[i]))
			return &addrs[i];
	return NULL;
}

/* Listen until the deadline; our own frames come back with PACKET_OUTGOING. */
static struct err *listen_until(const struct speaker *speaker, uint64_t deadline_ms,
				const struct net_addr *addrs, size_t count,
				const struct net_addr **ret_taken, uint8_t *ret_mac)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = speaker->fd, .events = POLLIN };
		struct sockaddr_ll from = { 0 };
		socklen_t from_len = sizeof(from);
		uint64_t at_ms = now_ms();
		struct frame frame;
		ssize_t len;

		if (at_ms >= deadline_ms || poll(&poll_fd, 1, (int)(deadline_ms - at_ms)) == 0)
			return NULL;
		len = recvfrom(speaker->fd, frame.bytes, sizeof(frame.bytes), MSG_DONTWAIT,
			       (void *)&from, &from_len);
		if (len < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(errno, "listen for the owner of an address");
		if (len < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		frame.len = (size_t)len;
		*ret_taken = claimed(&frame, speaker, addrs, count);
		if (!*ret_taken)
			continue;
		memcpy(ret_mac, frame.bytes + 6, 6);
		return NULL;
	}
}

static struct err *refuse(const struct net_addr *addr, const uint8_t *mac, const char *name)
{
	char text[NET_ADDR_TEXT_MAX];

	net_addr_format(addr, text);
	return err_new(ERR_EXISTS,
		       "address %s is in use on %s, by the machine with the MAC address "
		       "%02x:%02x:%02x:%02x:%02x:%02x",
		       text, name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

struct err *net_probe(const char *name, const struct net_addr *addrs, size_t count)
{
	OWN(speaker) struct speaker speaker = { .fd = -1 };
	const struct net_addr *taken = NULL;
	uint8_t mac[6];

	if (count == 0)
		return NULL;
	TRY(speaker_open(-1, name, ETH_P_ALL, &speaker));
	if (speaker.fd < 0)
		return NULL;
	for (int i = 0; i < PROBES && !taken; i++) {
		for (size_t k = 0; k < count; k++) {
			struct frame frame = frame_probe(speaker.link.mac, &addrs[k]);

			say(&speaker, &frame);
		}
		TRY(listen_until(&speaker, now_ms() + PROBE_PAUSE_MS, addrs, count, &taken, mac));
	}
	return taken ? refuse(taken, mac, name) : NULL;
}
