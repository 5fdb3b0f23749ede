/*
 * A container's counters in the JSON that runc's `events` prints. What cgroup v2 does not count
 * (per-CPU time, kernel memory) is zero or left out, as runc does there.
 */
#include "cli/oci_stats.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

#define NET_DEV_MAX ((size_t)1 << 20)

static void put_u64(struct json_out *out, const char *key, uint64_t value)
{
	json_out_key(out, key);
	json_out_u64(out, value);
}

/* Zero for what the kernel does not count; "max" stays the largest number, as runc prints it. */
static void put_counter(struct json_out *out, const char *key, uint64_t value)
{
	if (value == CGROUP_MAX)
		value = UINT64_MAX;
	else if (value == CGROUP_UNSET)
		value = 0;
	put_u64(out, key, value);
}

static void put_nanoseconds(struct json_out *out, const char *key, uint64_t us)
{
	put_counter(out, key, us >= CGROUP_MAX ? CGROUP_UNSET : us * 1000);
}

static void put_pressure_line(struct json_out *out, const char *key,
			      const struct pressure_line *line)
{
	json_out_key(out, key);
	json_out_object(out);
	json_out_key(out, "avg10");
	json_out_double(out, line->avg10);
	json_out_key(out, "avg60");
	json_out_double(out, line->avg60);
	json_out_key(out, "avg300");
	json_out_double(out, line->avg300);
	put_u64(out, "total", line->total_us);
	json_out_end_object(out);
}

static void put_pressure(struct json_out *out, const struct pressure *pressure)
{
	if (!pressure->some.is_set && !pressure->full.is_set)
		return;
	json_out_key(out, "psi");
	json_out_object(out);
	put_pressure_line(out, "some", &pressure->some);
	put_pressure_line(out, "full", &pressure->full);
	json_out_end_object(out);
}

static void put_cpu(struct json_out *out, const struct cgroup_stats *stats)
{
	json_out_key(out, "cpu");
	json_out_object(out);
	json_out_key(out, "usage");
	json_out_object(out);
	put_nanoseconds(out, "total", stats->cpu_usage_us);
	put_nanoseconds(out, "kernel", stats->cpu_system_us);
	put_nanoseconds(out, "user", stats->cpu_user_us);
	json_out_end_object(out);
	json_out_key(out, "throttling");
	json_out_object(out);
	put_counter(out, "periods", stats->cpu_periods);
	put_counter(out, "throttledPeriods", stats->cpu_throttled_periods);
	put_nanoseconds(out, "throttledTime", stats->cpu_throttled_us);
	json_out_end_object(out);
	put_pressure(out, &stats->cpu_pressure);
	json_out_end_object(out);
}

static void put_memory_entry(struct json_out *out, const char *key, uint64_t usage, uint64_t limit,
			     uint64_t failcnt)
{
	json_out_key(out, key);
	json_out_object(out);
	put_counter(out, "limit", limit);
	put_counter(out, "usage", usage);
	put_counter(out, "max", 0);
	put_counter(out, "failcnt", failcnt);
	json_out_end_object(out);
}

static void put_memory_usage(struct json_out *out, const struct cgroup_stats *stats)
{
	json_out_key(out, "usage");
	json_out_object(out);
	put_counter(out, "limit", stats->memory_max_bytes);
	put_counter(out, "usage", stats->memory_bytes);
	put_counter(out, "max", stats->memory_peak_bytes);
	put_counter(out, "failcnt", stats->memory_max_events);
	json_out_end_object(out);
}

/* runc's v2 swap entry counts memory and swap together, as v1's memsw did. */
static uint64_t memory_and_swap(uint64_t memory, uint64_t swap)
{
	if (memory == CGROUP_UNSET || swap == CGROUP_UNSET)
		return CGROUP_UNSET;
	return memory == CGROUP_MAX || swap == CGROUP_MAX ? CGROUP_MAX : memory + swap;
}

static void put_memory(struct json_out *out, const struct cgroup_stats *stats)
{
	const char *cache = strlist_env(&stats->memory_stat, "file");

	json_out_key(out, "memory");
	json_out_object(out);
	put_u64(out, "cache", cache ? strtoull(cache, NULL, 10) : 0);
	put_memory_usage(out, stats);
	put_memory_entry(out, "swap", memory_and_swap(stats->memory_bytes, stats->swap_bytes),
			 memory_and_swap(stats->memory_max_bytes, stats->swap_max_bytes), 0);
	put_memory_entry(out, "kernel", 0, 0, 0);
	put_memory_entry(out, "kernelTCP", 0, 0, 0);
	json_out_key(out, "raw");
	json_out_object(out);
	for (size_t i = 0; i < stats->memory_stat.count; i++) {
		const char *line = stats->memory_stat.items[i];
		char name[64];
		size_t len = strcspn(line, "=");

		snprintf(name, sizeof(name), "%.*s", (int)len, line);
		put_u64(out, name, line[len] ? strtoull(line + len + 1, NULL, 10) : 0);
	}
	json_out_end_object(out);
	put_pressure(out, &stats->memory_pressure);
	json_out_end_object(out);
}

