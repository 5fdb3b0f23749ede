/* cella exec and enter: programs inside a running VPS. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/vps.h"

#define VZCTL_EXEC_FAILED 8

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
	/* vzctl gives a command in one word to a shell, and "-" is the commands on standard input
	 */
	static const char *const from_stdin[] = { "/bin/sh", "-s", NULL };
	const char *shell[] = { "/bin/sh", "-c", NULL, NULL };
	struct exec_opts opts = { 0 };
	struct vps_exec exec = { 0 };

	TRY(cmd_parse(call, &opts, &args));
	exec.args = command_of(&args);
	exec.tty = opts.tty;
	if (!*exec.args)
		return err_new(ERR_INVALID, "exec: COMMAND is missing; see 'cella exec --help'");
	if ((vps_globals(call)->vzctl || call->cmd == &vps_cmd_exec2) && !exec.args[1]) {
		shell[2] = exec.args[0];
		exec.args = str_eq(shell[2], "-") ? from_stdin : shell;
	}
	TRY(vps_host_open(&host));
	TRY(vps_exec(&host, args.items[0], &exec, ret_status));
	/* vzctl's exec, unlike its exec2, has one status for all that fails */
	if (vps_globals(call)->vzctl && call->cmd == &vps_cmd_exec && *ret_status)
		*ret_status = VZCTL_EXEC_FAILED;
	return NULL;
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

/* The script is its shell's standard input, so that nothing of the host is named inside. */
static struct err *runscript_run(const struct cmd_call *call, int *ret_status)
{
	static const char *const shell[] = { "/bin/sh", "-s", NULL };
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(fd) int fd = -1;

	TRY(cmd_parse(call, NULL, &args));
	fd = open(args.items[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		return err_sys(errno, "open %s", args.items[1]);
	TRY(vps_host_open(&host));
	return vps_exec(&host, args.items[0], &(struct vps_exec){ .args = shell }, ret_status);
}

const struct cmd vps_cmd_runscript = {
	.name = "runscript",
	.args = "NAME FILE",
	.summary = "feed a script of the host to its shell",
	.run = runscript_run,
	.min_args = 2,
	.max_args = 2,
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
