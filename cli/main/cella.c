/* cella: virtual private servers, in vzctl's grammar. Every error that a person sees is printed
 * here. */
#include <string.h>

#include "base/log.h"
#include "cli/table.h"
#include "cli/vps.h"

static struct err *dispatch(char *const *argv, const struct cmd **ret_cmd, int *ret_status)
{
	static const char version[] = "cella version " CELLA_VERSION "\ncommit: " CELLA_COMMIT "\n";
	struct vps_globals globals = { 0 };
	struct cmd_call call = { 0 };
	bool done;
	struct err *err = program_parse(&vps_program, argv, &globals, &call, &done);

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
