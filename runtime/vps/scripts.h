/* Private to runtime/vps: action scripts. */
#ifndef RUNTIME_VPS_SCRIPTS_H
#define RUNTIME_VPS_SCRIPTS_H

#include "runtime/vps/vps.h"

enum vps_action {
	ACTION_PREMOUNT,
	ACTION_MOUNT,
	ACTION_START,
	ACTION_STOP,
	ACTION_UMOUNT,
	ACTION_POSTUMOUNT,
	ACTION_TRAFFIC_QUOTA,
	ACTION_COUNT
};
/* The host's and the VPS's own, in this order. Without one it is two stat(2). ERR_PEER: it failed;
 * ERR_INVALID: a file that root should not run; ERR_SYS with ETIMEDOUT. */
MUST_CHECK struct err *scripts_run(const struct vps_host *host, const char *name,
				   enum vps_action action);
/* How many would be run. ERR_INVALID: one that root should not run. */
MUST_CHECK struct err *scripts_count(const struct vps_host *host, const char *name,
				     enum vps_action action, size_t *ret_count);
/* Has the VPS one of its own? */
MUST_CHECK struct err *scripts_there(const struct vps_host *host, const char *name,
				     bool *ret_there);
/* Those of the VPS alone. Missing is success. */
MUST_CHECK struct err *scripts_remove(const struct vps_host *host, const char *name);

#endif
