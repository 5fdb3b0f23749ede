/*
 * Control groups, version 2 only: make, limit, freeze, kill, count. The systemd driver asks systemd
 * for a scope through cella-helper and then works on the same files. Knows nothing of JSON or
 * containers. Rests on Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef CGROUPS_CGROUPS_H
#define CGROUPS_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

enum cgroup_driver { CGROUP_FS, CGROUP_SYSTEMD, CGROUP_DISABLED };

#define CGROUP_UNSET UINT64_MAX	    /* leave the file alone */
#define CGROUP_MAX (UINT64_MAX - 1) /* write "max" */

/* Everything is CGROUP_UNSET until cgroup_limits_init(). */
struct cgroup_limits {
	uint64_t memory_max_bytes, memory_low_bytes, memory_high_bytes, memory_min_bytes;
	uint64_t swap_max_bytes; /* swap alone, as memory.swap.max means it */
	uint64_t memory_oom_group;
	uint64_t cpu_weight;   /* 1..10000 */
	uint64_t cpu_quota_us; /* per period; CGROUP_MAX: unlimited */
	uint64_t cpu_period_us, cpu_burst_us;
	uint64_t cpu_idle;		 /* 0 or 1 */
	char *cpuset_cpus, *cpuset_mems; /* owned; NULL: unset */
	uint64_t pids_max;
	uint64_t io_weight; /* 1..10000, written to io.weight or, scaled, io.bfq.weight */
	struct strlist io_device_weights; /* "MAJ:MIN WEIGHT" lines for io.weight */
	struct strlist io_max;		  /* "MAJ:MIN rbps=N ..." lines for io.max */
	struct strlist
		hugetlb;     /* "SIZE=BYTES", e.g. "2MB=1048576"; written to .max and .rsvd.max */
	struct strlist rdma; /* lines for rdma.max */
	struct strlist misc; /* lines for misc.max */
	struct strlist unified;	 /* "FILE=VALUE"; file names without "/" */
	bool memory_check_usage; /* refuse memory_max_bytes below what is in use (OCI
				    checkBeforeUpdate) */
};

void cgroup_limits_init(struct cgroup_limits *limits);
void cgroup_limits_release(struct cgroup_limits *limits);
static inline __attribute__((unused)) void own_cgroup_limits(struct cgroup_limits *limits)
{
	cgroup_limits_release(limits);
}
/* Every value in the range that the kernel accepts; no kernel is asked. */
MUST_CHECK struct err *cgroup_limits_check(const struct cgroup_limits *limits);

/* One device rule, in order, later rules win. -1 is the wildcard. */
struct device_rule {
	bool allow;
	char type; /* 'c', 'b' or 'a' (all) */
	int64_t major, minor;
	bool may_read, may_write, may_mknod;
};

struct cgroup_spec {
	enum cgroup_driver driver;
	char *path; /* fs: absolute is below the mount, relative below the caller's choice;
		     * systemd: "slice:prefix:name"; NULL: derived from the id. Owned. */
	struct cgroup_limits limits;
	struct device_rule *device_rules; /* owned; NULL with count 0: allow everything */
	size_t device_rule_count;
	bool device_filter; /* a device list was given: deny by default plus the default devices */
	struct strlist
		systemd_properties; /* "NAME=GVARIANT TEXT" of annotations org.systemd.property.* */
	bool delegate;		    /* give the files of /sys/kernel/cgroup/delegate to owner */
	uid_t owner_uid;
	gid_t owner_gid;
	char *ebpf_pin_dir; /* bpffs directory shared by content hash, NULL: /sys/fs/bpf/cella when
			       mounted. Owned. */
};

void cgroup_spec_init(struct cgroup_spec *spec);
void cgroup_spec_release(struct cgroup_spec *spec);
static inline __attribute__((unused)) void own_cgroup_spec(struct cgroup_spec *spec)
{
	cgroup_spec_release(spec);
}

/* An open cgroup. Safe to release when zeroed by CGROUP_INIT, and twice. */
struct cgroup {
	int dir_fd;  /* -1: disabled */
	char *path;  /* below the mount, "/a/b"; owned */
	char *scope; /* systemd unit name, or NULL; owned */
	enum cgroup_driver driver;
};
#define CGROUP_INIT          \
	{                    \
		.dir_fd = -1 \
	}

