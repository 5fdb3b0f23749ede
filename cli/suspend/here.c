/* Suspending and resuming. */
#include "cli/vps_suspend.h"
#include "migrate-criu/migrate-criu.h"

typedef struct err *act_fn(const struct vps_host *host, const char *name,
			   const struct vps_memory *memory);

static struct err *act(const struct cmd_call *call, act_fn *run, const char *what)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	TRY(run(&host, args.items[0], &cr_vps_memory));
	return vps_say(call, "VPS %s is %s", args.items[0], what);
}

struct err *vps_suspend_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return act(call, vps_suspend, "suspended");
}

struct err *vps_resume_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return act(call, vps_resume, "running");
}
