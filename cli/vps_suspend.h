/* Private to cli: suspend and resume, whose work is done by one of the two files of cli/suspend. */
#ifndef CLI_VPS_SUSPEND_H
#define CLI_VPS_SUSPEND_H

#include "cli/vps.h"

/* here.c does the work; elsewhere.c has it done by cella-suspend, which is the same program linked
 * with protobuf-c, in which CRIU is spoken to. */
MUST_CHECK struct err *vps_suspend_run(const struct cmd_call *call, int *ret_status);
MUST_CHECK struct err *vps_resume_run(const struct cmd_call *call, int *ret_status);

#endif
