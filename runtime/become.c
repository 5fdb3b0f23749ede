/*
 * The last steps of every process of a container, first or later: descriptors, user, filter,
 * capabilities, execve. One function for both, so that exec is never less confined than init.
 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "runtime/birth.h"

void become_reset_signals(void)
{
	sigset_t none;

	/* handlers vanish at execve by themselves, ignored signals do not */
	for (int signum = 1; signum < NSIG; signum++)
		signal(signum, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A change from uid 0 clears the effective set, PR_SET_KEEPCAPS or not; the filter needs
 * CAP_SYS_ADMIN once more. */
static struct err *raise_effective_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return err_sys(errno, "read capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(errno, "raise capabilities");
	return NULL;
}

struct err *read_host_pid(pid_t *ret_pid)
{
	char link[24];
	ssize_t len = readlink("/proc/self", link, sizeof(link) - 1);

	if (len < 0)
		return err_sys(errno, "read /proc/self");
	link[len] = '\0';
	*ret_pid = (pid_t)strtol(link, NULL, 10);
	return NULL;
}

struct err *listener_json(const struct ct_state *state, pid_t pid, const char *metadata,
			  char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(str) char *text = NULL;

	TRY(ct_state_json(state, false, &text));
	TRY(json_parse(text, strlen(text), &doc));
	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "ociVersion");
	json_out_string(out, OCI_VERSION);
	json_out_key(out, "fds");
	json_out_array(out);
	json_out_string(out, "seccompFd");
	json_out_end_array(out);
	json_out_key(out, "pid");
	json_out_i64(out, pid);
	json_out_key(out, "metadata");
	json_out_string(out, metadata ? metadata : "");
	json_out_key(out, "state");
	json_out_value(out, json_root(doc));
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

static struct err *install_filter(const struct become *become)
{
	OWN(fd) int listener_fd = -1;

	if (!become->filter)
		return NULL;
	TRY(seccomp_install(become->filter, &listener_fd));
	if (listener_fd < 0)
		return NULL;
	return fd_send(become->listener_sock, become->listener_json, strlen(become->listener_json),
		       listener_fd);
}

static struct err *drop_privileges(const struct become *become)
{
	const struct process_spec *process = become->process;

	if (!become->bounding_dropped)
		TRY(process_drop_bounding(&process->caps));
	TRY(process_set_user(process));
	/* a change of ids makes a process dumpable again where fs.suid_dumpable says so */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(errno, "become non-dumpable");
	if (become->cwd_later)
		TRY(process_enter_cwd(process->cwd));
	if (process->no_new_privileges) {
		TRY(process_set_caps(&process->caps));
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			return err_sys(errno, "set no_new_privs");
		return install_filter(become);
	}
	/* seccomp(2): without no_new_privs the filter needs CAP_SYS_ADMIN, so it comes before the
	 * last capabilities go. From here on the filter must allow capset, prctl and execve, as
	 * every runtime needs. */
	if (become->filter) {
		TRY(raise_effective_caps());
		TRY(install_filter(become));
	}
	return process_set_caps(&process->caps);
}

struct err *become_process(const struct become *become)
{
	const struct process_spec *process = become->process;
	static char *const no_env[] = { NULL };

	TRY(process_seal_fds(become->preserve_fds));
	TRY(drop_privileges(become));
	execve(become->program, process->args.items,
	       process->env.items ? process->env.items : no_env);
	return err_sys(errno, "exec %s", become->program);
}
