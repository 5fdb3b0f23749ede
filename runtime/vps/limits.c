/*
 * From a definition's limits to the kernel's (DESIGN.md 6). A struct cgroup_limits made here says
 * every limit, also those that the definition leaves to the kernel's default, so that the
 * difference of two definitions is the difference of two such structs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/vps/room.h"

#define CPU_PERIOD_US UINT64_C(100000)

static bool is_number(uint64_t value)
{
	return value != VPS_UNSET && value != VPS_UNLIMITED;
}

static uint64_t or_max(uint64_t value)
{
	return is_number(value) ? value : CGROUP_MAX;
}

static uint64_t or_zero(uint64_t value)
{
	return is_number(value) ? value : 0;
}

/* --cpus and --cpulimit both cap CPU time; the smaller one holds. */
static uint64_t cpu_quota_us(const struct vps_conf *conf)
{
	uint64_t by_count = or_zero(conf->cpus) * CPU_PERIOD_US;
	uint64_t by_percent = or_zero(conf->cpulimit_percent) * CPU_PERIOD_US / 100;

	if (!by_count && !by_percent)
		return CGROUP_MAX;
	if (!by_count || !by_percent)
		return by_count + by_percent;
	return by_count < by_percent ? by_count : by_percent;
}

/* OpenVZ's 8..500000 with 1000 in the middle, to cpu.weight's 1..10000 with 100. */
static uint64_t cpu_weight(uint64_t units)
{
	uint64_t weight = is_number(units) ? units / 10 : 100;

	return weight < 1 ? 1 : weight > 10000 ? 10000 : weight;
}

/* OpenVZ's 0..7 with 4 in the middle; each step doubles, as far as whole numbers go. */
static uint64_t io_weight(uint64_t priority)
{
	static const uint64_t weights[] = { 6, 12, 25, 50, 100, 200, 400, 800 };

	return weights[is_number(priority) && priority < ARRAY_SIZE(weights) ? priority : 4];
}

/* Without a word about swap, a memory limit means memory: not as much of the host's swap as there
 * is. */
static uint64_t swap_max(const struct vps_conf *conf)
{
	return conf->swap_bytes == VPS_UNSET && is_number(conf->ram_bytes) ?
		       0 :
		       or_max(conf->swap_bytes);
}

/*
 * "auto" are the CPUs of the memory nodes. "all", and nothing, is everything that the host has: the
 * kernel takes no empty list back once there was one (ENOSPC).
 */
static struct err *cpu_list(const struct vps_conf *conf, char **ret_list)
{
	bool some_nodes = conf->nodemask && !str_eq(conf->nodemask, "all");

	if (str_eq(conf->cpumask, "auto") && some_nodes)
		return nodes_cpus(conf->nodemask, ret_list);
	if (!conf->cpumask || str_eq(conf->cpumask, "all") || str_eq(conf->cpumask, "auto"))
		return cpus_online(ret_list);
	return str_dup(conf->cpumask, ret_list);
}

static struct err *node_list(const struct vps_conf *conf, char **ret_list)
{
	if (!conf->nodemask || str_eq(conf->nodemask, "all"))
		return nodes_online(ret_list);
	return str_dup(conf->nodemask, ret_list);
}

static struct err *add_rate(struct buf *line, const char *read_key, const char *write_key,
			    uint64_t rate)
{
	if (or_zero(rate) == 0)
		return buf_format(line, " %s=max %s=max", read_key, write_key);
	return buf_format(line, " %s=%" PRIu64 " %s=%" PRIu64, read_key, rate, write_key, rate);
}

/* One line for each disk; the same rate on each, as nobody knows which one the next block is on. */
static struct err *io_lines(const struct vps_conf *conf, const struct strlist *disks,
			    struct strlist *lines)
{
	for (size_t i = 0; i < disks->count; i++) {
		OWN(buf) struct buf line = { 0 };

		TRY(buf_format(&line, "%s", disks->items[i]));
		TRY(add_rate(&line, "rbps", "wbps", conf->iolimit_bytes));
		TRY(add_rate(&line, "riops", "wiops", conf->iopslimit));
		TRY(strlist_add(lines, line.data));
	}
	return NULL;
}

static bool needs_disks(const struct vps_conf *conf)
{
	return or_zero(conf->iolimit_bytes) || or_zero(conf->iopslimit);
}

static struct err *fill(const struct vps_conf *conf, const struct strlist *disks,
			struct cgroup_limits *limits)
{
	limits->memory_max_bytes = or_max(conf->ram_bytes);
	limits->swap_max_bytes = swap_max(conf);
	limits->memory_min_bytes = or_zero(conf->ram_min_bytes);
	limits->memory_high_bytes = or_max(conf->ram_soft_bytes);
	limits->memory_oom_group = or_zero(conf->oom_group);
	limits->pids_max = or_max(conf->numproc);
	limits->cpu_weight = cpu_weight(conf->cpuunits);
	limits->cpu_quota_us = cpu_quota_us(conf);
	limits->cpu_period_us = CPU_PERIOD_US;
	limits->cpu_burst_us = or_zero(conf->cpu_burst_percent) * CPU_PERIOD_US / 100;
	limits->io_weight = io_weight(conf->ioprio);
	return io_lines(conf, disks, &limits->io_max);
}

/* --- the difference of two, and what this host cannot do --- */

