/* Counters of a cgroup. Files of controllers that are not enabled are absent and leave their fields
 * unset. Source: cgroup-v2.rst, "Controllers". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"
#include "cgroups/pressure.h"

#define STATS_TEXT_MAX ((size_t)1 << 20)
#define AT(field) offsetof(struct cgroup_stats, field)

/* Files that hold one number. */
static const struct number_row {
	const char *file;
	size_t offset;
	bool is_count; /* one that cgroup_counts_read() reads */
} number_rows[] = {
	{ "memory.current", AT(memory_bytes), true },
	{ "memory.max", AT(memory_max_bytes) },
	{ "memory.peak", AT(memory_peak_bytes) },
	{ "memory.swap.current", AT(swap_bytes), true },
	{ "memory.swap.max", AT(swap_max_bytes) },
	{ "pids.current", AT(pids), true },
	{ "pids.max", AT(pids_max) },
};

/* Lines of flat files; rows of one file stand together, so that it is read once. */
static const struct flat_row {
	const char *file, *key;
	size_t offset;
} flat_rows[] = {
	{ "cpu.stat", "usage_usec", AT(cpu_usage_us) },
	{ "cpu.stat", "user_usec", AT(cpu_user_us) },
	{ "cpu.stat", "system_usec", AT(cpu_system_us) },
	{ "cpu.stat", "nr_periods", AT(cpu_periods) },
	{ "cpu.stat", "nr_throttled", AT(cpu_throttled_periods) },
	{ "cpu.stat", "throttled_usec", AT(cpu_throttled_us) },
	{ "memory.events", "oom", AT(memory_oom) },
	{ "memory.events", "oom_kill", AT(memory_oom_kills) },
	{ "memory.events", "max", AT(memory_max_events) },
	{ "pids.events", "max", AT(pids_max_events) },
};

static const struct pressure_row {
	const char *file;
	size_t offset;
} pressure_rows[] = {
	{ "cpu.pressure", AT(cpu_pressure) },
	{ "memory.pressure", AT(memory_pressure) },
	{ "io.pressure", AT(io_pressure) },
};

static const struct io_row {
	const char *key;
	size_t offset;
} io_rows[] = {
	{ "rbytes", offsetof(struct io_stat, read_bytes) },
	{ "wbytes", offsetof(struct io_stat, write_bytes) },
	{ "rios", offsetof(struct io_stat, read_ops) },
	{ "wios", offsetof(struct io_stat, write_ops) },
	{ "dbytes", offsetof(struct io_stat, discard_bytes) },
	{ "dios", offsetof(struct io_stat, discard_ops) },
};

static uint64_t *field_at(void *base, size_t offset)
{
	return (uint64_t *)(void *)((char *)base + offset);
}

static struct err *read_counts(int dir_fd, struct cgroup_stats *stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_rows); i++)
		if (number_rows[i].is_count)
			TRY(file_read_u64(dir_fd, number_rows[i].file,
					  field_at(stats, number_rows[i].offset)));
	return NULL;
}

static struct err *read_numbers(int dir_fd, struct cgroup_stats *stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_rows); i++)
		TRY(file_read_u64(dir_fd, number_rows[i].file,
				  field_at(stats, number_rows[i].offset)));
	return NULL;
}

/* An absent file reads as an empty one. */
static struct err *read_if_there(int dir_fd, const char *file, struct buf *text)
{
	struct err *err = file_read(dir_fd, file, STATS_TEXT_MAX, text);

	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == EOPNOTSUPP)) {
		err_drop(err);
		return buf_add(text, "", 0);
	}
	return err;
}

static struct err *read_flat(int dir_fd, struct cgroup_stats *stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(flat_rows);) {
		const char *file = flat_rows[i].file;
		OWN(buf) struct buf text = { 0 };

		TRY(read_if_there(dir_fd, file, &text));
		for (; i < ARRAY_SIZE(flat_rows) && str_eq(flat_rows[i].file, file); i++)
			*field_at(stats, flat_rows[i].offset) =
				flat_value(text.data, flat_rows[i].key);
	}
	return NULL;
}

static struct err *read_memory_stat(int dir_fd, struct cgroup_stats *stats)
{
	OWN(buf) struct buf text = { 0 };
	char *rest;

	TRY(read_if_there(dir_fd, "memory.stat", &text));
	rest = text.data;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '=';
		TRY(strlist_add(&stats->memory_stat, line));
	}
	return NULL;
}

/* "8:0 rbytes=1 ..."; lines without a device ("default") or without counters are not ours. */
static struct err *add_io(const char *line, struct cgroup_stats *stats)
{
	struct io_stat io = { 0 };
	struct io_stat *grown;

	if (sscanf(line, "%" SCNu32 ":%" SCNu32, &io.major, &io.minor) != 2 || !strchr(line, '='))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(io_rows); i++) {
		uint64_t value = nested_value(line, io_rows[i].key);

		*field_at(&io, io_rows[i].offset) = value == CGROUP_UNSET ? 0 : value;
	}
	grown = realloc(stats->io, (stats->io_count + 1) * sizeof(*grown));
	if (!grown)
		return err_sys(ENOMEM, "keep counters of %zu devices", stats->io_count + 1);
	stats->io = grown;
	stats->io[stats->io_count++] = io;
	return NULL;
}

