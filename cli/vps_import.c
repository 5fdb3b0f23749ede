/* cella import: its options, and what it tells. */
#include "cli/vps_import.h"

#include "cli/table.h"

/* clang-format off */
static const struct opt rows[] = {
	{ "config", 0, "FILE", "what OpenVZ, LXC or Proxmox wrote about it", offsetof(struct import_opts, config), opt_path },
	{ "layout", 0, "dir|image", "how its disk lies on the host", offsetof(struct import_opts, layout), opt_path },
	{ "diskspace", 0, "SOFT:HARD", "its size; KiB, or as 10G", offsetof(struct import_opts, disk_bytes), opt_vps_space },
	{ "skip_arpdetect", 0, NULL, "do not ask whether somebody has its addresses", offsetof(struct import_opts, skip_probe), opt_flag },
	{ "json", 'j', NULL, "print as JSON", offsetof(struct import_opts, json), opt_flag },
};
/* clang-format on */

const struct cmd vps_cmd_import = {
	.name = "import",
	.args = "DIR|FILE NAME",
	.summary = "make a VPS of another system's container",
	.opts = OPT_TABLE(rows),
	.run = vps_import_run,
	.min_args = 2,
	.max_args = 2,
};

struct err *vps_import_json(const char *name, const struct vps_import_report *report)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, name);
	json_out_key(out, "system");
	json_out_string(out, report->system);
	json_out_key(out, "files");
	json_out_u64(out, report->counts.entries);
	json_out_key(out, "bytes");
	json_out_u64(out, report->counts.bytes);
	json_out_key(out, "skipped");
	json_out_u64(out, report->counts.skipped);
	json_out_key(out, "notTakenOver");
	json_out_array(out);
	for (size_t i = 0; i < report->note_count; i++) {
		json_out_object(out);
		json_out_key(out, "line");
		json_out_string(out, report->notes[i].line);
		json_out_key(out, "why");
		json_out_string(out, report->notes[i].why);
		json_out_end_object(out);
	}
	json_out_end_array(out);
	json_out_end_object(out);
	return vps_print_json(out);
}

struct err *vps_import_table(const struct vps_import_report *report)
{
	static const struct table_column columns[] = { { "NOT TAKEN OVER" }, { "WHY" } };
	OWN(table) struct table table = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	OWN(buf) struct buf text = { 0 };

	if (report->note_count == 0)
		return NULL;
	for (size_t i = 0; i < report->note_count; i++) {
		TRY(table_addf(&table, "%.60s", report->notes[i].line));
		TRY(table_add(&table, report->notes[i].why));
	}
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}
