/* Private to runtime/vps: the sum of what all VPSs of this host are promised. */
#ifndef RUNTIME_VPS_CAPACITY_H
#define RUNTIME_VPS_CAPACITY_H

#include "runtime/vps/room.h"

struct capacity {
	uint64_t host_bytes, guaranteed_bytes, limit_bytes;
	size_t count, unlimited; /* VPSs, and those without a memory limit */
};
/* without: a VPS to leave out; NULL: none. */
MUST_CHECK struct err *capacity_read(const struct vps_host *host, const char *without,
				     struct capacity *ret_capacity);
/* ERR_INVALID: the guarantee of conf and those of all others are more than the host's memory. */
MUST_CHECK struct err *capacity_check(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf);

#endif
