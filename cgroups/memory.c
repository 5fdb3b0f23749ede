/* Memory limits. Source: cgroup-v2.rst, "Memory Interface Files". */
#include "cgroups/files.h"
#include "cgroups/limits.h"

#include <inttypes.h>

#include "base/own.h"

#define ROW(name, field, max)                                       \
	{                                                           \
		name, offsetof(struct cgroup_limits, field), 0, max \
	}

static const struct limit_row protection_rows[] = {
	ROW("memory.min", memory_min_bytes, CGROUP_MAX),
	ROW("memory.low", memory_low_bytes, CGROUP_MAX),
	ROW("memory.oom.group", memory_oom_group, 1),
};

static const struct limit_row ceiling_rows[] = {
	ROW("memory.high", memory_high_bytes, CGROUP_MAX),
	ROW("memory.max", memory_max_bytes, CGROUP_MAX),
};

static const struct limit_row swap_row = ROW("memory.swap.max", swap_max_bytes, CGROUP_MAX);

static controllers memory_needs(const struct cgroup_limits *limits)
{
	bool is_set = limit_rows_set(protection_rows, ARRAY_SIZE(protection_rows), limits) ||
		      limit_rows_set(ceiling_rows, ARRAY_SIZE(ceiling_rows), limits) ||
		      limit_rows_set(&swap_row, 1, limits);

	return is_set ? CONTROLLER(MEMORY) : 0;
}

static struct err *memory_check(const struct cgroup_limits *limits)
{
	TRY(limit_rows_check(protection_rows, ARRAY_SIZE(protection_rows), limits));
	TRY(limit_rows_check(ceiling_rows, ARRAY_SIZE(ceiling_rows), limits));
	return limit_rows_check(&swap_row, 1, limits);
}

static struct err *memory_precheck(int dir_fd, const struct cgroup_limits *limits)
{
	uint64_t in_use;

	if (!limits->memory_check_usage || limits->memory_max_bytes == CGROUP_UNSET)
		return NULL;
	TRY(file_read_u64(dir_fd, "memory.current", &in_use));
	if (in_use != CGROUP_UNSET && limits->memory_max_bytes < in_use)
		return err_new(ERR_INVALID,
			       "memory limit %" PRIu64 " is below the %" PRIu64 " bytes in use",
			       limits->memory_max_bytes, in_use);
	return NULL;
}

static struct err *swap_apply(int dir_fd, const struct cgroup_limits *limits)
{
	uint64_t value = limits->swap_max_bytes;
	struct err *err;

	if (value == CGROUP_UNSET)
		return NULL;
	err = file_write_u64(dir_fd, swap_row.file, value);
	/* A kernel without swap has no file: "none" holds there by itself, and so does "no limit".
	 */
	if (err && err_kind(err) == ERR_UNSUPPORTED && (value == 0 || value == CGROUP_MAX)) {
		err_drop(err);
		return NULL;
	}
	return err;
}

static struct err *memory_apply(int dir_fd, const struct cgroup_limits *limits)
{
	uint64_t swap_before = CGROUP_UNSET;
	bool swap_first = false;

	TRY(limit_rows_apply(protection_rows, ARRAY_SIZE(protection_rows), dir_fd, limits));
	/* Lowering memory.max pushes pages to swap, or kills: keep the larger of both swap limits
	 * until then. */
	if (limits->swap_max_bytes != CGROUP_UNSET && limits->memory_max_bytes != CGROUP_UNSET) {
		TRY(file_read_u64(dir_fd, swap_row.file, &swap_before));
		swap_first = swap_before != CGROUP_UNSET && limits->swap_max_bytes > swap_before;
	}
	if (swap_first)
		TRY(swap_apply(dir_fd, limits));
	TRY(limit_rows_apply(ceiling_rows, ARRAY_SIZE(ceiling_rows), dir_fd, limits));
	return swap_first ? NULL : swap_apply(dir_fd, limits);
}

const struct limit_group memory_limits = { memory_needs, memory_check, memory_precheck,
					   memory_apply };
