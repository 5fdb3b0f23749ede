/* cella: the program as a table, its exit statuses, and what its commands share. */
#include "cli/vps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
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
	&vps_cmd_rebuild,
	&vps_cmd_start,
	&vps_cmd_stop,
	&vps_cmd_restart,
	&vps_cmd_suspend,
	&vps_cmd_resume,
	&vps_cmd_set,
	&vps_cmd_status,
	&vps_cmd_list,
	&vps_cmd_vzlist,
	&vps_cmd_show,
	&vps_cmd_exec,
	&vps_cmd_enter,
	&vps_cmd_console,
	&vps_cmd_top,
	&vps_cmd_stats,
	&vps_cmd_events,
	&vps_cmd_metrics,
	&vps_cmd_why,
	&vps_cmd_runscript,
	&vps_cmd_register,
	&vps_cmd_unregister,
	&vps_cmd_check_config,
	&vps_cmd_doctor,
	&vps_cmd_traffic,
	&vps_cmd_template,
	&vps_cmd_snapshot,
	&vps_cmd_snapshot_list,
	&vps_cmd_snapshot_switch,
	&vps_cmd_snapshot_delete,
	&vps_cmd_snapshot_mount,
	&vps_cmd_snapshot_umount,
	&vps_cmd_clone,
	&vps_cmd_convert,
	&vps_cmd_backup,
	&vps_cmd_backup_list,
	&vps_cmd_backup_verify,
	&vps_cmd_restore_backup,
	&vps_cmd_export,
	&vps_cmd_import,
	&vps_cmd_migrate,
	&vps_cmd_migrate_resolve,
	/* not listed by --help */
	&vps_cmd_exec2,
	&vps_cmd_delete,
	&vps_cmd_completion,
	&vps_cmd_tables,
	&vps_cmd_monitor_end,
	&vps_cmd_monitor_look,
	&vps_cmd_migrate_receive,
};

const struct program vps_program = {
	.name = "cella",
	.summary = "Virtual private servers on one Linux kernel.",
	.opts = OPT_TABLE(global_rows),
	.cmds = cmds,
	.cmd_count = ARRAY_SIZE(cmds),
	.list_names = "cella list --names",
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
	[ERR_KIND_COUNT + 3] = { 8, "called as vzctl: the command of exec failed" },
	[ERR_KIND_COUNT + 4] = { 78, "the address is another VPS's" },
	[ERR_KIND_COUNT + 5] = { 79, "an action script failed" },
	[ERR_KIND_COUNT + 6] = { 91, "there is no such template" },
};
enum {
	EXIT_LOCKED = 9,
	EXIT_NOT_RUNNING = 31,
	EXIT_RUNNING = 32,
	EXIT_ADDRESS_TAKEN = 78,
	EXIT_SCRIPT = 79,
	EXIT_NO_TEMPLATE = 91
};

/* What a kind of error means depends on what was wanted. */
static const struct kind_row {
	const struct cmd *cmd;
	enum err_kind kind;
	int status;
} kind_rows[] = {
	{ &vps_cmd_start, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_destroy, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_delete, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_rebuild, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_unregister, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_snapshot_switch, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_convert, ERR_STATE, EXIT_RUNNING },
	{ &vps_cmd_stop, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_exec, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_exec2, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_enter, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_stats, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_runscript, ERR_STATE, EXIT_NOT_RUNNING },
	{ &vps_cmd_create, ERR_NOT_FOUND, EXIT_NO_TEMPLATE },
	{ &vps_cmd_set, ERR_EXISTS, EXIT_ADDRESS_TAKEN },
	{ &vps_cmd_start, ERR_EXISTS, EXIT_ADDRESS_TAKEN },
	{ &vps_cmd_start, ERR_PEER, EXIT_SCRIPT },
	{ &vps_cmd_restart, ERR_PEER, EXIT_SCRIPT },
};

int vps_exit_status(const struct cmd *cmd, const struct err *err)
{
	if (err_errno(err) == EBUSY)
		return EXIT_LOCKED;
	for (size_t i = 0; i < ARRAY_SIZE(kind_rows); i++)
		if (kind_rows[i].kind == err_kind(err) && kind_rows[i].cmd == cmd)
			return kind_rows[i].status;
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

void vps_warn_problem(const struct vps_info *info)
{
	if (info->problem)
		vps_warn_damaged(info->name, info->problem);
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
