/* What this host has promised: guarantees are never more than its memory; limits may be. */
#include <errno.h>
#include <inttypes.h>
#include <sys/sysinfo.h>

#include "base/log.h"
#include "runtime/vps/capacity.h"

static bool is_number(uint64_t value)
{
	return value != VPS_UNSET && value != VPS_UNLIMITED;
}

static struct err *host_ram(uint64_t *ret_bytes)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return err_sys(errno, "read the size of the host's memory");
	*ret_bytes = (uint64_t)info.totalram * info.mem_unit;
	return NULL;
}

static void add(const struct vps_conf *conf, struct capacity *capacity)
{
	capacity->count++;
	if (is_number(conf->ram_min_bytes))
		capacity->guaranteed_bytes += conf->ram_min_bytes;
	if (is_number(conf->ram_bytes))
		capacity->limit_bytes += conf->ram_bytes;
	else
		capacity->unlimited++;
}

struct err *capacity_read(const struct vps_host *host, const char *without,
			  struct capacity *ret_capacity)
{
	struct capacity capacity = { 0 };
	OWN(strlist) struct strlist names = { 0 };

	TRY(host_ram(&capacity.host_bytes));
	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++) {
		OWN(vps_conf) struct vps_conf conf;
		enum other other;

		vps_conf_init(&conf);
		if (str_eq(names.items[i], without))
			continue;
		TRY(other_load(host, names.items[i], &conf, &other));
		if (other == OTHER_WHOLE)
			add(&conf, &capacity);
	}
	*ret_capacity = capacity;
	return NULL;
}

struct err *capacity_check(const struct vps_host *host, const char *name,
			   const struct vps_conf *conf)
{
	struct capacity others;

	if (!is_number(conf->ram_min_bytes) || conf->ram_min_bytes == 0)
		return NULL;
	TRY(capacity_read(host, name, &others));
	if (conf->ram_min_bytes <= others.host_bytes &&
	    others.guaranteed_bytes <= others.host_bytes - conf->ram_min_bytes)
		return NULL;
	return err_new(ERR_INVALID,
		       "--ram-min: %" PRIu64 " MiB, and %" PRIu64
		       " MiB guaranteed to others, are more than the host's %" PRIu64 " MiB",
		       conf->ram_min_bytes >> 20, others.guaranteed_bytes >> 20,
		       others.host_bytes >> 20);
}

struct err *guarantee_update(const struct vps_host *host, const char *cgroup)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;

	TRY(guarantee_lock(host, &lock));
	return cgroup_share_guarantee(cgroup);
}

struct err *guarantee_raise(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };

	if (!is_number(conf->ram_min_bytes) || conf->ram_min_bytes == 0)
		return NULL;
	TRY(ct_root_open(host->run_dir, &root));
	TRY(ct_load(&root, name, &state));
	return guarantee_update(host, state.cgroup_path);
}
