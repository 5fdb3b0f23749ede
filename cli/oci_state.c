/* cella-oci state: the specification's state object of one container. */
#include <string.h>

#include "cli/oci.h"
#include "cli/table.h"

static struct err *state_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(str) char *json = NULL;

	(void)ret_status;
	TRY(oci_target_parse(call, NULL, &target));
	TRY(ct_load(&target.root, target.id, &state));
	TRY(ct_state_json(&state, true, &json));
	return out_text(json, strlen(json));
}

const struct cmd oci_cmd_state = {
	.name = "state",
	.args = "CONTAINER",
	.summary = "print its state as JSON",
	.run = state_run,
	.min_args = 1,
	.max_args = 1,
};
