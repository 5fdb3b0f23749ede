/*
 * memory.min of ancestors. The kernel protects a cgroup by its own memory.min and no more than its
 * parent's protection leaves to it, so a tree whose inner cgroups say nothing protects nothing.
 * Source: cgroup-v2.rst, "memory.min"; mm/page_counter.c, effective_protection().
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"

static struct err *add_child(int parent_fd, const char *name, uint64_t *sum)
{
	OWN(str) char *file = NULL;
	uint64_t value;
	struct err *err;

	TRY(str_format(&file, "%s/memory.min", name));
	err = file_read_u64(parent_fd, file, &value);
	if (err) {
		err_drop(err); /* it ended this moment, or has no memory controller */
		return NULL;
	}
	/* without the file, or with "max", the value is one of the two largest */
	if (value < CGROUP_MAX)
		*sum += value;
	return NULL;
}

static struct err *sum_children(int parent_fd, uint64_t *ret_sum)
{
	int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read a cgroup");
	*ret_sum = 0;
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			TRY(add_child(parent_fd, entry->d_name, ret_sum));
	return NULL;
}

static struct err *share(int root_fd, const char *parent)
{
	OWN(fd)
	int parent_fd = openat(root_fd, hierarchy_relative(parent),
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t sum;
	struct err *err;

	if (parent_fd < 0 && errno == ENOENT)
		return NULL; /* it went with its last child */
	if (parent_fd < 0)
		return err_sys(errno, "open cgroup %s", parent);
	TRY(sum_children(parent_fd, &sum));
	err = file_write_u64(parent_fd, "memory.min", sum);
	return err_wrap(err, "cgroup %s", parent);
}

struct err *cgroup_share_guarantee(const char *path)
{
	OWN(str) char *parent = NULL;
	OWN(fd) int root_fd = -1;

	if (!path)
		return err_new(ERR_UNSUPPORTED, "a container without a cgroup has no guarantee");
	TRY(hierarchy_open(&root_fd));
	TRY(str_dup(path, &parent));
	for (char *slash = strrchr(parent, '/'); slash && slash > parent;
	     slash = strrchr(parent, '/')) {
		*slash = '\0';
		TRY(share(root_fd, parent));
	}
	return NULL;
}
