/* cella create and destroy. */
#include "cli/progress.h"
#include "cli/vps.h"

struct create_opts {
	struct vps_conf conf;
	struct strlist net, kept;
	struct vps_login login;
	bool skip_probe, json;
};

static const struct opt create_opt_rows[] = {
	VPS_OPTION_ROWS(struct create_opts, conf),
	VPS_NET_ROWS(struct create_opts, net),
	{ "skip_arpdetect", 0, NULL, NULL, offsetof(struct create_opts, skip_probe), opt_flag },
	VPS_LOGIN_ROWS(struct create_opts, login),
	VPS_KEPT_ROWS(struct create_opts, kept),
	{ "layout", 0, "dir|overlay|image", "how its disk lies on the host",
	  offsetof(struct create_opts, conf.layout), opt_vps_text },
	{ "config", 0, "PLAN", "what is not said here is as the plan says",
	  offsetof(struct create_opts, conf.config), opt_vps_text },
	{ "json", 'j', NULL, "print the new VPS as JSON", offsetof(struct create_opts, json),
	  opt_flag },
};

static void own_create_opts(struct create_opts *opts)
{
	vps_conf_release(&opts->conf);
	strlist_release(&opts->net);
	strlist_release(&opts->kept);
	strlist_release(&opts->login.keys);
}

static struct err *tell(const struct cmd_call *call, const struct vps_host *host, const char *name,
			bool json)
{
	OWN(vps_info) struct vps_info info = { 0 };
	OWN(json_out) struct json_out *out = NULL;

	if (!json)
		return vps_say(call, "VPS %s was created; 'cella start %s' starts it", name, name);
	TRY(vps_look(host, name, VPS_BRIEF, &info));
	TRY(json_out_new(true, &out));
	vps_json(out, &info);
	return vps_print_json(out);
}

static struct err *create_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(create_opts) struct create_opts opts = { 0 };
	OWN(str) char *what = NULL;
	struct progress progress;
	struct err *err;

	(void)ret_status;
	vps_conf_init(&opts.conf);
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_net_edit(&opts.net, &opts.conf));
	TRY(vps_conf_check(&opts.conf));
	TRY(vps_host_open(&host));
	TRY(str_format(&what, "creating %.64s", args.items[0]));
	progress_init(&progress, what,
		      opts.json || vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = vps_create(&host, &(struct vps_create){ .name = args.items[0],
						      .options = opts.conf,
						      .skip_probe = opts.skip_probe,
						      .kept = &opts.kept,
						      .login = &opts.login,
						      .progress = &progress.base });
	progress_end(&progress);
	if (!err)
		err = vps_warn_kept(&opts.kept);
	return err ? err : tell(call, &host, args.items[0], opts.json);
}

const struct cmd vps_cmd_create = {
	.name = "create",
	.args = "NAME",
	.summary = "make a VPS from a template",
	.opts = OPT_TABLE(create_opt_rows),
	.run = create_run,
	.min_args = 1,
	.max_args = 1,
};

static struct err *destroy_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	TRY(vps_destroy(&host, args.items[0]));
	return vps_say(call, "VPS %s was destroyed", args.items[0]);
}

const struct cmd vps_cmd_destroy = {
	.name = "destroy",
	.args = "NAME",
	.summary = "remove a stopped VPS and its files",
	.run = destroy_run,
	.min_args = 1,
	.max_args = 1,
};

/* vzctl's other spelling */
const struct cmd vps_cmd_delete = {
	.name = "delete",
	.args = "NAME",
	.run = destroy_run,
	.min_args = 1,
	.max_args = 1,
};
