/*
 * Definitions of others, as a look at all VPSs reads them: one that goes away meanwhile is none,
 * and one that is damaged stops nobody. A command looks more than once, for ids, addresses and
 * memory, and tells of a damaged one the first time only.
 */
#include "base/log.h"
#include "runtime/vps/wire.h"

void vps_warn_damaged(const char *name, const char *problem)
{
	static struct strlist told; /* by this process, which is one command */
	OWN(str) char *line = NULL;
	struct err *err = str_format(&line, "VPS %s: %s", name, problem);

	if (!err && strlist_has(&told, line))
		return;
	if (!err)
		err = strlist_add(&told, line);
	err_drop(err); /* told twice rather than not at all */
	log_warning("VPS %s: %s", name, problem);
}

struct err *other_load(const struct vps_host *host, const char *name, struct vps_conf *ret_conf,
		       enum other *ret_other)
{
	OWN(str) char *problem = NULL;
	struct err *err = running_load_anyway(host, name, ret_conf, &problem);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* told by *ret_other */
		*ret_other = OTHER_GONE;
		return NULL;
	}
	TRY(err);
	if (problem)
		vps_warn_damaged(name, problem);
	*ret_other = problem ? OTHER_DAMAGED : OTHER_WHOLE;
	return NULL;
}

struct err *other_plan(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		       struct net_ports *ret_ports)
{
	struct err *err = net_plan(host, name, conf, ret_ports);

	if (!err || err_kind(err) == ERR_SYS)
		return err;
	vps_warn_damaged(name, err_text(err));
	err_drop(err); /* told */
	return NULL;
}
