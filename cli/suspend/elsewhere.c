/* Suspending and resuming by the program that is made for it; see vps_suspend.h. */
#include <errno.h>
#include <unistd.h>

#include "cli/vps_suspend.h"

static struct err *run_elsewhere(const struct cmd_call *call)
{
	static const char program[] = CELLA_LIBEXECDIR "/cella-suspend";

	execv(program, call->full_argv);
	return err_sys(errno, "run %s", program);
}

struct err *vps_suspend_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_resume_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}
