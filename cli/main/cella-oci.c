/*
 * cella-oci: the OCI runtime that podman, containerd, Docker and CRI-O call. Everything that a
 * person or program sees of an error is printed here.
 */
#include <seccomp.h>
#include <string.h>

#include "base/log.h"
#include "cli/oci.h"
#include "cli/table.h"

/* The first three lines as old callers parse runc's, the last as podman shows crun's. */
static struct err *print_version(void)
{
	const struct scmp_version *seccomp = seccomp_version();
	OWN(str) char *text = NULL;

	TRY(str_format(&text,
		       "cella-oci version " CELLA_VERSION "\n"
		       "commit: " CELLA_COMMIT "\n"
		       "spec: " OCI_VERSION "\n"
		       "libseccomp: %u.%u.%u\n"
		       "+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +CRIU +YAJL\n",
		       seccomp->major, seccomp->minor, seccomp->micro));
	return out_text(text, strlen(text));
}

static struct err *dispatch(char *const *argv, const struct cmd **ret_cmd, int *ret_status)
{
	struct oci_globals globals = oci_globals_default;
	struct cmd_call call;
	bool done;
	struct err *err = program_parse(&oci_program, argv, &globals, &call, &done);

	*ret_cmd = call.cmd;
	if (err) {
		/* callers read errors from --log; should that fail, standard error has this one */
		err_drop(oci_log_setup(&globals));
		return err;
	}
	if (done)
		return NULL;
	if (globals.version)
		return print_version();
	if (!call.cmd)
		return err_new(ERR_INVALID, "no command given; see '%s --help'", oci_program.name);
	TRY(oci_log_setup(&globals));
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
		.fd = -1, .level = LOG_LEVEL_WARNING, .program = oci_program.name });
	err = dispatch(argv, &cmd, &status);
	if (!err)
		return status;
	log_error(err);
	return cmd_status(&oci_program, cmd, err);
}