static struct err *read_io(int dir_fd, struct cgroup_stats *stats)
{
	OWN(buf) struct buf text = { 0 };
	char *rest;

	TRY(read_if_there(dir_fd, "io.stat", &text));
	rest = text.data;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		TRY(add_io(line, stats));
	return NULL;
}

static struct err *read_rdma(int dir_fd, struct cgroup_stats *stats)
{
	OWN(buf) struct buf text = { 0 };
	char *rest;

	TRY(read_if_there(dir_fd, "rdma.current", &text));
	rest = text.data;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (*line)
			TRY(strlist_add(&stats->rdma, line));
	return NULL;
}

/* One page size, named by the file "hugetlb.SIZE.current". */
static struct err *add_hugetlb(int dir_fd, const char *size, int size_len,
			       struct cgroup_stats *stats)
{
	uint64_t usage, max, failures;
	OWN(buf) struct buf events = { 0 };
	char file[64];

	snprintf(file, sizeof(file), "hugetlb.%.*s.current", size_len, size);
	TRY(file_read_u64(dir_fd, file, &usage));
	snprintf(file, sizeof(file), "hugetlb.%.*s.max", size_len, size);
	TRY(file_read_u64(dir_fd, file, &max));
	snprintf(file, sizeof(file), "hugetlb.%.*s.events", size_len, size);
	TRY(read_if_there(dir_fd, file, &events));
	failures = flat_value(events.data, "max");
	if (usage >= CGROUP_MAX)
		return NULL;
	return strlist_format(&stats->hugetlb, "%.*s %" PRIu64 " %s %" PRIu64, size_len, size,
			      usage, limit_text(max).text, failures == CGROUP_UNSET ? 0 : failures);
}

/* The page sizes are only in the names of the files. */
static struct err *read_hugetlb(int dir_fd, struct cgroup_stats *stats)
{
	static const char prefix[] = "hugetlb.", suffix[] = ".current";
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return err_sys(errno, "list the files of the cgroup");
	while ((entry = readdir(dir))) {
		const char *size = entry->d_name + strlen(prefix), *dot;

		if (!str_has_prefix(entry->d_name, prefix))
			continue;
		dot = strchr(size, '.');
		if (dot && str_eq(dot, suffix) && dot - size < 16) /* not SIZE.rsvd.current */
			TRY(add_hugetlb(dir_fd, size, (int)(dot - size), stats));
	}
	return NULL;
}

static struct err *read_pressures(int dir_fd, struct cgroup_stats *stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(pressure_rows); i++) {
		void *field = (char *)stats + pressure_rows[i].offset;

		TRY(pressure_read(dir_fd, pressure_rows[i].file, field));
	}
	return NULL;
}

void cgroup_stats_release(struct cgroup_stats *stats)
{
	strlist_release(&stats->memory_stat);
	strlist_release(&stats->hugetlb);
	strlist_release(&stats->rdma);
	free(stats->io);
	*stats = (struct cgroup_stats){ 0 };
}

static void init(struct cgroup_stats *stats)
{
	*stats = (struct cgroup_stats){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(number_rows); i++)
		*field_at(stats, number_rows[i].offset) = CGROUP_UNSET;
	for (size_t i = 0; i < ARRAY_SIZE(flat_rows); i++)
		*field_at(stats, flat_rows[i].offset) = CGROUP_UNSET;
}

static struct err *read_usage(int dir_fd, struct cgroup_stats *stats)
{
	TRY(read_numbers(dir_fd, stats));
	TRY(read_flat(dir_fd, stats));
	TRY(read_io(dir_fd, stats));
	return read_pressures(dir_fd, stats);
}

static struct err *read_all(int dir_fd, struct cgroup_stats *stats)
{
	TRY(read_usage(dir_fd, stats));
	TRY(read_memory_stat(dir_fd, stats));
	TRY(read_rdma(dir_fd, stats));
	return read_hugetlb(dir_fd, stats);
}

static struct err *read_with(const struct cgroup *cg,
			     struct err *(*read_some)(int dir_fd, struct cgroup_stats *stats),
			     struct cgroup_stats *ret_stats)
{
	struct cgroup_stats stats;
	struct err *err = NULL;

	init(&stats);
	if (cg->dir_fd >= 0)
		err = read_some(cg->dir_fd, &stats);
	if (err) {
		cgroup_stats_release(&stats);
		return err_wrap(err, "cgroup %s", cg->path);
	}
	*ret_stats = stats;
	return NULL;
}

struct err *cgroup_stats_read(const struct cgroup *cg, struct cgroup_stats *ret_stats)
{
	return read_with(cg, read_all, ret_stats);
}

struct err *cgroup_counts_read(const struct cgroup *cg, struct cgroup_stats *ret_stats)
{
	return read_with(cg, read_counts, ret_stats);
}

struct err *cgroup_usage_read(const struct cgroup *cg, struct cgroup_stats *ret_stats)
{
	return read_with(cg, read_usage, ret_stats);
}
