/*
 * Switch controllers on for a cgroup by writing to cgroup.subtree_control of its ancestors, from
 * the root down, and only where something is missing. Source: cgroup-v2.rst, "Enabling and
 * Disabling", "Top-down Constraint", "No Internal Process Constraint".
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"

static struct err *internal_processes(const char *parent, const char *name)
{
	return err_new(
		ERR_UNSUPPORTED,
		"cgroup v2 cannot give the %s controller to children of %s, which has processes "
		"itself: move them to a child cgroup, or choose another cgroup path",
		name, parent);
}

/* Why the kernel refused to enable a controller in the children of parent, for an operator. */
static struct err *explain(struct err *err, const char *parent, const char *name)
{
	int errnum = err_errno(err);

	if (errnum == EBUSY) {
		err_drop(err); /* said better */
		return internal_processes(parent, name);
	}
	if (errnum == EOPNOTSUPP) {
		err_drop(err); /* said better */
		return err_new(ERR_UNSUPPORTED,
			       "%s is a threaded cgroup, which has no %s controller", parent, name);
	}
	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		return err_wrap(
			err,
			"the %s controller is not delegated to this user: add it to Delegate= of "
			"the systemd unit user@.service",
			name);
	return err_wrap(err, "enable the %s controller below cgroup %s", name, parent);
}

/*
 * The kernel would let a cgroup with processes enable cpu, cpuset and pids, and so make it the root
 * of a threaded tree: then no process can enter the children (EOPNOTSUPP). Only the true root may
 * have both.
 */
static struct err *has_processes(int root_fd, const char *parent, bool *ret_has)
{
	OWN(str) char *type = NULL, *procs = NULL;
	struct file_text file = { "" };

	TRY(str_format(&type, "%s/cgroup.type", hierarchy_relative(parent)));
	TRY(str_format(&procs, "%s/cgroup.procs", hierarchy_relative(parent)));
	if (file_exists(root_fd, type)) /* the true root has none */
		TRY(file_text_read(root_fd, procs, &file));
	*ret_has = file.text[0] != '\0';
	return NULL;
}

/* The first controller of a set that is not empty. */
static const char *first_name(controllers set)
{
	return controller_names[__builtin_ctz(set)];
}

static struct err *not_offered(const char *parent, const char *name)
{
	if (str_eq(parent, "/"))
		return err_new(ERR_UNSUPPORTED,
			       "the %s controller is not in " CGROUP_MOUNT
			       "/cgroup.controllers: the kernel lacks it, "
			       "cgroup_disable= names it, or cgroup v1 holds it",
			       name);
	return err_new(ERR_UNSUPPORTED,
		       "the %s controller is not delegated to cgroup %s: add it to Delegate= of "
		       "the systemd unit, "
		       "or enable it in the parent's cgroup.subtree_control",
		       name, parent);
}

static struct err *write_one(int root_fd, const char *control, const char *name)
{
	char text[32];

	snprintf(text, sizeof(text), "+%s", name);
	return file_write_text(root_fd, control, text);
}

static struct err *write_all(int root_fd, const char *control, controllers set)
{
	char text[128] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < CONTROLLER_COUNT; i++)
		if (set & ((controllers)1 << i))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s+%s",
						len ? " " : "", controller_names[i]);
	return file_write_text(root_fd, control, text);
}

/* One by one, as one refused word makes the kernel refuse the whole write. */
static struct err *write_each(int root_fd, const char *control, const char *parent,
			      controllers missing, controllers need)
{
	for (unsigned int i = 0; i < CONTROLLER_COUNT; i++) {
		controllers bit = (controllers)1 << i;
		struct err *err;

		if (!(missing & bit))
			continue;
		err = write_one(root_fd, control, controller_names[i]);
		if (err && (need & bit))
			return explain(err, parent, controller_names[i]);
		err_drop(err); /* wished for statistics only */
	}
	return NULL;
}

/* The children of one ancestor. */
static struct err *enable_below(int root_fd, const char *parent, controllers need, controllers wish)
{
	OWN(str) char *control = NULL, *offer = NULL;
	struct file_text file;
	controllers missing, offered;
	bool occupied = false;
	struct err *err;

	TRY(str_format(&control, "%s/cgroup.subtree_control", hierarchy_relative(parent)));
	TRY(str_format(&offer, "%s/cgroup.controllers", hierarchy_relative(parent)));
	TRY(file_text_read(root_fd, control, &file));
	missing = (need | wish) & ~controllers_parse(file.text);
	if (!missing)
		return NULL;
	TRY(file_text_read(root_fd, offer, &file));
	offered = controllers_parse(file.text);
	for (unsigned int i = 0; i < CONTROLLER_COUNT; i++)
		if (need & missing & ~offered & ((controllers)1 << i))
			return not_offered(parent, controller_names[i]);
	missing &= offered;
	if (missing)
		TRY(has_processes(root_fd, parent, &occupied));
	if (occupied && (need & missing))
		return internal_processes(parent, first_name(need & missing));
	if (occupied || !missing)
		return NULL;
	err = write_all(root_fd, control, missing);
	if (!err)
		return NULL;
	err_drop(err); /* told by name below */
	return write_each(root_fd, control, parent, missing, need);
}

struct err *hierarchy_enable(int root_fd, const char *path, controllers need, controllers wish)
{
	OWN(str) char *parent = NULL;

	TRY(enable_below(root_fd, "/", need, wish));
	TRY(str_dup(path, &parent));
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		TRY(enable_below(root_fd, parent, need, wish));
		*slash = '/';
	}
	return NULL;
}
