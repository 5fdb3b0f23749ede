/*
 * The engine: turns a struct spec into isolated processes and keeps their state. Both faces,
 * cella-oci and cella, call these functions and nothing below them. How a container comes to life
 * is drawn in steps.h.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"
#include "cgroups/cgroups.h"
#include "runtime/spec.h"

enum ct_status { CT_CREATING, CT_CREATED, CT_RUNNING, CT_PAUSED, CT_STOPPED, CT_STATUS_COUNT };
const char *ct_status_name(enum ct_status status);

/* What ROOT/ID/state.json holds, plus the live status. */
struct ct_state {
	char *id, *bundle, *rootfs; /* owned, like all strings here */
	char *oci_version;
	pid_t pid;		  /* init on the host; 0 once stopped */
	uint64_t pid_start_ticks; /* against pid reuse */
	uint64_t pidfd_inode;	  /* the same and cheaper to compare; 0: none, Linux < 6.9 */
	struct timespec created;
	uid_t owner;
	char *cgroup_path, *scope; /* NULL: none */
	enum cgroup_driver driver;
	bool has_process, own_pid_ns;
	uint64_t namespaces;	    /* CLONE_NEW* of what is not the host's, new or joined */
	struct strlist annotations; /* "key=value" */
	struct hook_list hooks[HOOK_KIND_COUNT]; /* poststart and poststop */
	char *rdt_group;			 /* resctrl directory to remove, NULL: none */
	char *notify_socket;   /* host NOTIFY_SOCKET given at create, for the relay */
	enum ct_status status; /* as seen when it was loaded */
};

void ct_state_release(struct ct_state *state);
static inline __attribute__((unused)) void own_ct_state(struct ct_state *state)
{
	ct_state_release(state);
}
/* A pidfd of init; ERR_NOT_FOUND when it has ended. */
MUST_CHECK struct err *ct_open_init(const struct ct_state *state, int *ret_pidfd);
/* The OCI state object:
 * {"ociVersion","id","pid","status","bundle","rootfs","created","owner","annotations"}. Owned. */
MUST_CHECK struct err *ct_state_json(const struct ct_state *state, bool pretty, char **ret_text);

/* A place where containers' state lies, e.g. /run/cella-oci; made when missing (0700). */
struct ct_root {
	int dir_fd;
	char *path;
};
#define CT_ROOT_INIT         \
	{                    \
		.dir_fd = -1 \
	}
MUST_CHECK struct err *ct_root_open(const char *path, struct ct_root *ret_root);
void ct_root_release(struct ct_root *root);
static inline __attribute__((unused)) void own_ct_root(struct ct_root *root)
{
	ct_root_release(root);
}

/* ERR_NOT_FOUND: "container ID does not exist". */
MUST_CHECK struct err *ct_load(const struct ct_root *root, const char *id,
			       struct ct_state *ret_state);
/* Names of all containers, sorted. */
MUST_CHECK struct err *ct_list(const struct ct_root *root, struct strlist *ret_ids);

/* How the caller wants the processes of create, run and exec wired. Zero plus -1 descriptors is
 * usable. */
struct ct_io {
	const char *console_socket; /* receives the pty master when process.terminal and detached */
	const char *pidfd_socket;
	const char *pid_file;
	unsigned int preserve_fds; /* 3..3+N-1 stay open */
	bool detach;		   /* exec: return when the program runs; run: likewise */
};

/*
 * Somebody who wires the container's network while init waits: embed it as the first member of your
 * own struct. run: called in the host once the namespaces exist; pid and pidfd are init's,
 * borrowed. undo: after a later failure; may be NULL.
 */
struct ct_wire {
	struct err *(*run)(const struct ct_wire *wire, pid_t pid, int pidfd);
	void (*undo)(const struct ct_wire *wire);
};

struct ct_create {
	const char *id;
	const char *bundle; /* absolute */
	const struct spec *spec;
	const char *config_text; /* kept in the state directory for exec; NULL: none */
	size_t config_len;
	struct ct_io io;
	bool no_pivot, no_new_keyring;
	bool run_now; /* release the program at once (run, VPS start): one process pair, no wait */
	/* NULL: nobody. ct_adopt(): run when all processes are there and none runs */
	const struct ct_wire *wire;
	const char *cgroup_prefix; /* parent of derived cgroup paths; NULL: "cella-oci" */
	const char *notify_socket; /* host NOTIFY_SOCKET to relay to; NULL: none */
	int root_tree_fd; /* as in struct rootfs_env; borrowed; 0: what lies at the root's path */
};

struct ct_started {
	pid_t pid;
	int pidfd;     /* owned by the caller; our child only when run_now */
	int master_fd; /* run_now without console_socket and with a terminal: the pty master, else
			  -1 */
	int notify_fd; /* run_now, not detached, with a notify socket: the container's, else -1 */
	const char *notify_socket; /* the host's, borrowed from the request */
};

