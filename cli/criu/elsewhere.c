/* Checkpoint and restore by the program that is made for it; see oci_criu.h. */
#include <errno.h>
#include <unistd.h>

#include "cli/oci_criu.h"

static struct err *run_program(const struct cmd_call *call)
{
	static const char program[] = CELLA_LIBEXECDIR "/cella-criu";

	execv(program, call->full_argv);
	return err_sys(errno, "run %s", program);
}

struct err *oci_checkpoint_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_program(call);
}

struct err *oci_restore_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_program(call);
}
