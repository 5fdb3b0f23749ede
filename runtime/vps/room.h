/* What the files of runtime/vps share with each other and nobody else. */
#ifndef RUNTIME_VPS_ROOM_H
#define RUNTIME_VPS_ROOM_H

#include "rootfs/layout.h"
#include "runtime/vps/vps.h"

#define VPS_ID_RANGE 65536
/* ".NAME" CREATING_SUFFIX in the private directory: a create or destroy is at work there, or was
 * killed. */
#define CREATING_SUFFIX "~creating"
/* ".NAME" BACKUP_SUFFIX: the disk of a running VPS as it was, for a backup; vps_recover() removes
 * it. */
#define BACKUP_SUFFIX "~backup"

/* --- store.c --- */

/* The file as it lies, its values alone (no host defaults). */
MUST_CHECK struct err *store_read(const struct vps_host *host, const char *name,
				  struct conf_file *ret_file);
/* Replace NAME.conf; what is written is parsed again and compared before it takes the name. */
MUST_CHECK struct err *store_write(const struct vps_host *host, const char *name,
				   const struct conf_file *file);
/* Move NAME.conf to NAME.conf.destroyed, as vzctl does. Missing is success. */
MUST_CHECK struct err *store_retire(const struct vps_host *host, const char *name);
MUST_CHECK struct err *store_exists(const struct vps_host *host, const char *name,
				    bool *ret_exists);

/* --- unfinished.c --- */

MUST_CHECK struct err *vps_open_private(const struct vps_host *host, int *ret_fd);
/* From here on, durably, a disk of this name without a definition is to be removed. It also says
 * which ids the VPS has, so that nobody else is given them; 0: none. */
MUST_CHECK struct err *unfinished_mark(const struct vps_host *host, const char *name,
				       uint64_t id_first);
/* Missing is success. */
MUST_CHECK struct err *unfinished_unmark(const struct vps_host *host, const char *name);
MUST_CHECK struct err *unfinished_is(const struct vps_host *host, const char *name, bool *ret_is);
/* The disk, also under its hidden name. */
MUST_CHECK struct err *unfinished_remove_disk(const struct vps_host *host, const char *name);
/* What killed commands left of other VPSs than this. What fails is a warning. */
MUST_CHECK struct err *unfinished_sweep(const struct vps_host *host, const char *but);

/* --- lock.c --- */

/* One command at a time may change a VPS. ERR_STATE with errno EBUSY: another one holds it for
 * longer than we wait. */
struct vps_lock {
	int fd;
};
#define VPS_LOCK_INIT    \
	{                \
		.fd = -1 \
	}
enum vps_lock_wait { VPS_LOCK_PATIENT, VPS_LOCK_FOREVER, VPS_LOCK_TRY };
MUST_CHECK struct err *vps_lock(const struct vps_host *host, const char *name,
				enum vps_lock_wait wait, struct vps_lock *ret_lock);
void vps_unlock(struct vps_lock *lock);
static inline __attribute__((unused)) void own_vps_lock(struct vps_lock *lock)
{
	vps_unlock(lock);
}
/* Remove the lock file of a VPS that is no more; the lock is held and stays so until it is
 * released. */
void vps_lock_forget(const struct vps_host *host, const char *name);
/* "'cella backup' (process 123)", if it can be seen who holds the lock of this file; else NULL.
 * *ret_text is owned. (lock_holder.c) */
void lock_holder(int fd, char **ret_text);
/* The same for the pool of ids and addresses. */
MUST_CHECK struct err *pool_lock(const struct vps_host *host, struct vps_lock *ret_lock);
/* And for what VPSs share of the host's network. */
MUST_CHECK struct err *host_net_lock(const struct vps_host *host, struct vps_lock *ret_lock);

/* And for the sum of guarantees in the cgroups above all VPSs. */
MUST_CHECK struct err *guarantee_lock(const struct vps_host *host, struct vps_lock *ret_lock);

/* A monitor holds this lock as long as it lives. *ret_fd -1: another process has it. */
MUST_CHECK struct err *monitor_lock(const struct vps_host *host, const char *name, int *ret_fd);
/* Write there who holds it, for monitor_dismiss(). */
MUST_CHECK struct err *monitor_lock_sign(int fd);

/* --- others.c --- */

