/* The systemd driver: plans a scope, runs cella-helper to start, change and stop it; see systemd.h.
 */
#include "cgroups/systemd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "cgroups/create.h"
#include "cgroups/gvariant.h"
#include "cgroups/hierarchy.h"

#define HELPER CELLA_LIBEXECDIR "/cella-helper"
/* Longer than the helper's own patience with systemd, so that its message is what is seen. */
#define HELPER_TIMEOUT_MS 60000
/* Made by systemd when it runs as the system manager; sd_booted(3) looks at it too. */
#define SYSTEM_MARK "/run/systemd/system"

/*
 * The manager to ask: that of the system when its run-time directory belongs to us (root on the
 * host, or root of a container with an own systemd), else the user's own. In a rootless user
 * namespace we are root too, but the directory is not ours.
 */
static struct err *choose_manager(const char **ret_manager)
{
	struct stat st;

	if (lstat(SYSTEM_MARK, &st) < 0)
		return err_new(
			ERR_UNSUPPORTED,
			"systemd does not run here, so the systemd cgroup driver cannot be used");
	*ret_manager = st.st_uid == geteuid() ? "system" : "user";
	return NULL;
}

/* Our uid as the host knows it, from the line of /proc/self/uid_map that maps it. */
static struct err *host_uid(unsigned int *ret_uid)
{
	OWN(buf) struct buf map = { 0 };
	unsigned int own = geteuid();

	TRY(file_read(AT_FDCWD, "/proc/self/uid_map", 65536, &map));
	for (const char *line = map.data; line && *line;) {
		unsigned int inside, outside, count;

		if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 && own >= inside &&
		    own - inside < count) {
			*ret_uid = outside + (own - inside);
			return NULL;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return err_new(ERR_UNSUPPORTED, "our user has no id outside of the user namespace");
}

/* Where the user's manager keeps its units; "" for the system manager. */
static struct err *manager_cgroup(const char *manager, char **ret_path)
{
	unsigned int uid;

	if (str_eq(manager, "system"))
		return str_dup("", ret_path);
	TRY(host_uid(&uid));
	return str_format(ret_path, "/user.slice/user-%u.slice/user@%u.service", uid, uid);
}

static struct err *check_properties(const struct strlist *properties)
{
	for (size_t i = 0; i < properties->count; i++) {
		OWN(str) char *name = NULL;
		OWN(variant) struct variant value = { 0 };

		TRY(property_parse(properties->items[i], &name, &value));
	}
	return NULL;
}

struct err *systemd_plan(const struct cgroup_spec *spec, const char *prefix, const char *id,
			 struct cgroup *cg)
{
	OWN(unit_names) struct unit_names names = { 0 };
	OWN(str) char *base = NULL;
	OWN(fd) int root_fd = -1;
	const char *manager;

	TRY(hierarchy_open(&root_fd));
	TRY(choose_manager(&manager));
	TRY(check_properties(&spec->systemd_properties));
	TRY(unit_names_parse(spec->path, str_eq(manager, "system") ? "system.slice" : "user.slice",
			     prefix, id, &names));
	TRY(manager_cgroup(manager, &base));
	TRY(str_format(&cg->path, "%s%s/%s", base, names.slice_path, names.scope));
	cg->scope = TAKE(names.scope);
	cg->driver = CGROUP_SYSTEMD;
	return NULL;
}

/* What the helper needs to find the bus; nothing else of the caller's environment reaches it. */
static struct err *bus_environment(const char *manager, struct strlist *env)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR"),
		   *bus = getenv("DBUS_SESSION_BUS_ADDRESS");
	unsigned int uid;

	if (str_eq(manager, "system"))
		return NULL;
	if (bus && *bus)
		TRY(strlist_format(env, "DBUS_SESSION_BUS_ADDRESS=%s", bus));
	/* callers pass it empty when they have none */
	if (runtime_dir && *runtime_dir)
		return strlist_format(env, "XDG_RUNTIME_DIR=%s", runtime_dir);
	TRY(host_uid(&uid));
	return strlist_format(env, "XDG_RUNTIME_DIR=/run/user/%u", uid);
}

