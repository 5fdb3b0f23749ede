/* Private to cli: cella import, whose work is done by one of the two sides of cli/template (see
 * vps_template.h). */
#ifndef CLI_VPS_IMPORT_H
#define CLI_VPS_IMPORT_H

#include "cli/vps.h"
#include "runtime/vps/import.h"

struct import_opts {
	const char *config, *layout;
	struct vps_pair disk_bytes;
	bool skip_probe, json;
};
MUST_CHECK struct err *vps_import_run(const struct cmd_call *call, int *ret_status);

/* What was not taken over, as a table (nothing when there is nothing), or all of it as JSON. */
MUST_CHECK struct err *vps_import_table(const struct vps_import_report *report);
MUST_CHECK struct err *vps_import_json(const char *name, const struct vps_import_report *report);

#endif
