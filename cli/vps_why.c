/* cella why: what holds a VPS back, or ended it, and what to do about it. */
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/watch.h"

struct why_opts {
	bool json;
};

static const struct opt why_opt_rows[] = {
	{ "json", 'j', NULL, "as JSON", offsetof(struct why_opts, json), opt_flag },
};

static struct err *print_json(const struct vps_findings *findings)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < findings->count; i++) {
		json_out_object(out);
		json_out_key(out, "kind");
		json_out_string(out, findings->items[i].kind);
		json_out_key(out, "text");
		json_out_string(out, findings->items[i].text);
		json_out_key(out, "cure");
		json_out_string(out, findings->items[i].cure);
		json_out_end_object(out);
	}
	json_out_end_array(out);
	return vps_print_json(out);
}

static struct err *why_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_findings) struct vps_findings findings = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct why_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_why(&host, args.items[0], &findings));
	if (opts.json)
		return print_json(&findings);
	if (!findings.count)
		return vps_say(call, "nothing holds VPS %s back", args.items[0]);
	for (size_t i = 0; i < findings.count; i++)
		TRY(buf_format(&text, "%s: %s\n    cure: %s\n", args.items[0],
			       findings.items[i].text, findings.items[i].cure));
	return out_text(text.data, text.len);
}

const struct cmd vps_cmd_why = {
	.name = "why",
	.args = "NAME",
	.summary = "why a VPS is slow or down, and the cure",
	.opts = OPT_TABLE(why_opt_rows),
	.run = why_run,
	.min_args = 1,
	.max_args = 1,
};
