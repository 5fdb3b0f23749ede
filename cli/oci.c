/* The table of cella-oci's commands and global options, and what several commands need. */
#include "cli/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"

static const char *const log_formats[] = { [LOG_TEXT] = "text", [LOG_JSON] = "json", NULL };
static const char *const log_levels[] = { [LOG_LEVEL_DEBUG] = "debug",
					  [LOG_LEVEL_WARNING] = "warning",
					  [LOG_LEVEL_ERROR] = "error",
					  NULL };
static const char *const managers[] = { [MANAGER_CGROUPFS] = "cgroupfs",
					[MANAGER_SYSTEMD] = "systemd",
					[MANAGER_DISABLED] = "disabled",
					NULL };
static const char *const rootless_words[] = {
	[ROOTLESS_TRUE] = "true", [ROOTLESS_FALSE] = "false", [ROOTLESS_AUTO] = "auto", NULL
};

#define FIELD(name) offsetof(struct oci_globals, name)
/* clang-format off */
static const struct opt global_opts[] = {
	{ "root", 0, "DIR", "where state lies (default: /run/cella-oci)", FIELD(root), opt_path },
	{ "log", 0, "FILE", "log to file:FILE, journald:NAME or syslog:NAME", FIELD(log), opt_path },
	{ "log-format", 0, "FORMAT", "text or json", FIELD(log_format), opt_choice, log_formats },
	{ "log-level", 0, "LEVEL", "debug, warning or error", FIELD(log_level), opt_choice, log_levels },
	{ "debug", 0, NULL, "the same as --log-level=debug", FIELD(debug), opt_flag },
	{ "systemd-cgroup", 0, NULL, "let systemd make the control groups", FIELD(systemd_cgroup), opt_flag },
	{ "cgroup-manager", 0, "MANAGER", "cgroupfs, systemd or disabled", FIELD(manager), opt_choice, managers },
	{ "rootless", 0, "WHEN", "true, false or auto (default): where state lies", FIELD(rootless), opt_choice, rootless_words },
	{ "version", 'v', NULL, "print the version and the specification's", FIELD(version), opt_flag },
};

const struct oci_globals oci_globals_default = {
	.log_format = LOG_TEXT,
	.log_level = LOG_LEVEL_WARNING,
	.manager = MANAGER_CGROUPFS,
	.rootless = ROOTLESS_AUTO,
};

static const struct cmd *const cmds[] = {
	&oci_cmd_create, &oci_cmd_start,  &oci_cmd_run,    &oci_cmd_exec,
	&oci_cmd_kill,	 &oci_cmd_delete, &oci_cmd_pause,  &oci_cmd_resume,
	&oci_cmd_update, &oci_cmd_state,  &oci_cmd_list,   &oci_cmd_ps,
	&oci_cmd_checkpoint, &oci_cmd_restore,
	&oci_cmd_events, &oci_cmd_spec,	  &oci_cmd_features,
	&oci_cmd_properties, &oci_cmd_completion,
};
/* clang-format on */

const struct program oci_program = {
	.name = "cella-oci",
	.summary = "Runs containers as the OCI runtime specification describes them.",
	.opts = OPT_TABLE(global_opts),
	.cmds = cmds,
	.cmd_count = ARRAY_SIZE(cmds),
	.list_names = "cella-oci list --quiet",
};

/* Only root in a place where /run is its own: the root of a rootless user namespace may not write
 * there. */
static bool uses_run_directory(int rootless)
{
	if (rootless != ROOTLESS_AUTO)
		return rootless == ROOTLESS_FALSE;
	return geteuid() == 0 && access("/run", W_OK) == 0;
}

struct err *oci_root_open(const struct oci_globals *globals, struct ct_root *ret_root)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	OWN(str) char *path = NULL;

	if (globals->root)
		return ct_root_open(globals->root, ret_root);
	if (uses_run_directory(globals->rootless))
		return ct_root_open("/run/cella-oci", ret_root);
	/* podman passes it empty when it has none */
	if (!runtime_dir || !*runtime_dir)
		return err_new(ERR_INVALID,
			       "nowhere to keep state: give --root, or set XDG_RUNTIME_DIR");
	TRY(str_format(&path, "%s/cella-oci", runtime_dir));
	return ct_root_open(path, ret_root);
}

void oci_target_release(struct oci_target *target)
{
	ct_root_release(&target->root);
	opt_args_release(&target->args);
}

struct err *oci_target_parse(const struct cmd_call *call, void *opts, struct oci_target *ret_target)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;

	TRY(cmd_parse(call, opts, &target.args));
	target.id = target.args.items[0];
	TRY(parse_container_id(target.id));
	TRY(oci_root_open(oci_globals(call), &target.root));
	*ret_target = target;
	target = (struct oci_target)OCI_TARGET_INIT;
	return NULL;
}

struct err *oci_match(const struct ct_root *root, const char *pattern, struct strlist *ret_ids)
{
	OWN(strlist) struct strlist ids = { 0 };
	regex_t regex;
	char why[128];
	int bad = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
	struct err *err = NULL;

	if (bad) {
		regerror(bad, &regex, why, sizeof(why));
		return err_new(ERR_INVALID, "regular expression '%.64s': %s", pattern, why);
	}
	err = ct_list(root, &ids);
	for (size_t i = 0; !err && i < ids.count; i++)
		if (regexec(&regex, ids.items[i], 0, NULL, 0) == 0)
			err = strlist_add(ret_ids, ids.items[i]);
	regfree(&regex);
	return err;
}

struct err *oci_read_input(const char *path, struct buf *text)
{
	OWN(fd) int fd = -1;

	if (str_eq(path, "-"))
		return fd_read_all(STDIN_FILENO, "standard input", JSON_TEXT_MAX, text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open %s", path);
	return fd_read_all(fd, path, JSON_TEXT_MAX, text);
}
