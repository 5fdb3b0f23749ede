/* Private to cli: cella top, whose work is done by cella-template, the program with a screen. */
#ifndef CLI_VPS_TOP_H
#define CLI_VPS_TOP_H

#include "cli/vps.h"

struct top_opts {
	uint64_t interval_ms, count;
	const char *sort;
	bool all;
};

/* In cli/screen/top.c, or by the program that has it. */
MUST_CHECK struct err *vps_top_run(const struct cmd_call *call, int *ret_status);

#endif
