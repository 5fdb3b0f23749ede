/* cella: virtual private servers, in vzctl's grammar. Every error that a person sees is printed
 * here. */
#include <string.h>

#include "base/log.h"
#include "cli/table.h"
#include "cli/vps.h"

/* "vzlist ARGUMENT..." is "cella vzlist ARGUMENT...". *ret_argv is owned. */
static struct err *with_command(char *const *argv, const char *command, struct strlist *ret_argv)
{
	TRY(strlist_add(ret_argv, argv[0]));
	TRY(strlist_add(ret_argv, command));
	for (size_t i = 1; argv[i]; i++)
		TRY(strlist_add(ret_argv, argv[i]));
	return NULL;
}

static struct err *dispatch(char *const *argv, const struct cmd **ret_cmd, int *ret_status)
{
	static const char version[] = "cella version " CELLA_VERSION "\ncommit: " CELLA_COMMIT "\n";
	const char *slash = strrchr(argv[0], '/'), *called = slash ? slash + 1 : argv[0];
	struct vps_globals globals = { .vzctl = str_eq(called, "vzctl") };
	static struct strlist words; /* commands borrow from it as long as the program lives */
	struct cmd_call call = { 0 };
	bool done;
	struct err *err = NULL;

	if (str_eq(called, "vzlist")) {
		TRY(with_command(argv, called, &words));
		argv = words.items;
	}
	err = program_parse(&vps_program, argv, &globals, &call, &done);

	*ret_cmd = call.cmd;
	if (err || done)
		return err;
	if (globals.version)
		return out_text(version, strlen(version));
	if (!call.cmd)
		return err_new(ERR_INVALID, "no command given; see 'cella --help'");
	log_setup(&(struct log_config){ .fd = -1,
					.level = globals.verbose ? LOG_LEVEL_DEBUG :
								   LOG_LEVEL_WARNING,
					.program = vps_program.name });
	return cmd_run(&call, ret_status);
}

int main(int argc, char **argv)
{
	OWN(err) struct err *err = NULL;
	const struct cmd *cmd = NULL;
	int status = 0;

	if (argc < 1) /* execve(2) allows it, and the walk starts at argv[1] */
		return 1;
	log_setup(&(struct log_config){
		.fd = -1, .level = LOG_LEVEL_WARNING, .program = vps_program.name });
	err = dispatch(argv, &cmd, &status);
	if (!err)
		return status;
	log_error(err);
	return vps_exit_status(cmd, err);
}
