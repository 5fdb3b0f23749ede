/* cella-oci start: release the program of a created container. */
#include "cli/oci.h"

static struct err *start_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;

	(void)ret_status;
	TRY(oci_target_parse(call, NULL, &target));
	return ct_start(&target.root, target.id);
}

const struct cmd oci_cmd_start = {
	.name = "start",
	.args = "CONTAINER",
	.summary = "start a created container",
	.run = start_run,
	.min_args = 1,
	.max_args = 1,
};
