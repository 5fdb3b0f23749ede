/* cella import: the work. */
#include "base/log.h"
#include "cli/progress.h"
#include "cli/vps_import.h"

struct err *vps_import_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_import_report) struct vps_import_report report = { 0 };
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *what = NULL;
	struct import_opts opts = { .disk_bytes = { VPS_UNSET, VPS_UNSET } };
	struct progress progress;
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(str_format(&what, "importing %.64s", args.items[1]));
	TRY(vps_host_open(&host));
	progress_init(&progress, what,
		      opts.json || vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = vps_import(&host,
			 &(struct vps_import){ .source = args.items[0],
					       .name = args.items[1],
					       .config = opts.config,
					       .layout = opts.layout,
					       .disk_bytes = opts.disk_bytes,
					       .skip_probe = opts.skip_probe,
					       .progress = &progress.base },
			 &report);
	progress_end(&progress);
	if (err)
		return err;
	if (opts.json)
		return vps_import_json(args.items[1], &report);
	if (report.counts.skipped)
		log_warning("%ju device nodes and sockets were left out",
			    (uintmax_t)report.counts.skipped);
	if (!vps_globals(call)->quiet)
		TRY(vps_import_table(&report));
	return vps_say(call, "VPS %s was imported; 'cella start %s' starts it", args.items[1],
		       args.items[1]);
}
