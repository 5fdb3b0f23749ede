/* Private to cli: cella template, whose work is done by one of the two files of cli/template. */
#ifndef CLI_VPS_TEMPLATE_H
#define CLI_VPS_TEMPLATE_H

#include "cli/vps.h"

struct template_opts {
	bool json;
	const char *image;
};

/* here.c does the work; elsewhere.c has it done by cella-template, which is the same program linked
 * with libarchive: that and what it needs would be most of every other command's start. */
MUST_CHECK struct err *vps_template_run(const struct cmd_call *call, int *ret_status);

#endif
