/* Private to runtime/vps: what the files share that start, watch and end a VPS's monitor. */
#ifndef RUNTIME_VPS_WATCHER_H
#define RUNTIME_VPS_WATCHER_H

#include "runtime/monitor/monitor.h"
#include "runtime/vps/memory.h"
#include "runtime/vps/room.h"

/* The knowing half of a monitor, before it becomes cella-monitor and after that. */
struct watcher {
	const struct vps_host *host;
	const char *name;
	struct vps_conf conf;
	struct ct_root root;
	struct ct_started init; /* pidfd and pty master */
	uint64_t init_start_ticks;
	uint64_t restarts; /* in a row, each soon after the last */
	int lock_fd;	   /* the monitor's lock */
	int program_fd;	   /* cella-monitor, opened while it was there */
	int vps_lock_fd;   /* resume: the VPS's lock, until it has reported; else -1 */
	const struct vps_memory *memory; /* resume */
};
void watcher_init(const struct vps_host *host, const char *name, struct watcher *ret_watcher);

/* --- monitor.c --- */

/* Open what a watcher needs besides the lock. */
MUST_CHECK struct err *watcher_prepare(struct watcher *watcher);
/* The VPS's lock is held by us, or by the start that waits for us. */
MUST_CHECK struct err *watcher_start(struct watcher *watcher);
/* Become cella-monitor; listen_fd is the console's socket. Returns only on failure. */
MUST_CHECK struct err *watcher_become_monitor(const struct watcher *watcher, int listen_fd);

/* --- suspend.c, resume.c --- */

/* Make the suspended VPS's processes again; as watcher_start(). */
MUST_CHECK struct err *watcher_resume(struct watcher *watcher);
/* monitor_start() for one that is suspended. lock: the VPS's. */
MUST_CHECK struct err *monitor_resume(const struct vps_host *host, const char *name,
				      const struct vps_memory *memory, const struct vps_lock *lock);

/* --- socket.c --- */

/* Replace the socket of the VPS's console. */
MUST_CHECK struct err *console_listen(const struct vps_host *host, const char *name, int *ret_fd);
/* *ret_fd -1: nobody listens. */
MUST_CHECK struct err *console_connect(const struct vps_host *host, const char *name, int *ret_fd);
MUST_CHECK struct err *console_socket_name(const char *name, char **ret_file);
void console_forget(const struct vps_host *host, const char *name);

/* --- replug.c --- */

/* A new pty on the /dev/console of the VPS whose init is init_pidfd; *ret_master_fd is the
 * caller's. */
MUST_CHECK struct err *console_replug(int init_pidfd, int *ret_master_fd);

/* --- unit.c --- */

/* When we run in the unit of this VPS: make room in its cgroup for the VPS's. Before anything is
 * forked.
 */
MUST_CHECK struct err *unit_enter(const char *name);
/* Where the VPS's cgroup shall be, *ret_path stays NULL outside of its unit. Owned. */
MUST_CHECK struct err *unit_cgroup(const char *name, char **ret_path);
/* In its unit: tell machined and systemd that it runs. */
void unit_started(const struct vps_host *host, const char *name, pid_t pid);

/* --- last.c --- */

/* Remember how the life in state ended, before its cgroup is removed. */
void last_write(const struct vps_host *host, const struct ct_state *state, const char *ending);

/* --- restart.c --- */

enum ending { ENDED_UNKNOWN, ENDED_REBOOT, ENDED_HALT, ENDED_WELL, ENDED_BADLY };
/* One of the words of monitor_ending(). ERR_INVALID. */
MUST_CHECK struct err *ending_parse(const char *word, enum ending *ret_ending);
/* Seconds to wait before the VPS is started again, -1: it stays down. lived_s: how long it ran.
 * *restarts is counted on, or begun anew. */
int64_t restart_pause_s(uint64_t policy, enum ending ending, uint64_t lived_s, uint64_t *restarts);

#endif
