/*
 * Checking and writing limits: the walk over the groups of limits.h. Each group's own rules are in
 * the file with its name. Source: cgroup-v2.rst, "Controllers".
 */
#include "cgroups/limits.h"

#include <inttypes.h>

#include "base/fd.h"
#include "cgroups/files.h"

/* cpuset before memory, so that pages are allocated on the right nodes; unified last, as it
 * overrides. */
static const struct limit_group *const groups[] = {
	&cpuset_limits,	 &cpu_limits,  &memory_limits, &pids_limits,	&io_limits,
	&hugetlb_limits, &rdma_limits, &misc_limits,   &unified_limits,
};

uint64_t limit_row_value(const struct limit_row *row, const struct cgroup_limits *limits)
{
	return *(const uint64_t *)(const void *)((const char *)limits + row->offset);
}

bool limit_rows_set(const struct limit_row *rows, size_t count, const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < count; i++)
		if (limit_row_value(&rows[i], limits) != CGROUP_UNSET)
			return true;
	return false;
}

struct err *limit_rows_check(const struct limit_row *rows, size_t count,
			     const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = limit_row_value(&rows[i], limits);

		if (value == CGROUP_UNSET || (value >= rows[i].min && value <= rows[i].max))
			continue;
		return err_new(ERR_INVALID, "%s: %s is not in %" PRIu64 "..%s", rows[i].file,
			       limit_text(value).text, rows[i].min, limit_text(rows[i].max).text);
	}
	return NULL;
}

struct err *limit_rows_apply(const struct limit_row *rows, size_t count, int dir_fd,
			     const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = limit_row_value(&rows[i], limits);

		if (value != CGROUP_UNSET)
			TRY(file_write_u64(dir_fd, rows[i].file, value));
	}
	return NULL;
}

struct err *cgroup_limits_check(const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i]->check)
			TRY(groups[i]->check(limits));
	return NULL;
}

controllers limits_need(const struct cgroup_limits *limits)
{
	controllers need = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		need |= groups[i]->needs(limits);
	return need;
}

bool limits_any(const struct cgroup_limits *limits)
{
	return limits->unified.count > 0 || limits_need(limits) != 0;
}

struct err *limits_apply(int dir_fd, const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i]->precheck)
			TRY(groups[i]->precheck(dir_fd, limits));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		TRY(groups[i]->apply(dir_fd, limits));
	return NULL;
}

/* --- the groups that are nothing but rows --- */

static const struct limit_row pids_rows[] = {
	/* 0 is a real limit since runtime-spec 1.3: no process may be forked */
	{ "pids.max", offsetof(struct cgroup_limits, pids_max), 0, CGROUP_MAX },
};

static controllers pids_needs(const struct cgroup_limits *limits)
{
	return limits->pids_max == CGROUP_UNSET ? 0 : CONTROLLER(PIDS);
}

static struct err *pids_check(const struct cgroup_limits *limits)
{
	return limit_rows_check(pids_rows, ARRAY_SIZE(pids_rows), limits);
}

static struct err *pids_apply(int dir_fd, const struct cgroup_limits *limits)
{
	return limit_rows_apply(pids_rows, ARRAY_SIZE(pids_rows), dir_fd, limits);
}

const struct limit_group pids_limits = { pids_needs, pids_check, NULL, pids_apply };
