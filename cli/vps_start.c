/* cella start and stop. */
#include "cli/vps.h"

#define WAIT_S 300
#define WAIT_MAX_S 86400

struct start_opts {
	bool force, wait;
	uint64_t timeout_s;
};

static const struct opt start_opt_rows[] = {
	{ "force", 0, NULL, "although it is disabled", offsetof(struct start_opts, force),
	  opt_flag },
	{ "wait", 'w', NULL, "until it has booted", offsetof(struct start_opts, wait), opt_flag },
	{ "timeout", 't', "SECONDS", "how long --wait waits (default 300)",
	  offsetof(struct start_opts, timeout_s), opt_u64 },
};

static struct err *start_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct start_opts opts = { .timeout_s = WAIT_S };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (opts.timeout_s > WAIT_MAX_S)
		return err_new(ERR_INVALID, "--timeout: %ju is not in 0..%d",
			       (uintmax_t)opts.timeout_s, WAIT_MAX_S);
	TRY(vps_host_open(&host));
	TRY(vps_start(&host, args.items[0], opts.force ? VPS_START_FORCE : 0));
	if (!opts.wait)
		return vps_say(call, "VPS %s is running", args.items[0]);
	TRY(vps_wait_up(&host, args.items[0], opts.timeout_s));
	return vps_say(call, "VPS %s is up", args.items[0]);
}

const struct cmd vps_cmd_start = {
	.name = "start",
	.args = "NAME",
	.summary = "start a VPS",
	.opts = OPT_TABLE(start_opt_rows),
	.run = start_run,
	.min_args = 1,
	.max_args = 1,
};

static const struct opt stop_opt_rows[] = {
	{ "fast", 0, NULL, "kill at once, without a clean shutdown",
	  offsetof(struct vps_stop, fast), opt_flag },
	{ "timeout", 't', "SECONDS", "kill after this long (default 120)",
	  offsetof(struct vps_stop, timeout_s), opt_u64 },
};

static struct err *stop_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct vps_stop opts = { .timeout_s = VPS_UNSET };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_stop(&host, args.items[0], &opts));
	return vps_say(call, "VPS %s is stopped", args.items[0]);
}

const struct cmd vps_cmd_stop = {
	.name = "stop",
	.args = "NAME",
	.summary = "shut a VPS down",
	.opts = OPT_TABLE(stop_opt_rows),
	.run = stop_run,
	.min_args = 1,
	.max_args = 1,
};
