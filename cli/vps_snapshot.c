/* cella snapshot and its companions, in vzctl's grammar; clone and convert. */
#include <string.h>
#include <time.h>

#include "cli/progress.h"
#include "cli/table.h"
#include "cli/vps.h"

/* All of these verbs draw on one struct; each has rows for its own part. */
struct snapshot_opts {
	const char *id, *name, *description, *target, *layout;
	bool skip_config, skip_suspend, json, no_header;
};

/* clang-format off */
#define ID_ROW { "id", 0, "ID", "which snapshot", offsetof(struct snapshot_opts, id), opt_path }
#define UUID_ROW { "uuid", 0, "ID", NULL, offsetof(struct snapshot_opts, id), opt_path }
#define JSON_ROW { "json", 'j', NULL, "print as JSON", offsetof(struct snapshot_opts, json), opt_flag }
#define SKIP_CONFIG_ROW { "skip-config", 0, NULL, "leave the configuration as it is", offsetof(struct snapshot_opts, skip_config), opt_flag }

static const struct opt create_rows[] = {
	{ "id", 0, "ID", "call it so (default: a new UUID)", offsetof(struct snapshot_opts, id), opt_path },
	UUID_ROW,
	{ "name", 0, "TEXT", "a name for people", offsetof(struct snapshot_opts, name), opt_string },
	{ "description", 0, "TEXT", "a description", offsetof(struct snapshot_opts, description), opt_string },
	{ "skip-suspend", 0, NULL, NULL, offsetof(struct snapshot_opts, skip_suspend), opt_flag },
	JSON_ROW,
};
static const struct opt list_rows[] = {
	{ "no-header", 'H', NULL, "without the titles", offsetof(struct snapshot_opts, no_header), opt_flag },
	JSON_ROW,
};
static const struct opt switch_rows[] = { ID_ROW, UUID_ROW, SKIP_CONFIG_ROW };
static const struct opt delete_rows[] = { ID_ROW, UUID_ROW };
static const struct opt mount_rows[] = {
	ID_ROW, UUID_ROW,
	{ "target", 0, "DIR", "directory of the host", offsetof(struct snapshot_opts, target), opt_path },
};
static const struct opt clone_rows[] = {
	{ "id", 0, "ID", "as this snapshot keeps it (default: as it is)", offsetof(struct snapshot_opts, id), opt_path },
	UUID_ROW,
};
static const struct opt convert_rows[] = {
	{ "layout", 0, "dir|image", "what it is to be", offsetof(struct snapshot_opts, layout), opt_path },
};
/* clang-format on */

/* What a verb works on. */
struct work {
	const struct cmd_call *call;
	struct vps_host host;
	struct opt_args args;
	struct snapshot_opts opts;
	char *id; /* of the option, without the braces that vzctl's ids have; owned */
};

static void own_work(struct work *work)
{
	vps_host_release(&work->host);
	own_opt_args(&work->args);
	free(work->id);
}

static struct err *begin(struct work *work)
{
	size_t len;

	TRY(cmd_parse(work->call, &work->opts, &work->args));
	if (work->opts.id) {
		len = strlen(work->opts.id);
		if (len > 2 && work->opts.id[0] == '{' && work->opts.id[len - 1] == '}')
			TRY(str_format(&work->id, "%.*s", (int)len - 2, work->opts.id + 1));
		else
			TRY(str_dup(work->opts.id, &work->id));
	}
	return vps_host_open(&work->host);
}

static struct err *needs_id(const struct work *work)
{
	return work->id ? NULL :
			  err_new(ERR_INVALID,
				  "--id is missing: which snapshot? See 'cella "
				  "snapshot-list %s'",
				  work->args.items[0]);
}

/* --- create --- */

static struct err *tell(const struct work *work, const char *id)
{
	OWN(json_out) struct json_out *out = NULL;

	if (!work->opts.json)
		return vps_say(work->call, "snapshot %s of VPS %s was made", id,
			       work->args.items[0]);
	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "id");
	json_out_string(out, id);
	json_out_end_object(out);
	return vps_print_json(out);
}

