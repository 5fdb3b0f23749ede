/* Private to cli: starting and stopping all VPSs (vps_start_all.c). */
#ifndef CLI_VPS_START_H
#define CLI_VPS_START_H

#include "cli/vps.h"

enum start_how { START_PLAIN, START_UNITS };
/* Those that start with the host and do not run, in their order. ERR_PEER: how many did not. */
MUST_CHECK struct err *vps_start_all(const struct cmd_call *call, const struct vps_host *host,
				     enum start_how how);
/* All that run, in reverse. */
MUST_CHECK struct err *vps_stop_all(const struct cmd_call *call, const struct vps_host *host,
				    const struct vps_stop *request);

#endif
