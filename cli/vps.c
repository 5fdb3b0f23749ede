/* cella: the program as a table, its exit statuses, and what its commands share. */
#include "cli/vps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"

static const struct opt global_rows[] = {
	{ "verbose", 'v', NULL, "say more", offsetof(struct vps_globals, verbose), opt_flag },
	{ "quiet", 'q', NULL, "say nothing but errors", offsetof(struct vps_globals, quiet),
	  opt_flag },
	{ "version", 'V', NULL, "print the version", offsetof(struct vps_globals, version),
	  opt_flag },
};

static const struct cmd *const cmds[] = {
	&vps_cmd_create,
	&vps_cmd_destroy,
	&vps_cmd_start,
	&vps_cmd_stop,
	&vps_cmd_status,
	&vps_cmd_list,
	&vps_cmd_show,
	&vps_cmd_exec,
	&vps_cmd_enter,
	&vps_cmd_console,
	&vps_cmd_top,
	&vps_cmd_stats,
	&vps_cmd_events,
	&vps_cmd_metrics,
	&vps_cmd_why,
	&vps_cmd_traffic,
	&vps_cmd_template,
	/* not listed by --help */
	&vps_cmd_exec2,
	&vps_cmd_delete,
	&vps_cmd_completion,
	&vps_cmd_tables,
	&vps_cmd_monitor_end,
};

const struct program vps_program = {
	.name = "cella",
	.summary = "Virtual private servers on one Linux kernel.",
	.opts = OPT_TABLE(global_rows),
	.cmds = cmds,
	.cmd_count = ARRAY_SIZE(cmds),
};

/* vzctl's numbers, which panels test. The kinds of error come first, in their order; commands
 * refine below. */
static const struct exit_row {
	int status;
	const char *meaning;
} exit_rows[] = {
	[ERR_SYS] = { 1, "a system call failed" },
	[ERR_INVALID] = { 20, "a wrong option or value" },
	[ERR_NOT_FOUND] = { 14, "there is no such VPS or template" },
	[ERR_EXISTS] = { 44, "there is one of this name or address already" },
	[ERR_STATE] = { 3, "not in this state" },
	[ERR_UNSUPPORTED] = { 5, "this host cannot do it" },
	[ERR_PEER] = { 7, "the other process failed" },
	[ERR_KIND_COUNT] = { 9, "another command holds the VPS" },
	[ERR_KIND_COUNT + 1] = { 31, "the VPS is not running" },
	[ERR_KIND_COUNT + 2] = { 32, "the VPS is running" },
};
enum { EXIT_LOCKED = 9, EXIT_NOT_RUNNING = 31, EXIT_RUNNING = 32 };

/* What ERR_STATE means depends on what was wanted. */
static const struct state_row {
	const struct cmd *cmd;
	int status;
} state_rows[] = {
	{ &vps_cmd_start, EXIT_RUNNING },     { &vps_cmd_destroy, EXIT_RUNNING },
	{ &vps_cmd_delete, EXIT_RUNNING },    { &vps_cmd_stop, EXIT_NOT_RUNNING },
	{ &vps_cmd_exec, EXIT_NOT_RUNNING },  { &vps_cmd_exec2, EXIT_NOT_RUNNING },
	{ &vps_cmd_enter, EXIT_NOT_RUNNING }, { &vps_cmd_stats, EXIT_NOT_RUNNING },
};

int vps_exit_status(const struct cmd *cmd, const struct err *err)
{
	if (err_errno(err) == EBUSY)
		return EXIT_LOCKED;
	for (size_t i = 0; i < ARRAY_SIZE(state_rows); i++)
		if (err_kind(err) == ERR_STATE && state_rows[i].cmd == cmd)
			return state_rows[i].status;
	return exit_rows[err_kind(err)].status;
}

const char *vps_exit_meaning(size_t i, int *ret_status)
{
	if (i >= ARRAY_SIZE(exit_rows))
		return NULL;
	*ret_status = exit_rows[i].status;
	return exit_rows[i].meaning;
}

struct err *vps_say(const struct cmd_call *call, const char *fmt, ...)
{
	va_list args;

	if (vps_globals(call)->quiet)
		return NULL;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return fflush(stdout) == 0 ? NULL : err_sys(errno, "write to standard output");
}

struct err *vps_print_json(struct json_out *out)
{
	OWN(str) char *text = NULL;
	OWN(buf) struct buf line = { 0 };

	TRY(json_out_take(out, &text));
	TRY(buf_format(&line, "%s%s", text,
		       str_eq(text, "") || text[strlen(text) - 1] != '\n' ? "\n" : ""));
	return out_text(line.data, line.len);
}

struct err *vps_addrs_text(const struct vps_conf *conf, struct buf *text)
{
	TRY(buf_add(text, "", 0));
	for (size_t i = 0; i < conf->addr_count; i++) {
		char addr[NET_ADDR_TEXT_MAX];

		net_addr_format(&conf->addrs[i], addr);
		TRY(buf_format(text, "%s%s", i ? " " : "", addr));
	}
	return NULL;
}
