/* cella console; and the verbs by which a monitor comes back to us. */
#include "base/parse.h"
#include "cli/vps.h"
#include "runtime/monitor/monitor.h"

struct console_opts {
	bool start;
};

static const struct opt console_opt_rows[] = {
	{ "start", 's', NULL, "start it first, if it is down", offsetof(struct console_opts, start),
	  opt_flag },
};

static struct err *start_if_down(const struct vps_host *host, const char *name)
{
	OWN(vps_info) struct vps_info info = { 0 };

	vps_conf_init(&info.conf);
	TRY(vps_look(host, name, VPS_BRIEF, &info));
	return info.pid ? NULL : vps_start(host, name, 0);
}

static struct err *console_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct console_opts opts = { 0 };

	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	if (opts.start)
		TRY(start_if_down(&host, args.items[0]));
	return vps_console(&host, args.items[0], ret_status);
}

const struct cmd vps_cmd_console = {
	.name = "console",
	.args = "NAME",
	.summary = "sit at the console of a VPS; ~. leaves",
	.opts = OPT_TABLE(console_opt_rows),
	.run = console_run,
	.min_args = 1,
	.max_args = 1,
};

static struct err *end_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct vps_end end = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	end.name = args.items[0];
	end.ending = args.items[4];
	TRY(parse_u64("PID", args.items[1], 1, INT32_MAX, &end.pid));
	TRY(parse_u64("START-TICKS", args.items[2], 0, UINT64_MAX, &end.start_ticks));
	TRY(parse_u64("RESTARTS", args.items[3], 0, UINT64_MAX, &end.restarts));
	TRY(vps_host_open(&host));
	return vps_monitor_end(&host, &end);
}

static struct err *look_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	return vps_monitor_look(&host, args.items[0]);
}

const struct cmd vps_cmd_monitor_look = {
	.name = MONITOR_LOOK_VERB,
	.args = "NAME",
	.run = look_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd vps_cmd_monitor_end = {
	.name = MONITOR_END_VERB,
	.args = "NAME PID START-TICKS RESTARTS ENDING",
	.run = end_run,
	.min_args = 5,
	.max_args = 5,
};
