/* cella-oci exec: a further process in a running container. */
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/oci.h"

/* runc's exit status when the process could not be started: 1 may be the program's own. */
#define EXEC_FAILED 255

struct exec_opts {
	const char *process, *cwd, *user, *label, *apparmor, *cgroup;
	struct strlist env, caps, groups;
	bool tty, detach, no_new_privs, ignore_paused;
	struct ct_io io;
};

#define FIELD(name) offsetof(struct exec_opts, name)
/* clang-format off */
static const struct opt exec_opt_rows[] = {
	{ "process", 'p', "FILE", "process object in JSON, instead of COMMAND", FIELD(process), opt_path },
	{ "env", 'e', "NAME=VALUE", "add a variable (repeatable)", FIELD(env), opt_strlist },
	{ "cwd", 0, "DIR", "working directory inside", FIELD(cwd), opt_path },
	{ "user", 'u', "USER[:GROUP]", "names or numbers inside", FIELD(user), opt_string },
	{ "additional-gids", 'g', "GID", "supplementary group (repeatable)", FIELD(groups), opt_strlist },
	{ "cap", 'c', "CAPABILITY", "add a capability (repeatable)", FIELD(caps), opt_strlist },
	{ "tty", 't', NULL, "give it a terminal", FIELD(tty), opt_flag },
	{ "detach", 'd', NULL, "return when the program runs", FIELD(detach), opt_flag },
	OCI_IO_ROWS(struct exec_opts, io),
	{ "no-new-privs", 0, NULL, "set no_new_privs", FIELD(no_new_privs), opt_flag },
	{ "process-label", 0, "LABEL", "SELinux label", FIELD(label), opt_string },
	{ "apparmor", 0, "PROFILE", "AppArmor profile", FIELD(apparmor), opt_string },
	{ "cgroup", 0, "PATH", "below the container's control group", FIELD(cgroup), opt_string },
	{ "ignore-paused", 0, NULL, "also in a paused container", FIELD(ignore_paused), opt_flag },
	{ "no-subreaper", 0, NULL, NULL, 0, opt_ignored },
};
/* clang-format on */

static void own_exec_opts(struct exec_opts *opts)
{
	strlist_release(&opts->env);
	strlist_release(&opts->caps);
	strlist_release(&opts->groups);
}

static struct err *parse_groups(const struct strlist *texts, gid_t **ret_groups)
{
	OWN(str) char *owned = NULL;
	gid_t *groups = calloc(texts->count + 1, sizeof(*groups));

	owned = (char *)groups;
	if (!groups)
		return err_new(ERR_SYS, "--additional-gids: out of memory");
	for (size_t i = 0; i < texts->count; i++)
		TRY(parse_id("--additional-gids", texts->items[i], &groups[i]));
	*ret_groups = groups;
	owned = NULL;
	return NULL;
}

/* With cgroup v2 there is one hierarchy: "CONTROLLER:PATH", as runc has it for v1, means nothing.
 */
static struct err *check_cgroup(const char *path)
{
	if (path && strchr(path, ':'))
		return err_new(ERR_UNSUPPORTED,
			       "--cgroup: '%.64s' names a controller, which cgroup v1 had", path);
	return NULL;
}

static struct err *check_words(const struct cmd_call *call, const struct exec_opts *opts,
			       const struct opt_args *args)
{
	if (opts->process && args->count > 1)
		return err_new(ERR_INVALID,
			       "exec: give either --process or COMMAND; see '%s exec --help'",
			       call->program->name);
	if (!opts->process && args->count < 2)
		return err_new(ERR_INVALID, "exec: COMMAND is missing; see '%s exec --help'",
			       call->program->name);
	for (size_t i = 0; i < opts->env.count; i++)
		if (!strchr(opts->env.items[i], '=') || opts->env.items[i][0] == '=')
			return err_new(ERR_INVALID, "--env: '%.64s' is not NAME=VALUE",
				       opts->env.items[i]);
	return check_cgroup(opts->cgroup);
}

static struct err *start_process(const struct oci_target *target, struct exec_opts *opts,
				 struct ct_started *ret_started)
{
	OWN(buf) struct buf process = { 0 };
	OWN(str) char *groups_owned = NULL;
	gid_t *groups = NULL;
	struct ct_exec request = {
		.id = target->id,
		.args = target->args.items + 1,
		.cwd = opts->cwd,
		.user = opts->user,
		.env = &opts->env,
		.caps = &opts->caps,
		.group_count = opts->groups.count,
		.apparmor = opts->apparmor,
		.selinux_label = opts->label,
		.cgroup_below = opts->cgroup,
		.tty = opts->tty,
		.no_new_privs = opts->no_new_privs,
		.ignore_paused = opts->ignore_paused,
	};

	TRY(parse_groups(&opts->groups, &groups));
	groups_owned = (char *)groups;
	request.groups = groups;
	TRY(oci_pass_fds(&opts->io, &opts->env));
	request.io = opts->io;
	request.io.detach = opts->detach;
	if (opts->process) {
		TRY(oci_read_input(opts->process, &process));
		request.process_text = process.data;
		request.process_len = process.len;
	}
	return ct_exec(&target->root, &request, ret_started);
}

static struct err *exec_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(ct_started) struct ct_started started = CT_STARTED_INIT;
	OWN(exec_opts) struct exec_opts opts = { 0 };

	TRY(ct_protect_executable(call->full_argv));
	TRY(oci_target_parse(call, &opts, &target));
	TRY(check_words(call, &opts, &target.args));
	TRY(start_process(&target, &opts, &started));
	return opts.detach ? NULL : ct_foreground(&started, ret_status);
}

const struct cmd oci_cmd_exec = {
	.name = "exec",
	.args = "CONTAINER [COMMAND...]",
	.summary = "run a program inside",
	.opts = OPT_TABLE(exec_opt_rows),
	.run = exec_run,
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.stop_after = 1,
	.failure_status = EXEC_FAILED,
};
