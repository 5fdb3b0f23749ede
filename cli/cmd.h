/*
 * A program is a table of commands, a command is a value in its own file: name, arguments, options
 * and the function that runs it. This finds the command, answers --help, checks the number of
 * arguments, and turns an error into one line and an exit status.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/opt.h"

struct cmd_call;
struct program;

#define CMD_ANY_ARGS ((size_t)-1)

struct cmd {
	const char *name;
	const char *args;    /* as --help shows them: "CONTAINER [SIGNAL]"; NULL: none */
	const char *summary; /* one short line, lower case, no full stop; NULL: not listed
				(internal, or an old spelling) */
	struct opt_table opts;
	/* The command parses with cmd_parse() into its own struct. *ret_status is 0 before the
	 * call. */
	struct err *(*run)(const struct cmd_call *call, int *ret_status);
	size_t min_args, max_args;
	size_t stop_after;  /* see struct opt_walk: 1 for "exec CONTAINER COMMAND...", whose options
			       are not ours */
	int failure_status; /* exit status when it fails; 0: the program's */
};

struct program {
	const char *name;	       /* "cella-oci" */
	const char *summary;	       /* a sentence for --help */
	struct opt_table opts;	       /* global options, before the command */
	const struct cmd *const *cmds; /* in the order that --help lists them */
	size_t cmd_count;
	int (*status_of)(const struct err *err); /* exit status; NULL: 1 for every error */
	/* A command that prints the containers' names, for completion; NULL: none. */
	const char *list_names;
};

/* What a command's run() gets. All borrowed. */
struct cmd_call {
	const struct program *program;
	const struct cmd *cmd;
	char *const *argv; /* the words after the command's name, NULL-terminated */
	char *const *full_argv;
	const void *global; /* the program's struct of global options */
};

/* Options into opts (holding the defaults), the arguments counted and returned. ERR_INVALID says
 * what is wrong and points to --help. */
MUST_CHECK struct err *cmd_parse(const struct cmd_call *call, void *opts,
				 struct opt_args *ret_args);

const struct cmd *cmd_find(const struct program *program, const char *name);

/*
 * Parse global options into global (holding the defaults) and find the command. *ret_done: nothing
 * is left to do (--help was printed). ERR_INVALID: a usage error.
 */
MUST_CHECK struct err *program_parse(const struct program *program, char *const *argv, void *global,
				     struct cmd_call *ret_call, bool *ret_done);
/* Run what program_parse() found, or print its --help. */
MUST_CHECK struct err *cmd_run(const struct cmd_call *call, int *ret_status);
/* The exit status for an error of this call (call->cmd may be NULL). */
int cmd_status(const struct program *program, const struct cmd *cmd, const struct err *err);

/* --help as text, at most 80 columns and 24 lines; a command with more options lists them without
 * explanation. */
MUST_CHECK struct err *help_program(const struct program *program, struct buf *text);
MUST_CHECK struct err *help_cmd(const struct program *program, const struct cmd *cmd,
				struct buf *text);

/*
 * Made from the tables, for "bash" or "zsh": a completion script; for "list": one line per option,
 * which tests/lint/man reads: COMMAND (or "-" for global options), --name, -l (or "-"), METAVAR (or
 * "-"), separated by tabs; and one line per command: COMMAND, "-", failure_status, arguments.
 * ERR_INVALID: none of these. A value is completed by its metavar (FILE,
 * SOCKET, DIR) or its choices, an argument by its name (CONTAINER, NAME).
 */
MUST_CHECK struct err *completion_script(const struct program *program, const char *shell,
					 struct buf *text);

#endif
