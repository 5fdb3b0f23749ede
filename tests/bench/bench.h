/*
 * The bench: how it works and how to read its tables is told in README. One process, single
 * threaded; each file below does one part:
 *
 *   bench.c    options, the order of the rounds          rows.c    what is measured, row by row
 *   bed.c      private namespaces, bundles, clearing up  count.c   run one command and count it
 *   profile.c  the seccomp profile                       report.c  medians, ratios, table, JSON
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define ROUNDS_MAX 200
#define PEERS_MAX 8
#define ARGS_MAX 24

/* --- what is compared ------------------------------------------------------------------------- */

enum role { ROLE_SUBJECT, ROLE_FLOOR, ROLE_PEER };

struct runtime {
	char *name; /* shown; unique */
	char *path; /* absolute */
	char *root; /* its --root, below the bed */
	enum role role;
};

/* --- what is measured ------------------------------------------------------------------------- */

/* One command: everything its process tree did until it had ended. NAN where it cannot be told. */
struct sample {
	double user_insn, kernel_insn; /* instructions retired */
	double insn;		       /* the sum, or the guest clock's count */
	double cpu_us, wall_us;
	double rss_kib;	 /* largest process */
	double resident; /* after create: processes that are left beside the container's first */
};

enum figure { FIGURE_INSN, FIGURE_CPU, FIGURE_WALL, FIGURE_RSS, FIGURE_COUNT };

enum row {
	ROW_RUN,
	ROW_RUN_SECCOMP_COLD,
	ROW_RUN_SECCOMP,
	ROW_RUN_USERNS,
	ROW_RUN_MOUNTS,
	ROW_CREATE,
	ROW_STATE,
	ROW_START,
	ROW_EXEC,
	ROW_KILL,
	ROW_DELETE,
	ROW_DELETE_LIVE,
	ROW_VERSION,
	ROW_COUNT
};

struct row_info {
	const char *name;  /* key in the JSON */
	const char *title; /* first column of the table */
	double insn_limit; /* issue 2, acceptance 6: ratio to the best crun; 0: no limit */
};

extern const struct row_info row_info[ROW_COUNT];

/* --- the bed ---------------------------------------------------------------------------------- */

enum bundle { BUNDLE_PLAIN, BUNDLE_SECCOMP, BUNDLE_USERNS, BUNDLE_SLEEP, BUNDLE_COUNT };

struct bench {
	struct runtime runtimes[PEERS_MAX];
	size_t runtime_count;
	size_t rounds;
	const char *payload, *profile; /* files; profile NULL: the bench makes one */
	bool cgroups;		       /* containers get cgroups; else --cgroup-manager=disabled */
	bool clock_insn;  /* one nanosecond of CPU time is one instruction (icount guest) */
	bool json, check; /* output form; fail when an acceptance limit is broken */
	char *cgroup;	  /* "/cella-bench-PID" below the cgroup mount, or NULL */
	char *bundles[BUNDLE_COUNT];			/* absolute directories */
	struct sample (*samples)[ROW_COUNT][PEERS_MAX]; /* [round][row][runtime] */
};

/* Enter private mount and pid namespaces and build the bundles on a tmpfs there. The calling
 * process forks: the parent waits, removes the cgroups and ends; the child returns from here. */
MUST_CHECK struct err *bed_enter(struct bench *bench);
MUST_CHECK struct err *bed_build(struct bench *bench);
/* Forget what the runtime has cached between commands: ROOT/.cache. */
void bed_drop_cache(const struct runtime *runtime);
/* count more tmpfs mounts in the bench's mount namespace, or none of them any more (count 0). */
MUST_CHECK struct err *bed_set_mounts(unsigned int count);

/* The OCI form of a containers/common seccomp profile for this machine, and a libseccomp filter of
 * it in the kernel's form. path NULL: a profile of the same kind from libseccomp's own tables. */
MUST_CHECK struct err *profile_read(const char *path, char **ret_oci, struct buf *bpf);

/* --- counting --------------------------------------------------------------------------------- */

/* Run VERB... with the runtime's global options in front, and count it. A status that is not 0 is
 * ERR_PEER with what the command wrote to stderr. */
MUST_CHECK struct err *count_command(const struct bench *bench, const struct runtime *runtime,
				     const char *const *words, struct sample *ret_sample);
/* How many processes there are in the bench's pid namespace; NAN when that cannot be told. */
double count_processes(void);
/* Wait until no child of the bench is left: containers that were killed are gone then. */
void count_reap_all(void);

/* One round: every row of every runtime, in rotated order, into bench->samples[round]. */
MUST_CHECK struct err *rows_measure(const struct bench *bench, size_t round);
/* A run of the default bundle: is this runtime usable here? */
MUST_CHECK struct err *rows_try(const struct bench *bench, const struct runtime *runtime);

/* Print what was measured; *ret_over tells how many acceptance limits were broken. */
MUST_CHECK struct err *report_print(const struct bench *bench, size_t *ret_over);

#endif
