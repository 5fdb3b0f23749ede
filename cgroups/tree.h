/*
 * What an init system has made below a container's cgroup, as a list of steps that make it again
 * below an empty one. Parents come before their children; the files of one cgroup are sorted, which
 * is the order that the kernel wants (cpu.max before cpu.max.burst).
 *
 *	make	PATH		a cgroup, whose files belong to VALUE ("UID:GID")
 *	own	PATH FILE	a file of it, or "." itself, belongs to VALUE
 *	type	PATH FILE	cgroup.type is VALUE, before it has children
 *	enable	PATH FILE	controllers for its children, "+memory +pids"
 *	set	PATH FILE	the file says VALUE, of one or more lines
 *	mark	PATH FILE	an extended attribute
 *
 * The container's own cgroup is PATH "", which is enabled alone: its limits are the host's.
 *
 * Included by cgroups.h.
 */
#ifndef CGROUPS_TREE_H
#define CGROUPS_TREE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct cgroup;

enum cgroup_step_kind {
	CGROUP_STEP_MAKE,
	CGROUP_STEP_OWN,
	CGROUP_STEP_TYPE,
	CGROUP_STEP_ENABLE,
	CGROUP_STEP_SET,
	CGROUP_STEP_MARK,
	CGROUP_STEP_KIND_COUNT
};

struct cgroup_step {
	enum cgroup_step_kind kind;
	char *path, *file, *value; /* owned; "" where there is none */
};

struct cgroup_steps {
	struct cgroup_step *items; /* owned */
	size_t count, room;
};
void cgroup_steps_release(struct cgroup_steps *steps);
static inline __attribute__((unused)) void own_cgroup_steps(struct cgroup_steps *steps)
{
	cgroup_steps_release(steps);
}
/* One more; the strings are copied. ERR_UNSUPPORTED: there are more than CGROUP_STEPS_MAX. */
#define CGROUP_STEPS_MAX 200000
MUST_CHECK struct err *cgroup_steps_add(struct cgroup_steps *steps, enum cgroup_step_kind kind,
					const char *path, const char *file, const char *value);

/*
 * The steps that lead to what is below the cgroup now; nobody should change it meanwhile.
 * ERR_UNSUPPORTED: a cgroup in it is frozen by its owner.
 */
MUST_CHECK struct err *cgroup_tree_read(const struct cgroup *cg, struct cgroup_steps *ret_steps);

/*
 * The way back, in three parts, because processes come in between. Limits come last: what is being
 * restored must not meet them. cgroup_tree_enable() moves the processes that are in the container's
 * own cgroup to where pid (init) is, since one with processes gives no controllers to its children.
 * A limit that this host refuses is a warning.
 */
MUST_CHECK struct err *cgroup_tree_make(const struct cgroup *cg, const struct cgroup_steps *steps);
MUST_CHECK struct err *cgroup_tree_enable(const struct cgroup *cg, const struct cgroup_steps *steps,
					  pid_t pid);
void cgroup_tree_limit(const struct cgroup *cg, const struct cgroup_steps *steps);

#endif
