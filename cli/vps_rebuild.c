/* cella rebuild. */
#include "cli/progress.h"
#include "cli/vps.h"

struct rebuild_opts {
	const char *ostemplate;
	bool force;
};

static const struct opt rebuild_opt_rows[] = {
	{ "ostemplate", 0, "NAME", "another template than it was made from",
	  offsetof(struct rebuild_opts, ostemplate), opt_string },
	{ "force", 0, NULL, "one that runs: stop it, and start it again",
	  offsetof(struct rebuild_opts, force), opt_flag },
};

static struct err *rebuild_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *what = NULL;
	struct rebuild_opts opts = { 0 };
	struct progress progress;
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(str_format(&what, "rebuilding %.64s", args.items[0]));
	progress_init(&progress, what, vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = vps_rebuild(&host, &(struct vps_rebuild){ .name = args.items[0],
							.ostemplate = opts.ostemplate,
							.flags = opts.force ? VPS_REBUILD_FORCE : 0,
							.progress = &progress.base });
	progress_end(&progress);
	return err ? err : vps_say(call, "VPS %s has a new root", args.items[0]);
}

const struct cmd vps_cmd_rebuild = {
	.name = "rebuild",
	.args = "NAME",
	.summary = "a new root, identity and credentials kept",
	.opts = OPT_TABLE(rebuild_opt_rows),
	.run = rebuild_run,
	.min_args = 1,
	.max_args = 1,
};