/* What a look at all VPSs finds under one name. */
enum other {
	OTHER_WHOLE,
	OTHER_DAMAGED, /* and warned about; its values are those that it runs with, if it does */
	OTHER_GONE,    /* since the names were read */
};
MUST_CHECK struct err *other_load(const struct vps_host *host, const char *name,
				  struct vps_conf *ret_conf, enum other *ret_other);
/* Its interfaces; those of a definition that asks for what cannot be are none, and warned about. */
MUST_CHECK struct err *other_plan(const struct vps_host *host, const char *name,
				  const struct vps_conf *conf, struct net_ports *ret_ports);

/* --- ids.c --- */

/* A range that no definition, no running container and no line of /etc/subuid has. The pool lock is
 * held until the definition that records it is written. ERR_STATE: the pool is used up. */
MUST_CHECK struct err *ids_choose(const struct vps_host *host, uint64_t *ret_first);
/* Does nobody else on this host have an address of conf? ERR_EXISTS names the address and its
 * owner. */
MUST_CHECK struct err *addrs_check_free(const struct vps_host *host, const char *name,
					const struct vps_conf *conf);

/* --- conflict.c --- */

/* Give conf the addresses that "--ipadd auto" asked for. The pool lock is held until the definition
 * that records them is written. */
MUST_CHECK struct err *addrs_choose(const struct vps_host *host, const char *name,
				    struct vps_conf *conf);
/* Ask the host and the cables whether somebody has an address that before (NULL: nothing) had not.
 * Takes about 0.6 s a cable. ERR_EXISTS names address and owner. */
MUST_CHECK struct err *addrs_probe(const struct vps_host *host, const char *name,
				   const struct vps_conf *before, const struct vps_conf *conf);

/* --- adopt.c --- */

/* Give a definition without ids (OpenVZ's, or one that was copied) a range of this host. */
MUST_CHECK struct err *ids_adopt(const struct vps_host *host, const char *name);

/* --- plan.c --- */

/* ERR_INVALID: there is no such plan, or it is damaged. What is one VPS's own is left out. */
MUST_CHECK struct err *plan_load(const struct vps_host *host, const char *option, const char *plan,
				 struct vps_conf *ret_conf);

/* --- spec.c, policy.c, policy_seccomp.c --- */

/* Everything the engine needs to start the VPS; *ret_spec is the caller's. */
MUST_CHECK struct err *vps_build_spec(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf, struct spec *ret_spec);
/* Its first program, as the kernel would look for it in the mounted disk. ERR_NOT_FOUND. */
MUST_CHECK struct err *vps_fill_init(int tree_fd, struct spec *spec);
MUST_CHECK struct err *policy_fill(struct spec *spec);
struct policy_mount {
	const char *type, *source, *destination, *options; /* options: comma separated */
};
/* One more mount, after the others. */
MUST_CHECK struct err *policy_add_mount(struct rootfs_spec *root, const struct policy_mount *row);
MUST_CHECK struct err *policy_fill_seccomp(struct seccomp_spec *seccomp);

/* --- features.c --- */

/* What a VPS with nesting has besides; a device that the host has not is warned about. */
MUST_CHECK struct err *nesting_fill(struct spec *spec);

/* --- limits.c, cpus.c --- */

/*
 * The kernel's limits for the change of a definition: what is the same in both is unset. A start is
 * a change from a definition that says nothing. *ret_lacks: what this host cannot enforce, a line
 * each with the cure; without BEST_EFFORT they are ERR_UNSUPPORTED. limits: initialised by the
 * caller.
 */
MUST_CHECK struct err *limits_change(const struct vps_host *host, const char *name,
				     const struct vps_conf *from, const struct vps_conf *to,
				     struct cgroup_limits *limits, struct strlist *ret_lacks);
/* Are there these CPUs and memory nodes? ERR_INVALID names the option and those that there are. */
MUST_CHECK struct err *cpus_check(const struct vps_conf *conf);
/* All of them, as lists. */
MUST_CHECK struct err *cpus_online(char **ret_list);
MUST_CHECK struct err *nodes_online(char **ret_list);
/* The CPUs of a list of memory nodes. */
MUST_CHECK struct err *nodes_cpus(const char *nodes, char **ret_cpus);

/* Make the cgroups above a VPS's (its path) guarantee what all VPSs together are guaranteed. */
MUST_CHECK struct err *guarantee_update(const struct vps_host *host, const char *cgroup);

/* The same after a start, if the VPS has a guarantee. */
MUST_CHECK struct err *guarantee_raise(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf);

