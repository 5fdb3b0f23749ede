/* Undoing a start, by whoever holds the lock: monitor, stop, or the next command that finds the
 * rest. */
#include "base/log.h"
#include "runtime/vps/watcher.h"

struct err *vps_clean_up(const struct vps_host *host, const char *name, const struct vps_conf *conf)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	char host_name[IFNAMSIZ];

	TRY(ct_root_open(host->run_dir, &root));
	TRY(ct_delete(&root, name, true));
	console_forget(host, name);
	wire_host_name(host, name, conf, host_name);
	TRY(net_veth_destroy(host_name));
	/* the counters go with the guard; a disk that is full must not keep a VPS from ending */
	log_warn(traffic_save(host, name, conf));
	return net_guard_remove(host_name);
}
