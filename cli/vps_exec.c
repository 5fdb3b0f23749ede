/* cella exec and enter: programs inside a running VPS. */
#include <string.h>
#include <unistd.h>

#include "cli/vps.h"

struct exec_opts {
	bool tty;
};

static const struct opt exec_opt_rows[] = {
	{ "tty", 't', NULL, "give it a terminal", offsetof(struct exec_opts, tty), opt_flag },
};

/* "cella exec NAME -- COMMAND": the walk keeps a "--" that follows the first argument. */
static const char *const *command_of(const struct opt_args *args)
{
	const char *const *words = args->items + 1;

	return *words && str_eq(*words, "--") ? words + 1 : words;
}

static struct err *exec_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct exec_opts opts = { 0 };
	struct vps_exec exec = { 0 };

	TRY(cmd_parse(call, &opts, &args));
	exec.args = command_of(&args);
	exec.tty = opts.tty;
	if (!*exec.args)
		return err_new(ERR_INVALID, "exec: COMMAND is missing; see 'cella exec --help'");
	TRY(vps_host_open(&host));
	return vps_exec(&host, args.items[0], &exec, ret_status);
}

const struct cmd vps_cmd_exec = {
	.name = "exec",
	.args = "NAME COMMAND...",
	.summary = "run a command in a VPS and give its status",
	.opts = OPT_TABLE(exec_opt_rows),
	.run = exec_run,
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.stop_after = 1,
};

/* vzctl's name for an exec that gives the command's own status, as ours always does */
const struct cmd vps_cmd_exec2 = {
	.name = "exec2",
	.args = "NAME COMMAND...",
	.opts = OPT_TABLE(exec_opt_rows),
	.run = exec_run,
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.stop_after = 1,
};

static struct err *enter_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct vps_exec exec = { .tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };

	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	return vps_exec(&host, args.items[0], &exec, ret_status);
}

const struct cmd vps_cmd_enter = {
	.name = "enter",
	.args = "NAME",
	.summary = "root's login shell in a VPS",
	.run = enter_run,
	.min_args = 1,
	.max_args = 1,
};
