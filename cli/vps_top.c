/* cella top: its options. */
#include "cli/vps_top.h"

static const struct opt top_opt_rows[] = {
	{ "interval", 'i', "TIME", "between two looks (default 2s)",
	  offsetof(struct top_opts, interval_ms), opt_duration },
	{ "count", 'n', "NUMBER", "looks before it ends", offsetof(struct top_opts, count),
	  opt_u64 },
	{ "sort", 's', "COLUMN", "sort by this one (default cpu)", offsetof(struct top_opts, sort),
	  opt_string },
	{ "all", 'a', NULL, "stopped ones as well", offsetof(struct top_opts, all), opt_flag },
};

const struct cmd vps_cmd_top = {
	.name = "top",
	.summary = "what all VPSs use just now",
	.opts = OPT_TABLE(top_opt_rows),
	.run = vps_top_run,
};