/*
 * Somebody else who makes the processes of a container, in the place that the engine has prepared:
 * CRIU at a restore. Embed it as the first member of your own struct.
 *
 * spawn: start a process that waits, pid *ret_pid; it is put into the container's cgroup then.
 * make:  let it make the processes. It calls ct_adopt_namespaces() when they are not yet built and
 *        ct_adopt_init() when they are and none runs, then lets them run. The first one becomes a
 *        child of this process. *ret_master_fd: the pty master if the engine's caller keeps it.
 * stop:  the end, in success and failure: nothing of its own is left. Never fails, warns.
 */
struct ct_adoption;
struct ct_maker {
	struct err *(*spawn)(struct ct_maker *maker, pid_t *ret_pid);
	struct err *(*make)(struct ct_maker *maker, struct ct_adoption *adoption,
			    int *ret_master_fd);
	void (*stop)(struct ct_maker *maker);
};
/* prestart and createRuntime hooks, with the state of pid. */
MUST_CHECK struct err *ct_adopt_namespaces(struct ct_adoption *adoption, pid_t pid);
/* pid is the container's first process from now on: it is in the state file and the pid file. */
MUST_CHECK struct err *ct_adopt_init(struct ct_adoption *adoption, pid_t pid);
/* Like ct_create() with run_now, but maker makes the processes. On failure nothing is left. */
MUST_CHECK struct err *ct_adopt(const struct ct_root *root, const struct ct_create *request,
				struct ct_maker *maker, struct ct_started *ret_started);

/* A running or paused container that no other command changes or deletes meanwhile. */
struct ct_hold {
	struct ct_state state;
	struct spec spec;     /* of the config.json that was kept */
	struct cgroup cgroup; /* dir_fd -1: none */
	int lock_fd;
};
#define CT_HOLD_INIT                                 \
	{                                            \
		.cgroup = CGROUP_INIT, .lock_fd = -1 \
	}
/* own: for a container without a kept config.json, emptied; NULL: it has one. ERR_STATE: it does
 * not run. */
MUST_CHECK struct err *ct_hold(const struct ct_root *root, const char *id, struct spec *own,
			       struct ct_hold *ret_hold);
void ct_hold_release(struct ct_hold *hold);
static inline __attribute__((unused)) void own_ct_hold(struct ct_hold *hold)
{
	ct_hold_release(hold);
}

/* NOTIFY_SOCKET as a program in a container with a notify socket has to see it. */
MUST_CHECK struct err *notify_add_env(struct strlist *env);
/* create, or create and start with run_now. On failure nothing is left. */
MUST_CHECK struct err *ct_create(const struct ct_root *root, const struct ct_create *request,
				 struct ct_started *ret_started);
/* Release a created container; runs poststart hooks; their failure ends and deletes it (spec 1.3).
 */
MUST_CHECK struct err *ct_start(const struct ct_root *root, const char *id);
/* all: every process of the cgroup. ERR_STATE on a stopped one. */
MUST_CHECK struct err *ct_kill(const struct ct_root *root, const char *id, int signum, bool all);
/* Undo every step and run poststop hooks. force: SIGKILL first, and a missing container is success.
 * Also repairs what a killed create left behind. */
MUST_CHECK struct err *ct_delete(const struct ct_root *root, const char *id, bool force);
MUST_CHECK struct err *ct_pause(const struct ct_root *root, const char *id);
MUST_CHECK struct err *ct_resume(const struct ct_root *root, const char *id);
MUST_CHECK struct err *ct_update(const struct ct_root *root, const char *id,
				 const struct cgroup_spec *changes);
MUST_CHECK struct err *ct_pids(const struct ct_root *root, const char *id, pid_t **ret_pids,
			       size_t *ret_count);
MUST_CHECK struct err *ct_stats(const struct ct_root *root, const char *id,
				struct cgroup_stats *ret_stats);

struct ct_exec {
	const char *id;
	const char *process_text; /* JSON process object; NULL: the container's process with the
				     overrides below */
	size_t process_len;
	const char *const *args;
	const char *cwd, *user;	    /* NULL: the container's */
	const struct strlist *env;  /* added */
	const struct strlist *caps; /* added to every set */
	const gid_t *groups;
	size_t group_count;
	const char *apparmor, *selinux_label;
	const char *cgroup_below; /* sub-cgroup of the container's, NULL: its own */
	struct spec *spec; /* the container's own, for one without a kept config.json; emptied */
	bool tty, no_new_privs, ignore_paused;
	struct ct_io io;
};

/* Start a process in a running container; same confinement as its init. */
MUST_CHECK struct err *ct_exec(const struct ct_root *root, const struct ct_exec *request,
			       struct ct_started *ret_started);

/* Stay in the foreground for a process that we started: forward signals, relay the terminal when
 * master_fd >= 0 and READY=1 when notify_fd >= 0, reap, and give its status (128 + N for a signal).
 */
MUST_CHECK struct err *ct_foreground(struct ct_started *started, int *ret_status);

/* One datagram of sd_notify(3) to a NOTIFY_SOCKET of the host. */
MUST_CHECK struct err *ct_notify_host(const char *host_socket, const char *text);

/* CVE-2019-5736: run again from a read-only clone of our own executable, unless its file cannot be
 * written by a container (read-only mount, not root). Returns when there is nothing to do. Call
 * before anything else in create, run and exec. */
MUST_CHECK struct err *ct_protect_executable(char *const *argv);

#endif
