/*
 * CPU time. Three files depend on each other: the kernel refuses a burst above the quota at every
 * instant, and a weight while cpu.idle is 1. Source: cgroup-v2.rst, "CPU Interface Files";
 * kernel/sched/core.c, tg_set_cfs_bandwidth(); kernel/sched/fair.c, sched_group_set_shares().
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/limits.h"

#define ROW(name, field, min, max)                                    \
	{                                                             \
		name, offsetof(struct cgroup_limits, field), min, max \
	}

/* A thousand CPUs for a second: more than the kernel's own bound (max_bw_quota_period_us, some 203
 * days). */
#define QUOTA_MAX_US UINT64_C(17592186044415)

static const struct limit_row range_rows[] = {
	ROW("cpu.weight", cpu_weight, 1, 10000),
	ROW("cpu.max (period)", cpu_period_us, 1000, 1000000),
	ROW("cpu.max.burst", cpu_burst_us, 0, QUOTA_MAX_US),
	ROW("cpu.idle", cpu_idle, 0, 1),
};

static controllers cpu_needs(const struct cgroup_limits *limits)
{
	bool is_set = limit_rows_set(range_rows, ARRAY_SIZE(range_rows), limits) ||
		      limits->cpu_quota_us != CGROUP_UNSET;

	return is_set ? CONTROLLER(CPU) : 0;
}

static struct err *cpu_check(const struct cgroup_limits *limits)
{
	uint64_t quota = limits->cpu_quota_us, burst = limits->cpu_burst_us;

	TRY(limit_rows_check(range_rows, ARRAY_SIZE(range_rows), limits));
	if (quota >= CGROUP_MAX)
		return NULL;
	if (quota < 1000 || quota > QUOTA_MAX_US)
		return err_new(ERR_INVALID,
			       "cpu.max: a quota of %" PRIu64 " us is not in 1000..%" PRIu64, quota,
			       QUOTA_MAX_US);
	if (burst != CGROUP_UNSET && burst > quota)
		return err_new(ERR_INVALID,
			       "cpu.max.burst: %" PRIu64 " us is more than the quota of %" PRIu64
			       " us",
			       burst, quota);
	return NULL;
}

/* "QUOTA PERIOD"; only a quota leaves the period alone, only a period keeps the quota in force. */
static struct err *write_max(int dir_fd, const struct cgroup_limits *limits)
{
	uint64_t quota = limits->cpu_quota_us, period = limits->cpu_period_us;
	char text[2 * LIMIT_TEXT_MAX];
	struct file_text before;

	if (quota == CGROUP_UNSET && period == CGROUP_UNSET)
		return NULL;
	if (period == CGROUP_UNSET)
		return file_write_u64(dir_fd, "cpu.max", quota);
	if (quota == CGROUP_UNSET) {
		TRY(file_text_read(dir_fd, "cpu.max", &before));
		before.text[strcspn(before.text, " \n")] = '\0';
		TRY(limit_parse("cpu.max", before.text, &quota));
	}
	snprintf(text, sizeof(text), "%s %s", limit_text(quota).text, limit_text(period).text);
	return file_write_text(dir_fd, "cpu.max", text);
}

static struct err *write_burst(int dir_fd, const struct cgroup_limits *limits)
{
	if (limits->cpu_burst_us == CGROUP_UNSET)
		return NULL;
	return file_write_u64(dir_fd, "cpu.max.burst", limits->cpu_burst_us);
}

static struct err *write_bandwidth(int dir_fd, const struct cgroup_limits *limits)
{
	uint64_t burst_before = 0;
	struct err *err;

	if (limits->cpu_burst_us != CGROUP_UNSET)
		TRY(file_read_u64(dir_fd, "cpu.max.burst", &burst_before));
	/* A quota may not fall below the burst in force: then the (smaller) new burst goes first.
	 */
	if (limits->cpu_burst_us < burst_before) {
		TRY(write_burst(dir_fd, limits));
		return write_max(dir_fd, limits);
	}
	err = write_max(dir_fd, limits);
	if (err && err_errno(err) == EINVAL)
		return err_wrap(err, "not a quota that the burst in force and the parent allow");
	if (err)
		return err;
	return write_burst(dir_fd, limits);
}

static struct err *write_share(int dir_fd, const struct cgroup_limits *limits)
{
	struct err *err;

	/* the weight of an idle group is fixed: leave idleness before, enter it after */
	if (limits->cpu_idle == 0)
		TRY(file_write_u64(dir_fd, "cpu.idle", 0));
	if (limits->cpu_weight != CGROUP_UNSET) {
		err = file_write_u64(dir_fd, "cpu.weight", limits->cpu_weight);
		/* With cpu.idle 1 as the wish the weight has no meaning, in force or later. */
		if (err && limits->cpu_idle == 1) {
			err_drop(err);
			err = NULL;
		}
		if (err && err_errno(err) == EINVAL)
			return err_wrap(
				err, "the cgroup may be idle (cpu.idle 1), which fixes its weight");
		if (err)
			return err;
	}
	if (limits->cpu_idle == 1)
		TRY(file_write_u64(dir_fd, "cpu.idle", 1));
	return NULL;
}

static struct err *cpu_apply(int dir_fd, const struct cgroup_limits *limits)
{
	TRY(write_share(dir_fd, limits));
	return write_bandwidth(dir_fd, limits);
}

const struct limit_group cpu_limits = { cpu_needs, cpu_check, NULL, cpu_apply };
