/* cella-oci: find the command, run it, and print the error that ended it: the only place that does. */
#include <seccomp.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/oci.h"

/* The first three lines as old callers parse runc's, the fourth as podman shows crun's. */
static struct err *print_version(void)
{
	const struct scmp_version *seccomp = seccomp_version();

	printf("cella-oci version " CELLA_VERSION "\n"
	       "commit: " CELLA_COMMIT "\n"
	       "spec: " OCI_VERSION "\n"
	       "libseccomp: %u.%u.%u\n"
	       "+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +YAJL\n",
	       seccomp->major, seccomp->minor, seccomp->micro);
	return NULL;
}

static struct err *run(struct oci_globals *globals, char **argv, struct cmd_call *call,
		       int *ret_status)
{
	bool done = false;

	TRY(program_parse(&oci_program, argv, globals, call, &done));
	if (done)
		return NULL;
	if (globals->version)
		return print_version();
	if (!call->cmd)
		return err_new(ERR_INVALID, "no command given; see 'cella-oci --help'");
	TRY(oci_log_setup(globals));
	return cmd_run(call, ret_status);
}

int main(int argc, char **argv)
{
	struct oci_globals globals = oci_globals_default;
	struct cmd_call call = { 0 };
	int status = 0;
	struct err *err;

	(void)argc;
	/* for what goes wrong before the options that say where the log is were read */
	log_setup(&(struct log_config){
		.fd = -1, .level = LOG_LEVEL_WARNING, .program = oci_program.name });
	err = run(&globals, argv, &call, &status);
	if (err) {
		log_error(err);
		status = cmd_status(&oci_program, call.cmd, err);
		err_drop(err);
	}
	/* what --help, list or state printed may still be in the buffer, on a full disk */
	if (fflush(stdout) != 0 && status == 0)
		status = 1;
	return status;
}
