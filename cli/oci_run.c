/* cella-oci run: create, start, and (unless detached) stay with the container, then delete it. */
#include "cli/oci.h"

struct run_opts {
	struct oci_create_opts create; /* first: the shared rows' offsets are its own */
	bool detach, keep;
};

static const struct opt run_opt_rows[] = {
	OCI_CREATE_ROWS,
	{ "detach", 'd', NULL, "return when the program runs", offsetof(struct run_opts, detach),
	  opt_flag },
	{ "keep", 0, NULL, "do not delete the container at its end",
	  offsetof(struct run_opts, keep), opt_flag },
};

static struct err *check_terminal(const struct run_opts *opts)
{
	if (opts->create.io.console_socket && !opts->detach)
		return err_new(ERR_INVALID,
			       "--console-socket needs --detach: in the foreground the terminal "
			       "is relayed here");
	return NULL;
}

static struct err *stay(const struct oci_target *target, const struct run_opts *opts,
			struct ct_started *started, int *ret_status)
{
	struct err *err = ct_foreground(started, ret_status);

	if (opts->keep)
		return err;
	/* whatever became of our watch, the container does not outlive it */
	return err_first(err, ct_delete(&target->root, target->id, true));
}

static struct err *run_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(ct_started) struct ct_started started = CT_STARTED_INIT;
	struct run_opts opts = { 0 };

	TRY(ct_protect_executable(call->full_argv));
	TRY(oci_target_parse(call, &opts, &target));
	TRY(check_terminal(&opts));
	opts.create.io.detach = opts.detach;
	TRY(oci_create(call, &target, &opts.create, true, &started));
	return opts.detach ? NULL : stay(&target, &opts, &started, ret_status);
}

const struct cmd oci_cmd_run = {
	.name = "run",
	.args = "CONTAINER",
	.summary = "create, start and wait",
	.opts = OPT_TABLE(run_opt_rows),
	.run = run_run,
	.min_args = 1,
	.max_args = 1,
};
