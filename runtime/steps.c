/* The runner of step tables, with fault injection. The tables are in create.c and init.c. */
#include "runtime/steps.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "runtime/birth.h"
#include "runtime/sync.h"

#ifdef CELLA_FAULTS
/* CELLA_FAIL=side:name[:kill], or "list" to print the rows that a birth goes through. */
static bool is_fault(const char *side, const char *name, const char *how)
{
	const char *wanted = getenv("CELLA_FAIL");
	OWN(str) char *here = NULL;
	struct err *err = str_format(&here, "%s:%s%s", side, name, how);
	bool hit = !err && wanted && str_eq(wanted, here);

	if (!err && wanted && !*how && str_eq(wanted, "list"))
		dprintf(STDERR_FILENO, "%s\n", here);
	err_drop(err); /* a fault that cannot be named is not injected */
	return hit;
}

static struct err *fault_before(const char *side, const struct step *step)
{
	return is_fault(side, step->name, "") ? err_new(ERR_SYS, "injected fault") : NULL;
}

static void fault_after(const char *side, const struct step *step)
{
	if (!is_fault(side, step->name, ":kill"))
		return;
	raise(SIGKILL);
	_exit(128 + SIGKILL); /* the first process of a pid namespace cannot kill itself */
}
#else
static struct err *fault_before(const char *side, const struct step *step)
{
	(void)side;
	(void)step;
	return NULL;
}

static void fault_after(const char *side, const struct step *step)
{
	(void)side;
	(void)step;
}
#endif

static struct err *step_do(const char *side, const struct step *step, struct birth *birth)
{
	struct err *err = fault_before(side, step);

	if (err)
		return err;
	switch (step->kind) {
	case STEP_RUN:
		TRY(step->run(birth));
		break;
	case STEP_WAIT:
		TRY(birth_wait(birth, step->stage));
		break;
	case STEP_SEND:
		TRY(birth_send(birth, step->stage));
		break;
	}
	fault_after(side, step);
	return NULL;
}

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

struct err *steps_run(const char *side, const struct step *steps, size_t count, struct birth *birth)
{
	for (size_t done = 0; done < count; done++) {
		const struct step *step = &steps[done];
		long long start_us = log_wants_debug() ? now_us() : 0;
		struct err *err;

		if (step->when && !step->when(birth))
			continue;
		err = step_do(side, step, birth);
		if (log_wants_debug())
			log_debug("%s: %s: %lld us", side, step->name, now_us() - start_us);
		if (!err)
			continue;
		/* what the peer says names its own step already */
		if (step->kind == STEP_RUN)
			err = err_wrap(err, "%s", step->name);
		steps_undo(steps, done, birth);
		return err;
	}
	return NULL;
}

void steps_undo(const struct step *steps, size_t count, struct birth *birth)
{
	while (count-- > 0)
		if (steps[count].undo && (!steps[count].when || steps[count].when(birth)))
			steps[count].undo(birth);
}
