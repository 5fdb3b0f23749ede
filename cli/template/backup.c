/* cella backup, backup-verify, restore-backup: the work. */
#include "base/log.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/vps_backup.h"

/* What a command works on. */
struct work {
	const struct cmd_call *call;
	struct vps_host host;
	struct opt_args args;
	struct progress progress;
	char *what; /* the progress's; owned */
};

static void own_work(struct work *work)
{
	vps_host_release(&work->host);
	own_opt_args(&work->args);
	free(work->what);
}

enum silence { MAY_SPEAK, IS_SILENT };

static struct err *begin(struct work *work, const char *doing, enum silence silence)
{
	TRY(str_format(&work->what, "%s %.64s", doing, work->args.items[0]));
	progress_init(&work->progress, work->what,
		      silence == IS_SILENT || vps_globals(work->call)->quiet ? PROGRESS_QUIET :
									       PROGRESS_SHOWN);
	return vps_host_open(&work->host);
}

static struct err *print_backup(const struct vps_backup *backup)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	vps_backup_json(out, backup);
	return vps_print_json(out);
}

static void warn_skipped(uint64_t skipped)
{
	if (skipped)
		log_warning("%ju device nodes and sockets are not in it", (uintmax_t)skipped);
}

static void own_backup(struct vps_backup *backup)
{
	vps_backup_release(backup);
}

struct err *vps_backup_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	OWN(backup) struct vps_backup backup = { 0 };
	struct vps_backup_create request = { 0 };
	struct backup_opts opts = { 0 };
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &work.args));
	TRY(begin(&work, "backup of", opts.json ? IS_SILENT : MAY_SPEAK));
	request = (struct vps_backup_create){ .name = work.args.items[0],
					      .to = opts.to,
					      .keep = opts.keep,
					      .incremental = opts.incremental,
					      .bytes_per_s = opts.bwlimit_bytes,
					      .progress = &work.progress.base };
	err = vps_backup_create(&work.host, &request, &backup);
	progress_end(&work.progress);
	if (err)
		return err;
	warn_skipped(backup.info.skipped);
	if (opts.json)
		return print_backup(&backup);
	return vps_say(call, "%s of VPS %s: %s, %s", backup.info.depth ? "increment" : "backup",
		       request.name, backup.path, unit_bytes(backup.info.file_bytes).text);
}

struct err *vps_export_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	struct vps_export request = { 0 };
	struct export_opts opts = { .format = "tar" };
	uint64_t skipped = 0;
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &work.args));
	if (!str_eq(opts.format, "tar") && !str_eq(opts.format, "oci"))
		return err_new(ERR_INVALID, "--format: '%.40s' is none of tar, oci", opts.format);
	TRY(begin(&work, "export of", MAY_SPEAK));
	request = (struct vps_export){ .name = work.args.items[0],
				       .file = work.args.items[1],
				       .as_image = str_eq(opts.format, "oci"),
				       .progress = &work.progress.base };
	err = vps_export(&work.host, &request, &skipped);
	progress_end(&work.progress);
	if (err)
		return err;
	warn_skipped(skipped);
	return vps_say(call, "the files of VPS %s are in %s", request.name, request.file);
}

struct err *vps_backup_verify_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	OWN(backup) struct vps_backup backup = { 0 };
	struct backup_verify_opts opts = { 0 };
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &work.args));
	TRY(begin(&work, "verifying", opts.json ? IS_SILENT : MAY_SPEAK));
	err = vps_backup_verify(&work.host, work.args.items[0], &work.progress.base, &backup);
	progress_end(&work.progress);
	if (err)
		return err;
	if (opts.json)
		return print_backup(&backup);
	return vps_say(call, "%s is whole: %ju files of VPS %s", backup.path,
		       (uintmax_t)backup.info.entries, backup.info.name);
}

/* --- restore-backup --- */

static struct err *restore_vps(struct work *work, const struct restore_opts *opts)
{
	const struct vps_restore request = {
		.file = work->args.items[0],
		.name = work->args.count > 1 ? work->args.items[1] : NULL,
		.layout = opts->layout,
		.progress = &work->progress.base,
	};
	OWN(str) char *name = NULL;
	struct err *err = vps_restore(&work->host, &request, &name);

	progress_end(&work->progress);
	return err ? err : vps_say(work->call, "VPS %s was restored", name);
}

static struct err *restore_path(struct work *work, const struct restore_opts *opts)
{
	const struct vps_restore_path request = { .file = work->args.items[0],
						  .path = opts->path,
						  .dir = opts->to,
						  .progress = &work->progress.base };
	struct err *err = vps_restore_path(&work->host, &request);

	progress_end(&work->progress);
	return err ? err : vps_say(work->call, "%s is in %s", opts->path, opts->to);
}

struct err *vps_restore_backup_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	struct restore_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &work.args));
	if (!opts.path != !opts.to)
		return err_new(ERR_INVALID, "--path and --to go together: what, and where to");
	if (opts.path && (opts.layout || work.args.count > 1))
		return err_new(ERR_INVALID, "--path makes no VPS: neither NAME nor --layout");
	TRY(begin(&work, "restoring", MAY_SPEAK));
	return opts.path ? restore_path(&work, &opts) : restore_vps(&work, &opts);
}
