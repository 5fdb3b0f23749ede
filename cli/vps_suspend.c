/* cella suspend and resume. */
#include "cli/vps_suspend.h"

const struct cmd vps_cmd_suspend = {
	.name = "suspend",
	.args = "NAME",
	.summary = "write its processes to disk and end them",
	.run = vps_suspend_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd vps_cmd_resume = {
	.name = "resume",
	.args = "NAME",
	.summary = "let a suspended or paused VPS go on",
	.run = vps_resume_run,
	.min_args = 1,
	.max_args = 1,
};
