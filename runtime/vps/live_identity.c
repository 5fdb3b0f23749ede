/* Changing who a running VPS is: the kernel's host name and the files that say so. See live.h. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/live.h"

/* In a child, which alone enters the VPS's uts namespace; it runs no code of the tenant's. */
static struct err *set_kernel_name(int init_pidfd, const char *hostname)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid == 0) {
		int failed = setns(init_pidfd, CLONE_NEWUTS) < 0 ||
			     sethostname(hostname, strlen(hostname)) < 0;

		proc_exit(failed ? errno : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(errno, "wait for the child that sets the host name");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	return err_sys(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD,
		       "set the host name inside");
}

static struct err *write_hostname(const struct live_change *change)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;

	TRY(vps_root_open(change->host, change->name, &root));
	return identity_write_hostname(root.fd, change->name, change->to);
}

struct err *live_apply_hostname(const struct live_change *change)
{
	const char *hostname = change->to->hostname ? change->to->hostname : change->name;
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(fd) int pidfd = -1;

	TRY(ct_root_open(change->host->run_dir, &root));
	TRY(ct_load(&root, change->name, &state));
	TRY(ct_open_init(&state, &pidfd));
	TRY(write_hostname(change));
	return set_kernel_name(pidfd, hostname);
}

static struct err *write_network(const struct live_change *change)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;

	TRY(vps_root_open(change->host, change->name, &root));
	return identity_write_network(change->host, root.fd, change->name, change->to);
}

static struct err *wire(const struct live_change *change)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(ct_root_open(change->host->run_dir, &root));
	TRY(ct_load(&root, change->name, &state));
	return wire_change(change->host, change->name, change->to, state.pid);
}

struct err *live_apply_network(const struct live_change *change)
{
	TRY(write_network(change));
	return wire(change);
}

struct err *live_apply_resolv(const struct live_change *change)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;

	TRY(vps_root_open(change->host, change->name, &root));
	TRY(identity_write_resolv(root.fd, change->to));
	return wire(change); /* DHCP tells them, too */
}

struct err *live_apply_timezone(const struct live_change *change)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;

	TRY(vps_root_open(change->host, change->name, &root));
	return identity_write_timezone(root.fd, change->to);
}
