/*
 * What a process does to itself between clone and execve: identity, privileges, limits, filters.
 * Each function is one step, usable by init and by exec alike, so that the second process of a
 * container is never less confined than the first. Private to runtime/.
 */
#ifndef RUNTIME_PROCESS_PROCESS_H
#define RUNTIME_PROCESS_PROCESS_H

#include "base/err.h"
#include "runtime/spec.h"

/* --- capabilities (caps.c; libcap) --- */
/* Drop the bounding set to sets->bounding and ask to keep capabilities over the uid change. */
MUST_CHECK struct err *process_drop_bounding(const struct cap_sets *sets);
/* After the uid change: permitted, effective, inheritable, ambient exactly as asked (what cannot be
 * granted: warning). */
MUST_CHECK struct err *process_set_caps(const struct cap_sets *sets);

/* --- identity (user.c) --- */
/* setgroups, setresgid, setresuid, umask; reads back and compares. rootless: setgroups may be
 * denied. */
MUST_CHECK struct err *process_set_user(const struct process_spec *process);
/* Resolve "user", "uid", "user:group", "uid:gid" against root_fd's /etc/passwd and /etc/group into
 * process->uid, gid, groups. */
MUST_CHECK struct err *process_lookup_user(int root_fd, const char *text,
					   struct process_spec *process);
/* Set HOME in process->env from the container's passwd when it is missing. */
MUST_CHECK struct err *process_set_home(int root_fd, struct process_spec *process);
/* Parsers behind it, for tests and fuzzing: bounded line and file lengths. */
struct passwd_entry {
	uid_t uid;
	gid_t gid;
	char *name, *home; /* owned */
};
void passwd_entry_release(struct passwd_entry *entry);
static inline __attribute__((unused)) void own_passwd_entry(struct passwd_entry *entry)
{
	passwd_entry_release(entry);
}
OWN_KIND(groups, gid_t *, free)
/* By name, or by *uid when name is NULL. ERR_NOT_FOUND; ERR_INVALID for a line of more than 32 KiB.
 */
MUST_CHECK struct err *passwd_find(const char *text, size_t len, const char *name, const uid_t *uid,
				   struct passwd_entry *ret_entry);
MUST_CHECK struct err *group_find(const char *text, size_t len, const char *name, gid_t *ret_gid);
MUST_CHECK struct err *group_list_of(const char *text, size_t len, const char *user,
				     gid_t **ret_groups, size_t *ret_count);
/* Add unless it is there; ERR_INVALID beyond what setgroups(2) takes. */
MUST_CHECK struct err *group_list_add(gid_t **groups, size_t *count, gid_t gid);

/* --- limits and scheduling (limits.c, sched.c) --- */
/* Before a clone into a user namespace, where nobody has the right to: raise our own hard limits to
 * those, for the child to inherit. What we may not raise either, process_set_rlimits() reports. */
void process_raise_rlimits(const struct rlimit_spec *limits, size_t count);
MUST_CHECK struct err *process_set_rlimits(const struct rlimit_spec *limits, size_t count);
/* pid 0: the caller. Without privilege a refused lower value leaves the old one and succeeds, as
 * callers expect. */
MUST_CHECK struct err *process_set_oom_score(pid_t pid, int value);
MUST_CHECK struct err *process_set_scheduler(const struct scheduler_spec *scheduler);
MUST_CHECK struct err *process_set_io_priority(int io_priority);
/* CPU list "0-3,7". NULL: every CPU that the cgroup allows. */
MUST_CHECK struct err *process_set_affinity(const char *cpus);
MUST_CHECK struct err *process_set_memory_policy(const struct memory_policy *policy);
MUST_CHECK struct err *process_set_personality(unsigned long personality);

/* --- seccomp (seccomp.c, seccomp_cache.c; libseccomp) --- */
struct seccomp_filter {
	struct sock_filter *insns; /* owned */
	size_t count;
	unsigned int flags;
	bool needs_listener;
};
void seccomp_filter_release(struct seccomp_filter *filter);
/* The compiled filter, from cache_dir_fd (-1: no cache) when an entry holds exactly this source,
 * else compiled and stored. A cache that cannot be read or written is not an error. */