void cgroup_release(struct cgroup *cg);

/*
 * Work out where the cgroup of container id will be (prefix: parent of derived paths), without
 * making anything: fills path, scope and driver, so that the state file can name them before they
 * exist and delete can clean up after a SIGKILL. CGROUP_DISABLED, or unprivileged without a
 * writable hierarchy and without limits: path stays NULL.
 */
MUST_CHECK struct err *cgroup_plan(const struct cgroup_spec *spec, const char *prefix,
				   const char *id, struct cgroup *ret_cg);
/*
 * Make the planned cgroup, enable the controllers that the limits need, apply the limits and the
 * device filter; fills dir_fd. ERR_UNSUPPORTED names a missing controller or hierarchy, and the
 * cure. ERR_STATE: it exists and has processes. A failure removes what was made. With
 * CGROUP_SYSTEMD only checks: cgroup_start_scope() does the work.
 */
MUST_CHECK struct err *cgroup_create(const struct cgroup_spec *spec, struct cgroup *cg);
/* systemd driver: put pid (waiting, not yet in its final cgroup) into a new scope; fills path and
 * dir_fd. No-op else. */
MUST_CHECK struct err *cgroup_start_scope(const struct cgroup_spec *spec, struct cgroup *cg,
					  pid_t pid);
/* Open an existing cgroup by the path that its state recorded. ERR_NOT_FOUND when it is gone. */
MUST_CHECK struct err *cgroup_open(const char *path, const char *scope, enum cgroup_driver driver,
				   struct cgroup *ret_cg);
/* Make cg mean a cgroup below itself, which must exist. ERR_NOT_FOUND. */
MUST_CHECK struct err *cgroup_descend(struct cgroup *cg, const char *below);
/* Apply to a live cgroup: limits are written in an order that never makes a valid change fail half
 * way; systemd's properties follow so that a daemon-reload keeps them. */
MUST_CHECK struct err *cgroup_apply(const struct cgroup *cg, const struct cgroup_limits *limits);
MUST_CHECK struct err *cgroup_set_devices(const struct cgroup *cg, const struct cgroup_spec *spec);
/* Move a process into the cgroup, or into below, a cgroup under it that exists (NULL: itself). */
MUST_CHECK struct err *cgroup_join(const struct cgroup *cg, const char *below, pid_t pid);
/*
 * For exec when clone3(2) or cgroup_join() answers EBUSY: an init system inside has given
 * controllers to child cgroups, so the container's own takes no process any more. Opens the cgroup
 * in which pid (init) is. ERR_STATE: it has left the container's cgroup.
 */
MUST_CHECK struct err *cgroup_open_busy(const struct cgroup *cg, pid_t pid, int *ret_dir_fd);
/* Freeze or thaw and wait (poll on cgroup.events) until the kernel says so, at most timeout_ms. */
MUST_CHECK struct err *cgroup_freeze(const struct cgroup *cg, bool frozen, int timeout_ms);
MUST_CHECK struct err *cgroup_is_frozen(const struct cgroup *cg, bool *ret_frozen);
/* cgroup.kill, also of a frozen tree. */
MUST_CHECK struct err *cgroup_kill(const struct cgroup *cg);
MUST_CHECK struct err *cgroup_signal(const struct cgroup *cg, int signum);
/* Processes of the whole subtree; *ret_pids is owned by the caller (malloc). */
MUST_CHECK struct err *cgroup_pids(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_count);
/* Wait until it is empty (poll on cgroup.events), then remove it with what is below it; stops a
 * scope. Gone is success. */
MUST_CHECK struct err *cgroup_destroy(struct cgroup *cg, int timeout_ms);

/*
 * A guarantee (memory.min) holds only as far as every ancestor has one: give each ancestor of the
 * cgroup path the sum of its children's. After a change of memory.min, and after a cgroup that had
 * one is gone. Callers exclude each other.
 */
MUST_CHECK struct err *cgroup_share_guarantee(const char *path);

/*
 * The disks ("MAJ:MIN", for io_max lines) below the file system that path lies on, through
 * partitions, dm, md, loop files, btrfs and overlay. ERR_UNSUPPORTED: it has none (tmpfs, nfs,
 * zfs).
 */
MUST_CHECK struct err *cgroup_disks(const char *path, struct strlist *ret_disks);

#include "cgroups/tree.h"

