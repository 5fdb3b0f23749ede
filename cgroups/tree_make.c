/* A container's tree of cgroups made again from a list of steps; see tree.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"

static struct err *open_step(const struct cgroup *cg, const struct cgroup_step *step, int *ret_fd)
{
	return path_open_beneath(cg->dir_fd, *step->path ? step->path : ".", O_RDONLY | O_DIRECTORY,
				 ret_fd);
}

static struct err *wrap(const struct cgroup_step *step, struct err *err)
{
	return err_wrap(err, "control group %s", step->path);
}

/* --- cgroups --- */

static struct err *make(const struct cgroup *cg, const struct cgroup_step *step)
{
	/* nothing below a cgroup is a link */
	if (mkdirat(cg->dir_fd, step->path, 0755) < 0)
		return err_sys(errno, "make it");
	return NULL;
}

static struct err *set_type(const struct cgroup *cg, const struct cgroup_step *step)
{
	OWN(fd) int fd = -1;

	TRY(open_step(cg, step, &fd));
	return file_write_text(fd, step->file, step->value);
}

struct err *cgroup_tree_make(const struct cgroup *cg, const struct cgroup_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct cgroup_step *step = &steps->items[i];

		if (step->kind == CGROUP_STEP_MAKE)
			TRY(wrap(step, make(cg, step)));
		if (step->kind == CGROUP_STEP_TYPE)
			TRY(wrap(step, set_type(cg, step)));
	}
	return NULL;
}

/* --- controllers and owners --- */

/* Whoever is in the container's own cgroup goes to where pid is. */
static struct err *move_down(const struct cgroup *cg, pid_t pid)
{
	OWN(buf) struct buf procs = { 0 };
	OWN(fd) int init_fd = -1;
	char *rest, *line;

	TRY(cgroup_open_busy(cg, pid, &init_fd));
	TRY(file_read(cg->dir_fd, "cgroup.procs", (size_t)1 << 20, &procs));
	rest = procs.data;
	while (rest && (line = strsep(&rest, "\n"))) {
		struct err *err = *line ? file_write_text(init_fd, "cgroup.procs", line) : NULL;

		if (err && err_errno(err) == ESRCH) {
			err_drop(err); /* it has ended */
			err = NULL;
		}
		TRY(err_wrap(err, "move process %s", line));
	}
	return NULL;
}

static struct err *give_file(int dir_fd, const char *name, const char *owner)
{
	unsigned int uid, gid;

	if (sscanf(owner, "%u:%u", &uid, &gid) != 2)
		return err_new(ERR_INVALID, "%s is no owner", owner);
	/* what is missing belongs to a controller that this host does not have */
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return err_sys(errno, "give %s to %s", name, owner);
	return NULL;
}

static struct err *give_all(const struct cgroup *cg, const struct cgroup_step *step)
{
	OWN(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = -1;

	TRY(open_step(cg, step, &fd));
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read its directory");
	while ((entry = readdir(dir)))
		if (entry->d_type != DT_DIR || str_eq(entry->d_name, "."))
			TRY(give_file(fd, entry->d_name, step->value));
	return NULL;
}

static struct err *give_one(const struct cgroup *cg, const struct cgroup_step *step)
{
	OWN(fd) int fd = -1;

	TRY(open_step(cg, step, &fd));
	return give_file(fd, step->file, step->value);
}

static struct err *enable(const struct cgroup *cg, const struct cgroup_step *step, pid_t pid)
{
	OWN(fd) int fd = -1;

	if (!*step->path)
		TRY(move_down(cg, pid));
	TRY(open_step(cg, step, &fd));
	return file_write_text(fd, step->file, step->value);
}

struct err *cgroup_tree_enable(const struct cgroup *cg, const struct cgroup_steps *steps, pid_t pid)
{
	for (size_t i = 0; i < steps->count; i++)
		if (steps->items[i].kind == CGROUP_STEP_ENABLE)
			TRY(wrap(&steps->items[i], enable(cg, &steps->items[i], pid)));
	/* all files are there now */
	for (size_t i = 0; i < steps->count; i++) {
		const struct cgroup_step *step = &steps->items[i];

		if (step->kind == CGROUP_STEP_MAKE)
			TRY(wrap(step, give_all(cg, step)));
		if (step->kind == CGROUP_STEP_OWN)
			TRY(wrap(step, give_one(cg, step)));
	}
	return NULL;
}

/* --- limits --- */

static struct err *set_lines(int fd, const struct cgroup_step *step)
{
	OWN(str) char *text = NULL;
	struct file_text now;
	char *rest, *line;

	TRY(file_text_read(fd, step->file, &now));
	now.text[strcspn(now.text, "\n")] = '\0';
	if (str_eq(now.text, step->value))
		return NULL; /* nobody has set it */
	TRY(str_dup(step->value, &text));
	rest = text;
	while ((line = strsep(&rest, "\n")))
		TRY(file_write_text(fd, step->file, line));
	return NULL;
}

static struct err *mark(int fd, const struct cgroup_step *step)
{
	if (fsetxattr(fd, step->file, step->value, strlen(step->value), 0) < 0)
		return err_sys(errno, "set extended attribute %s", step->file);
	return NULL;
}

static struct err *limit(const struct cgroup *cg, const struct cgroup_step *step)
{
	OWN(fd) int fd = -1;

	if (step->kind != CGROUP_STEP_SET && step->kind != CGROUP_STEP_MARK)
		return NULL;
	TRY(open_step(cg, step, &fd));
	return step->kind == CGROUP_STEP_SET ? set_lines(fd, step) : mark(fd, step);
}

void cgroup_tree_limit(const struct cgroup *cg, const struct cgroup_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++)
		log_warn(wrap(&steps->items[i], limit(cg, &steps->items[i])));
}