MUST_CHECK struct err *seccomp_prepare(const struct seccomp_spec *spec, int cache_dir_fd,
				       struct seccomp_filter *ret_filter);
/* Install; *ret_listener_fd is -1 unless the filter has a notify action. */
MUST_CHECK struct err *seccomp_install(const struct seccomp_filter *filter, int *ret_listener_fd);
/* Names behind `features`: SCMP_ACT_*, SCMP_CMP_*, SCMP_ARCH_*, SECCOMP_FILTER_FLAG_*. ERR_INVALID
 * for unknown ones. */
MUST_CHECK struct err *seccomp_action_parse(const char *name, uint32_t *ret_action);
MUST_CHECK struct err *seccomp_op_parse(const char *name, int *ret_op);
MUST_CHECK struct err *seccomp_arch_parse(const char *name, uint32_t *ret_arch);
MUST_CHECK struct err *seccomp_flag_parse(const char *name, unsigned int *ret_flag);
/* i-th name of each table, NULL past the end. */
const char *seccomp_action_name(size_t i);
const char *seccomp_op_name(size_t i);
const char *seccomp_arch_name(size_t i);
const char *seccomp_flag_name(size_t i);

/* --- Linux security modules (lsm.c) --- */
/* Applied at the next execve. ERR_UNSUPPORTED when the kernel has no such module. */
MUST_CHECK struct err *process_set_apparmor(const char *profile);
bool lsm_has_selinux(void);
MUST_CHECK struct err *process_set_selinux(const char *label);

/* --- the rest --- */
MUST_CHECK struct err *process_join_keyring(const char *id,
					    const char *selinux_label); /* keyring.c */
/* sysctl.c: only namespaced ones, and only of namespaces that are the container's own. */
MUST_CHECK struct err *sysctl_check(const char *assignment, const struct ns_spec *ns,
				    bool has_hostname);
MUST_CHECK struct err *sysctl_apply(const struct strlist *assignments);
/* hooks.c: run each in order with the state JSON on its standard input; timeouts kill. Stops at the
 * first failure. */
MUST_CHECK struct err *hooks_run(const struct hook_list *hooks, enum hook_kind kind,
				 const char *state_json);
/* Poststop: failures are warnings and the next one runs. */
void hooks_run_all(const struct hook_list *hooks, enum hook_kind kind, const char *state_json);
/* terminal.c: make the pty slave the controlling terminal and descriptors 0-2. */
MUST_CHECK struct err *process_attach_terminal(int slave_fd);
/* null.c: a /dev/null of the caller's among 0-2 becomes the container's. After the pivot. */
MUST_CHECK struct err *process_reopen_null(void);
/* process.consoleSize; before anybody else has the master, as they may set a size of their own. */
MUST_CHECK struct err *process_size_terminal(int tty_fd, const struct process_spec *process);
/* Give descriptors 0-2 to the process's user, where they are pipes or its own terminal: /dev/stdout
 * can then be opened. Done by process_set_user(). */
MUST_CHECK struct err *process_own_stdio(const struct process_spec *process);
/* cwd.c: chdir inside the container and check that it is really inside (CVE-2024-21626). Made when
 * missing. */
MUST_CHECK struct err *process_enter_cwd(const char *cwd);
/* fds.c: close-on-exec for everything but 0-2 and first_kept..first_kept+count-1. */
MUST_CHECK struct err *process_seal_fds(unsigned int preserve_fds);
/* exec.c: find args[0] along PATH inside the container; error texts "executable file not found in
 * $PATH" and "permission denied" are what podman maps to 127 and 126. *ret_path owned. */
MUST_CHECK struct err *process_find_program(const struct process_spec *process, char **ret_path);
/* Everything of the above in the one right order; only returns on error. seccomp last. */

#endif
