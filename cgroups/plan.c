/*
 * Where the cgroup of a container goes, worked out without making anything. Root: the path that was
 * asked for, or /PREFIX/ID. Without privilege: what the user's own manager delegated, found by
 * asking the kernel which directory above our own cgroup we may write. Source: cgroup-v2.rst,
 * "Delegation".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroups/create.h"
#include "cgroups/hierarchy.h"
#include "cgroups/limits.h"
#include "cgroups/systemd.h"

/* The first user namespace maps everything to itself: "0 0 4294967295". Source: user_namespaces(7).
 */
static bool in_first_user_ns(void)
{
	OWN(buf) struct buf map = { 0 };
	unsigned long inside, outside, count;
	struct err *err = file_read(AT_FDCWD, "/proc/self/uid_map", 65536, &map);

	if (err) {
		err_drop(err); /* a kernel without user namespaces has no second one */
		return true;
	}
	return sscanf(map.data, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

bool may_load_filters(void)
{
	return geteuid() == 0 && in_first_user_ns();
}

bool cgroup_is_asked_for(const struct cgroup_spec *spec)
{
	return limits_any(&spec->limits) || (spec->device_filter && may_load_filters());
}

bool is_not_ours(const struct err *err)
{
	int errnum = err_errno(err);

	return err_kind(err) == ERR_UNSUPPORTED || errnum == EACCES || errnum == EPERM ||
	       errnum == EROFS;
}

static bool is_writable(int root_fd, const char *path)
{
	return faccessat(root_fd, hierarchy_relative(path), W_OK | X_OK, AT_EACCESS) == 0;
}

/* The nearest directory of path that exists is writable, so that the rest can be made. */
static bool can_make(int root_fd, const char *path)
{
	OWN(str) char *at = strdup(path);

	for (char *slash = at ? strrchr(at, '/') : NULL; slash; slash = strrchr(at, '/')) {
		*slash = '\0';
		if (faccessat(root_fd, hierarchy_relative(at), F_OK, 0) == 0)
			return is_writable(root_fd, at);
	}
	return false;
}

/* base/name, where base may be "/". */
static struct err *join(const char *base, const char *name, char **ret_path)
{
	OWN(str) char *joined = NULL;

	TRY(str_format(&joined, "%s/%s", base, name));
	return hierarchy_clean(joined, ret_path);
}

/*
 * Our own cgroup holds ourselves, so it cannot give controllers to children: the place beside it is
 * better. Below it is the last resort.
 */
static struct err *place_near_us(int root_fd, const char *name, char **ret_path)
{
	OWN(str) char *own = NULL, *parent = NULL;

	TRY(hierarchy_path_of(0, &own));
	TRY(str_dup(own, &parent));
	*strrchr(parent, '/') = '\0';
	if (is_writable(root_fd, parent))
		return join(parent, name, ret_path);
	if (is_writable(root_fd, own))
		return join(own, name, ret_path);
	return err_sys(EACCES, "make a cgroup beside or below %s", own);
}

struct err *plan_path(int root_fd, const struct cgroup_spec *spec, const char *prefix,
		      const char *id, char **ret_path)
{
	OWN(str) char *name = NULL, *path = NULL;
	bool is_root = is_writable(root_fd, "/");

	if (spec->path && spec->path[0] == '/') {
		TRY(hierarchy_clean(spec->path, &path));
		if (!is_root && !can_make(root_fd, path))
			return err_sys(EACCES, "make cgroup %s", path);
		*ret_path = TAKE(path);
		return NULL;
	}
	/* a relative path is ours to place (runtime-spec, "Cgroups Path"): where a derived one goes
	 */
	if (spec->path && *spec->path)
		TRY(str_dup(spec->path, &name));
	else
		TRY(str_format(&name, "%s/%s", prefix, id));
	if (is_root)
		return join("/", name, ret_path);
	return place_near_us(root_fd, name, ret_path);
}

static struct err *explain_refusal(struct err *err)
{
	if (err_errno(err) == EACCES)
		return err_wrap(
			err,
			"limits need a cgroup that this user may write (run as root, in a systemd "
			"unit with Delegate=yes, or with the systemd driver)");
	return err;
}

static struct err *plan_fs(const struct cgroup_spec *spec, const char *prefix, const char *id,
			   struct cgroup *ret_cg)
{
	OWN(fd) int root_fd = -1;
	struct err *err = hierarchy_open(&root_fd);

	*ret_cg = (struct cgroup){ .dir_fd = -1, .driver = CGROUP_FS };
	if (!err)
		err = plan_path(root_fd, spec, prefix, id, &ret_cg->path);
	if (!err || !is_not_ours(err))
		return err;
	if (cgroup_is_asked_for(spec))
		return explain_refusal(err);
	log_debug("no cgroup, and nothing asked for one: %s", err_text(err));
	err_drop(err);
	ret_cg->driver = CGROUP_DISABLED;
	return NULL;
}

struct err *cgroup_plan(const struct cgroup_spec *spec, const char *prefix, const char *id,
			struct cgroup *ret_cg)
{
	struct cgroup cg = CGROUP_INIT;
	struct err *err = NULL;

	if (spec->driver == CGROUP_DISABLED) {
		cg.driver = CGROUP_DISABLED;
		*ret_cg = cg;
		return NULL;
	}
	err = cgroup_limits_check(&spec->limits);
	if (!err && spec->driver == CGROUP_SYSTEMD)
		err = systemd_plan(spec, prefix, id, &cg);
	else if (!err)
		err = plan_fs(spec, prefix, id, &cg);
	if (err) {
		cgroup_release(&cg);
		return err;
	}
	*ret_cg = cg;
	return NULL;
}
