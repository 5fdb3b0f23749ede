/* cella completion and tables: the program's own tables as text, for `make install`, the manual's
 * lint and shells. */
#include "cli/table.h"
#include "cli/vps.h"

static struct err *completion_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(buf) struct buf text = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(completion_script(call->program, args.items[0], &text));
	return out_text(text.data, text.len);
}

const struct cmd vps_cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|list",
	.run = completion_run,
	.min_args = 1,
	.max_args = 1,
};

static struct err *tables_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(buf) struct buf text = { 0 };
	const char *name, *meaning;
	int status;

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	for (size_t i = 0; (name = vps_conf_key(i, &meaning)); i++)
		TRY(buf_format(&text, "key\t%s\t%s\n", name, meaning));
	for (size_t i = 0; (meaning = vps_exit_meaning(i, &status)); i++)
		TRY(buf_format(&text, "status\t%d\t%s\n", status, meaning));
	return out_text(text.data, text.len);
}

const struct cmd vps_cmd_tables = {
	.name = "tables",
	.run = tables_run,
};
