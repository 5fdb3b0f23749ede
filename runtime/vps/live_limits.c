/* Changing the limits of a running VPS; see live.h. */
#include <inttypes.h>
#include <sys/sysinfo.h>

#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/live.h"

static uint64_t stat_value(const struct cgroup_stats *stats, const char *name)
{
	const char *text = strlist_env(&stats->memory_stat, name);
	uint64_t value = 0;

	if (text)
		err_drop(
			parse_u64(name, text, 0, UINT64_MAX, &value)); /* the kernel's own number */
	return value;
}

/*
 * The page cache on its lists and what the kernel calls reclaimable can go; anonymous memory only
 * as far as swap takes it. tmpfs counts as anonymous here, since it stands on those lists. Source:
 * cgroup-v2.rst, memory.stat.
 */
uint64_t live_unreclaimable(const struct cgroup_stats *stats, uint64_t swap_bytes)
{
	uint64_t can_go = stat_value(stats, "active_file") + stat_value(stats, "inactive_file") +
			  stat_value(stats, "slab_reclaimable");
	uint64_t swapped = stats->swap_bytes == CGROUP_UNSET ? 0 : stats->swap_bytes;
	uint64_t anon = stat_value(stats, "active_anon") + stat_value(stats, "inactive_anon");
	uint64_t room = swap_bytes > swapped ? swap_bytes - swapped : 0;
	struct sysinfo host;

	if (sysinfo(&host) == 0 && room > (uint64_t)host.freeswap * host.mem_unit)
		room = (uint64_t)host.freeswap * host.mem_unit;
	can_go += anon < room ? anon : room;
	return stats->memory_bytes > can_go ? stats->memory_bytes - can_go : 0;
}

static struct err *read_stats(const struct live_change *change, struct cgroup_stats *ret_stats)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;

	TRY(ct_root_open(change->host->run_dir, &root));
	return ct_stats(&root, change->name, ret_stats);
}

/* Text such as "96.5M" would hide what a few bytes decide; whole KiB do not. */
static uint64_t kib(uint64_t bytes)
{
	return bytes / 1024;
}

static struct err *check_memory(const struct live_change *change, uint64_t ram_bytes,
				uint64_t swap_bytes)
{
	struct cgroup_stats stats = { 0 };
	uint64_t needed, in_use;
	struct err *err = read_stats(change, &stats);

	if (err)
		return err;
	in_use = stats.memory_bytes;
	needed = live_unreclaimable(&stats, swap_bytes);
	cgroup_stats_release(&stats);
	if (needed <= ram_bytes)
		return NULL;
	return err_new(ERR_STATE,
		       "--ram: %" PRIu64 " KiB would kill processes of VPS %s, which uses %" PRIu64
		       " KiB, of which %" PRIu64 " KiB can neither be dropped nor swapped out; "
		       "--force does it",
		       kib(ram_bytes), change->name, kib(in_use), kib(needed));
}

struct err *live_check_limits(const struct live_change *change)
{
	OWN(cgroup_limits) struct cgroup_limits limits;
	OWN(strlist) struct strlist lacks = { 0 };
	uint64_t ram, swap;

	cgroup_limits_init(&limits);
	TRY(limits_change(change->host, change->name, change->from, change->to, &limits, &lacks));
	TRY(cgroup_limits_check(&limits));
	if (change->force ||
	    (limits.memory_max_bytes == CGROUP_UNSET && limits.swap_max_bytes == CGROUP_UNSET))
		return NULL;
	ram = change->to->ram_bytes;
	swap = change->to->swap_bytes;
	if (ram == VPS_UNSET || ram == VPS_UNLIMITED)
		return NULL;
	return check_memory(change, ram, swap == VPS_UNSET ? 0 : swap);
}

struct err *live_apply_limits(const struct live_change *change)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(cgroup_spec) struct cgroup_spec spec;
	OWN(strlist) struct strlist lacks = { 0 };

	cgroup_spec_init(&spec);
	TRY(limits_change(change->host, change->name, change->from, change->to, &spec.limits,
			  &lacks));
	for (size_t i = 0; i < lacks.count; i++)
		log_warning("VPS %s: %s", change->name, lacks.items[i]);
	TRY(ct_root_open(change->host->run_dir, &root));
	TRY(ct_update(&root, change->name, &spec));
	if (spec.limits.memory_min_bytes == CGROUP_UNSET)
		return NULL;
	TRY(ct_load(&root, change->name, &state));
	return guarantee_update(change->host, state.cgroup_path);
}