static void put_io_entry(struct json_out *out, const struct io_stat *io, const char *op,
			 uint64_t value)
{
	json_out_object(out);
	put_u64(out, "major", io->major);
	put_u64(out, "minor", io->minor);
	json_out_key(out, "op");
	json_out_string(out, op);
	put_u64(out, "value", value);
	json_out_end_object(out);
}

static void put_io(struct json_out *out, const struct cgroup_stats *stats)
{
	json_out_key(out, "blkio");
	json_out_object(out);
	json_out_key(out, "ioServiceBytesRecursive");
	json_out_array(out);
	for (size_t i = 0; i < stats->io_count; i++) {
		put_io_entry(out, &stats->io[i], "Read", stats->io[i].read_bytes);
		put_io_entry(out, &stats->io[i], "Write", stats->io[i].write_bytes);
		put_io_entry(out, &stats->io[i], "Discard", stats->io[i].discard_bytes);
	}
	json_out_end_array(out);
	json_out_key(out, "ioServicedRecursive");
	json_out_array(out);
	for (size_t i = 0; i < stats->io_count; i++) {
		put_io_entry(out, &stats->io[i], "Read", stats->io[i].read_ops);
		put_io_entry(out, &stats->io[i], "Write", stats->io[i].write_ops);
		put_io_entry(out, &stats->io[i], "Discard", stats->io[i].discard_ops);
	}
	json_out_end_array(out);
	put_pressure(out, &stats->io_pressure);
	json_out_end_object(out);
}

static void put_hugetlb(struct json_out *out, const struct cgroup_stats *stats)
{
	json_out_key(out, "hugetlb");
	json_out_object(out);
	for (size_t i = 0; i < stats->hugetlb.count; i++) {
		uint64_t usage = 0, max = 0, failcnt = 0;
		char size[32];

		if (sscanf(stats->hugetlb.items[i], "%31s %" SCNu64 " %" SCNu64 " %" SCNu64, size,
			   &usage, &max, &failcnt) != 4)
			continue;
		json_out_key(out, size);
		json_out_object(out);
		put_u64(out, "usage", usage);
		put_u64(out, "max", max);
		put_u64(out, "failcnt", failcnt);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

/* One line of /proc/PID/net/dev, proc_pid_net(5): the 1st to 4th number are received, the 9th to
 * 12th sent. */
static void put_interface(struct json_out *out, const char *line)
{
	static const char *const keys[] = { "RxBytes", "RxPackets", "RxErrors", "RxDropped",
					    "TxBytes", "TxPackets", "TxErrors", "TxDropped" };
	uint64_t v[8];
	char name[32];

	if (sscanf(line,
		   " %31[^:]: %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %*s %*s %*s %*s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   name, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 9)
		return;
	json_out_object(out);
	json_out_key(out, "Name");
	json_out_string(out, name);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		put_u64(out, keys[i], v[i]);
	json_out_end_object(out);
}

static struct err *put_interfaces(struct json_out *out, pid_t pid)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(str_format(&path, "/proc/%d/net/dev", (int)pid));
	json_out_key(out, "network_interfaces");
	json_out_array(out);
	err = file_read(AT_FDCWD, path, NET_DEV_MAX, &text);
	/* gone since it was looked up: no interfaces is the truth */
	err_drop(err);
	for (const char *line = text.data; line && *line;) {
		const char *end = strchrnul(line, '\n');

		put_interface(out, line);
		line = *end ? end + 1 : end;
	}
	json_out_end_array(out);
	return NULL;
}

struct err *oci_stats_json(const char *id, const struct cgroup_stats *stats, pid_t net_pid,
			   char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "type");
	json_out_string(out, "stats");
	json_out_key(out, "id");
	json_out_string(out, id);
	json_out_key(out, "data");
	json_out_object(out);
	put_cpu(out, stats);
	put_memory(out, stats);
	json_out_key(out, "pids");
	json_out_object(out);
	put_counter(out, "current", stats->pids);
	/* runc prints 0 for no limit */
	put_counter(out, "limit", stats->pids_max == CGROUP_MAX ? 0 : stats->pids_max);
	json_out_end_object(out);
	put_io(out, stats);
	put_hugetlb(out, stats);
	TRY(put_interfaces(out, net_pid));
	json_out_end_object(out);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}
