/*
 * What the commands of cella-oci share: global options, and the way from them to the engine's
 * inputs. Each command is a value in oci_VERB.c; oci.c lists them. No mechanism here: parse, call
 * the engine, print.
 */
#ifndef CLI_OCI_H
#define CLI_OCI_H

#include <stdbool.h>

#include "cli/cmd.h"
#include "runtime/runtime.h"

enum oci_rootless { ROOTLESS_TRUE, ROOTLESS_FALSE, ROOTLESS_AUTO };
enum oci_manager { MANAGER_CGROUPFS, MANAGER_SYSTEMD, MANAGER_DISABLED };

struct oci_globals {
	const char *root; /* NULL: chosen by oci_root_open() */
	const char *log;  /* NULL: standard error */
	int log_format;	  /* enum log_format */
	int log_level;	  /* enum log_level */
	bool debug, systemd_cgroup, version;
	int manager;  /* enum oci_manager */
	int rootless; /* enum oci_rootless */
};
extern const struct oci_globals oci_globals_default;
extern const struct program oci_program;

extern const struct cmd oci_cmd_create, oci_cmd_start, oci_cmd_state, oci_cmd_kill, oci_cmd_delete,
	oci_cmd_run, oci_cmd_exec, oci_cmd_list, oci_cmd_ps, oci_cmd_pause, oci_cmd_resume,
	oci_cmd_update, oci_cmd_events, oci_cmd_spec, oci_cmd_features, oci_cmd_properties,
	oci_cmd_completion, oci_cmd_checkpoint, oci_cmd_restore;

static inline const struct oci_globals *oci_globals(const struct cmd_call *call)
{
	return call->global;
}

/* Log target, format and level as the global options say. Errors: the log file cannot be opened. */
MUST_CHECK struct err *oci_log_setup(const struct oci_globals *globals);

/*
 * The state directory: --root, else /run/cella-oci, else (when that is not ours to write: rootless)
 * $XDG_RUNTIME_DIR/cella-oci.
 */
MUST_CHECK struct err *oci_root_open(const struct oci_globals *globals, struct ct_root *ret_root);

/* A command with exactly one argument, a container's id: parsed, checked, root opened. */
struct oci_target {
	struct ct_root root;
	struct opt_args args;
	const char *id; /* borrowed from args */
};
#define OCI_TARGET_INIT              \
	{                            \
		.root = CT_ROOT_INIT \
	}
void oci_target_release(struct oci_target *target);
static inline __attribute__((unused)) void own_oci_target(struct oci_target *target)
{
	oci_target_release(target);
}
/* opts: the command's struct. The first argument is the id, checked before any path is made of it.
 */
MUST_CHECK struct err *oci_target_parse(const struct cmd_call *call, void *opts,
					struct oci_target *ret_target);

/* Ids that match an extended regular expression, sorted. */
MUST_CHECK struct err *oci_match(const struct ct_root *root, const char *pattern,
				 struct strlist *ret_ids);

/* Whole text of FILE, or of standard input for "-". */
MUST_CHECK struct err *oci_read_input(const char *path, struct buf *text);

/* --- create and run ------------------------------------------------------------------------- */

struct oci_create_opts {
	const char *bundle, *config;
	struct ct_io io;
	bool no_pivot, no_new_keyring, keep;
};
/* Rows that create and run share, for their tables. */
/* clang-format off */
#define OCI_IO_ROWS(type, member)                                                                  \
	{ "console-socket", 0, "SOCKET", "send the terminal's master to this socket",              \
	  offsetof(type, member.console_socket), opt_path },                                       \
	{ "pid-file", 0, "FILE", "write the process id to this file",                              \
	  offsetof(type, member.pid_file), opt_path },                                             \
	{ "pidfd-socket", 0, "SOCKET", "send a pidfd of the process to this socket",               \
	  offsetof(type, member.pidfd_socket), opt_path },                                         \
	{ "preserve-fds", 0, "N", "pass this many descriptors from 3 on",                          \
	  offsetof(type, member.preserve_fds), opt_u32 }
#define OCI_CREATE_ROWS                                                                            \
	{ "bundle", 'b', "DIR", "directory with config.json (default: .)",                         \
	  offsetof(struct oci_create_opts, bundle), opt_path },                                    \
	{ "config", 'f', "FILE", "configuration instead of config.json",                           \
	  offsetof(struct oci_create_opts, config), opt_path },                                    \
	OCI_IO_ROWS(struct oci_create_opts, io),                                                   \
	{ "no-pivot", 0, NULL, "chroot instead of pivot_root (ramdisk)",                           \
	  offsetof(struct oci_create_opts, no_pivot), opt_flag },                                  \
	{ "no-new-keyring", 0, NULL, "keep the caller's session keyring",                          \
	  offsetof(struct oci_create_opts, no_new_keyring), opt_flag },                            \
	{ "no-subreaper", 0, NULL, "accepted, no effect", 0, opt_ignored }
/* clang-format on */

/* What the engine is asked for, with what it borrows. */
struct oci_request {
	struct ct_create create;
	struct spec spec;
	struct buf config;
	char *bundle;
};
void oci_request_release(struct oci_request *request);
static inline __attribute__((unused)) void own_oci_request(struct oci_request *request)
{
	oci_request_release(request);
}
/* Read opts->bundle's configuration. ret_request is not to be moved: its parts point to it. */
MUST_CHECK struct err *oci_request_read(const struct cmd_call *call,
					const struct oci_target *target,
					const struct oci_create_opts *opts,
					struct oci_request *ret_request);

/* Create opts->bundle's container; now: release its program at once. */
MUST_CHECK struct err *oci_create(const struct cmd_call *call, const struct oci_target *target,
				  const struct oci_create_opts *opts, bool now,
				  struct ct_started *ret_started);
/* Count what LISTEN_FDS says into io->preserve_fds, check that all those descriptors are open, and
 * add the variables that tell the program about them to env. */
MUST_CHECK struct err *oci_pass_fds(struct ct_io *io, struct strlist *env);

static inline __attribute__((unused)) void own_ct_started(struct ct_started *started)
{
	own_fd(&started->pidfd);
	own_fd(&started->master_fd);
	own_fd(&started->notify_fd);
}
#define CT_STARTED_INIT                                       \
	{                                                     \
		.pidfd = -1, .master_fd = -1, .notify_fd = -1 \
	}

#endif
