/* Finding and running a command of a program's table; see cmd.h. */
#include "cli/cmd.h"

#include <string.h>

#include "cli/table.h"

const struct cmd *cmd_find(const struct program *program, const char *name)
{
	for (size_t i = 0; i < program->cmd_count; i++)
		if (str_eq(program->cmds[i]->name, name))
			return program->cmds[i];
	return NULL;
}

/* One line: what was wrong, and where the right usage is. Consumes cause. */
static struct err *usage_error(const struct program *program, const struct cmd *cmd,
			       struct err *cause)
{
	OWN(err) struct err *err = cause;

	if (err_kind(err) != ERR_INVALID)
		return TAKE(err);
	if (!cmd)
		return err_new(ERR_INVALID, "%s; see '%s --help'", err_text(err), program->name);
	return err_new(ERR_INVALID, "%s: %s; see '%s %s --help'", cmd->name, err_text(err),
		       program->name, cmd->name);
}

static struct err *count_args(const struct cmd *cmd, const struct opt_args *args)
{
	if (args->count < cmd->min_args)
		return err_new(ERR_INVALID, "an argument is missing: %s", cmd->args);
	if (args->count <= cmd->max_args)
		return NULL;
	if (!cmd->args)
		return err_new(ERR_INVALID, "takes no arguments, but got '%.64s'", args->items[0]);
	return err_new(ERR_INVALID, "an argument too many: '%.64s' (wanted: %s)",
		       args->items[cmd->max_args], cmd->args);
}

struct err *cmd_parse(const struct cmd_call *call, void *opts, struct opt_args *ret_args)
{
	struct opt_walk walk = {
		.table = call->cmd->opts,
		.argv = call->argv,
		.stop_after = call->cmd->stop_after,
	};
	OWN(opt_args) struct opt_args args = { 0 };
	struct err *err = opt_parse_all(&walk, opts, &args);

	if (!err)
		err = count_args(call->cmd, &args);
	if (err)
		return usage_error(call->program, call->cmd, err);
	*ret_args = args;
	args.items = NULL;
	return NULL;
}

/* Looks ahead for --help, so that a command never has to. A broken command line is left to
 * cmd_parse(). */
static bool wants_help(const struct cmd_call *call)
{
	struct opt_walk walk = {
		.table = call->cmd->opts,
		.argv = call->argv,
		.stop_after = call->cmd->stop_after,
	};
	struct opt_found found = { 0 };
	bool more = true;

	while (more && !found.is_help) {
		struct err *err = opt_walk_next(&walk, &found, &more);

		if (err) {
			err_drop(err); /* cmd_parse() meets it again and reports it */
			return false;
		}
	}
	return found.is_help;
}

static struct err *print_help(const struct program *program, const struct cmd *cmd)
{
	OWN(buf) struct buf text = { 0 };

	if (cmd)
		TRY(help_cmd(program, cmd, &text));
	else
		TRY(help_program(program, &text));
	return out_text(text.data, text.len);
}

/* Global options up to the first argument, which is the command's name. */
static struct err *parse_globals(const struct program *program, char *const *argv, void *global,
				 struct cmd_call *ret_call, bool *ret_help)
{
	struct opt_walk walk = { .table = program->opts, .argv = argv, .at = 1, .stop_after = 1 };
	struct opt_found found;
	bool more = true;

	for (;;) {
		TRY(opt_walk_next(&walk, &found, &more));
		*ret_help = found.is_help;
		if (!more || found.is_help)
			return NULL;
		if (!found.opt)
			break;
		TRY(found.opt->parse(found.opt, found.text, (char *)global + found.opt->offset));
	}
	ret_call->argv = argv + walk.at;
	ret_call->cmd = cmd_find(program, found.text);
	if (!ret_call->cmd && !str_eq(found.text, "help"))
		return err_new(ERR_INVALID, "unknown command '%.64s'", found.text);
	return NULL;
}

struct err *program_parse(const struct program *program, char *const *argv, void *global,
			  struct cmd_call *ret_call, bool *ret_done)
{
	struct cmd_call call = { .program = program, .full_argv = argv, .global = global };
	const struct cmd *help_about = NULL;
	bool help = false;
	struct err *err = parse_globals(program, argv, global, &call, &help);

	*ret_call = call;
	*ret_done = false;
	if (err)
		return usage_error(program, NULL, err);
	if (!help && call.argv && !call.cmd) { /* help [COMMAND] */
		help = true;
		if (call.argv[0])
			help_about = cmd_find(program, call.argv[0]);
		if (call.argv[0] && !help_about)
			return usage_error(
				program, NULL,
				err_new(ERR_INVALID, "unknown command '%.64s'", call.argv[0]));
	}
	*ret_done = help;
	return help ? print_help(program, help_about) : NULL;
}

struct err *cmd_run(const struct cmd_call *call, int *ret_status)
{
	*ret_status = 0;
	if (wants_help(call))
		return print_help(call->program, call->cmd);
	return call->cmd->run(call, ret_status);
}

int cmd_status(const struct program *program, const struct cmd *cmd, const struct err *err)
{
	if (cmd && cmd->failure_status && err_kind(err) != ERR_INVALID)
		return cmd->failure_status;
	return program->status_of ? program->status_of(err) : 1;
}
