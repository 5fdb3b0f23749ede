/* cella-oci checkpoint and restore: their options. */
#include "cli/oci_criu.h"

static const char *const cgroup_modes[] = { [CR_CGROUPS_SOFT] = "soft",
					    [CR_CGROUPS_FULL] = "full",
					    [CR_CGROUPS_STRICT] = "strict",
					    [CR_CGROUPS_IGNORE] = "ignore",
					    NULL };
/* the first is what nobody names */
static const char *const network_locks[] = { [CR_LOCK_DEFAULT] = "default",
					     [CR_LOCK_IPTABLES] = "iptables",
					     [CR_LOCK_NFTABLES] = "nftables",
					     [CR_LOCK_SKIP] = "skip",
					     NULL };

static struct err *refuse_lazy(const struct opt *opt, const char *text, void *field)
{
	(void)text;
	(void)field;
	return err_new(ERR_UNSUPPORTED,
		       "%s: pages that are fetched later are lost with their source, and CRIU "
		       "gives them to whoever connects first; use --pre-dump",
		       opt_label(opt).text);
}

/* clang-format off */
#define CR(name) offsetof(type, cr.name)
#define SHARED_ROWS \
	{ "image-path", 0, "DIR", "the images (default: ./checkpoint)", CR(image_path), opt_path }, \
	{ "work-path", 0, "DIR", "CRIU's log (default: with the images)", CR(work_path), opt_path }, \
	{ "tcp-established", 0, NULL, "connections that are open", CR(tcp_established), opt_flag }, \
	{ "ext-unix-sk", 0, NULL, "UNIX sockets to the outside", CR(ext_unix_sk), opt_flag }, \
	{ "shell-job", 0, NULL, "a session led from outside", CR(shell_job), opt_flag }, \
	{ "file-locks", 0, NULL, "file locks", CR(file_locks), opt_flag }, \
	{ "manage-cgroups-mode", 0, "MODE", "soft (default), full, strict or ignore", CR(cgroups), opt_choice, cgroup_modes }, \
	{ "network-lock", 0, "METHOD", "iptables, nftables or skip (default: CRIU's)", CR(network_lock), opt_choice, network_locks }, \
	{ "empty-ns", 0, "NAMESPACE", "leave it empty: network", offsetof(type, empty_ns), opt_strlist }, \
	{ "auto-dedup", 0, NULL, "drop pages that are in later images", CR(auto_dedup), opt_flag }, \
	{ "lazy-pages", 0, NULL, "refused", 0, refuse_lazy }

#define type struct checkpoint_opts
static const struct opt checkpoint_opt_rows[] = {
	SHARED_ROWS,
	{ "leave-running", 0, NULL, "let it run on", CR(leave_running), opt_flag },
	{ "pre-dump", 0, NULL, "memory only, and let it run on", CR(pre_dump), opt_flag },
	{ "parent-path", 0, "DIR", "earlier images, relative to the new ones", CR(parent_path), opt_path },
	{ "page-server", 0, "ADDRESS:PORT", "send memory to a criu page-server", offsetof(type, page_server), opt_path },
	{ "tcp-skip-in-flight", 0, NULL, "leave out half-open connections", CR(tcp_skip_in_flight), opt_flag },
	{ "link-remap", 0, NULL, "keep deleted files by links", CR(link_remap), opt_flag },
	{ "status-fd", 0, "N", "refused, as it belongs to --lazy-pages", 0, refuse_lazy },
};
#undef type
#define type struct restore_opts
static const struct opt restore_opt_rows[] = {
	SHARED_ROWS,
	{ "bundle", 'b', "DIR", "directory with config.json (default: .)", offsetof(type, create.bundle), opt_path },
	{ "detach", 'd', NULL, "return when the container runs", offsetof(type, detach), opt_flag },
	{ "pid-file", 0, "FILE", "write the process id to this file", offsetof(type, create.io.pid_file), opt_path },
	{ "console-socket", 0, "SOCKET", "send the terminal's master to this socket", offsetof(type, create.io.console_socket), opt_path },
	{ "tcp-close", 0, NULL, "end connections that were open", CR(tcp_close), opt_flag },
	{ "lsm-profile", 0, "TYPE:NAME", "apparmor:NAME or selinux:LABEL instead", CR(lsm_profile), opt_path },
	{ "lsm-mount-context", 0, "CONTEXT", "SELinux context of mounts instead", CR(lsm_mount_context), opt_path },
	{ "no-pivot", 0, NULL, "accepted, no effect", 0, opt_ignored },
	{ "no-subreaper", 0, NULL, "accepted, no effect", 0, opt_ignored },
};
#undef type
/* clang-format on */

const struct cmd oci_cmd_checkpoint = {
	.name = "checkpoint",
	.args = "CONTAINER",
	.summary = "write a running container to images",
	.opts = OPT_TABLE(checkpoint_opt_rows),
	.run = oci_checkpoint_run,
	.min_args = 1,
	.max_args = 1,
};

const struct cmd oci_cmd_restore = {
	.name = "restore",
	.args = "CONTAINER",
	.summary = "make a running container of images",
	.opts = OPT_TABLE(restore_opt_rows),
	.run = oci_restore_run,
	.min_args = 1,
	.max_args = 1,
};