/* A descriptor to poll (POLLPRI) for changes of memory.events (oom kills). */
MUST_CHECK struct err *cgroup_open_memory_events(const struct cgroup *cg, int *ret_fd,
						 uint64_t *ret_oom_kills);

/* The cgroup that this process is in, "/a/b". */
MUST_CHECK struct err *cgroup_own_path(char **ret_path);
/* Move this process into the cgroup name below its own; it is made when missing. */
MUST_CHECK struct err *cgroup_step_down(const char *name);

/* What happened to a cgroup and those below it (notices.c). */
struct cgroup_counts {
	uint64_t oom_kills, memory_limit_hits, process_limit_hits;
	uint64_t populated, frozen; /* 0 or 1 */
};
enum { CGROUP_NOTICE_FILES = 3 };
struct cgroup_notices {
	int fds[CGROUP_NOTICE_FILES]; /* to poll for POLLPRI; -1: no such file */
};
#define CGROUP_NOTICES_INIT        \
	{                          \
		{                  \
			-1, -1, -1 \
		}                  \
	}
MUST_CHECK struct err *cgroup_notices_open(const struct cgroup *cg,
					   struct cgroup_notices *ret_notices);
void cgroup_notices_close(struct cgroup_notices *notices);
/* The counts now, zeros once the cgroup is gone; the next change is announced after this. */
void cgroup_notices_read(const struct cgroup_notices *notices, struct cgroup_counts *ret_counts);

struct pressure_line {
	double avg10, avg60, avg300; /* percent */
	uint64_t total_us;
	bool is_set;
};
struct pressure {
	struct pressure_line some, full;
};

struct io_stat {
	uint32_t major, minor;
	uint64_t read_bytes, write_bytes, read_ops, write_ops, discard_bytes, discard_ops;
};

/* Counters; CGROUP_UNSET where the kernel has no such file. */
struct cgroup_stats {
	uint64_t cpu_usage_us, cpu_user_us, cpu_system_us, cpu_periods, cpu_throttled_periods,
		cpu_throttled_us;
	uint64_t memory_bytes, memory_max_bytes, memory_peak_bytes, swap_bytes, swap_max_bytes;
	uint64_t memory_oom, memory_oom_kills, memory_max_events;
	struct strlist memory_stat; /* "name=value" of memory.stat */
	uint64_t pids, pids_max, pids_max_events;
	struct io_stat *io; /* owned */
	size_t io_count;
	struct strlist hugetlb; /* "SIZE usage max failcnt" */
	struct strlist rdma;	/* "DEVICE current ..." lines of rdma.current */
	struct pressure cpu_pressure, memory_pressure, io_pressure;
};

void cgroup_stats_release(struct cgroup_stats *stats);
MUST_CHECK struct err *cgroup_stats_read(const struct cgroup *cg, struct cgroup_stats *ret_stats);
/* Of the same no more than memory, swap and processes in use. */
MUST_CHECK struct err *cgroup_counts_read(const struct cgroup *cg, struct cgroup_stats *ret_stats);
/* The same without what few ask for and much reading costs: memory_stat, hugetlb and rdma stay
 * empty. */
MUST_CHECK struct err *cgroup_usage_read(const struct cgroup *cg, struct cgroup_stats *ret_stats);

/* What this host's hierarchy offers: "memory", "pids", ...; ERR_UNSUPPORTED without a usable cgroup
 * v2. */
MUST_CHECK struct err *cgroup_controllers(struct strlist *ret_names);

/*
 * The verbs of cella-helper for the systemd driver; only that program is linked with them
 * (cgroups/systemd). argv: the words after the verb, NULL-terminated, as systemd.h lists them.
 */
MUST_CHECK struct err *cgroup_scope_start(char *const *argv);
MUST_CHECK struct err *cgroup_scope_set(char *const *argv);
MUST_CHECK struct err *cgroup_scope_stop(char *const *argv);
/* NAME PID ROOT, with machined; PID must run in a unit */
MUST_CHECK struct err *machine_register(char *const *argv);

/* OCI cpu shares (2..262144) to cpu.weight (1..10000) by the formula of runtime-spec 1.3; OCI blkio
 * weight to io.weight. */
uint64_t cgroup_weight_from_shares(uint64_t shares);
uint64_t cgroup_io_weight_from_blkio(uint64_t weight);

#endif
