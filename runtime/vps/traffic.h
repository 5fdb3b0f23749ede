/*
 * How much a VPS has sent and received, in all and month by month, by each of its interfaces: it
 * outlives restarts, the monitor, and the host's reboot. The guard of each interface counts what
 * passes; what is counted is added to a file of the interface,
 * /var/lib/cella/traffic/NAME/if.IFNAME, when the VPS is cleaned up or its network changes, and
 * whenever somebody asks. The file also says up to which count it has been added, so that nothing
 * is added twice.
 */
#ifndef RUNTIME_VPS_TRAFFIC_H
#define RUNTIME_VPS_TRAFFIC_H

#include "runtime/vps/vps.h"

/* Bytes with Ethernet headers; as the VPS sees it. */
struct vps_flow {
	uint64_t received_bytes, received_packets, sent_bytes, sent_packets;
};

#define VPS_MONTH_MAX 8
struct vps_month {
	char name[VPS_MONTH_MAX]; /* "2026-11", UTC */
	struct vps_flow flow;
};

struct vps_traffic {
	struct vps_flow total;
	struct vps_month *months; /* owned; the oldest first */
	size_t month_count;
};
void vps_traffic_release(struct vps_traffic *traffic);
static inline __attribute__((unused)) void own_vps_traffic(struct vps_traffic *traffic)
{
	vps_traffic_release(traffic);
}

/* --- classes of networks (classes.c), counted apart where the host has any --- */

#define VPS_CLASS_ROWS_MAX 1024
void vps_classes_release(struct net_classes *classes);
static inline __attribute__((unused)) void own_vps_classes(struct net_classes *classes)
{
	vps_classes_release(classes);
}
/* Lines "CLASS NETWORK". ERR_INVALID names the line. */
MUST_CHECK struct err *vps_classes_parse(const char *text, size_t len,
					 struct net_classes *ret_classes);
/* The host's /etc/cella/conf/networks_classes: none if it is missing, nor if it is bad, which is
 * warned about. */
MUST_CHECK struct err *classes_read(const struct vps_host *host, struct net_classes *ret_classes);
bool classes_have(const struct net_classes *classes, uint32_t class);

/* --- the files --- */

/* A file is called after its interface: "if.eth0"; that of a class "if.eth0:2". */
#define TRAFFIC_FILE_PREFIX "if."
/* What a file is of. */
struct traffic_part {
	char ifname[IFNAMSIZ]; /* inside */
	uint32_t class;	       /* 0: all classes, and what has none */
};
/* "eth0:2", without the prefix; false: no file of sums is called so. */
bool traffic_part_parse(const char *text, struct traffic_part *ret_part);
struct traffic_file_name {
	char text[IFNAMSIZ + 16];
};
struct traffic_file_name traffic_part_file(const struct traffic_part *part);
#define TRAFFIC_FILE_MAX ((size_t)64 << 10)

/* What is kept in a file: the sums, and how far the counters had come when they were added. */
struct vps_traffic_file {
	struct vps_traffic traffic;
	char life[80]; /* of the counters; "" : never any */
	struct vps_flow seen;
};
/* Text of the file; ERR_INVALID names the line or the key. */
MUST_CHECK struct err *traffic_parse(const char *text, size_t len,
				     struct vps_traffic_file *ret_file);
MUST_CHECK struct err *traffic_format(const struct vps_traffic_file *file, struct buf *text);
/* Add what the counters of this life have gone on since. Counters that went back began anew.
 * *ret_changed: there was something to add. */
MUST_CHECK struct err *traffic_add(struct vps_traffic_file *file, const char *life,
				   const struct vps_flow *now, const char *month,
				   bool *ret_changed);
/* Add the sums of one to another's. */
MUST_CHECK struct err *traffic_merge(const struct vps_traffic *more, struct vps_traffic *traffic);

/* Of a VPS: in all, by class, and by interface and class, those that it has no more among them. */
struct vps_traffics {
	struct vps_traffic classes[NET_CLASS_MAX + 1]; /* 0: in all */
	struct vps_port_traffic {
		struct traffic_part part;
		struct vps_traffic traffic;
	} * ports;		  /* owned; sorted by name and class */
	size_t count, port_count; /* port_count: of class 0 */
};
void vps_traffics_release(struct vps_traffics *traffics);
static inline __attribute__((unused)) void own_vps_traffics(struct vps_traffics *traffics)
{
	vps_traffics_release(traffics);
}
/* Up to now, running or not; the sums are made durable, too, unless another command holds the VPS.
 * ERR_NOT_FOUND: no such VPS. */
MUST_CHECK struct err *vps_traffic_read(const struct vps_host *host, const char *name,
					struct vps_traffics *ret_traffics);

#endif
