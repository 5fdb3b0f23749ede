/* cella backup and its companions: their options, and the list. */
#include "cli/vps_backup.h"

#include "base/clock.h"
#include "cli/table.h"

/* clang-format off */
static const struct opt backup_rows[] = {
	{ "to", 0, "FILE|DIR", "where (default: the host's own directory)", offsetof(struct backup_opts, to), opt_path },
	{ "keep", 0, "NUMBER", "then remove all but the youngest so many of it there", offsetof(struct backup_opts, keep), opt_u64 },
	{ "incremental", 0, NULL, "only what the youngest one there has not", offsetof(struct backup_opts, incremental), opt_flag },
	{ "bwlimit", 0, "BYTES", "read its disk not faster than this a second", offsetof(struct backup_opts, bwlimit_bytes), opt_bytes },
	{ "json", 'j', NULL, "print as JSON", offsetof(struct backup_opts, json), opt_flag },
};
static const struct opt verify_rows[] = {
	{ "json", 'j', NULL, "print as JSON", offsetof(struct backup_verify_opts, json), opt_flag },
};
static const struct opt export_rows[] = {
	{ "format", 0, "tar|oci", "of it: its files, or a container image (default: tar)", offsetof(struct export_opts, format), opt_string },
};
static const struct opt restore_rows[] = {
	{ "layout", 0, "dir|image", "of its disk (default: as it was)", offsetof(struct restore_opts, layout), opt_path },
	{ "path", 0, "PATH", "no VPS: only this of its files, into --to", offsetof(struct restore_opts, path), opt_path },
	{ "to", 0, "DIR", "for --path: a directory for root alone", offsetof(struct restore_opts, to), opt_path },
};
/* clang-format on */

const struct cmd vps_cmd_backup = {
	.name = "backup",
	.args = "NAME",
	.summary = "write disk and configuration to a file",
	.opts = OPT_TABLE(backup_rows),
	.run = vps_backup_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd vps_cmd_backup_verify = {
	.name = "backup-verify",
	.args = "FILE",
	.summary = "read a backup and compare all of it",
	.opts = OPT_TABLE(verify_rows),
	.run = vps_backup_verify_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd vps_cmd_restore_backup = {
	.name = "restore-backup",
	.args = "FILE [NAME]",
	.summary = "make a VPS of a backup, or fetch files from it",
	.opts = OPT_TABLE(restore_rows),
	.run = vps_restore_backup_run,
	.min_args = 1,
	.max_args = 2,
};

const struct cmd vps_cmd_export = {
	.name = "export",
	.args = "NAME FILE",
	.summary = "write the files of a VPS to an archive, or an image of it",
	.opts = OPT_TABLE(export_rows),
	.run = vps_export_run,
	.min_args = 2,
	.max_args = 2,
};

/* --- list --- */

struct list_opts {
	const char *in;
	bool json, no_header;
};

static const struct opt list_rows[] = {
	{ "in", 0, "DIR", "those in this directory", offsetof(struct list_opts, in), opt_path },
	{ "no-header", 'H', NULL, "without the titles", offsetof(struct list_opts, no_header),
	  opt_flag },
	{ "json", 'j', NULL, "print as JSON", offsetof(struct list_opts, json), opt_flag },
};

static const struct table_column columns[] = {
	{ "NAME" },
	{ "CREATED" },
	{ "KIND" },
	{ "SIZE", TABLE_RIGHT },
	{ "DISK", TABLE_RIGHT },
	{ "FILES", TABLE_RIGHT },
	{ "FILE" },
};

static struct timespec created(const struct vps_backup *backup)
{
	return (struct timespec){ .tv_sec = (time_t)(backup->info.created_ns / 1000000000) };
}

void vps_backup_json(struct json_out *out, const struct vps_backup *backup)
{
	const struct backup_info *info = &backup->info;
	const struct timespec when = created(backup);
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = { { "bytes", info->file_bytes },
			{ "diskBytes", info->bytes },
			{ "files", info->entries },
			{ "skipped", info->skipped },
			{ "increment", info->depth } };

	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, info->name);
	json_out_key(out, "file");
	json_out_string(out, backup->path);
	json_out_key(out, "created");
	json_out_string(out, clock_format_utc(&when, CLOCK_SECONDS).text);
	json_out_key(out, "layout");
	json_out_string(out, info->layout);
	json_out_key(out, "digest");
	json_out_string(out, info->digest);
	if (info->base) {
		json_out_key(out, "base");
		json_out_string(out, info->base);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_out_key(out, numbers[i].key);
		json_out_u64(out, numbers[i].value);
	}
	json_out_end_object(out);
}

/* "full", "+2" for the second increment after a full one, or what it lacks. */
static struct err *kind(const struct vps_backup_list *list, const struct backup_info *info,
			char **ret_text)
{
	if (!vps_backup_is_complete(list, info))
		return str_dup("no base", ret_text);
	return info->depth == 0 ? str_dup("full", ret_text) :
				  str_format(ret_text, "+%ju", (uintmax_t)info->depth);
}

static struct err *add_row(struct table *table, const struct vps_backup_list *list,
			   const struct vps_backup *backup)
{
	const struct timespec when = created(backup);
	OWN(str) char *text = NULL;

	TRY(table_add(table, backup->info.name));
	TRY(table_add(table, clock_format_utc(&when, CLOCK_SECONDS).text));
	TRY(kind(list, &backup->info, &text));
	TRY(table_add(table, text));
	TRY(table_add(table, unit_bytes(backup->info.file_bytes).text));
	TRY(table_add(table, unit_bytes(backup->info.bytes).text));
	TRY(table_add(table, unit_count(backup->info.entries).text));
	return table_add(table, backup->path);
}

static struct err *list_run(const struct cmd_call *call, int *ret_status)
{
	OWN(table) struct table table = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	OWN(vps_backup_list) struct vps_backup_list list = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(json_out) struct json_out *out = NULL;
	OWN(buf) struct buf text = { 0 };
	struct list_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_backup_list(&host, opts.in, args.count ? args.items[0] : NULL, &list));
	table.no_header = opts.no_header;
	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < list.count; i++) {
		vps_backup_json(out, &list.items[i]);
		TRY(add_row(&table, &list, &list.items[i]));
	}
	json_out_end_array(out);
	if (opts.json)
		return vps_print_json(out);
	TRY(table_render(&table, &text));
	return out_text(text.data ? text.data : "", text.len);
}

const struct cmd vps_cmd_backup_list = {
	.name = "backup-list",
	.args = "[NAME]",
	.summary = "the backups there are",
	.opts = OPT_TABLE(list_rows),
	.run = list_run,
	.max_args = 1,
};
