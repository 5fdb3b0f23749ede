/* What the files of runtime/vps share with each other and nobody else. */
#ifndef RUNTIME_VPS_ROOM_H
#define RUNTIME_VPS_ROOM_H

#include "rootfs/layout.h"
#include "runtime/vps/vps.h"

#define VPS_ID_RANGE 65536
/* ".NAME" CREATING_SUFFIX in the private directory: a create is at work there, or was killed. */
#define CREATING_SUFFIX "~creating"

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
/* The same for the pool of ids and addresses. */
MUST_CHECK struct err *pool_lock(const struct vps_host *host, struct vps_lock *ret_lock);
/* And for what VPSs share of the host's network. */
MUST_CHECK struct err *host_net_lock(const struct vps_host *host, struct vps_lock *ret_lock);

/* A monitor holds this lock as long as it lives. *ret_fd -1: another process has it. */
MUST_CHECK struct err *monitor_lock(const struct vps_host *host, const char *name, int *ret_fd);
/* Write there who holds it, for monitor_dismiss(). */
MUST_CHECK struct err *monitor_lock_sign(int fd);

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

/* --- spec.c, policy.c, policy_seccomp.c --- */

/* Everything the engine needs to start the VPS; *ret_spec is the caller's. */
MUST_CHECK struct err *vps_build_spec(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf, struct spec *ret_spec);
/* Its first program, as the kernel would look for it in the mounted disk. ERR_NOT_FOUND. */
MUST_CHECK struct err *vps_fill_init(int tree_fd, struct spec *spec);
MUST_CHECK struct err *policy_fill(struct spec *spec);
MUST_CHECK struct err *policy_fill_seccomp(struct seccomp_spec *seccomp);

/* --- wire.c --- */

struct vps_wire {
	struct ct_wire base;
	const struct vps_host *host;
	const char *name;
	const struct vps_conf *conf;
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
/* Is the network of the running VPS as it was made? Cheap: for every look. */
MUST_CHECK struct err *wire_check(const struct vps_host *host, const char *name, bool *ret_whole);

/* --- host_net.c --- */

MUST_CHECK struct err *host_net_parse_uplinks(const char *text, struct net_uplinks *ret_uplinks);
MUST_CHECK struct err *host_net_read(const struct conf_file *file, struct vps_host_net *net);
/* What cella.conf names, or the interfaces of the default routes. */
MUST_CHECK struct err *host_net_uplinks(const struct vps_host *host,
					struct net_uplinks *ret_uplinks);

/* --- identity.c --- */

/* Host name, name servers, addresses and machine id in the files of the stopped VPS; root_fd: its
 * disk, with ids as on disk. */
MUST_CHECK struct err *identity_write(const struct vps_host *host, int root_fd, const char *name,
				      const struct vps_conf *conf);

/* --- disk.c --- */

/* Borrows from all three. */
struct disk vps_disk(const struct vps_host *host, const char *name, const struct vps_conf *conf);
struct quota_limits vps_disk_limits(const struct vps_conf *conf);
/* Fill in the layout when the definition does not say. */
MUST_CHECK struct err *vps_choose_layout(const struct vps_host *host, struct vps_conf *conf);
/* Make the disk of a new VPS under the name it is to have while it is not finished. */
MUST_CHECK struct err *vps_disk_create(const struct vps_host *host, const char *name,
				       const struct vps_conf *conf,
				       struct template_progress *progress);
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
/* Hold all processes of a VPS still; *ret_frozen false: it does not run, or was suspended. */
MUST_CHECK struct err *vps_freeze(const struct vps_host *host, const char *name, bool *ret_frozen);
MUST_CHECK struct err *vps_thaw(const struct vps_host *host, const char *name);
/* Finish or forget what a killed command began with the disk. Done by vps_lock(). */
MUST_CHECK struct err *vps_recover(const struct vps_host *host, const char *name);

/* --- snapshot.c --- */

/* disk_copy() of the VPS as it is now, held still while it is copied. */
MUST_CHECK struct err *vps_disk_copy_still(const struct vps_host *host, const char *name,
					   const struct vps_conf *conf, const struct disk *to,
					   const struct disk_new *new);

/* --- create.c, for clone.c --- */

/* A new definition and its disk: reserve ids, fill ".NAME", give it its name, write the definition;
 * on failure nothing is left. */
struct vps_maker {
	bool skip_probe; /* as in struct vps_create */
	struct err *(*make_disk)(const struct vps_maker *maker, const struct vps_host *host,
				 const char *hidden, const struct vps_conf *conf);
};
MUST_CHECK struct err *vps_make(const struct vps_host *host, const char *name,
				const struct vps_maker *maker, struct vps_conf *conf);
/* Remove the snapshots of a VPS that is going away. */
MUST_CHECK struct err *vps_snapshots_remove(const struct vps_host *host, const char *name);

/* --- stop.c --- */

/* The last part of the path of the program that pid runs: "systemd", "busybox". */
MUST_CHECK struct err *init_program(pid_t pid, char **ret_program);

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
