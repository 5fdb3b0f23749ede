/* cella-oci pause and resume: freeze every process of a container, and thaw it. */
#include "cli/oci.h"

static struct err *pause_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;

	(void)ret_status;
	TRY(oci_target_parse(call, NULL, &target));
	return ct_pause(&target.root, target.id);
}

static struct err *resume_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;

	(void)ret_status;
	TRY(oci_target_parse(call, NULL, &target));
	return ct_resume(&target.root, target.id);
}

const struct cmd oci_cmd_pause = {
	.name = "pause",
	.args = "CONTAINER",
	.summary = "freeze all its processes",
	.run = pause_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd oci_cmd_resume = {
	.name = "resume",
	.args = "CONTAINER",
	.summary = "let them run again",
	.run = resume_run,
	.min_args = 1,
	.max_args = 1,
};
