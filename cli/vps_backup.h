/* Private to cli: the commands about backups, whose work is done by one of the two sides of
 * cli/template (see vps_template.h). */
#ifndef CLI_VPS_BACKUP_H
#define CLI_VPS_BACKUP_H

#include "cli/vps.h"
#include "runtime/vps/backup.h"

struct backup_opts {
	const char *to;
	uint64_t keep, bwlimit_bytes;
	bool incremental, json;
};
MUST_CHECK struct err *vps_backup_run(const struct cmd_call *call, int *ret_status);

struct backup_verify_opts {
	bool json;
};
MUST_CHECK struct err *vps_backup_verify_run(const struct cmd_call *call, int *ret_status);

struct restore_opts {
	const char *layout, *path, *to;
};
MUST_CHECK struct err *vps_restore_backup_run(const struct cmd_call *call, int *ret_status);

struct export_opts {
	const char *format;
};
MUST_CHECK struct err *vps_export_run(const struct cmd_call *call, int *ret_status);

/* One backup as a JSON object. */
void vps_backup_json(struct json_out *out, const struct vps_backup *backup);

#endif
