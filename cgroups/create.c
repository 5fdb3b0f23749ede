/*
 * Making a planned cgroup and furnishing it: controllers, limits, device filter, owner. In the
 * usual case these are few system calls: one mkdir, one open, one look at cgroup.controllers, then
 * what was asked.
 */
#include "cgroups/create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cgroups/devices.h"
#include "cgroups/ebpf.h"
#include "cgroups/events.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"
#include "cgroups/limits.h"

/* Without these the statistics that callers ask for (podman stats, events) would be empty. */
#define STATISTICS (CONTROLLER(CPU) | CONTROLLER(IO) | CONTROLLER(MEMORY) | CONTROLLER(PIDS))

/* Directories made for one cgroup, to take them back: path up to each "/" from kept_len on is new.
 */
struct made {
	int root_fd;
	char *path;	 /* owned */
	size_t kept_len; /* of the part that existed; strlen(path) when nothing is new */
};

static void unmake(struct made *made)
{
	while (strlen(made->path) > made->kept_len) {
		/* busy: somebody else uses the parent that we made; then it stays */
		if (unlinkat(made->root_fd, hierarchy_relative(made->path), AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			return;
		*strrchr(made->path, '/') = '\0';
	}
}

static void own_made(struct made *made)
{
	if (made->path)
		unmake(made);
	free(made->path);
}

static struct err *make_parents(struct made *made)
{
	char *path = made->path;

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdirat(made->root_fd, hierarchy_relative(path), 0755) < 0 ? errno : 0;
		*slash = '/';
		if (failed && failed != EEXIST)
			return err_sys(failed, "make cgroup %.*s", (int)(slash - path), path);
		if (failed)
			made->kept_len = (size_t)(slash - path);
	}
	return NULL;
}

/* *ret_is_new: the directory was not there before. */
static struct err *make_dir(struct made *made, bool *ret_is_new)
{
	const char *name = hierarchy_relative(made->path);
	size_t len = strlen(made->path);

	made->kept_len = (size_t)(strrchr(made->path, '/') - made->path);
	if (mkdirat(made->root_fd, name, 0755) == 0) {
		*ret_is_new = true;
		return NULL;
	}
	if (errno == ENOENT) {
		made->kept_len = 0;
		TRY(make_parents(made));
		if (mkdirat(made->root_fd, name, 0755) == 0) {
			*ret_is_new = true;
			return NULL;
		}
	}
	if (errno != EEXIST)
		return err_sys(errno, "make cgroup %s", made->path);
	made->kept_len = len;
	*ret_is_new = false;
	return NULL;
}

/* An existing cgroup is taken over only when nobody is in it and nothing in it could hang. */
static struct err *check_unused(int dir_fd, const char *path)
{
	struct file_text file;

	TRY(file_text_read(dir_fd, "cgroup.events", &file));
	if (flat_value(file.text, "populated") == 1)
		return err_new(ERR_STATE, "cgroup %s exists and has processes", path);
	if (flat_value(file.text, "frozen") == 1)
		return err_new(ERR_STATE, "cgroup %s exists and is frozen: thaw or remove it",
			       path);
	TRY(file_text_read(dir_fd, "cgroup.subtree_control", &file));
	if (file.text[strspn(file.text, "\n")])
		return err_new(
			ERR_STATE,
			"cgroup %s exists and gives controllers to its children, so it takes no "
			"process: remove it",
			path);
	return NULL;
}

/* In a user namespace no filter can be loaded, and none is needed: there mknod(2) makes no devices.
 */
static struct err *filter_devices(const struct cgroup_spec *spec, const struct cgroup *cg,
				  bool is_new)
{
	OWN(buf) struct buf code = { 0 };
	OWN(fd) int prog_fd = -1;
	bool allows_all;
	struct err *err;

	if (!spec->device_filter)
		return NULL;
	TRY(devices_compile(spec->device_rules, spec->device_rule_count, &code, &allows_all));
	if (allows_all && is_new)
		return NULL;
	err = allows_all ? NULL : ebpf_device_program(&code, spec->ebpf_pin_dir, &prog_fd);
	if (!err)
		err = is_new ? ebpf_attach(cg->dir_fd, prog_fd) : ebpf_replace(cg->dir_fd, prog_fd);
	if (err && (err_errno(err) == EPERM || err_errno(err) == EACCES) && !may_load_filters()) {
		log_debug("no device filter without privilege: %s", err_text(err));
		err_drop(err);
		return NULL;
	}
	return err_wrap(err, "cgroup %s", cg->path);
}

static struct err *enable_controllers(int root_fd, const struct cgroup *cg, controllers need,
				      controllers wish)
{
	controllers missing;

	TRY(hierarchy_missing(cg->dir_fd, need | wish, &missing));
	if (!missing)
		return NULL;
	return hierarchy_enable(root_fd, cg->path, need & missing, wish & missing);
}

/* Without privilege files can be given to few: an init system inside then runs without cgroups. */
static struct err *delegate(const struct cgroup_spec *spec, const struct cgroup *cg)
{
	struct err *err = cgroup_delegate(cg->dir_fd, spec);

	if (err && err_errno(err) == EPERM && !may_load_filters()) {
		log_debug("cgroup %s stays ours: %s", cg->path, err_text(err));
		err_drop(err);
		return NULL;
	}
	return err_wrap(err, "cgroup %s", cg->path);
}

static struct err *furnish(int root_fd, const struct cgroup_spec *spec, const struct cgroup *cg,
			   bool is_new)
{
	struct err *err;

	TRY(enable_controllers(root_fd, cg, limits_need(&spec->limits), STATISTICS));
	err = limits_apply(cg->dir_fd, &spec->limits);
	if (err)
		return err_wrap(err, "cgroup %s", cg->path);
	TRY(filter_devices(spec, cg, is_new));
	return spec->delegate ? delegate(spec, cg) : NULL;
}

struct err *cgroup_furnish(int root_fd, const struct cgroup_spec *spec, const struct cgroup *cg)
{
	return furnish(root_fd, spec, cg, true);
}

static struct err *create(const struct cgroup_spec *spec, struct cgroup *cg)
{
	OWN(fd) int root_fd = -1;
	OWN(made) struct made made = { 0 };
	OWN(fd) int dir_fd = -1;
	struct cgroup open_cg = { .path = cg->path };
	bool is_new = false;

	TRY(hierarchy_open(&root_fd));
	made.root_fd = root_fd;
	TRY(str_dup(cg->path, &made.path));
	made.kept_len = strlen(made.path);
	TRY(make_dir(&made, &is_new));
	dir_fd = openat(root_fd, hierarchy_relative(cg->path),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir_fd < 0)
		return err_sys(errno, "open cgroup %s", cg->path);
	if (!is_new)
		TRY(check_unused(dir_fd, cg->path));
	open_cg.dir_fd = dir_fd;
	TRY(furnish(root_fd, spec, &open_cg, is_new));
	cg->dir_fd = fd_take(&dir_fd);
	made.kept_len = strlen(made.path); /* kept from here on */
	return NULL;
}

struct err *cgroup_create(const struct cgroup_spec *spec, struct cgroup *cg)
{
	if (cg->driver != CGROUP_FS || !cg->path)
		return NULL;
	return create(spec, cg);
}

struct err *cgroup_set_devices(const struct cgroup *cg, const struct cgroup_spec *spec)
{
	if (cg->dir_fd < 0)
		return NULL;
	return filter_devices(spec, cg, false);
}

struct err *limits_enable(const struct cgroup *cg, const struct cgroup_limits *limits)
{
	controllers need = limits_need(limits), missing;
	OWN(fd) int root_fd = -1;

	TRY(hierarchy_missing(cg->dir_fd, need, &missing));
	if (!missing)
		return NULL;
	TRY(hierarchy_open(&root_fd));
	return hierarchy_enable(root_fd, cg->path, missing, 0);
}