/* --- running.c: the definition that a running VPS has, which may differ from NAME.conf --- */

/* A whole definition in a file of its own. ERR_NOT_FOUND. */
MUST_CHECK struct err *conf_load_at(int dir_fd, const char *file_name, struct vps_conf *conf);
MUST_CHECK struct err *conf_save_at(int dir_fd, const char *file_name, const struct vps_conf *conf);

/* NAME.conf over the defaults when it does not run, or was started by an older cella. */
MUST_CHECK struct err *running_load(const struct vps_host *host, const char *name,
				    struct vps_conf *ret_conf);
/*
 * NAME.conf or, when it is broken, what the VPS was started with: enough to look at it, to stop it
 * and to clean up. *ret_problem: what is wrong with NAME.conf, for a warning; owned, NULL: nothing.
 * ERR_NOT_FOUND.
 */
MUST_CHECK struct err *running_load_anyway(const struct vps_host *host, const char *name,
					   struct vps_conf *ret_conf, char **ret_problem);
MUST_CHECK struct err *running_save(const struct vps_host *host, const char *name,
				    const struct vps_conf *conf);
/* Was it started, and not cleaned up after since? */
MUST_CHECK struct err *running_lives(const struct vps_host *host, const char *name,
				     bool *ret_lives);
/* It runs no more. Missing is success. */
MUST_CHECK struct err *running_forget(const struct vps_host *host, const char *name);
/*
 * A change of a running VPS goes through three: begin() writes down what it shall become, end()
 * that it has become it. *ret_found of interrupted(): a command was killed between both; what it
 * wanted.
 */
MUST_CHECK struct err *running_begin(const struct vps_host *host, const char *name,
				     const struct vps_conf *wanted);
MUST_CHECK struct err *running_end(const struct vps_host *host, const char *name,
				   const struct vps_conf *now);
MUST_CHECK struct err *running_interrupted(const struct vps_host *host, const char *name,
					   struct vps_conf *ret_wanted, bool *ret_found);

/* --- set.c, live.c --- */

/* A change of a running VPS. */
struct live_change {
	const struct vps_host *host;
	const char *name;
	const struct vps_conf *from, *to;
	bool force; /* also what would kill processes inside */
};
/*
 * May the keys be changed while the VPS runs? ERR_STATE names the option and why not. *ret_waiting:
 * those that only a start can apply; without at_restart they are ERR_STATE as well.
 */
MUST_CHECK struct err *live_check(const struct live_change *change, const struct strlist *keys,
				  bool at_restart, struct strlist *ret_waiting);
/* Make the running VPS what change->to says; on failure it is what change->from said. */
MUST_CHECK struct err *live_apply(const struct live_change *change, const struct strlist *keys);
/* Which keys live.c knows how to treat, for the test. */
bool live_knows(const char *key);
/* After a command that was killed while it changed a running VPS: go on or go back, as NAME.conf
 * says. The lock is held. */
MUST_CHECK struct err *set_repair(const struct vps_host *host, const char *name);
/* The same for who does not hold the lock: nothing when another command has it. */
MUST_CHECK struct err *set_repair_if_free(const struct vps_host *host, const char *name);

/* --- views.c --- */

/* Does lxcfs run here? */
bool views_there(void);
/* Its files over those of /proc; nothing without it. */
MUST_CHECK struct err *views_fill(struct rootfs_spec *root);
/* Have all running VPSs the lxcfs that runs now? If not, they get it, or lose those of one that has
 * ended. Nobody's lock is held. */
MUST_CHECK struct err *views_renew(const struct vps_host *host);

/* --- wire.c --- */

struct vps_wire {
	struct ct_wire base;
	const struct vps_host *host;
	const char *name;
	const struct vps_conf *conf;
	bool has_cables; /* made by somebody else, as they are named */
};
/* For ct_create(): the network of the definition, made while init waits. */
void wire_init(const struct vps_host *host, const char *name, const struct vps_conf *conf,
	       struct vps_wire *ret_wire);
/*
 * Make the network of the running VPS, whose init is pid, as conf says. The lock is held. On
 * failure it is as it was before.
 */
MUST_CHECK struct err *wire_change(const struct vps_host *host, const char *name,
				   const struct vps_conf *conf, pid_t pid);
/* Make it again what it was, or what the definition says if a command was killed in a change. */
MUST_CHECK struct err *wire_repair(const struct vps_host *host, const char *name,
				   const struct vps_conf *conf, pid_t pid);
