/* What the files of runtime/vps share with each other and nobody else. */
#ifndef RUNTIME_VPS_ROOM_H
#define RUNTIME_VPS_ROOM_H

#include "runtime/vps/vps.h"

#define VPS_ID_RANGE 65536

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

/* --- spec.c, policy.c, policy_seccomp.c --- */

/* Everything the engine needs to start the VPS; *ret_spec is the caller's. */
MUST_CHECK struct err *vps_build_spec(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf, struct spec *ret_spec);
MUST_CHECK struct err *policy_fill(struct spec *spec);
MUST_CHECK struct err *policy_fill_seccomp(struct seccomp_spec *seccomp);

/* --- wire.c --- */

/* The host's end of the VPS's veth. ret_name has IFNAMSIZ bytes. */
void wire_host_name(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		    char *ret_name);
struct vps_wire {
	struct ct_wire base;
	char host_name[IFNAMSIZ];
	const struct vps_host *host;
	const char *name;
	const struct vps_conf *conf;
};
void wire_init(const struct vps_host *host, const char *name, const struct vps_conf *conf,
	       struct vps_wire *ret_wire);

/* --- guard.c --- */

/* The limits of the definition, in the guard's terms. */
MUST_CHECK struct err *guard_fill_rates(const struct vps_conf *conf, struct net_guard *guard);
/* "udp/53 tcp/53" into host->services. ERR_INVALID. */
MUST_CHECK struct err *guard_read_services(const char *text, struct vps_host *host);
/* Host ends of the interfaces that the VPS reaches and is reached by: of VPSs that share a group
 * with it, or of which one allows the other. They need not run. */
MUST_CHECK struct err *guard_find_peers(const struct vps_host *host, const char *name,
					const struct vps_conf *conf,
					struct strlist *ret_host_names);
/* --- traffic.c --- */

/* Add what was counted to the VPS's sums; the lock is held. */
MUST_CHECK struct err *traffic_save(const struct vps_host *host, const char *name,
				    const struct vps_conf *conf);
/* Remove the sums. Missing is success. */
MUST_CHECK struct err *traffic_forget(const struct vps_host *host, const char *name);

/* --- identity.c --- */

/* Host name, name servers, addresses and machine id in the files of the stopped VPS. */
MUST_CHECK struct err *identity_write(const struct vps_host *host, const char *name,
				      const struct vps_conf *conf);

/* --- stop.c --- */

/* The last part of the path of the program that pid runs: "systemd", "busybox". */
MUST_CHECK struct err *init_program(pid_t pid, char **ret_program);

/* --- wait.c --- */

/* What a command inside says, "" when it cannot be run (yet): up to 64 KiB, which the VPS chooses.
 * It is given up after a pause of timeout_ms. */
MUST_CHECK struct err *vps_ask_inside(const struct vps_host *host, const char *name,
				      const char *const *args, int timeout_ms, struct buf *answer);

/* --- cleanup.c --- */

/* Undo a start: engine state, cgroup, veth, guard. The lock is held. Safe when nothing is there. */
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
