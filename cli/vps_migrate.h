/* cella migrate: the command is known everywhere, the work is linked into cella-template alone, as
 * that of backups is. */
#ifndef CLI_VPS_MIGRATE_H
#define CLI_VPS_MIGRATE_H

#include "cli/vps.h"

struct migrate_opts {
	bool cold, near_live, check, keep_source, json;
	uint64_t bwlimit_bytes;
};
MUST_CHECK struct err *vps_migrate_run(const struct cmd_call *call, int *ret_status);

struct resolve_opts {
	bool here, there;
};
MUST_CHECK struct err *vps_migrate_resolve_run(const struct cmd_call *call, int *ret_status);

/* Run by the other host's ssh. */
MUST_CHECK struct err *vps_migrate_receive_run(const struct cmd_call *call, int *ret_status);

#endif
