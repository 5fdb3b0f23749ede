/* cella-oci kill: send a signal to a container's init, or to all its processes. */
#include <signal.h>

#include "base/parse.h"
#include "cli/oci.h"

struct kill_opts {
	bool all, regex;
};

static const struct opt kill_opt_rows[] = {
	{ "all", 'a', NULL, "signal every process of the container",
	  offsetof(struct kill_opts, all), opt_flag },
	{ "regex", 'r', NULL, "CONTAINER is a regular expression",
	  offsetof(struct kill_opts, regex), opt_flag },
};

static struct err *kill_matching(const struct cmd_call *call, const char *pattern, int signum,
				 bool all)
{
	OWN(strlist) struct strlist ids = { 0 };
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct err *first = NULL;

	TRY(oci_root_open(oci_globals(call), &root));
	TRY(oci_match(&root, pattern, &ids));
	for (size_t i = 0; i < ids.count; i++)
		first = err_first(first, ct_kill(&root, ids.items[i], signum, all));
	return first;
}

static struct err *kill_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct kill_opts opts = { 0 };
	int signum = SIGTERM;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (args.count > 1)
		TRY(parse_signal(args.items[1], &signum));
	if (opts.regex)
		return kill_matching(call, args.items[0], signum, opts.all);
	TRY(parse_container_id(args.items[0]));
	TRY(oci_root_open(oci_globals(call), &root));
	return ct_kill(&root, args.items[0], signum, opts.all);
}

const struct cmd oci_cmd_kill = {
	.name = "kill",
	.args = "CONTAINER [SIGNAL]",
	.summary = "send a signal (default: TERM)",
	.opts = OPT_TABLE(kill_opt_rows),
	.run = kill_run,
	.min_args = 1,
	.max_args = 2,
};
