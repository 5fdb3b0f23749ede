/* The mounted cgroup2 hierarchy; see hierarchy.h. Enabling controllers is in enable.c. */
#include "cgroups/hierarchy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"

const char *const controller_names[CONTROLLER_COUNT] = {
	[CONTROLLER_CPU] = "cpu",   [CONTROLLER_CPUSET] = "cpuset",
	[CONTROLLER_DMEM] = "dmem", [CONTROLLER_HUGETLB] = "hugetlb",
	[CONTROLLER_IO] = "io",	    [CONTROLLER_MEMORY] = "memory",
	[CONTROLLER_MISC] = "misc", [CONTROLLER_PIDS] = "pids",
	[CONTROLLER_RDMA] = "rdma",
};

static controllers controller_named(const char *name, size_t len)
{
	for (unsigned int i = 0; i < CONTROLLER_COUNT; i++)
		if (strlen(controller_names[i]) == len && !strncmp(controller_names[i], name, len))
			return (controllers)1 << i;
	return 0;
}

controllers controllers_parse(const char *text)
{
	controllers set = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		set |= controller_named(text, len);
		text += len;
		text += strspn(text, " \n");
	}
	return set;
}

controllers controller_of_file(const char *file)
{
	return controller_named(file, strcspn(file, "."));
}

struct err *hierarchy_open(int *ret_root_fd)
{
	OWN(fd) int fd = open(CGROUP_MOUNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return err_new(ERR_UNSUPPORTED,
			       "cgroup v2 is not mounted: mount -t cgroup2 cgroup2 " CGROUP_MOUNT);
	if (fstatfs(fd, &fs) < 0)
		return err_sys(errno, "look at " CGROUP_MOUNT);
	if (fs.f_type == CGROUP2_SUPER_MAGIC) {
		*ret_root_fd = fd_take(&fd);
		return NULL;
	}
	/* A hybrid host has a cgroup2 mount in "unified", but its controllers are held by v1. */
	return err_new(ERR_UNSUPPORTED,
		       CGROUP_MOUNT
		       " is not cgroup v2%s: boot with systemd.unified_cgroup_hierarchy=1",
		       file_exists(fd, "memory") || file_exists(fd, "unified") ?
			       ", its controllers are held by cgroup v1" :
			       "");
}

const char *hierarchy_relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

static struct err *add_component(struct buf *buf, const char *whole, const char *name, size_t len)
{
	bool is_dots =
		(len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');

	if (is_dots || len > 255)
		return err_new(ERR_INVALID, "cgroup path %.256s: '%.*s' is not a name", whole,
			       (int)len, name);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return err_new(ERR_INVALID, "cgroup path has a control byte");
	TRY(buf_add(buf, "/", 1));
	return buf_add(buf, name, len);
}

struct err *hierarchy_clean(const char *path, char **ret_path)
{
	OWN(buf) struct buf clean = { 0 };

	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");

		if (len)
			TRY(add_component(&clean, path, at, len));
		at += len;
		at += strspn(at, "/");
	}
	if (clean.len == 0)
		return err_new(ERR_INVALID, "cgroup path '%.256s' names no cgroup", path);
	if (clean.len >= 4096 - sizeof(CGROUP_MOUNT) - 64)
		return err_new(ERR_INVALID, "cgroup path of %zu bytes is too long", clean.len);
	return buf_take(&clean, ret_path);
}

struct err *hierarchy_path_of(pid_t pid, char **ret_path)
{
	OWN(buf) struct buf text = { 0 };
	char name[40] = "/proc/self/cgroup";
	char *line;

	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	TRY(file_read(AT_FDCWD, name, (size_t)64 << 10, &text));
	line = str_has_prefix(text.data, "0::") ? text.data : strstr(text.data, "\n0::");
	if (!line)
		return err_new(ERR_UNSUPPORTED, "%s names no cgroup v2", name);
	line = strchr(line, '/');
	if (!line)
		return err_new(ERR_UNSUPPORTED, "%s names no cgroup v2", name);
	line[strcspn(line, "\n")] = '\0';
	return str_dup(line, ret_path);
}

struct err *hierarchy_missing(int dir_fd, controllers want, controllers *ret_missing)
{
	struct file_text file;

	if (!want) {
		*ret_missing = 0;
		return NULL;
	}
	TRY(file_text_read(dir_fd, "cgroup.controllers", &file));
	*ret_missing = want & ~controllers_parse(file.text);
	return NULL;
}

struct err *cgroup_controllers(struct strlist *ret_names)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(fd) int root_fd = -1;
	struct file_text file;
	char *rest = file.text;

	TRY(hierarchy_open(&root_fd));
	TRY(file_text_read(root_fd, "cgroup.controllers", &file));
	for (char *word = strsep(&rest, " \n"); word; word = strsep(&rest, " \n"))
		if (*word)
			TRY(strlist_add(&names, word));
	*ret_names = names;
	names = (struct strlist){ 0 };
	return NULL;
}
