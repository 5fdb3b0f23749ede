/*
 * Places of our own below the root: the tmpfs on /dev, procfs and sysfs, known by descriptor from
 * the moment they are mounted until something else covers them. Nobody can plant a link in procfs
 * and sysfs, nor in place of a directory that we have just made in /dev, so these may be given to
 * the kernel as text, relative to the place: half of the system calls of a careful resolution, in
 * every one of the usual mounts, masks and read-only paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "rootfs/build.h"

void places_drop(struct build *build)
{
	own_fd(&build->dev_fd);
	own_fd(&build->proc_fd);
	own_fd(&build->sys_fd);
	build->dev_fd = build->proc_fd = build->sys_fd = -1;
}

struct place_kind {
	const char *path, *type;
	long magic;
};

/*
 * Open what was just mounted on a place, if it is the root of its kind of file system. When the
 * spec mounted that kind it must be: a co-tenant of the image may have moved the directory away
 * under our mount, and masks would land elsewhere.
 */
static struct err *open_place(const struct build *build, const struct mount_spec *mount,
			      const struct place_kind *kind, int *ret_fd)
{
	OWN(fd) int fd = -1;
	struct statfs fs;

	TRY(path_open_in(build->root_fd, kind->path, O_PATH | O_DIRECTORY | O_NOFOLLOW, &fd));
	if (fstatfs(fd, &fs) < 0)
		return err_sys(errno, "look at %s", kind->path);
	if (fs.f_type == kind->magic)
		*ret_fd = fd_take(&fd);
	else if (str_eq(mount->type, kind->type) && !mount_spec_is_bind(mount))
		return err_new(ERR_STATE, "%s was moved while %s was mounted on it", kind->path,
			       kind->type);
	return NULL;
}

struct err *places_update(struct build *build, const struct mount_spec *mount,
			  const char *destination)
{
	static const struct place_kind kinds[] = {
		{ "/dev", "tmpfs", TMPFS_MAGIC },
		{ "/proc", "proc", PROC_SUPER_MAGIC },
		{ "/sys", "sysfs", SYSFS_MAGIC },
	};
	int *const fds[] = { &build->dev_fd, &build->proc_fd, &build->sys_fd };

	if (str_eq(destination, "/")) {
		places_drop(build);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!str_eq(destination, kinds[i].path))
			continue;
		own_fd(fds[i]);
		*fds[i] = -1;
		return open_place(build, mount, &kinds[i], fds[i]);
	}
	/* a foreign tree inside; what may cover procfs are single files */
	if (str_has_prefix(destination, "/sys/") && mount_spec_is_bind(mount)) {
		own_fd(&build->sys_fd);
		build->sys_fd = -1;
	}
	return NULL;
}

bool places_find_target(const struct build *build, const char *destination,
			struct target *ret_target)
{
	const char *rest = destination + strlen("/dev/");

	if (str_eq(destination, "/sys/fs/cgroup") && build->sys_fd >= 0) {
		*ret_target = (struct target){ build->sys_fd, "fs/cgroup" };
		return true;
	}
	if (build->dev_fd < 0 || !str_has_prefix(destination, "/dev/") || strchr(rest, '/'))
		return false;
	/* only what did not exist before is sure to be a directory of ours */
	if (mkdirat(build->dev_fd, rest, 0755) < 0)
		return false;
	*ret_target = (struct target){ build->dev_fd, rest };
	return true;
}

int places_find(const struct build *build, const char *path, const char **ret_rest)
{
	const char *rest = path + strlen("/sys/");

	if (strstr(path, ".."))
		return -1;
	if (str_has_prefix(path, "/sys/") && *rest && *rest != '/') {
		*ret_rest = rest;
		return build->sys_fd;
	}
	rest = path + strlen("/proc/");
	/* no magic links ("self/root", "1/cwd") on the way */
	if (!str_has_prefix(path, "/proc/") || !*rest || strchr("/0123456789", *rest) ||
	    str_has_prefix(rest, "self") || str_has_prefix(rest, "thread-self"))
		return -1;
	*ret_rest = rest;
	return build->proc_fd;
}