/* args: the words after "cella-helper VERB MANAGER". */
static struct err *run_helper(const char *verb, const struct strlist *args)
{
	OWN(strlist) struct strlist argv = { 0 }, env = { 0 };
	OWN(buf) struct buf output = { 0 };
	struct proc_run run = { .path = HELPER,
				.output = &output,
				.timeout_ms = HELPER_TIMEOUT_MS };
	const char *manager;
	int status;

	TRY(choose_manager(&manager));
	TRY(bus_environment(manager, &env));
	TRY(strlist_add(&argv, HELPER));
	TRY(strlist_add(&argv, verb));
	TRY(strlist_add(&argv, manager));
	for (size_t i = 0; i < args->count; i++)
		TRY(strlist_add(&argv, args->items[i]));
	run.argv = argv.items;
	run.envp = env.items;
	TRY(proc_run(&run, &status));
	if (status == 0)
		return NULL;
	if (output.data)
		output.data[strcspn(output.data, "\n")] = '\0';
	return err_new(ERR_PEER, "%s",
		       output.data && *output.data ? output.data :
						     "cella-helper failed without a word");
}

/* The names of the plan, out of the scope's path: .../SLICE/SCOPE. */
static struct err *slice_of(const char *path, char **ret_slice)
{
	OWN(str) char *copy = NULL;
	char *slash, *slice;

	TRY(str_dup(path, &copy));
	slash = strrchr(copy, '/');
	*slash = '\0';
	slice = strrchr(copy, '/');
	/* directly below the manager: the root slice */
	if (!slice || !strstr(slice, ".slice"))
		return str_dup("-.slice", ret_slice);
	return str_dup(slice + 1, ret_slice);
}

static struct err *start(const struct cgroup_spec *spec, const struct cgroup *cg, pid_t pid)
{
	OWN(strlist) struct strlist args = { 0 };
	OWN(str) char *slice = NULL;

	TRY(slice_of(cg->path, &slice));
	TRY(strlist_add(&args, cg->scope));
	TRY(strlist_add(&args, slice));
	TRY(strlist_format(&args, "%d", (int)pid));
	TRY(strlist_format(&args, "container %.*s", (int)(strlen(cg->scope) - strlen(".scope")),
			   cg->scope));
	TRY(properties_of_limits(&spec->limits, &args));
	/* the caller's own properties come last and win */
	for (size_t i = 0; i < spec->systemd_properties.count; i++)
		TRY(strlist_add(&args, spec->systemd_properties.items[i]));
	return run_helper("scope-start", &args);
}

/* Where the process really is: the truth, whatever was planned. */
static struct err *open_scope(struct cgroup *cg, pid_t pid)
{
	OWN(str) char *path = NULL;
	struct cgroup opened = CGROUP_INIT;

	TRY(hierarchy_path_of(pid, &path));
	if (!str_eq(strrchr(path, '/') + 1, cg->scope))
		return err_new(ERR_PEER, "systemd left process %d in %s instead of %s", (int)pid,
			       path, cg->scope);
	TRY(cgroup_open(path, cg->scope, CGROUP_SYSTEMD, &opened));
	cgroup_release(cg);
	*cg = opened;
	return NULL;
}

struct err *cgroup_start_scope(const struct cgroup_spec *spec, struct cgroup *cg, pid_t pid)
{
	OWN(fd) int root_fd = -1;
	struct err *err;

	if (cg->driver != CGROUP_SYSTEMD)
		return NULL;
	err = start(spec, cg, pid);
	if (err)
		return err_wrap(err, "start scope %s", cg->scope);
	TRY(open_scope(cg, pid));
	TRY(hierarchy_open(&root_fd));
	return cgroup_furnish(root_fd, spec, cg);
}

struct err *systemd_set(const char *scope, const struct cgroup_limits *limits)
{
	OWN(strlist) struct strlist args = { 0 };
	struct err *err;

	TRY(strlist_add(&args, scope));
	TRY(properties_of_limits(limits, &args));
	if (args.count == 1)
		return NULL;
	err = run_helper("scope-set", &args);
	return err_wrap(err, "change scope %s", scope);
}

struct err *systemd_stop(const char *scope)
{
	OWN(strlist) struct strlist args = { 0 };
	struct err *err;

	TRY(strlist_add(&args, scope));
	err = run_helper("scope-stop", &args);
	return err_wrap(err, "stop scope %s", scope);
}
