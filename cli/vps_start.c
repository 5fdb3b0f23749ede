/* cella start and stop. */
#include "cli/vps_start.h"

#define WAIT_S 300
#define WAIT_MAX_S 86400

struct start_opts {
	bool force, wait, all, units;
	uint64_t timeout_s;
};

static const struct opt start_opt_rows[] = {
	{ "force", 0, NULL, "although it is disabled", offsetof(struct start_opts, force),
	  opt_flag },
	{ "all", 'a', NULL, "all that start with the host, in their order",
	  offsetof(struct start_opts, all), opt_flag },
	{ "units", 0, NULL, "with --all: each as systemd's cella@NAME.service",
	  offsetof(struct start_opts, units), opt_flag },
	{ "wait", 'w', NULL, "until it has booted", offsetof(struct start_opts, wait), opt_flag },
	{ "timeout", 't', "SECONDS", "how long --wait waits (default 300)",
	  offsetof(struct start_opts, timeout_s), opt_u64 },
};

/* A NAME, or --all in its place. */
static struct err *check_all(bool all, const struct opt_args *args)
{
	if (all == (args->count == 0))
		return NULL;
	return err_new(ERR_INVALID, all ? "--all and a NAME exclude each other" :
					  "NAME is missing: which VPS? or --all");
}

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
	TRY(check_all(opts.all, &args));
	TRY(vps_host_open(&host));
	if (opts.all)
		return vps_start_all(call, &host, opts.units ? START_UNITS : START_PLAIN);
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
	.max_args = 1,
};

struct stop_opts {
	struct vps_stop stop;
	bool all;
};

static const struct opt stop_opt_rows[] = {
	{ "all", 'a', NULL, "all that run, last started first", offsetof(struct stop_opts, all),
	  opt_flag },
	{ "fast", 0, NULL, "kill at once, without a clean shutdown",
	  offsetof(struct stop_opts, stop.fast), opt_flag },
	{ "timeout", 't', "SECONDS", "kill after this long (default 120)",
	  offsetof(struct stop_opts, stop.timeout_s), opt_u64 },
};

static struct err *stop_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct stop_opts opts = { .stop.timeout_s = VPS_UNSET };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(check_all(opts.all, &args));
	TRY(vps_host_open(&host));
	if (opts.all)
		return vps_stop_all(call, &host, &opts.stop);
	TRY(vps_stop(&host, args.items[0], &opts.stop));
	return vps_say(call, "VPS %s is stopped", args.items[0]);
}

const struct cmd vps_cmd_stop = {
	.name = "stop",
	.args = "NAME",
	.summary = "shut a VPS down",
	.opts = OPT_TABLE(stop_opt_rows),
	.run = stop_run,
	.max_args = 1,
};

static struct err *restart_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	struct stop_opts opts = { .stop.timeout_s = VPS_UNSET };
	struct err *err;

	(void)ret_status;
	vps_conf_init(&conf);
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_load(&host, args.items[0], &conf)); /* with a broken one it would stay down */
	err = vps_stop(&host, args.items[0], &opts.stop);
	if (err && err_kind(err) != ERR_STATE)
		return err;
	err_drop(err); /* a stopped one is started, as with vzctl */
	TRY(vps_start(&host, args.items[0], 0));
	return vps_say(call, "VPS %s is running", args.items[0]);
}

const struct cmd vps_cmd_restart = {
	.name = "restart",
	.args = "NAME",
	.summary = "stop it and start it again",
	.opts = { stop_opt_rows + 1, ARRAY_SIZE(stop_opt_rows) - 1 }, /* without --all */
	.run = restart_run,
	.min_args = 1,
	.max_args = 1,
};
