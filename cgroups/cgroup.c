/* Opening and closing a cgroup, and moving a process into one. */
#include "cgroups/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"

void cgroup_release(struct cgroup *cg)
{
	if (cg->dir_fd >= 0)
		close(cg->dir_fd);
	free(cg->path);
	free(cg->scope);
	*cg = (struct cgroup)CGROUP_INIT;
}

static struct err *copy_names(const char *path, const char *scope, struct cgroup *cg)
{
	TRY(hierarchy_clean(path, &cg->path));
	return scope ? str_dup(scope, &cg->scope) : NULL;
}

static struct err *open_dir(const char *path, int *ret_fd)
{
	OWN(str) char *whole = NULL;
	OWN(fd) int fd = -1;
	struct statfs fs;

	TRY(str_format(&whole, CGROUP_MOUNT "%s", path));
	fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "cgroup %s does not exist", path);
	if (fd < 0)
		return err_sys(errno, "open %s", whole);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_new(ERR_UNSUPPORTED, "%s is not on cgroup v2", whole);
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *cgroup_open(const char *path, const char *scope, enum cgroup_driver driver,
			struct cgroup *ret_cg)
{
	struct cgroup cg = { .dir_fd = -1, .driver = driver };
	struct err *err;

	if (driver == CGROUP_DISABLED) {
		*ret_cg = cg;
		return NULL;
	}
	if (!path)
		return err_new(ERR_NOT_FOUND, "the container has no cgroup");
	err = copy_names(path, scope, &cg);
	if (!err)
		err = open_dir(cg.path, &cg.dir_fd);
	if (err) {
		cgroup_release(&cg);
		return err;
	}
	*ret_cg = cg;
	return NULL;
}

struct err *cgroup_join(const struct cgroup *cg, const char *below, pid_t pid)
{
	OWN(fd) int below_fd = -1;
	struct err *err;
	char text[16];

	if (cg->dir_fd < 0)
		return NULL;
	if (below)
		TRY(path_open_beneath(cg->dir_fd, hierarchy_relative(below), O_RDONLY | O_DIRECTORY,
				      &below_fd));
	snprintf(text, sizeof(text), "%d", (int)pid);
	err = file_write_text(below ? below_fd : cg->dir_fd, "cgroup.procs", text);
	if (err && err_errno(err) == EBUSY)
		return err_wrap(
			err,
			"cgroup %s%s%s gives controllers to its children, so it takes no process",
			cg->path, below ? "/" : "", below ? hierarchy_relative(below) : "");
	return err_wrap(err, "cgroup %s", cg->path);
}

struct err *cgroup_open_busy(const struct cgroup *cg, pid_t pid, int *ret_dir_fd)
{
	OWN(str) char *path = NULL;
	size_t len;

	if (cg->dir_fd < 0)
		return err_new(ERR_NOT_FOUND, "the container has no cgroup");
	TRY(hierarchy_path_of(pid, &path));
	len = strlen(cg->path);
	if (!str_has_prefix(path, cg->path) || path[len] != '/')
		return err_new(ERR_STATE, "process %d has left cgroup %s for %s", (int)pid,
			       cg->path, path);
	return path_open_beneath(cg->dir_fd, path + len + 1, O_RDONLY | O_DIRECTORY, ret_dir_fd);
}

struct err *cgroup_open_memory_events(const struct cgroup *cg, int *ret_fd, uint64_t *ret_oom_kills)
{
	OWN(fd) int fd = -1;
	char text[512];
	ssize_t got;

	if (cg->dir_fd < 0)
		return err_new(ERR_UNSUPPORTED, "the container has no cgroup");
	fd = openat(cg->dir_fd, "memory.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_UNSUPPORTED,
			       "the memory controller is not enabled for cgroup %s", cg->path);
	if (fd < 0)
		return err_sys(errno, "open memory.events of cgroup %s", cg->path);
	got = pread(fd, text, sizeof(text) - 1, 0);
	if (got < 0)
		return err_sys(errno, "read memory.events of cgroup %s", cg->path);
	text[got] = '\0';
	*ret_oom_kills = flat_value(text, "oom_kill");
	*ret_fd = fd_take(&fd);
	return NULL;
}
