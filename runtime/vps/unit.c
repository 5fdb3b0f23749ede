/*
 * Life in a unit of the host's systemd. Started as cella@NAME.service (Delegate=yes), the VPS has
 * its cgroup below the unit's, and its monitor, the unit's main process, one beside it: a cgroup
 * whose children have controllers may hold no process itself. Where we are says whether we are in
 * one: nothing is configured, and the same start works without systemd. Sources:
 * systemd.service(5), sd_notify(3), systemd's "Control Group APIs and Delegation".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/watcher.h"

#define MONITOR_CGROUP "monitor"
#define VPS_CGROUP "vps"
#define MACHINE_SERVICE "/usr/share/dbus-1/system-services/org.freedesktop.machine1.service"
#define MACHINE_TIMEOUT_MS 10000

/* Does path end with "/cella@NAME.service" and then tail? */
static bool ends_with_unit(const char *path, const char *name, const char *tail)
{
	size_t len = strlen(path);
	OWN(str) char *end = NULL;
	struct err *err = str_format(&end, "/cella@%s.service%s", name, tail);
	bool does = !err && len >= strlen(end) && str_eq(path + len - strlen(end), end);

	err_drop(err); /* no memory: then no unit */
	return does;
}

struct err *unit_enter(const char *name)
{
	OWN(str) char *own = NULL;
	struct err *err = cgroup_own_path(&own);

	if (err) {
		err_drop(err); /* no cgroup v2: the start itself says so */
		return NULL;
	}
	return ends_with_unit(own, name, "") ? cgroup_step_down(MONITOR_CGROUP) : NULL;
}

struct err *unit_cgroup(const char *name, char **ret_path)
{
	OWN(str) char *own = NULL;
	struct err *err = cgroup_own_path(&own);

	if (err) {
		err_drop(err); /* as above */
		return NULL;
	}
	if (!ends_with_unit(own, name, "/" MONITOR_CGROUP))
		return NULL;
	*strrchr(own, '/') = '\0';
	return str_format(ret_path, "%s/" VPS_CGROUP, own);
}

static struct err *register_machine(const struct vps_host *host, const char *name, pid_t pid)
{
	char program[] = CELLA_LIBEXECDIR "/cella-helper", verb[] = "machine-register";
	OWN(str) char *leader = NULL, *root = NULL, *copy = NULL;
	OWN(buf) struct buf output = { 0 };
	int status;

	TRY(str_format(&leader, "%d", (int)pid));
	TRY(str_format(&root, "%s/%s", host->private_dir, name));
	TRY(str_dup(name, &copy));
	TRY(proc_run(
		&(struct proc_run){ .path = program,
				    .argv = (char *[]){ program, verb, copy, leader, root, NULL },
				    .output = &output,
				    .timeout_ms = MACHINE_TIMEOUT_MS },
		&status));
	if (status == 0)
		return NULL;
	output.data[strcspn(output.data, "\n")] = '\0';
	return err_new(ERR_PEER, "register with machined: %s", output.data);
}

void unit_started(const struct vps_host *host, const char *name, pid_t pid)
{
	OWN(str) char *cgroup = NULL, *text = NULL;
	const char *notify = getenv("NOTIFY_SOCKET");
	struct err *err = unit_cgroup(name, &cgroup);

	/* machined takes in only what runs in a unit */
	if (!err && cgroup && access(MACHINE_SERVICE, F_OK) == 0)
		err = register_machine(host, name, pid);
	log_warn(err); /* machinectl does not show it, that is all */
	if (!cgroup || !notify)
		return;
	err = str_format(&text, "READY=1\nMAINPID=%d\nSTATUS=running, init is process %d\n",
			 (int)getpid(), (int)pid);
	if (!err)
		err = ct_notify_host(notify, text);
	log_warn(err); /* systemd gives up on us after its time, and says so */
}
