/* The work of cella template by the program that is made for it; see vps_template.h. */
#include <errno.h>
#include <unistd.h>

#include "cli/vps_template.h"

struct err *vps_template_run(const struct cmd_call *call, int *ret_status)
{
	static const char program[] = CELLA_LIBEXECDIR "/cella-template";

	(void)ret_status;
	execv(program, call->full_argv);
	return err_sys(errno, "run %s", program);
}