/* Is the network of a running VPS as it was made, which net is the record of? Cheap: for every
 * look. seen may be NULL. */
struct vps_net;
MUST_CHECK struct err *wire_check(const struct vps_net *net, const struct net_seen *seen,
				  bool *ret_whole);

/* --- host_net.c --- */

MUST_CHECK struct err *host_net_parse_uplinks(const char *text, struct net_uplinks *ret_uplinks);
MUST_CHECK struct err *host_net_read(const struct conf_file *file, struct vps_host_net *net);
/* What cella.conf names, or the interfaces of the default routes. */
MUST_CHECK struct err *host_net_uplinks(const struct vps_host *host,
					struct net_uplinks *ret_uplinks);

/* --- guard.c --- */

/* The limits of the definition, in the guard's terms. */
MUST_CHECK struct err *guard_fill_rates(const struct vps_conf *conf, struct net_guard *guard);
/* "udp/53 tcp/53" into host->services. ERR_INVALID. */
MUST_CHECK struct err *guard_read_services(const char *text, struct vps_host *host);
/* What all VPSs have in common, if a port of net is guarded: the services that are open to them,
 * and the classes of networks that their traffic is counted by. */
struct vps_net;
MUST_CHECK struct err *guard_set_common(const struct vps_host *host, const struct vps_net *net);
/* Definitions that can be read; others are warned about, and allow nothing. */
struct vps_confs {
	struct strlist names;
	struct vps_conf *items; /* owned; one of each name */
};
void vps_confs_release(struct vps_confs *confs);
static inline __attribute__((unused)) void own_vps_confs(struct vps_confs *confs)
{
	vps_confs_release(confs);
}
/* Those of all VPSs but this one (NULL: of all). */
MUST_CHECK struct err *guard_load_others(const struct vps_host *host, const char *name,
					 struct vps_confs *ret_confs);
/* Host ends of the interfaces that the VPS reaches and is reached by: of VPSs that share a group
 * with it, or of which one allows the other. They need not run. */
MUST_CHECK struct err *guard_find_peers(const struct vps_host *host, const char *name,
					const struct vps_conf *conf, const struct vps_confs *others,
					struct strlist *ret_host_names);

/* --- traffic.c --- */

/* Add what the guards of these ports have counted to the VPS's sums; the lock is held. */
MUST_CHECK struct err *traffic_save(const struct vps_host *host, const char *name,
				    const struct net_ports *ports);
/* What was saved of a month, "2026-11": bytes of all interfaces and both directions. */
MUST_CHECK struct err *traffic_of_month(const struct vps_host *host, const char *name,
					const char *month, uint64_t *ret_bytes);
/* "2026-11" now, in UTC; ret_month has room for VPS_MONTH_MAX. */
void traffic_this_month(char *ret_month);
/* Remove the sums. Missing is success. */
MUST_CHECK struct err *traffic_forget(const struct vps_host *host, const char *name);

/* --- quota.c --- */

/* Is the VPS over its traffic quota, and is throttling what is done then? */
MUST_CHECK struct err *quota_throttles(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf, bool *ret_throttles);
/* Lower what is above the rate of VPSs that are over their quota. */
void quota_throttle(struct net_rate *rate);
/* "it has sent ... this month" when it is over its quota; else NULL. Owned. */
MUST_CHECK struct err *quota_text(const struct vps_host *host, const char *name,
				  const struct vps_conf *conf, char **ret_text);
/* ERR_STATE: it is over its quota, which says that it stops then. */
MUST_CHECK struct err *quota_check_start(const struct vps_host *host, const char *name,
					 const struct vps_conf *conf);

/* --- identity.c --- */

/* Host name, name servers, addresses and machine id in the files of the stopped VPS; root_fd: of
 * vps_root_open() or its like, borrowed. */
MUST_CHECK struct err *identity_write(const struct vps_host *host, int root_fd, const char *name,
				      const struct vps_conf *conf);

/* The parts of it that a running VPS can change. */
MUST_CHECK struct err *identity_write_timezone(int root_fd, const struct vps_conf *conf);
MUST_CHECK struct err *identity_write_network(const struct vps_host *host, int root_fd,
					      const char *name, const struct vps_conf *conf);
MUST_CHECK struct err *identity_write_hostname(int root_fd, const char *name,
					       const struct vps_conf *conf);
MUST_CHECK struct err *identity_write_resolv(int root_fd, const struct vps_conf *conf);

