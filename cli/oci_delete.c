/* cella-oci delete: undo everything that create made. */
#include "base/parse.h"
#include "cli/oci.h"

struct delete_opts {
	bool force, regex;
};

static const struct opt delete_opt_rows[] = {
	{ "force", 'f', NULL, "kill it first; a missing container is no error",
	  offsetof(struct delete_opts, force), opt_flag },
	{ "regex", 'r', NULL, "CONTAINER is a regular expression",
	  offsetof(struct delete_opts, regex), opt_flag },
};

static struct err *delete_matching(const struct ct_root *root, const char *pattern, bool force)
{
	OWN(strlist) struct strlist ids = { 0 };
	struct err *first = NULL;

	TRY(oci_match(root, pattern, &ids));
	for (size_t i = 0; i < ids.count; i++)
		first = err_first(first, ct_delete(root, ids.items[i], force));
	return first;
}

static struct err *delete_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct delete_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (!opts.regex)
		TRY(parse_container_id(args.items[0]));
	TRY(oci_root_open(oci_globals(call), &root));
	if (opts.regex)
		return delete_matching(&root, args.items[0], opts.force);
	return ct_delete(&root, args.items[0], opts.force);
}

const struct cmd oci_cmd_delete = {
	.name = "delete",
	.args = "CONTAINER",
	.summary = "remove a stopped container",
	.opts = OPT_TABLE(delete_opt_rows),
	.run = delete_run,
	.min_args = 1,
	.max_args = 1,
};
