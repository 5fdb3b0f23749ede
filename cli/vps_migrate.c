/* cella migrate and its companions: their options. */
#include "cli/vps_migrate.h"

/* clang-format off */
static const struct opt migrate_rows[] = {
	{ "near-live", 0, NULL, "send it while it runs, stop it for the rest", offsetof(struct migrate_opts, near_live), opt_flag },
	{ "cold", 0, NULL, "stop it, if it runs, and then send it", offsetof(struct migrate_opts, cold), opt_flag },
	{ "check", 0, NULL, "only find out whether it is possible, and how", offsetof(struct migrate_opts, check), opt_flag },
	{ "dry-run", 0, NULL, NULL, offsetof(struct migrate_opts, check), opt_flag },
	{ "keep-source", 0, NULL, "keep its disk here, not to be started", offsetof(struct migrate_opts, keep_source), opt_flag },
	{ "bwlimit", 0, "BYTES", "read its disk not faster than this a second", offsetof(struct migrate_opts, bwlimit_bytes), opt_bytes },
	{ "json", 'j', NULL, "print as JSON", offsetof(struct migrate_opts, json), opt_flag },
};
static const struct opt resolve_rows[] = {
	{ "here", 0, NULL, "the other host is no more, or has it not", offsetof(struct resolve_opts, here), opt_flag },
	{ "there", 0, NULL, "the other host has it", offsetof(struct resolve_opts, there), opt_flag },
};
/* clang-format on */

const struct cmd vps_cmd_migrate = {
	.name = "migrate",
	.args = "NAME [USER@]HOST",
	.summary = "move a VPS to another host, over ssh",
	.opts = OPT_TABLE(migrate_rows),
	.run = vps_migrate_run,
	.min_args = 2,
	.max_args = 2,
};

const struct cmd vps_cmd_migrate_resolve = {
	.name = "migrate-resolve",
	.args = "NAME",
	.summary = "settle a move whose end is not known",
	.opts = OPT_TABLE(resolve_rows),
	.run = vps_migrate_resolve_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd vps_cmd_migrate_receive = {
	.name = "migrate-receive",
	.run = vps_migrate_receive_run,
};
