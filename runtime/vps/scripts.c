/*
 * Action scripts, by vzctl's names: hooks/ACTION for all VPSs, conf/NAME.ACTION for one, each a
 * program of the host's root that is run without a shell and not for ever. As with vzctl, a VPS's
 * own start and stop are meant for the inside: they are fed to its shell and never run on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "runtime/vps/scripts.h"

#define TIMEOUT_MS 60000

static const char *const action_names[ACTION_COUNT] = {
	[ACTION_PREMOUNT] = "premount",
	[ACTION_MOUNT] = "mount",
	[ACTION_START] = "start",
	[ACTION_STOP] = "stop",
	[ACTION_UMOUNT] = "umount",
	[ACTION_POSTUMOUNT] = "postumount",
	[ACTION_TRAFFIC_QUOTA] = "traffic-quota",
};

/* *ret_there: something to run. A file that others can change is refused, not run. */
static struct err *check_script(const char *path, bool *ret_there)
{
	struct stat st;

	*ret_there = false;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "stat %s", path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return err_new(ERR_INVALID, "action script %s: not an executable file", path);
	if (st.st_uid != 0 || (st.st_mode & 022))
		return err_new(ERR_INVALID,
			       "action script %s: can be changed by others than root; chown root "
			       "and chmod go-w it",
			       path);
	*ret_there = true;
	return NULL;
}

static struct err *environment(const struct vps_host *host, const char *name,
			       enum vps_action action, struct strlist *env)
{
	TRY(strlist_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	TRY(strlist_format(env, "VEID=%s", name));
	TRY(strlist_format(env, "VE_CONFFILE=%s/%s.conf", host->conf_dir, name));
	TRY(strlist_format(env, "VE_PRIVATE=%s/%s", host->private_dir, name));
	TRY(strlist_format(env, "VE_ROOT=%s/%s", host->private_dir, name));
	return strlist_format(env, "VE_ACTION=%s", action_names[action]);
}

static struct err *run(const char *path, const struct strlist *env)
{
	OWN(buf) struct buf output = { 0 };
	OWN(strlist) struct strlist argv = { 0 };
	struct proc_run request = {
		.path = path, .envp = env->items, .timeout_ms = TIMEOUT_MS, .output = &output
	};
	int status;
	struct err *err;

	TRY(strlist_add(&argv, path));
	request.argv = argv.items;
	err = proc_run(&request, &status);

	if (err)
		return err_wrap(err, "action script %s", path);
	if (output.len)
		log_debug("action script %s: %s", path, output.data);
	if (status == 0)
		return NULL;
	return err_new(ERR_PEER, "action script %s ended with status %d%s%.300s", path, status,
		       output.len ? ": " : "", output.len ? output.data : "");
}

/* In a child, whose standard input is the script. */
_Noreturn static void feed(const struct vps_host *host, const char *name, const char *path)
{
	const char *const args[] = { "/bin/sh", "-s", NULL };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int script_fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err *err = NULL;
	int status = 126;

	if (null_fd < 0 || script_fd < 0 || dup2(script_fd, 0) < 0 || dup2(null_fd, 1) < 0 ||
	    dup2(null_fd, 2) < 0)
		proc_exit(126);
	err = vps_exec(host, name, &(struct vps_exec){ .args = args }, &status);
	err_drop(err); /* its status says so */
	proc_exit(err ? 126 : status);
}

static struct err *run_inside(const struct vps_host *host, const char *name, const char *path)
{
	OWN(fd) int pidfd = -1;
	bool ended;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid == 0)
		feed(host, name, path);
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		return err_sys(errno, "open the process that runs %s", path);
	TRY(proc_wait_end(pidfd, TIMEOUT_MS, &ended));
	if (!ended)
		TRY(proc_signal(pidfd, SIGKILL));
	TRY(proc_reap(pidfd, &status));
	if (!ended)
		return err_sys(ETIMEDOUT, "action script %s", path);
	return status == 0 ? NULL :
			     err_new(ERR_PEER, "action script %s ended with status %d inside", path,
				     status);
}

static struct err *own_script(const struct vps_host *host, const char *name, enum vps_action action,
			      char **ret_path)
{
	return str_format(ret_path, "%s/%s.%s", host->conf_dir, name, action_names[action]);
}

struct err *scripts_count(const struct vps_host *host, const char *name, enum vps_action action,
			  size_t *ret_count)
{
	OWN(str) char *all = NULL, *one = NULL;
	bool all_there, one_there;

	TRY(str_format(&all, "%s/%s", host->hook_dir, action_names[action]));
	TRY(own_script(host, name, action, &one));
	TRY(check_script(all, &all_there));
	TRY(check_script(one, &one_there));
	*ret_count = (size_t)all_there + (size_t)one_there;
	return NULL;
}

struct err *scripts_run(const struct vps_host *host, const char *name, enum vps_action action)
{
	OWN(strlist) struct strlist env = { 0 };
	OWN(str) char *all = NULL, *one = NULL;
	bool there;

	TRY(str_format(&all, "%s/%s", host->hook_dir, action_names[action]));
	TRY(own_script(host, name, action, &one));
	TRY(check_script(all, &there));
	if (there) {
		TRY(environment(host, name, action, &env));
		TRY(run(all, &env));
	}
	TRY(check_script(one, &there));
	if (!there)
		return NULL;
	if (action == ACTION_START || action == ACTION_STOP)
		return run_inside(host, name, one);
	if (!env.count)
		TRY(environment(host, name, action, &env));
	return run(one, &env);
}

struct err *scripts_there(const struct vps_host *host, const char *name, bool *ret_there)
{
	*ret_there = false;
	for (enum vps_action action = 0; action < ACTION_COUNT && !*ret_there; action++) {
		OWN(str) char *path = NULL;

		TRY(own_script(host, name, action, &path));
		*ret_there = access(path, F_OK) == 0;
	}
	return NULL;
}

struct err *scripts_remove(const struct vps_host *host, const char *name)
{
	for (enum vps_action action = 0; action < ACTION_COUNT; action++) {
		OWN(str) char *path = NULL;

		TRY(own_script(host, name, action, &path));
		if (unlink(path) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s", path);
	}
	return NULL;
}
