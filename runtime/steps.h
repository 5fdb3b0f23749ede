/*
 * How a container comes to life: two tables of steps, run by host (create.c) and init (init.c),
 * that meet at WAIT and SEND rows. tests/unit/runtime_steps.c checks that the rows pair up, so
 * there is no deadlock by construction.
 *
 *   host                                init
 *   state directory, cgroup
 *   clone ----------------------------> (new process, in its cgroup)
 *   id maps, scope        SEND maps --> WAIT
 *                                       root of its user namespace, host name, loopback
 *   WAIT <------------- SEND namespaces                     [only when somebody wires the network]
 *   devices, wiring       SEND wired -> WAIT                [likewise]
 *                                       sysctls, mounts
 *   WAIT <------------------ SEND mounts                    [only with prestart or createRuntime
 * hooks] hooks                 SEND hooked-> WAIT                [likewise] createContainer hooks,
 * pivot, limits, program found WAIT <------------------- SEND ready (with the pty master, when the
 * caller keeps it) state file, pid file  SEND saved -> WAIT                 <- the point of no
 * return for create (exit)                              wait for `start`, startContainer hooks
 *                                       privileges, filter, execve
 *
 * Fault injection: CELLA_FAIL="host:cgroup" or "init:mounts" in the environment makes that row fail
 * (builds with -DCELLA_FAULTS only), "host:cgroup:kill" makes the process end there with SIGKILL,
 * after its work was done, and "list" prints the rows.
 */
#ifndef RUNTIME_STEPS_H
#define RUNTIME_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct birth;

enum stage {
	STAGE_MAPS,
	STAGE_NAMESPACES,
	STAGE_WIRED,
	STAGE_MOUNTS,
	STAGE_HOOKED,
	STAGE_READY,
	STAGE_SAVED,
	STAGE_COUNT
};
extern const char *const stage_names[STAGE_COUNT];

enum step_kind { STEP_RUN, STEP_WAIT, STEP_SEND };

struct step {
	const char *name;
	enum step_kind kind;
	enum stage stage; /* STEP_WAIT and STEP_SEND */
	struct err *(*run)(
		struct birth *birth);	   /* STEP_RUN; on failure it has undone its own part */
	void (*undo)(struct birth *birth); /* may be NULL; never fails, warns */
	bool (*when)(
		const struct birth *birth); /* NULL: always. The same answer in host and init. */
};

/* Do every row; on error wrap it with the row's name and undo the finished rows backwards. side:
 * "host" or "init". */
MUST_CHECK struct err *steps_run(const char *side, const struct step *steps, size_t count,
				 struct birth *birth);
/* Undo all rows, as after a failure behind the last one. */
void steps_undo(const struct step *steps, size_t count, struct birth *birth);

/* The tables, for the runner and the tests. */
extern const struct step host_steps[], init_steps[];
extern const size_t host_step_count, init_step_count;

#endif
