/*
 * Where and when a process runs: scheduling policy, I/O priority, CPUs and memory nodes. Rests on
 * sched_setattr(2), ioprio_set(2), sched_setaffinity(2), set_mempolicy(2); the C library has no
 * wrappers for three of them.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/ioprio.h>

#include "base/log.h"
#include "runtime/process/bit_list.h"
#include "runtime/process/process.h"

#define NODE_MAX 1024 /* 1 << CONFIG_NODES_SHIFT at most */

/* struct sched_attr of the kernel, SCHED_ATTR_SIZE_VER1; newer C libraries have it in <sched.h>,
 * older ones nowhere. */
struct kernel_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
	uint32_t util_min, util_max;
};

struct err *process_set_scheduler(const struct scheduler_spec *scheduler)
{
	struct kernel_sched_attr attr = {
		.size = sizeof(attr),
		.policy = scheduler->policy,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime_ns = scheduler->runtime_ns,
		.deadline_ns = scheduler->deadline_ns,
		.period_ns = scheduler->period_ns,
	};

	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		return err_sys(errno, "set scheduling policy %u (nice %d, priority %u)",
			       attr.policy, attr.nice, attr.priority);
	return NULL;
}

struct err *process_set_io_priority(int io_priority)
{
	/* the group, which is the process alone after its setsid(): what other runtimes set, too */
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, 0, io_priority) < 0)
		return err_sys(errno, "set I/O priority class %d level %d",
			       (int)IOPRIO_PRIO_CLASS(io_priority),
			       (int)IOPRIO_PRIO_DATA(io_priority));
	return NULL;
}

struct err *process_set_affinity(const char *cpus)
{
	struct bit_list list;

	if (cpus)
		TRY(bit_list_parse("CPU list", cpus, BIT_LIST_MAX, &list));
	else
		memset(list.words, 0xff,
		       sizeof(list.words)); /* the kernel keeps what the cpuset allows */
	if (syscall(SYS_sched_setaffinity, 0, sizeof(list.words), list.words) >= 0)
		return NULL;
	if (cpus)
		return err_sys(errno, "run on CPUs %s", cpus);
	/* nobody asked: the inherited CPUs stay */
	log_debug("run on every CPU: %s", strerror(errno));
	return NULL;
}

struct err *process_set_memory_policy(const struct memory_policy *policy)
{
	struct bit_list nodes = { 0 };
	bool has_nodes = policy->nodes && *policy->nodes;

	if (has_nodes)
		TRY(bit_list_parse("memory policy nodes", policy->nodes, NODE_MAX, &nodes));
	/* the kernel looks at one bit less than it is told (get_nodes() in mm/mempolicy.c) */
	if (syscall(SYS_set_mempolicy, policy->mode, has_nodes ? nodes.words : NULL,
		    has_nodes ? nodes.end + 1UL : 0UL) < 0)
		return err_sys(errno, "set memory policy 0x%x for nodes %s",
			       (unsigned int)policy->mode, has_nodes ? policy->nodes : "(none)");
	return NULL;
}
