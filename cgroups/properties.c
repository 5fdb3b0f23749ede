/*
 * Limits as properties of a unit, so that systemctl shows them and a daemon-reload does not undo
 * them. Some limits have no property; the files hold those. Device rules have none on purpose:
 * DeviceAllow= cannot say everything that they can, and our eBPF program is left alone by systemd
 * beside its own. Source: systemd.resource-control(5), org.freedesktop.systemd1(5).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/limits.h"
#include "cgroups/systemd.h"

#define DEFAULT_PERIOD_US 100000
#define CPU_NUMBER_MAX 8191

#define ROW(name, field, min)                                    \
	{                                                        \
		name, offsetof(struct cgroup_limits, field), min \
	}

static const struct property_row {
	const char *name;
	size_t offset;
	uint64_t min; /* systemd refuses less; then only the file holds it */
} rows[] = {
	ROW("MemoryMin", memory_min_bytes, 0),	 ROW("MemoryLow", memory_low_bytes, 0),
	ROW("MemoryHigh", memory_high_bytes, 1), ROW("MemoryMax", memory_max_bytes, 1),
	ROW("MemorySwapMax", swap_max_bytes, 0), ROW("TasksMax", pids_max, 1),
	ROW("IOWeight", io_weight, 1),		 ROW("CPUQuotaPeriodUSec", cpu_period_us, 1000),
};

/* systemd's infinity is UINT64_MAX. */
static struct err *add_number(struct strlist *list, const char *name, uint64_t value)
{
	return strlist_format(list, "%s=uint64 %" PRIu64, name,
			      value == CGROUP_MAX ? UINT64_MAX : value);
}

/*
 * systemd wants microseconds a second whatever the period. It rounds to a hundredth of a CPU only
 * when it writes its drop-in; the exact value stays in force.
 */
static struct err *add_quota(const struct cgroup_limits *limits, struct strlist *list)
{
	uint64_t quota = limits->cpu_quota_us, period = limits->cpu_period_us;

	if (quota == CGROUP_UNSET)
		return NULL;
	if (period == CGROUP_UNSET)
		period = DEFAULT_PERIOD_US;
	if (quota != CGROUP_MAX)
		quota = (uint64_t)((double)quota * 1e6 / (double)period);
	return add_number(list, "CPUQuotaPerSecUSec", quota);
}

/* 0 is how D-Bus spells "idle". */
static struct err *add_weight(const struct cgroup_limits *limits, struct strlist *list)
{
	if (limits->cpu_idle == 1)
		return add_number(list, "CPUWeight", 0);
	if (limits->cpu_weight == CGROUP_UNSET)
		return NULL;
	return add_number(list, "CPUWeight", limits->cpu_weight);
}

/* One range of a list; false for what only the kernel understands ("0-7:1/2") or nobody does. */
static bool set_range(const char **at, uint8_t *bits, unsigned long *highest)
{
	char *end;
	unsigned long first = strtoul(*at, &end, 10), last = first;

	if (end == *at)
		return false;
	if (*end == '-') {
		const char *second = end + 1;

		last = strtoul(second, &end, 10);
		if (end == second)
			return false;
	}
	if (first > last || last > CPU_NUMBER_MAX || (*end && *end != ','))
		return false;
	for (unsigned long i = first; i <= last; i++)
		bits[i / 8] |= (uint8_t)(1U << (i % 8));
	if (last > *highest)
		*highest = last;
	*at = *end ? end + 1 : end;
	return true;
}

/* "0-3,8" to a bit mask, lowest byte first; an empty list lifts the restriction. */
static struct err *add_list(const char *name, const char *text, struct strlist *list)
{
	uint8_t bits[CPU_NUMBER_MAX / 8 + 1] = { 0 };
	OWN(buf) struct buf value = { 0 };
	unsigned long highest = 0;

	if (!text)
		return NULL;
	if (!*text)
		return strlist_format(list, "%s=@ay []", name);
	for (const char *at = text; *at;)
		if (!set_range(&at, bits, &highest))
			return NULL; /* the file says it */
	for (unsigned long i = 0; i <= highest / 8; i++)
		TRY(buf_format(&value, "%s%u", i ? ", " : "", bits[i]));
	return strlist_format(list, "%s=@ay [%s]", name, value.data);
}

struct err *properties_of_limits(const struct cgroup_limits *limits, struct strlist *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value =
			*(const uint64_t *)(const void *)((const char *)limits + rows[i].offset);

		if (value != CGROUP_UNSET && value >= rows[i].min)
			TRY(add_number(list, rows[i].name, value));
	}
	TRY(add_quota(limits, list));
	TRY(add_weight(limits, list));
	TRY(add_list("AllowedCPUs", limits->cpuset_cpus, list));
	return add_list("AllowedMemoryNodes", limits->cpuset_mems, list);
}