#define FIELD(member) offsetof(struct cgroup_limits, member)
static const struct field {
	size_t offset; /* of a uint64_t in struct cgroup_limits */
	const char *controller, *option;
} fields[] = {
	{ FIELD(memory_max_bytes), "memory", "--ram" },
	{ FIELD(swap_max_bytes), "memory", "--swap" },
	{ FIELD(memory_min_bytes), "memory", "--ram-min" },
	{ FIELD(memory_high_bytes), "memory", "--ram-soft" },
	{ FIELD(memory_oom_group), "memory", "--oom-group" },
	{ FIELD(pids_max), "pids", "--numproc" },
	{ FIELD(cpu_weight), "cpu", "--cpuunits" },
	{ FIELD(cpu_quota_us), "cpu", "--cpus, --cpulimit" },
	{ FIELD(cpu_burst_us), "cpu", "--cpu-burst" },
	{ FIELD(io_weight), "io", "--ioprio" },
};

static uint64_t *number_of(const struct field *field, struct cgroup_limits *limits)
{
	return (void *)((char *)limits + field->offset);
}

static bool same_lists(const struct strlist *a, const struct strlist *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (i >= b->count || !str_eq(a->items[i], b->items[i]))
			return false;
	return a->count == b->count;
}

static void drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void drop_same(struct cgroup_limits *base, struct cgroup_limits *limits)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (*number_of(&fields[i], base) == *number_of(&fields[i], limits))
			*number_of(&fields[i], limits) = CGROUP_UNSET;
	if (limits->cpu_quota_us == CGROUP_UNSET)
		limits->cpu_period_us = CGROUP_UNSET;
	if (same_lists(&base->io_max, &limits->io_max))
		strlist_release(&limits->io_max);
}

static struct err *add_lacking(const char *option, const char *controller, struct strlist *lacks)
{
	return strlist_format(lacks,
			      "%s: cgroup v2 has no %s controller here; see "
			      "/sys/fs/cgroup/cgroup.controllers and cgroup_disable= of the kernel",
			      option, controller);
}

static struct err *drop_lacking(const struct strlist *controllers, struct cgroup_limits *limits,
				struct strlist *ret_lacks)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t *value = number_of(&fields[i], limits);

		if (*value == CGROUP_UNSET || strlist_has(controllers, fields[i].controller))
			continue;
		*value = CGROUP_UNSET;
		TRY(add_lacking(fields[i].option, fields[i].controller, ret_lacks));
	}
	if (limits->cpu_quota_us == CGROUP_UNSET)
		limits->cpu_period_us = CGROUP_UNSET;
	if (limits->io_max.count && !strlist_has(controllers, "io")) {
		strlist_release(&limits->io_max);
		TRY(add_lacking("--iolimit, --iopslimit", "io", ret_lacks));
	}
	if ((!limits->cpuset_cpus && !limits->cpuset_mems) || strlist_has(controllers, "cpuset"))
		return NULL;
	drop_text(&limits->cpuset_cpus);
	drop_text(&limits->cpuset_mems);
	return add_lacking("--cpumask, --nodemask", "cpuset", ret_lacks);
}

/* --- all of it --- */

/* By what the definitions say: a list of all that there is may look the same as none. */
static struct err *fill_lists(const struct vps_conf *from, const struct vps_conf *to,
			      struct cgroup_limits *limits)
{
	bool new_nodes = !str_eq(from->nodemask, to->nodemask);

	if (!str_eq(from->cpumask, to->cpumask) || (new_nodes && str_eq(to->cpumask, "auto")))
		TRY(cpu_list(to, &limits->cpuset_cpus));
	return new_nodes ? node_list(to, &limits->cpuset_mems) : NULL;
}

static struct err *find_disks(const struct vps_host *host, const char *name,
			      struct strlist *ret_disks, struct strlist *ret_lacks)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(str_format(&path, "%s/%s", host->private_dir, name));
	err = cgroup_disks(access(path, F_OK) == 0 ? path : host->private_dir, ret_disks);
	if (err && err_kind(err) == ERR_UNSUPPORTED) {
		struct err *kept = strlist_format(
			ret_lacks,
			"--iolimit, --iopslimit: %s; put the VPS on a file system on a disk",
			err_text(err));

		err_drop(err); /* kept as text */
		return kept;
	}
	return err;
}

static struct err *refuse_lacks(const struct vps_conf *conf, const struct strlist *lacks)
{
	if (lacks->count == 0 || conf->best_effort == 1)
		return NULL;
	return err_new(ERR_UNSUPPORTED, "%s; --best-effort does without", lacks->items[0]);
}

struct err *limits_change(const struct vps_host *host, const char *name,
			  const struct vps_conf *from, const struct vps_conf *to,
			  struct cgroup_limits *limits, struct strlist *ret_lacks)
{
	OWN(cgroup_limits) struct cgroup_limits base;
	OWN(strlist) struct strlist disks = { 0 }, controllers = { 0 };

	cgroup_limits_init(&base);
	if (needs_disks(from) || needs_disks(to))
		TRY(find_disks(host, name, &disks, ret_lacks));
	TRY(cpus_check(to));
	TRY(fill(to, &disks, limits));
	TRY(fill(from, &disks, &base));
	TRY(fill_lists(from, to, limits));
	drop_same(&base, limits);
	TRY(cgroup_controllers(&controllers));
	TRY(drop_lacking(&controllers, limits, ret_lacks));
	return refuse_lacks(to, ret_lacks);
}

struct err *vps_limits_lacking(const struct vps_host *host, const char *name,
			       const struct vps_conf *conf, struct strlist *ret_lacks)
{
	OWN(cgroup_limits) struct cgroup_limits limits;
	OWN(vps_conf) struct vps_conf none, tolerant;

	cgroup_limits_init(&limits);
	vps_conf_init(&none);
	TRY(vps_conf_dup(conf, &tolerant));
	tolerant.best_effort = 1;
	return limits_change(host, name, &none, &tolerant, &limits, ret_lacks);
}
