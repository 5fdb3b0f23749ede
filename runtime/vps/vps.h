/*
 * Virtual private servers on the engine: definition, life and death, identity, monitor. A VPS is
 * NAME.conf (written last when it is created, so it is the commit), a private tree, and while it
 * runs the engine's state plus a monitor process. Where things lie is DESIGN.md 4.
 */
#ifndef RUNTIME_VPS_VPS_H
#define RUNTIME_VPS_VPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "rootfs/template.h"
#include "runtime/runtime.h"
#include "runtime/vps/conf.h"

/* Where everything lies (CELLA_ROOT in front of each path) and what cella.conf says. All owned. */
struct vps_host {
	char *conf_dir, *sample_dir;
	char *template_dir, *private_dir, *log_dir, *traffic_dir;
	char *run_dir;	   /* the engine's state root */
	char *monitor_dir; /* locks of VPSs and monitors */
	uint64_t id_first,
		id_count; /* pool of host ids; its first 65,536 are the unpacking sandbox's */
	struct net_service *services; /* of the host, open to its VPSs */
	size_t service_count;
	struct vps_conf defaults; /* of cella.conf, then ours */
};
void vps_host_release(struct vps_host *host);
static inline __attribute__((unused)) void own_vps_host(struct vps_host *host)
{
	vps_host_release(host);
}
/* Read the environment (CELLA_ROOT) and cella.conf, and make the directories. ERR_INVALID names the
 * line of cella.conf. */
MUST_CHECK struct err *vps_host_open(struct vps_host *ret_host);

/* --- definition (store.c) --- */

/* Names of all VPSs, sorted. */
MUST_CHECK struct err *vps_names(const struct vps_host *host, struct strlist *ret_names);
/* NAME.conf over the host's defaults. ERR_NOT_FOUND; ERR_INVALID names file and line. */
MUST_CHECK struct err *vps_load(const struct vps_host *host, const char *name,
				struct vps_conf *ret_conf);

/* --- create and destroy (create.c) --- */

struct vps_create {
	const char *name;
	struct vps_conf options; /* what the caller asked for; ostemplate is needed */
	struct template_progress *progress;
};
/* ERR_EXISTS, ERR_NOT_FOUND (template), ERR_INVALID. A killed create leaves what the next create or
 * destroy removes. */
MUST_CHECK struct err *vps_create(const struct vps_host *host, const struct vps_create *request);
/* ERR_STATE: it runs. ERR_NOT_FOUND: neither definition nor tree. */
MUST_CHECK struct err *vps_destroy(const struct vps_host *host, const char *name);

/* --- running (start.c, stop.c, exec.c) --- */

enum vps_start_flags { VPS_START_FORCE = 1 }; /* although DISABLED=yes */
/* Returns once the VPS's first program runs, and a monitor with it. ERR_STATE: it runs already, or
 * is disabled. */
MUST_CHECK struct err *vps_start(const struct vps_host *host, const char *name, unsigned int flags);

/* Until it has booted: systemd inside says so; with any other init, until that has started a
 * program. ERR_SYS (ETIMEDOUT); ERR_PEER: it ended meanwhile. */
MUST_CHECK struct err *vps_wait_up(const struct vps_host *host, const char *name,
				   uint64_t timeout_s);

struct vps_stop {
	bool fast;	    /* kill at once */
	uint64_t timeout_s; /* VPS_UNSET: the definition's, then 120 */
};
/* Ask init to shut down, wait, kill what is left. ERR_STATE: it does not run. */
MUST_CHECK struct err *vps_stop(const struct vps_host *host, const char *name,
				const struct vps_stop *request);

struct vps_exec {
	const char *const *args; /* NULL: root's login shell (enter) */
	bool tty;
};
/* Run a program inside and give its status (128 + N for a signal). ERR_STATE: the VPS does not run.
 */
MUST_CHECK struct err *vps_exec(const struct vps_host *host, const char *name,
				const struct vps_exec *request, int *ret_status);

/*
 * Sit at the console until "~." after a line break: the last output first, then all of it; the VPS
 * may be down, stop and start meanwhile. *ret_status: 0, or 128 + N after signal N. Without a
 * terminal on standard input it ends with the VPS once the input has ended. ERR_NOT_FOUND.
 */
MUST_CHECK struct err *vps_console(const struct vps_host *host, const char *name, int *ret_status);

/* What cella-monitor says of a VPS whose init ended, when it becomes cella again (monitor_end.c).
 */
struct vps_end {
	const char *name, *ending; /* as monitor_ending() says it */
	uint64_t pid, start_ticks, restarts;
};
/* Clean up, or start again and become cella-monitor once more. ERR_INVALID: called by anybody else.
 */
MUST_CHECK struct err *vps_monitor_end(const struct vps_host *host, const struct vps_end *end);

/* --- looking (info.c) --- */

enum vps_status { VPS_STOPPED, VPS_RUNNING, VPS_PAUSED, VPS_DAMAGED, VPS_STATUS_COUNT };
const char *vps_status_name(enum vps_status status);

struct vps_info {
	char *name;
	enum vps_status status;
	char *problem; /* VPS_DAMAGED: why; else NULL */
	struct vps_conf conf;
	pid_t pid;    /* of init, on the host; 0: none */
	char *cgroup; /* below the cgroup2 mount; NULL: none */
	char *private_path;
	char *host_ifname; /* NULL: no network */
	bool monitored;
	uint64_t uptime_s;
	bool has_stats;
	struct cgroup_stats stats;
	bool has_traffic;
	struct net_counters traffic; /* as the host counts: rx is what the VPS sent */
};
void vps_info_release(struct vps_info *info);
static inline __attribute__((unused)) void own_vps_info(struct vps_info *info)
{
	vps_info_release(info);
}
enum vps_detail { VPS_BRIEF, VPS_WITH_STATS };
/*
 * What is known of a VPS. Puts right what it finds: cleans up after a VPS that ended while no
 * monitor watched, and gives a running one without monitor a new one. ERR_NOT_FOUND.
 */
MUST_CHECK struct err *vps_look(const struct vps_host *host, const char *name,
				enum vps_detail detail, struct vps_info *ret_info);

#endif
