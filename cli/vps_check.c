/* cella check-config and doctor: remarks, each with its cure. Wrong ones make the exit status 1.
 */
#include "cli/table.h"
#include "cli/vps.h"

struct check_opts {
	bool json, all;
};

static const char *const level_names[] = {
	[VPS_FINE] = "ok", [VPS_ADVICE] = "advice", [VPS_WRONG] = "wrong"
};

static struct err *put_json(const struct vps_remarks *remarks)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < remarks->count; i++) {
		json_out_object(out);
		json_out_key(out, "level");
		json_out_string(out, level_names[remarks->items[i].level]);
		json_out_key(out, "what");
		json_out_string(out, remarks->items[i].what);
		json_out_key(out, "cure");
		json_out_string(out, remarks->items[i].cure);
		json_out_end_object(out);
	}
	json_out_end_array(out);
	return vps_print_json(out);
}

static struct err *put_text(const struct vps_remarks *remarks, bool all)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_add(&text, "", 0));
	for (size_t i = 0; i < remarks->count; i++) {
		const struct vps_remark *remark = &remarks->items[i];
		OWN(str) char *what = NULL;

		if (remark->level == VPS_FINE && !all)
			continue;
		TRY(str_escape(remark->what, &what)); /* a file's bytes may stand in it */
		TRY(buf_format(&text, "%-8s%s\n", level_names[remark->level], what));
		if (remark->cure)
			TRY(buf_format(&text, "        cure: %s\n", remark->cure));
	}
	return out_text(text.data, text.len);
}

static struct err *tell(const struct vps_remarks *remarks, const struct check_opts *opts,
			int *ret_status)
{
	for (size_t i = 0; i < remarks->count; i++)
		if (remarks->items[i].level == VPS_WRONG)
			*ret_status = 1;
	return opts->json ? put_json(remarks) : put_text(remarks, opts->all);
}

static const struct opt check_opt_rows[] = {
	{ "json", 'j', NULL, "print as JSON", offsetof(struct check_opts, json), opt_flag },
};

static struct err *check_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_remarks) struct vps_remarks remarks = { 0 };
	struct check_opts opts = { 0 };

	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_check_config(&host, args.items[0], &remarks));
	if (!remarks.count && !opts.json)
		return vps_say(call, "VPS %s: nothing to say", args.items[0]);
	return tell(&remarks, &opts, ret_status);
}

const struct cmd vps_cmd_check_config = {
	.name = "check-config",
	.args = "NAME",
	.summary = "what is wrong in a VPS's definition",
	.opts = OPT_TABLE(check_opt_rows),
	.run = check_run,
	.min_args = 1,
	.max_args = 1,
};

static const struct opt doctor_opt_rows[] = {
	{ "all", 'a', NULL, "also what is as it should be", offsetof(struct check_opts, all),
	  opt_flag },
	{ "json", 'j', NULL, "everything, as JSON", offsetof(struct check_opts, json), opt_flag },
};

static struct err *doctor_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_remarks) struct vps_remarks remarks = { 0 };
	struct check_opts opts = { 0 };

	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_doctor(&host, &remarks));
	return tell(&remarks, &opts, ret_status);
}

const struct cmd vps_cmd_doctor = {
	.name = "doctor",
	.summary = "is this host what VPSs need",
	.opts = OPT_TABLE(doctor_opt_rows),
	.run = doctor_run,
};
