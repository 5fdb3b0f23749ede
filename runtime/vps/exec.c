/* A program in a running VPS: same confinement as its init, in the cgroup that its init is in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/vps/room.h"

#define PASSWD_MAX ((size_t)4 << 20)

static struct err *find_running(const struct ct_root *root, const char *name,
				struct ct_state *ret_state)
{
	struct err *err = ct_load(root, name, ret_state);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said in the VPS's words */
		return err_new(ERR_STATE, "VPS %s is not running", name);
	}
	if (err)
		return err;
	if (ret_state->status == CT_PAUSED)
		return err_new(ERR_STATE, "VPS %s is paused: resume it first", name);
	if (ret_state->status != CT_RUNNING)
		return err_new(ERR_STATE, "VPS %s is not running", name);
	return NULL;
}

/*
 * A cgroup whose controllers are handed down may hold no process itself, and systemd hands them
 * down: it moves itself to init.scope. Where init is, there is room. *ret_below stays NULL when
 * init is in the VPS's own cgroup.
 */
static struct err *cgroup_of_init(const struct ct_state *state, char **ret_below)
{
	OWN(buf) struct buf text = { 0 };
	char path[40];
	const char *line;
	size_t len = state->cgroup_path ? strlen(state->cgroup_path) : 0;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)state->pid);
	TRY(file_read(AT_FDCWD, path, 65536, &text));
	line = strstr(text.data, "0::");
	if (!line || len == 0)
		return NULL;
	line += strlen("0::");
	if (strncmp(line, state->cgroup_path, len) != 0 || line[len] != '/')
		return NULL;
	line += len + 1;
	return str_format(ret_below, "%.*s", (int)strcspn(line, "\n"), line);
}

/* Field 7 of the passwd line of uid 0; NULL when there is none that could be run. The file is
 * hostile. */
static struct err *shell_of_root(const char *passwd, char **ret_shell)
{
	for (const char *line = passwd; *line;) {
		size_t len = strcspn(line, "\n");
		OWN(str) char *copy = NULL;
		char *rest, *fields[7] = { 0 };

		TRY(str_format(&copy, "%.*s", (int)len, line));
		rest = copy;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			fields[i] = strsep(&rest, ":");
		if (fields[6] && str_eq(fields[2], "0"))
			return fields[6][0] == '/' ? str_dup(fields[6], ret_shell) : NULL;
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static struct err *find_shell(pid_t pid, char **ret_shell)
{
	OWN(fd) int root_fd = -1, fd = -1;
	OWN(buf) struct buf text = { 0 };
	char path[40];
	struct err *err;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open %s", path);
	err = path_open_in(root_fd, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	if (!err && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		err = fd_read_all(fd, "etc/passwd", PASSWD_MAX, &text);
	if (!err && text.data)
		err = shell_of_root(text.data, ret_shell);
	err_drop(err); /* no usable passwd: /bin/sh then */
	return *ret_shell ? NULL : str_dup("/bin/sh", ret_shell);
}

/* The operator's terminal type, if it is one that can stand in an environment. */
static struct err *add_term(struct strlist *env)
{
	const char *term = getenv("TERM");

	if (!term || !*term || strlen(term) > 64 ||
	    strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._") !=
		    strlen(term))
		return NULL;
	return strlist_format(env, "TERM=%s", term);
}

static struct err *run(const struct ct_root *root, const struct vps_host *host,
		       const struct ct_state *state, const struct vps_exec *request,
		       int *ret_status)
{
	OWN(vps_conf) struct vps_conf conf;
	OWN(spec) struct spec spec;
	OWN(strlist) struct strlist env = { 0 };
	OWN(str) char *below = NULL, *shell = NULL, *problem = NULL;
	const char *login[] = { NULL, "-l", NULL };
	struct ct_exec exec = {
		.id = state->id, .args = request->args, .tty = request->tty, .spec = &spec
	};
	struct ct_started started;

	vps_conf_init(&conf);
	spec_init(&spec);
	TRY(running_load_anyway(host, state->id, &conf, &problem));
	if (problem)
		log_warning("VPS %s: %s", state->id, problem);
	TRY(vps_build_spec(host, state->id, &conf, &spec));
	TRY(cgroup_of_init(state, &below));
	if (request->tty)
		TRY(add_term(&env));
	if (!request->args) {
		TRY(find_shell(state->pid, &shell));
		login[0] = shell;
		exec.args = login;
	}
	exec.env = &env;
	exec.cgroup_below = below;
	exec.cwd = request->args ? NULL : "/root";
	TRY(ct_exec(root, &exec, &started));
	return ct_foreground(&started, ret_status);
}

struct err *vps_exec(const struct vps_host *host, const char *name, const struct vps_exec *request,
		     int *ret_status)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	bool exists;

	TRY(store_exists(host, name, &exists));
	if (!exists)
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist", name);
	TRY(ct_root_open(host->run_dir, &root));
	TRY(find_running(&root, name, &state));
	log_warn(views_renew(host)); /* it can be entered without */
	return run(&root, host, &state, request, ret_status);
}
