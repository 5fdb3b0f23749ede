/* The work of what needs libarchive or ncurses by the program that is made for it; see
 * vps_template.h. */
#include <errno.h>
#include <unistd.h>

#include "cli/vps_backup.h"
#include "cli/vps_import.h"
#include "cli/vps_migrate.h"
#include "cli/vps_template.h"
#include "cli/vps_top.h"

static struct err *run_elsewhere(const struct cmd_call *call)
{
	static const char program[] = CELLA_LIBEXECDIR "/cella-template";

	execv(program, call->full_argv);
	return err_sys(errno, "run %s", program);
}

struct err *vps_template_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_backup_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_backup_verify_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_export_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_import_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_restore_backup_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_migrate_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_migrate_resolve_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_migrate_receive_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}

struct err *vps_top_run(const struct cmd_call *call, int *ret_status)
{
	(void)ret_status;
	return run_elsewhere(call);
}
