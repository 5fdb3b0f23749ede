/* cella set: change a VPS, at once and for good. */
#include "base/log.h"
#include "cli/vps.h"

struct set_opts {
	struct vps_conf conf;
	struct vps_login login;
	struct strlist net, unset, kept;
	const char *plan;
	bool save, no_save, at_restart, force, skip_probe, json;
};

static struct err *opt_setmode(const struct opt *opt, const char *text, void *field)
{
	if (!str_eq(text, "ignore"))
		return err_new(ERR_INVALID, "%s: '%.40s' is not known; there is: ignore",
			       opt_label(opt).text, text);
	*(bool *)field = true;
	return NULL;
}

#define FIELD(member) offsetof(struct set_opts, member)
/* clang-format off */
static const struct opt set_opt_rows[] = {
	VPS_OPTION_ROWS(struct set_opts, conf),
	VPS_NET_ROWS(struct set_opts, net),
	{ "ipdel", 0, "ADDRESS|all", "take an address away, repeatable", FIELD(net), opt_vps_net },
	{ "netif_del", 0, "IFNAME|all", "take an interface away", FIELD(net), opt_vps_net },
	{ "skip_arpdetect", 0, NULL, NULL, FIELD(skip_probe), opt_flag },
	VPS_LOGIN_ROWS(struct set_opts, login),
	VPS_KEPT_ROWS(struct set_opts, kept),
	{ "applyconfig", 0, "PLAN", "what is not said here is as the plan says", FIELD(plan), opt_string },
	{ "unset", 0, "KEY", "back to the host's default, repeatable", FIELD(unset), opt_strlist },
	{ "save", 0, NULL, "save it, which is the default", FIELD(save), opt_flag },
	{ "no-save", 0, NULL, "change the running VPS alone", FIELD(no_save), opt_flag },
	{ "at-restart", 0, NULL, "what cannot be changed live waits", FIELD(at_restart), opt_flag },
	{ "setmode", 0, "ignore", NULL, FIELD(at_restart), opt_setmode },
	{ "force", 0, NULL, "although it kills processes inside", FIELD(force), opt_flag },
	{ "json", 'j', NULL, "print what was changed as JSON", FIELD(json), opt_flag },
};
/* clang-format on */

static void own_set_opts(struct set_opts *opts)
{
	vps_conf_release(&opts->conf);
	strlist_release(&opts->net);
	strlist_release(&opts->unset);
	strlist_release(&opts->kept);
	strlist_release(&opts->login.keys);
}

static void put_keys(struct json_out *out, const char *name, const struct strlist *keys)
{
	json_out_key(out, name);
	json_out_array(out);
	for (size_t i = 0; i < keys->count; i++)
		json_out_string(out, keys->items[i]);
	json_out_end_array(out);
}

static struct err *tell_json(const char *name, const struct vps_set_result *result)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, name);
	json_out_key(out, "running");
	json_out_bool(out, result->running);
	json_out_key(out, "saved");
	json_out_bool(out, result->saved);
	put_keys(out, "applied", &result->applied);
	put_keys(out, "waiting", &result->waiting);
	json_out_end_object(out);
	return vps_print_json(out);
}

/* "--ram, --cpus" */
static struct err *labels(const struct strlist *keys, struct buf *text)
{
	for (size_t i = 0; i < keys->count; i++)
		TRY(buf_format(text, "%s%s", i ? ", " : "", vps_conf_label(keys->items[i])));
	return NULL;
}

static struct err *tell(const struct cmd_call *call, const char *name,
			const struct vps_set_result *result)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_format(&text, "VPS %s: ", name));
	if (result->applied.count) {
		TRY(labels(&result->applied, &text));
		TRY(buf_format(&text, " changed at once%s", result->saved ? ", " : ""));
	}
	if (result->saved)
		TRY(buf_format(&text, "saved"));
	else if (!result->applied.count)
		TRY(buf_format(&text, "nothing to change"));
	if (result->waiting.count) {
		TRY(buf_format(&text, "; for the next start: "));
		TRY(labels(&result->waiting, &text));
	}
	return vps_say(call, "%s", text.data);
}

static unsigned int flags_of(const struct set_opts *opts)
{
	return (opts->no_save ? VPS_SET_NO_SAVE : 0) | (opts->at_restart ? VPS_SET_AT_RESTART : 0) |
	       (opts->force ? VPS_SET_FORCE : 0) | (opts->skip_probe ? VPS_SET_SKIP_PROBE : 0);
}

static struct err *set_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(set_opts) struct set_opts opts = { 0 };
	OWN(vps_set_result) struct vps_set_result result = { 0 };

	(void)ret_status;
	vps_conf_init(&opts.conf);
	TRY(cmd_parse(call, &opts, &args));
	if (opts.save && opts.no_save)
		return err_new(ERR_INVALID, "--save and --no-save exclude each other");
	if (vps_globals(call)->vzctl && !opts.save)
		opts.no_save = true; /* vzctl's default is the running one alone */
	TRY(vps_host_open(&host));
	TRY(vps_set(&host,
		    &(struct vps_set){ .name = args.items[0],
				       .changes = opts.conf,
				       .net = opts.net,
				       .unset = opts.unset,
				       .kept = opts.kept,
				       .login = opts.login.password || opts.login.keys.count ?
							&opts.login :
							NULL,
				       .plan = opts.plan,
				       .flags = flags_of(&opts) },
		    &result));
	TRY(vps_warn_kept(&opts.kept));
	if (vps_globals(call)->vzctl && !opts.save)
		log_warning("not saved, the next start is as before; use --save");
	return opts.json ? tell_json(args.items[0], &result) : tell(call, args.items[0], &result);
}

const struct cmd vps_cmd_set = {
	.name = "set",
	.args = "NAME",
	.summary = "change a VPS, at once and for good",
	.opts = OPT_TABLE(set_opt_rows),
	.run = set_run,
	.min_args = 1,
	.max_args = 1,
};