static struct err *create_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	OWN(str) char *id = NULL, *what = NULL;
	struct vps_snapshot_create request = { 0 };
	struct progress progress;
	struct err *err;

	(void)ret_status;
	TRY(begin(&work));
	TRY(str_format(&what, "snapshot of %.64s", work.args.items[0]));
	progress_init(&progress, what,
		      work.opts.json || vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	request.id = work.id;
	request.name = work.opts.name;
	request.description = work.opts.description;
	request.progress = &progress.base;
	err = vps_snapshot_create(&work.host, work.args.items[0], &request, &id);
	progress_end(&progress);
	return err ? err : tell(&work, id);
}

const struct cmd vps_cmd_snapshot = {
	.name = "snapshot",
	.args = "NAME",
	.summary = "keep disk and configuration as they are now",
	.opts = OPT_TABLE(create_rows),
	.run = create_run,
	.min_args = 1,
	.max_args = 1,
};

/* --- list --- */

static const struct table_column columns[] = {
	{ "PARENT_UUID" }, { "C" }, { "UUID" }, { "DATE" }, { "NAME" }, { "MOUNTED_ON" },
};

static void put_text(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

static void put_snapshot(struct json_out *out, const struct vps_snapshot *snapshot)
{
	json_out_object(out);
	put_text(out, "id", snapshot->id);
	put_text(out, "parent", snapshot->parent);
	json_out_key(out, "current");
	json_out_bool(out, snapshot->is_current);
	json_out_key(out, "created");
	json_out_u64(out, snapshot->created_ns / 1000000000);
	put_text(out, "name", snapshot->name);
	put_text(out, "description", snapshot->description);
	put_text(out, "layout", snapshot->layout);
	put_text(out, "mountedOn", snapshot->mounted_on);
	json_out_end_object(out);
}

/* Local time, as vzctl shows it. */
static struct err *add_date(struct table *table, uint64_t created_ns)
{
	time_t seconds = (time_t)(created_ns / 1000000000);
	struct tm local;
	char text[32];

	if (!localtime_r(&seconds, &local) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0)
		return table_add(table, NULL);
	return table_add(table, text);
}

static struct err *add_row(struct table *table, const struct vps_snapshot *snapshot)
{
	TRY(table_add(table, snapshot->parent && *snapshot->parent ? snapshot->parent : NULL));
	TRY(table_add(table, snapshot->is_current ? "*" : ""));
	TRY(table_add(table, snapshot->id));
	TRY(add_date(table, snapshot->created_ns));
	TRY(table_add(table, snapshot->name));
	return table_add(table, snapshot->mounted_on);
}

static struct err *list_run(const struct cmd_call *call, int *ret_status)
{
	OWN(table) struct table table = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	OWN(vps_snapshot_list) struct vps_snapshot_list list = { 0 };
	OWN(work) struct work work = { .call = call };
	OWN(json_out) struct json_out *out = NULL;
	OWN(buf) struct buf text = { 0 };

	(void)ret_status;
	TRY(begin(&work));
	TRY(vps_snapshot_list(&work.host, work.args.items[0], &list));
	table.no_header = work.opts.no_header;
	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < list.count; i++) {
		put_snapshot(out, &list.items[i]);
		TRY(add_row(&table, &list.items[i]));
	}
	json_out_end_array(out);
	if (work.opts.json)
		return vps_print_json(out);
	TRY(table_render(&table, &text));
	return out_text(text.data ? text.data : "", text.len);
}

const struct cmd vps_cmd_snapshot_list = {
	.name = "snapshot-list",
	.args = "NAME",
	.summary = "the snapshots of a VPS",
	.opts = OPT_TABLE(list_rows),
	.run = list_run,
	.min_args = 1,
	.max_args = 1,
};

/* --- switch, delete --- */

static struct err *switch_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };

	(void)ret_status;
	TRY(begin(&work));
	TRY(needs_id(&work));
	TRY(vps_snapshot_switch(&work.host, work.args.items[0], work.id,
				work.opts.skip_config ? VPS_SNAPSHOT_SKIP_CONFIG : 0));
	return vps_say(call, "VPS %s is what it was in snapshot %s", work.args.items[0], work.id);
}

