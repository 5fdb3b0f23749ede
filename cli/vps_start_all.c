/* cella start --all and stop --all: what happens when the host comes up and goes down. */
#include <string.h>

#include "base/log.h"
#include "base/proc.h"
#include "cli/vps_start.h"

#define UP_S 300
#define UNIT_MS (300 * 1000)

/* A unit's name has no "+". */
static bool can_be_unit(const char *name)
{
	return !strchr(name, '+');
}

static struct err *start_unit(const char *name)
{
	char program[] = "/usr/bin/systemctl", verb[] = "start";
	OWN(str) char *unit = NULL;
	OWN(buf) struct buf output = { 0 };
	int status;

	TRY(str_format(&unit, "cella@%s.service", name));
	TRY(proc_run(&(struct proc_run){ .path = program,
					 .argv = (char *[]){ program, verb, unit, NULL },
					 .output = &output,
					 .timeout_ms = UNIT_MS },
		     &status));
	if (status == 0)
		return NULL;
	return err_new(ERR_PEER, "%s: %.*s", unit,
		       output.data ? (int)strcspn(output.data, "\n") : 0,
		       output.data ? output.data : "");
}

/* One that an operator suspended waits for an operator. */
static struct err *start_one(const struct vps_host *host, const char *name, enum start_how how,
			     enum vps_status *ret_status)
{
	OWN(vps_info) struct vps_info info = { 0 };

	vps_conf_init(&info.conf);
	TRY(vps_look(host, name, VPS_BRIEF, &info));
	*ret_status = info.status == VPS_SUSPENDED ? VPS_SUSPENDED : VPS_RUNNING;
	if (info.pid || info.status == VPS_SUSPENDED)
		return NULL;
	return how == START_UNITS && can_be_unit(name) ? start_unit(name) :
							 vps_start(host, name, 0);
}

/* One that does not start keeps the others from nothing. */
static struct err *summary(size_t failed, size_t count, const char *what)
{
	return failed ? err_new(ERR_PEER, "%zu of %zu VPSs did not %s", failed, count, what) : NULL;
}

struct err *vps_start_all(const struct cmd_call *call, const struct vps_host *host,
			  enum start_how how)
{
	OWN(strlist) struct strlist names = { 0 }, waited_for = { 0 };
	size_t failed = 0;

	TRY(vps_boot_order(host, &names, &waited_for));
	for (size_t i = 0; i < names.count; i++) {
		enum vps_status status;
		struct err *err = start_one(host, names.items[i], how, &status);

		if (!err) {
			TRY(vps_say(call, "VPS %s is %s", names.items[i], vps_status_name(status)));
			if (status == VPS_RUNNING && strlist_has(&waited_for, names.items[i]))
				err = vps_wait_up(host, names.items[i], UP_S);
		}
		failed += err != NULL;
		log_warn(err);
	}
	return summary(failed, names.count, "start");
}

struct err *vps_stop_all(const struct cmd_call *call, const struct vps_host *host,
			 const struct vps_stop *request)
{
	OWN(strlist) struct strlist order = { 0 }, waited_for = { 0 }, names = { 0 };
	struct vps_stop running = *request;
	size_t failed = 0;

	running.running_only = true;
	/* those that do not start with the host first, then the others, last one first */
	TRY(vps_boot_order(host, &order, &waited_for));
	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++)
		if (!strlist_has(&order, names.items[i]))
			TRY(strlist_add(&order, names.items[i]));
	for (size_t i = order.count; i-- > 0;) {
		struct err *err = vps_stop(host, order.items[i], &running);

		if (!err)
			TRY(vps_say(call, "VPS %s is stopped", order.items[i]));
		else if (err_kind(err) == ERR_STATE || err_kind(err) == ERR_NOT_FOUND)
			err_drop(err); /* it does not run */
		else {
			failed++;
			log_warn(err);
		}
	}
	return summary(failed, order.count, "stop");
}
