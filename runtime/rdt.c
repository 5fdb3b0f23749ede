/* Intel RDT: a resctrl group per container. Rests on Documentation/filesystems/resctrl.rst. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/birth.h"

#define RESCTRL "/sys/fs/resctrl"

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

static struct err *write_schemata(int group_fd, const struct intel_rdt *rdt)
{
	/* config-linux.md, "IntelRdt": L3, then MB, then schemata, each line in one write */
	if (rdt->l3_schema)
		TRY(file_write_once(group_fd, "schemata", rdt->l3_schema));
	if (rdt->mb_schema)
		TRY(file_write_once(group_fd, "schemata", rdt->mb_schema));
	for (size_t i = 0; i < rdt->schemata.count; i++) {
		OWN(str) char *line = NULL;

		TRY(str_format(&line, "%s\n", rdt->schemata.items[i]));
		TRY(file_write_once(group_fd, "schemata", line));
	}
	return NULL;
}

/* The group's directory; *ret_made is false when the operator had made it before, and it then stays
 * at delete. */
static struct err *open_group(const char *name, int *ret_fd, bool *ret_made)
{
	OWN(fd) int root_fd = open(RESCTRL, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (root_fd < 0 || fstatfs(root_fd, &fs) < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC)
		return err_new(ERR_UNSUPPORTED,
			       "linux.intelRdt: resctrl is not mounted on " RESCTRL);
	if (str_eq(name, "/")) {
		*ret_made = false;
		return path_open_beneath(root_fd, ".", O_RDONLY | O_DIRECTORY, ret_fd);
	}
	*ret_made = mkdirat(root_fd, name, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_sys(errno, "make resctrl group %s", name);
	return path_open_beneath(root_fd, name, O_RDONLY | O_DIRECTORY, ret_fd);
}

struct err *rdt_create(const struct intel_rdt *rdt, const char *id, char **ret_group)
{
	const char *name = rdt->clos_id ? rdt->clos_id : id;
	OWN(fd) int group_fd = -1;
	OWN(str) char *group = NULL;
	bool made = false;
	struct err *err;

	TRY(open_group(name, &group_fd, &made));
	err = write_schemata(group_fd, rdt);
	if (!err && rdt->monitoring) {
		OWN(str) char *monitor = NULL;

		err = str_format(&monitor, "mon_groups/%s", id);
		if (!err && mkdirat(group_fd, monitor, 0755) < 0)
			err = err_sys(errno, "make resctrl %s/%s", name, monitor);
	}
	/* "!" marks a group that is not ours to remove; only its monitoring group is */
	if (!err)
		err = str_format(&group, "%s%s\n%s", made ? "" : "!",
				 str_eq(name, "/") ? "." : name, rdt->monitoring ? id : "");
	if (err) {
		if (made)
			rmdir(path_of_fd(group_fd).text);
		return err;
	}
	*ret_group = TAKE(group);
	return NULL;
}

/* "[!]GROUP\n[MONITOR]" into two paths below the resctrl mount; monitor is NULL without one. */
static struct err *split(const char *group, char **ret_group, char **ret_monitor)
{
	const char *name = group + (*group == '!');
	size_t len = strcspn(name, "\n");
	const char *monitor = name[len] ? name + len + 1 : "";

	TRY(str_format(ret_group, RESCTRL "/%.*s", (int)len, name));
	if (*monitor)
		TRY(str_format(ret_monitor, "%s/mon_groups/%s", *ret_group, monitor));
	return NULL;
}

static struct err *join(const char *dir, const char *pid)
{
	OWN(str) char *tasks = NULL;

	TRY(str_format(&tasks, "%s/tasks", dir));
	return file_write_once(AT_FDCWD, tasks, pid);
}

struct err *rdt_join(const char *group, pid_t pid)
{
	OWN(str) char *dir = NULL, *monitor = NULL;
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	TRY(split(group, &dir, &monitor));
	TRY(join(dir, text));
	return monitor ? join(monitor, text) : NULL;
}

void rdt_remove(const char *group)
{
	OWN(str) char *dir = NULL, *monitor = NULL;
	struct err *err;

	if (!group)
		return;
	err = split(group, &dir, &monitor);
	if (!err && monitor && rmdir(monitor) < 0 && errno != ENOENT)
		err = err_sys(errno, "remove resctrl group %s", monitor);
	if (!err && *group != '!' && rmdir(dir) < 0 && errno != ENOENT)
		err = err_sys(errno, "remove resctrl group %s", dir);
	log_warn(err);
}
