/* Private to runtime/vps: what rows of live.c name. */
#ifndef RUNTIME_VPS_LIVE_H
#define RUNTIME_VPS_LIVE_H

#include "runtime/vps/room.h"

/* --- live_limits.c --- */

MUST_CHECK struct err *live_check_limits(const struct live_change *change);
MUST_CHECK struct err *live_apply_limits(const struct live_change *change);

/* Bytes in use that lowering the limit to ram_bytes and swap_bytes could neither drop nor swap out.
 */
uint64_t live_unreclaimable(const struct cgroup_stats *stats, uint64_t swap_bytes);

/* --- disk.c --- */

MUST_CHECK struct err *live_apply_disk(const struct live_change *change);

/* --- live_identity.c --- */

MUST_CHECK struct err *live_apply_hostname(const struct live_change *change);
MUST_CHECK struct err *live_apply_timezone(const struct live_change *change);
MUST_CHECK struct err *live_apply_network(const struct live_change *change);
MUST_CHECK struct err *live_apply_resolv(const struct live_change *change);

#endif