/* --- root.c --- */

/*
 * The tree of a VPS, running or not, for files that root of the VPS is to have. While it is open
 * this process may make files as that root alone: one at a time, and for short.
 */
struct vps_root {
	int fd; /* O_PATH */
	bool is_inside;
};
#define VPS_ROOT_INIT    \
	{                \
		.fd = -1 \
	}
MUST_CHECK struct err *vps_root_open(const struct vps_host *host, const char *name,
				     struct vps_root *ret_root);
void vps_root_close(struct vps_root *root);
static inline __attribute__((unused)) void own_vps_root(struct vps_root *root)
{
	vps_root_close(root);
}
/* An empty directory in memory that has no name and ends with its descriptor. */
MUST_CHECK struct err *vps_open_empty(int *ret_fd);
/* What the engine knows of it; *ret_lives: it runs or is paused. */
MUST_CHECK struct err *vps_load_state(const struct vps_host *host, const char *name,
				      struct ct_state *ret_state, bool *ret_lives);

/* --- disk.c --- */

/* Borrows from all three. */
struct disk vps_disk(const struct vps_host *host, const char *name, const struct vps_conf *conf);
struct quota_limits vps_disk_limits(const struct vps_conf *conf);

/* --- soft.c --- */

/* Of one limit: until_s: when it becomes hard, since 1970; 0: that is not known, or never. */
struct soft_limit {
	bool is_over;
	int64_t until_s;
};
struct soft_limits {
	struct soft_limit bytes, inodes;
};
void soft_limits_of(const struct vps_conf *conf, const struct quota_usage *usage,
		    struct soft_limits *ret_limits);
/* The same of the VPS's disk as it is now. */
MUST_CHECK struct err *soft_limits_look(const struct vps_host *host, const char *name,
					struct soft_limits *ret_limits);
MUST_CHECK struct err *vps_conf_set_layout(struct vps_conf *conf, const char *layout);
/* Fill in the layout when the definition does not say. */
MUST_CHECK struct err *vps_choose_layout(const struct vps_host *host, struct vps_conf *conf);
/* Of a disk that comes from a whole tree: wanted (NULL: what the definition says), or as the host
 * chooses; not an overlay, unless that is wanted. */
MUST_CHECK struct err *vps_choose_tree_layout(const struct vps_host *host, const char *wanted,
					      struct vps_conf *conf);
/* A disk with nothing in it, to be unpacked into; then write down what was. */
MUST_CHECK struct err *vps_disk_create_empty(const struct disk *disk, const struct vps_conf *conf);
MUST_CHECK struct err *vps_disk_sync_tree(int tree_fd);
/* Make the disk of a new VPS under the name it is to have while it is not finished. */
MUST_CHECK struct err *vps_disk_create(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf,
				       struct template_progress *progress);
/* Make the limits those of the definition; ERR_STATE, ERR_UNSUPPORTED as disk_limit(). */
MUST_CHECK struct err *vps_disk_limit(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf, enum disk_state state);
/* The same without its identity, for processes that know it. */
MUST_CHECK struct err *vps_disk_reopen(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf, const struct id_maps *maps,
				       int *ret_tree_fd);
/* For a start: checked, limited, its identity written, mounted with the VPS's ids. The caller owns
 * *ret_tree_fd. */
MUST_CHECK struct err *vps_disk_open(const struct vps_host *host, const char *name,
				     const struct vps_conf *conf, const struct id_maps *maps,
				     int *ret_tree_fd);

/* The project id for a disk that is to replace the present one: each VPS has as many as it has
 * ids, and two are used in turn. */
MUST_CHECK struct err *vps_next_project(const struct vps_host *host, const char *name,
					const struct vps_conf *conf, uint32_t *ret_project);
MUST_CHECK struct err *vps_check_down(const struct vps_host *host, const char *name);

/* --- swap.c; all under the VPS's lock --- */

/* The disk ".NAME" becomes that of the stopped VPS, and file its definition. */
MUST_CHECK struct err *vps_swap(const struct vps_host *host, const char *name,
				const struct conf_file *file);
/* Hold all processes of a VPS still; *ret_frozen false: it does not run, or was paused. */
MUST_CHECK struct err *vps_freeze(const struct vps_host *host, const char *name, bool *ret_frozen);
MUST_CHECK struct err *vps_thaw(const struct vps_host *host, const char *name);
/* Finish or forget what a killed command began with the disk. Done by vps_lock(). */
MUST_CHECK struct err *vps_recover(const struct vps_host *host, const char *name);

