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
#include "quota/quota.h"
#include "rootfs/template.h"
#include "runtime/runtime.h"
#include "runtime/vps/conf.h"
#include "runtime/vps/pool.h"

/* The host's network, as cella.conf says (host_net.c). */
struct vps_host_net {
	char bridge[IFNAMSIZ]; /* of bridged interfaces that name none; "": none */
	bool has_uplinks;      /* else they are looked for */
	struct net_uplinks uplinks;
	struct pool ip_pool;  /* of --ipadd auto */
	struct pool nat_pool; /* of interfaces in mode nat */
};

/* Where everything lies (CELLA_ROOT in front of each path) and what cella.conf says. All owned. */
struct vps_host {
	char *conf_dir, *sample_dir, *hook_dir;
	char *template_dir, *private_dir, *snapshot_dir, *dump_dir, *backup_dir, *log_dir,
		*traffic_dir, *moving_dir;
	char *run_dir;	   /* the engine's state root */
	char *monitor_dir; /* locks of VPSs and monitors */
	uint64_t id_first,
		id_count; /* pool of host ids; its first 65,536 are the unpacking sandbox's */
	struct vps_host_net net;
	struct net_service *services; /* of the host, open to its VPSs */
	size_t service_count;
	uint64_t look_s; /* how often a monitor has its VPS's traffic looked at; 0: never */
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
/* Say what is wrong with a definition, once in a process. */
void vps_warn_damaged(const char *name, const char *problem);
/* NAME.conf over the host's defaults. ERR_NOT_FOUND; ERR_INVALID names file and line. */
MUST_CHECK struct err *vps_load(const struct vps_host *host, const char *name,
				struct vps_conf *ret_conf);

/*
 * Apply network options to a definition, in the order they were given: "OPTION=VALUE" with vzctl's
 * names (netedit.c has the table). --ifname and --netif_add choose the interface that --mac,
 * --bridge, ... and a later --ipadd are about; without one --ipadd is IP_ADDRESS. ERR_INVALID.
 */
MUST_CHECK struct err *vps_net_edit(const struct strlist *edits, struct vps_conf *conf);

/* Who may log in: written into the VPS's own files, not into its definition. */
struct vps_login {
	const char *password; /* "USER:PASSWORD" for a user that it has; NULL: none */
	struct strlist keys;  /* for root's authorized_keys */
};

/* --- create and destroy (create.c) --- */

struct vps_create {
	const char *name;
	struct vps_conf
		options; /* what the caller asked for, above its plan; ostemplate is needed */
	bool skip_probe; /* nobody is asked whether he has an address */
	const struct strlist *kept;    /* as in struct vps_set; NULL: none */
	const struct vps_login *login; /* NULL: nobody new */
	struct template_progress *progress;
};
/* ERR_EXISTS, ERR_NOT_FOUND (template), ERR_INVALID. A killed create leaves what the next create or
 * destroy removes. */
MUST_CHECK struct err *vps_create(const struct vps_host *host, const struct vps_create *request);
/* ERR_STATE: it runs. ERR_NOT_FOUND: neither definition nor tree. */
MUST_CHECK struct err *vps_destroy(const struct vps_host *host, const char *name);

enum vps_rebuild_flags { VPS_REBUILD_FORCE = 1 }; /* one that runs is stopped and started again */
struct vps_rebuild {
	const char *name, *ostemplate; /* NULL: the template it was made from */
	unsigned int flags;
	struct template_progress *progress;
};
/*
 * A new root from a template: definition, machine id, ssh host keys, passwords and root's ssh keys
 * stay. ERR_NOT_FOUND (VPS or template), ERR_STATE: it runs. Killed, it leaves the old root or the
 * new one, and the next command that changes the VPS tidies up.
 */
MUST_CHECK struct err *vps_rebuild(const struct vps_host *host, const struct vps_rebuild *request);

/* What of its limits this host cannot enforce: a line each, with the cure. */
MUST_CHECK struct err *vps_limits_lacking(const struct vps_host *host, const char *name,
					  const struct vps_conf *conf, struct strlist *ret_lacks);

/* --- set (set.c) --- */

enum vps_set_flags {
	VPS_SET_NO_SAVE = 1,	/* the running VPS alone */
	VPS_SET_AT_RESTART = 2, /* what cannot be changed while it runs waits for the next start */
	VPS_SET_FORCE = 4,	/* although it kills processes inside */
	VPS_SET_SKIP_PROBE = 8	/* nobody is asked whether he has an address */
};
struct vps_set {
	const char *name;
	struct vps_conf changes;       /* what is set replaces */
	struct strlist net;	       /* for vps_net_edit(), after them */
	struct strlist kept;	       /* "KEY=VALUE" of OpenVZ's keys without effect */
	const struct vps_login *login; /* NULL: nobody new */
	const char *plan;	       /* its values below changes; NULL: none */
	struct strlist unset;	       /* keys to go back to the host's default */
	unsigned int flags;
};
struct vps_set_result {
	struct strlist applied, waiting; /* keys: changed in the running VPS; for its next start */
	bool running, saved;
};
void vps_set_result_release(struct vps_set_result *result);
static inline __attribute__((unused)) void own_vps_set_result(struct vps_set_result *result)
{
	vps_set_result_release(result);
}
/*
 * Change a definition: checked whole, applied to the running VPS, then saved; on failure nothing is
 * changed. ERR_NOT_FOUND; ERR_INVALID names option and value; ERR_STATE: not while it runs, or it
 * would kill what runs; ERR_EXISTS: an address of another VPS; ERR_UNSUPPORTED: not on this host.
 */
MUST_CHECK struct err *vps_set(const struct vps_host *host, const struct vps_set *request,
			       struct vps_set_result *ret_result);

/* --- taking over (register.c) --- */

/*
 * Make a VPS of a root file system that lies on this host, by moving it into place; NAME.conf is
 * kept or made, with ids of this host's pool. ERR_EXISTS, ERR_INVALID, ERR_UNSUPPORTED (another
 * file system).
 */
MUST_CHECK struct err *vps_register(const struct vps_host *host, const char *path,
				    const char *name);
/* Forget a stopped VPS and leave its files. */
MUST_CHECK struct err *vps_unregister(const struct vps_host *host, const char *name);

/* --- check-config, doctor (check.c, doctor.c) --- */

enum vps_remark_level { VPS_FINE, VPS_ADVICE, VPS_WRONG };
struct vps_remark {
	enum vps_remark_level level;
	char *what, *cure; /* owned; cure: NULL when nothing is to be done */
};
struct vps_remarks {
	struct vps_remark *items; /* owned */
	size_t count;
};
void vps_remarks_release(struct vps_remarks *remarks);
static inline __attribute__((unused)) void own_vps_remarks(struct vps_remarks *remarks)
{
	vps_remarks_release(remarks);
}
/* What is wrong, and what has no effect, in NAME.conf. ERR_NOT_FOUND. */
MUST_CHECK struct err *vps_check_config(const struct vps_host *host, const char *name,
					struct vps_remarks *ret_remarks);
/* How far this host is what VPSs need. */
MUST_CHECK struct err *vps_doctor(const struct vps_host *host, struct vps_remarks *ret_remarks);

/* --- running (start.c, stop.c, exec.c) --- */

enum vps_start_flags { VPS_START_FORCE = 1 }; /* although DISABLED=yes */
/* Returns once the VPS's first program runs, and a monitor with it. ERR_STATE: it runs already, or
 * is disabled. */
MUST_CHECK struct err *vps_start(const struct vps_host *host, const char *name, unsigned int flags);

/* Until it has booted: systemd inside says so; with any other init, until that has started a
 * program. ERR_SYS (ETIMEDOUT); ERR_PEER: it ended meanwhile. */
MUST_CHECK struct err *vps_wait_up(const struct vps_host *host, const char *name,
				   uint64_t timeout_s);

/* Names of those that start with the host, first one first, and those of them that must be up
 * before the next is started. */
MUST_CHECK struct err *vps_boot_order(const struct vps_host *host, struct strlist *ret_names,
				      struct strlist *ret_waited_for);

struct vps_stop {
	bool fast;	    /* kill at once; what a suspended one was doing is dropped */
	bool running_only;  /* a suspended one is left as it is */
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
/* The monitor's errand: save the traffic of a running VPS, and act on its quota (quota.c). A VPS
 * that another command holds is left to the next errand. */
MUST_CHECK struct err *vps_monitor_look(const struct vps_host *host, const char *name);

/* --- snapshots (snapshot.c) and what else copies disks (clone.c, convert.c) --- */

struct vps_snapshot {
	char *id, *parent, *name, *description, *layout; /* owned; all but id may be NULL */
	char *mounted_on;				 /* owned; NULL: nowhere */
	uint64_t created_ns;				 /* since 1970 */
	bool is_current; /* the present state of the VPS comes from it */
};
void vps_snapshot_release(struct vps_snapshot *snapshot);
struct vps_snapshot_list {
	struct vps_snapshot *items;
	size_t count;
};
void vps_snapshot_list_release(struct vps_snapshot_list *list);
static inline __attribute__((unused)) void own_vps_snapshot_list(struct vps_snapshot_list *list)
{
	vps_snapshot_list_release(list);
}

struct vps_snapshot_create {
	const char *id;			/* NULL: a new one */
	const char *name, *description; /* for people; NULL: none */
	struct template_progress *progress;
};
/*
 * Keep the disk and the definition of a VPS as they are now. A running one is held still meanwhile.
 * ERR_EXISTS: the id is taken. *ret_id is owned.
 */
MUST_CHECK struct err *vps_snapshot_create(const struct vps_host *host, const char *name,
					   const struct vps_snapshot_create *request,
					   char **ret_id);
/* The oldest first. ERR_NOT_FOUND: no such VPS. */
MUST_CHECK struct err *vps_snapshot_list(const struct vps_host *host, const char *name,
					 struct vps_snapshot_list *ret_list);
enum vps_snapshot_flags { VPS_SNAPSHOT_SKIP_CONFIG = 1 };
/* Make the VPS what it was; what it is now is lost. ERR_STATE: it runs. */
MUST_CHECK struct err *vps_snapshot_switch(const struct vps_host *host, const char *name,
					   const char *id, unsigned int flags);
/* ERR_STATE: it is mounted. */
MUST_CHECK struct err *vps_snapshot_delete(const struct vps_host *host, const char *name,
					   const char *id);
/* Mount it read-only on a directory of the host, and unmount it. */
MUST_CHECK struct err *vps_snapshot_mount(const struct vps_host *host, const char *name,
					  const char *id, const char *target);
MUST_CHECK struct err *vps_snapshot_umount(const struct vps_host *host, const char *name,
					   const char *id);

struct vps_clone {
	const char *from, *snapshot; /* snapshot NULL: as it is now, held still meanwhile */
	const char *to;
	struct template_progress *progress;
};
/*
 * A new VPS like another one: its disk and definition, with ids, host name and machine id of its
 * own and without addresses and published ports, which no two VPSs may have. ERR_EXISTS.
 */
MUST_CHECK struct err *vps_clone(const struct vps_host *host, const struct vps_clone *request);
/* Change the layout of a stopped VPS's disk. ERR_STATE: it runs. ERR_UNSUPPORTED: to overlay. */
MUST_CHECK struct err *vps_convert(const struct vps_host *host, const char *name,
				   const char *layout, struct template_progress *progress);

/* --- looking (info.c) --- */

/* paused: its processes are there and frozen; suspended: they are on disk (memory.h) */
enum vps_status {
	VPS_STOPPED,
	VPS_RUNNING,
	VPS_PAUSED,
	VPS_SUSPENDED,
	VPS_DAMAGED,
	VPS_STATUS_COUNT
};
const char *vps_status_name(enum vps_status status);

struct vps_info {
	char *name;
	enum vps_status status;
	char *problem; /* VPS_DAMAGED: why; of one that runs: what NAME.conf has; else NULL */
	struct vps_conf conf;
	struct strlist
		waiting; /* keys whose value the running VPS will have after its next start */
	pid_t pid;	 /* of init, on the host; 0: none */
	char *cgroup;	 /* below the cgroup2 mount; NULL: none */
	char *private_path;
	struct net_ports ports; /* all interfaces, complete */
	char *host_ifname;	/* the first one's end on the host; NULL: none */
	bool monitored;
	uint64_t uptime_s;
	bool has_stats;
	struct cgroup_stats stats;
	bool has_disk;
	struct quota_usage disk;
	bool has_traffic;
	struct net_counters traffic; /* as the host counts: rx is what the VPS sent */
};
void vps_info_release(struct vps_info *info);
static inline __attribute__((unused)) void own_vps_info(struct vps_info *info)
{
	vps_info_release(info);
}
/* Each with what the one before has: memory and processes; all that its control group counts; disk,
 * traffic and what waits for a restart as well. */
enum vps_detail { VPS_BRIEF, VPS_WITH_COUNTS, VPS_WITH_USAGE, VPS_WITH_STATS };
/*
 * What is known of a VPS. Puts right what it finds: cleans up after a VPS that ended while no
 * monitor watched, and gives a running one without monitor a new one. ERR_NOT_FOUND.
 */
MUST_CHECK struct err *vps_look(const struct vps_host *host, const char *name,
				enum vps_detail detail, struct vps_info *ret_info);

/* The same for who looks at many: what is the host's is read once, before. */
struct vps_glance {
	enum vps_detail detail;
	const struct net_seen *seen; /* borrowed; NULL: nothing was read */
};
void vps_see_all(struct net_seen *seen);
MUST_CHECK struct err *vps_glance(const struct vps_host *host, const char *name,
				  const struct vps_glance *glance, struct vps_info *ret_info);

#endif