const struct cmd vps_cmd_snapshot_switch = {
	.name = "snapshot-switch",
	.args = "NAME",
	.summary = "go back to a snapshot; what is now is lost",
	.opts = OPT_TABLE(switch_rows),
	.run = switch_run,
	.min_args = 1,
	.max_args = 1,
};

static struct err *delete_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };

	(void)ret_status;
	TRY(begin(&work));
	TRY(needs_id(&work));
	TRY(vps_snapshot_delete(&work.host, work.args.items[0], work.id));
	return vps_say(call, "snapshot %s was removed", work.id);
}

const struct cmd vps_cmd_snapshot_delete = {
	.name = "snapshot-delete",
	.args = "NAME",
	.summary = "remove a snapshot",
	.opts = OPT_TABLE(delete_rows),
	.run = delete_run,
	.min_args = 1,
	.max_args = 1,
};

/* --- mount, umount --- */

static struct err *mount_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };

	(void)ret_status;
	TRY(begin(&work));
	TRY(needs_id(&work));
	if (!work.opts.target)
		return err_new(ERR_INVALID, "--target is missing: where shall it be mounted?");
	TRY(vps_snapshot_mount(&work.host, work.args.items[0], work.id, work.opts.target));
	return vps_say(call, "snapshot %s is mounted on %s", work.id, work.opts.target);
}

const struct cmd vps_cmd_snapshot_mount = {
	.name = "snapshot-mount",
	.args = "NAME",
	.summary = "mount a snapshot read-only",
	.opts = OPT_TABLE(mount_rows),
	.run = mount_run,
	.min_args = 1,
	.max_args = 1,
};

static struct err *umount_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };

	(void)ret_status;
	TRY(begin(&work));
	TRY(needs_id(&work));
	TRY(vps_snapshot_umount(&work.host, work.args.items[0], work.id));
	return vps_say(call, "snapshot %s is not mounted any more", work.id);
}

const struct cmd vps_cmd_snapshot_umount = {
	.name = "snapshot-umount",
	.args = "NAME",
	.summary = "unmount a snapshot",
	.opts = OPT_TABLE(delete_rows),
	.run = umount_run,
	.min_args = 1,
	.max_args = 1,
};

/* --- clone --- */

static struct err *clone_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	OWN(str) char *what = NULL;
	struct vps_clone request = { 0 };
	struct progress progress;
	struct err *err;

	(void)ret_status;
	TRY(begin(&work));
	TRY(str_format(&what, "cloning %.64s", work.args.items[0]));
	progress_init(&progress, what, vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	request = (struct vps_clone){ .from = work.args.items[0],
				      .snapshot = work.id,
				      .to = work.args.items[1],
				      .progress = &progress.base };
	err = vps_clone(&work.host, &request);
	progress_end(&progress);
	return err ? err :
		     vps_say(call, "VPS %s was made from %s; it has no addresses yet", request.to,
			     request.from);
}

const struct cmd vps_cmd_clone = {
	.name = "clone",
	.args = "NAME NEW",
	.summary = "make a VPS like another one",
	.opts = OPT_TABLE(clone_rows),
	.run = clone_run,
	.min_args = 2,
	.max_args = 2,
};

/* --- convert --- */

static struct err *convert_run(const struct cmd_call *call, int *ret_status)
{
	OWN(work) struct work work = { .call = call };
	OWN(str) char *what = NULL;
	struct progress progress;
	struct err *err;

	(void)ret_status;
	TRY(begin(&work));
	if (!work.opts.layout)
		return err_new(ERR_INVALID, "--layout is missing: dir or image?");
	TRY(str_format(&what, "converting %.64s", work.args.items[0]));
	progress_init(&progress, what, vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = vps_convert(&work.host, work.args.items[0], work.opts.layout, &progress.base);
	progress_end(&progress);
	return err ? err :
		     vps_say(call, "VPS %s has the layout %s", work.args.items[0],
			     vps_layout_of(work.opts.layout));
}

const struct cmd vps_cmd_convert = {
	.name = "convert",
	.args = "NAME",
	.summary = "change the layout of a stopped VPS's disk",
	.opts = OPT_TABLE(convert_rows),
	.run = convert_run,
	.min_args = 1,
	.max_args = 1,
};