/* --- suspend.c --- */

MUST_CHECK struct err *suspend_is(const struct vps_host *host, const char *name,
				  bool *ret_suspended);
/* ERR_STATE when it is suspended: its processes know the disk and the definition as they are. */
MUST_CHECK struct err *suspend_check_not(const struct vps_host *host, const char *name);
/* What a killed command left half done. The lock is held. */
MUST_CHECK struct err *suspend_recover(const struct vps_host *host, const char *name);
/* Remove the memory of a suspended VPS, which is stopped then. Missing is success. */
MUST_CHECK struct err *suspend_drop(const struct vps_host *host, const char *name);

/* --- snapshot.c --- */

/* disk_copy() of the VPS as it is now, held still while it is copied. */
MUST_CHECK struct err *vps_disk_copy_still(const struct vps_host *host, const char *name,
					   const struct vps_conf *conf, const struct disk *to,
					   const struct disk_new *new);

/* --- create.c, for clone.c and a move --- */

/* vps_destroy() of a VPS that is down, for who holds the lock. DESTROY_COPY: the operator's own
 * files for a VPS of this name stay. */
enum destroy_what { DESTROY_ALL, DESTROY_COPY };
MUST_CHECK struct err *destroy_locked(const struct vps_host *host, const char *name,
				      enum destroy_what what);

/* A new definition and its disk: reserve ids, fill ".NAME", give it its name, write the definition;
 * on failure nothing is left. */
struct vps_maker {
	bool skip_probe; /* as in struct vps_create, like kept */
	bool arrives;	 /* by a move, whose journal is the caller's */
	const struct strlist *kept;
	const struct conf_file *file; /* what the definition is written into; NULL: a new one */
	struct err *(*make_disk)(const struct vps_maker *maker, const struct vps_host *host,
				 const char *hidden, const struct vps_conf *conf);
};
MUST_CHECK struct err *vps_make(const struct vps_host *host, const char *name,
				const struct vps_maker *maker, struct vps_conf *conf);
/* --- clone.c --- */

/* What no two VPSs have the same: a host name after its name, no addresses, no ids yet. */
MUST_CHECK struct err *vps_conf_make_own(struct vps_conf *conf, const char *name,
					 const char *layout);

/* Remove the snapshots of a VPS that is going away. */
MUST_CHECK struct err *vps_snapshots_remove(const struct vps_host *host, const char *name);

/* --- start.c --- */

/* vps_start() for who holds the lock; nobody asks whether it is disabled or moved away. */
MUST_CHECK struct err *start_locked(const struct vps_host *host, const char *name);

/* --- stop.c --- */

/* The last part of the path of the program that pid runs: "systemd", "busybox". */
MUST_CHECK struct err *init_program(pid_t pid, char **ret_program);

/* vps_stop() for who holds the lock. */
MUST_CHECK struct err *stop_locked(const struct vps_host *host, const char *name,
				   const struct vps_stop *request);

/* --- wait.c --- */

/* What a command inside says, "" when it cannot be run (yet): up to 64 KiB, which the VPS chooses.
 * It is given up after a pause of timeout_ms. */
MUST_CHECK struct err *vps_ask_inside(const struct vps_host *host, const char *name,
				      const char *const *args, int timeout_ms, struct buf *answer);

/* --- cleanup.c --- */

/* Undo a start: engine state, cgroup, network. The lock is held. Safe when nothing is there. */
MUST_CHECK struct err *vps_clean_up(const struct vps_host *host, const char *name,
				    const struct vps_conf *conf);

/* --- monitor.c, monitor_end.c --- */

/*
 * Fork the monitor, which starts the VPS, says so (or why not) over the pipe and stays. The caller
 * holds the lock, and the monitor acts under it until it has reported.
 */
MUST_CHECK struct err *monitor_start(const struct vps_host *host, const char *name);
/* Give a running VPS whose monitor died a new one, which has a new console and learns no exit
 * status. */
MUST_CHECK struct err *monitor_attach(const struct vps_host *host, const char *name);
/* End the monitor of a VPS that is down: one that waits to start it again, or that is about to find
 * that nothing is left to do. The lock is held. *ret_dismissed: there was one. */
MUST_CHECK struct err *monitor_dismiss(const struct vps_host *host, const char *name,
				       bool *ret_dismissed);

#endif
