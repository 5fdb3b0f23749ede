/* cella register and unregister: take over a private area, or let go of it. */
#include "cli/vps.h"

static struct err *register_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	TRY(vps_register(&host, args.items[0], args.items[1]));
	return vps_say(call, "VPS %s is registered", args.items[1]);
}

const struct cmd vps_cmd_register = {
	.name = "register",
	.args = "PATH NAME",
	.summary = "make a VPS of a root file system",
	.run = register_run,
	.min_args = 2,
	.max_args = 2,
};

static struct err *unregister_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	TRY(vps_unregister(&host, args.items[0]));
	return vps_say(call, "VPS %s is forgotten; its files are %s/%s", args.items[0],
		       host.private_dir, args.items[0]);
}

const struct cmd vps_cmd_unregister = {
	.name = "unregister",
	.args = "NAME",
	.summary = "forget a VPS, keep its files",
	.run = unregister_run,
	.min_args = 1,
	.max_args = 1,
};
