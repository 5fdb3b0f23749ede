/* Undoing a start, by whoever holds the lock: monitor, stop, or the next command that finds the
 * rest. */
#include "base/log.h"
#include "runtime/vps/scripts.h"
#include "runtime/vps/watcher.h"
#include "runtime/vps/wire.h"

/* The cgroup of a VPS with a guarantee, which its ancestors then have no more. */
static struct err *find_guarantee(const struct vps_host *host, const struct ct_root *root,
				  const char *name, char **ret_cgroup)
{
	OWN(vps_conf) struct vps_conf conf;
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = running_load(host, name, &conf);

	if (!err && conf.ram_min_bytes != VPS_UNSET)
		err = ct_load(root, name, &state);
	err_drop(err); /* nothing ran, or no definition is left to ask */
	return state.cgroup_path ? str_dup(state.cgroup_path, ret_cgroup) : NULL;
}

struct err *vps_clean_up(const struct vps_host *host, const char *name, const struct vps_conf *conf)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(str) char *guaranteed = NULL;
	bool lived;

	(void)conf;
	TRY(ct_root_open(host->run_dir, &root));
	TRY(running_lives(host, name, &lived));
	if (lived)
		TRY(find_guarantee(host, &root, name, &guaranteed));
	TRY(ct_delete(&root, name, true));
	console_forget(host, name);
	if (guaranteed)
		TRY(guarantee_update(host, guaranteed));
	if (lived) { /* what it mounted is gone with its namespaces */
		log_warn(scripts_run(host, name, ACTION_UMOUNT));
		log_warn(scripts_run(host, name, ACTION_POSTUMOUNT));
	}
	TRY(running_forget(host, name));
	return net_unwire(host, name);
}
