/*
 * One mount of the spec: resolve its destination inside the root, then bind a tree or mount a file
 * system on it. Rests on the OCI config.md "mounts", mount(2), open_tree(2); the destination's
 * path belongs to the image, which may have planted links in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "rootfs/build.h"

#define MOUNT_POINT_MODE 0755

/* Places that later work trusts to be what their names say: a link there is refused
 * (CVE-2019-19921, CVE-2023-27561, CVE-2026-41579). */
static bool is_guarded(const char *destination)
{
	return str_eq(destination, "/proc") || str_eq(destination, "/sys") ||
	       str_eq(destination, "/dev");
}

/* A link in the image may lead a harmless destination onto procfs or sysfs (CVE-2025-52881). */
static struct err *check_not_kernel(int target_fd, const char *destination)
{
	struct statfs fs;

	if (fstatfs(target_fd, &fs) < 0)
		return err_sys(errno, "look at %s", destination);
	if (fs.f_type == PROC_SUPER_MAGIC && !mount_may_cover_proc(destination) &&
	    !str_eq(destination, "/proc"))
		return err_new(ERR_INVALID, "mount on %s: a link leads it into procfs",
			       destination);
	if (fs.f_type == SYSFS_MAGIC && !str_eq(destination, "/sys") &&
	    !str_has_prefix(destination, "/sys/"))
		return err_new(ERR_INVALID, "mount on %s: a link leads it into sysfs", destination);
	return NULL;
}

static struct err *open_target_dir(const struct build *build, const char *destination, int *ret_fd)
{
	const bool guarded = is_guarded(destination);
	OWN(fd) int fd = -1;

	if (!guarded) {
		TRY(path_make_dir_in(build->root_fd, destination, MOUNT_POINT_MODE, &fd));
		TRY(check_not_kernel(fd, destination));
		*ret_fd = fd_take(&fd);
		return NULL;
	}
	TRY(path_find_in(build->root_fd, destination, O_PATH | O_DIRECTORY | O_NOFOLLOW, ret_fd));
	if (*ret_fd >= 0)
		return NULL;
	return path_make_dir_in(build->root_fd, destination, MOUNT_POINT_MODE, ret_fd);
}

struct err *mount_tree_on(struct build *build, int tree_fd, const char *destination, bool nofollow)
{
	OWN(fd) int fd = -1;
	struct stat st;

	TRY(path_find_in(build->root_fd, destination,
			 O_PATH | (nofollow || is_guarded(destination) ? O_NOFOLLOW : 0), &fd));
	if (fd < 0) {
		if (fstat(tree_fd, &st) < 0)
			return err_sys(errno, "look at the source for %s", destination);
		if (S_ISDIR(st.st_mode))
			TRY(path_make_dir_in(build->root_fd, destination, MOUNT_POINT_MODE, &fd));
		else
			TRY(path_make_file_in(build->root_fd, destination, MOUNT_POINT_MODE, &fd));
	}
	TRY(check_not_kernel(fd, destination));
	return tree_attach_fd(tree_fd, fd, destination);
}

unsigned int mount_tree_flags(const struct mount_spec *mount)
{
	return (tree_is_recursive(mount) ? AT_RECURSIVE : 0) |
	       (mount->source_nofollow || mount->copy_symlink ? AT_SYMLINK_NOFOLLOW : 0);
}

/* crun's copy-symlink: make the same link instead of mounting what it leads to. */
static struct err *copy_symlink(struct build *build, int link_fd, const char *destination)
{
	OWN(fd) int parent_fd = -1;
	const char *name;
	char text[PATH_MAX], there[PATH_MAX];
	ssize_t len = readlinkat(link_fd, "", text, sizeof(text) - 1);

	if (len < 0)
		return err_sys(errno, "read the link for %s", destination);
	text[len] = '\0';
	TRY(path_open_parent_in(build->root_fd, destination, &parent_fd, &name));
	if (symlinkat(text, parent_fd, name) == 0)
		return NULL;
	if (errno != EEXIST)
		return err_sys(errno, "make link %s", destination);
	len = readlinkat(parent_fd, name, there, sizeof(there) - 1);
	there[len > 0 ? len : 0] = '\0';
	if (len < 0 || !str_eq(there, text))
		return err_new(ERR_EXISTS, "link %s -> %s: something else is there", destination,
			       text);
	return NULL;
}

/* The source as a detached tree: the parent's, or opened here. */
static struct err *take_source(struct build *build, size_t index, int *ret_fd)
{
	const struct mount_spec *mount = &build->spec->mounts[index];
	const struct tree_defaults defaults = { .userns_fd = -1 };
	OWN(fd) int fd = -1;

	if (index < build->handles->mount_count && build->handles->mount_fd[index] >= 0) {
		*ret_fd = fd_take(&build->handles->mount_fd[index]);
		return NULL;
	}
	TRY(tree_open(mount->source, mount_tree_flags(mount), &fd));
	TRY(tree_configure(fd, mount, &defaults));
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *mount_bind(struct build *build, size_t index, const char *destination)
{
	const struct mount_spec *mount = &build->spec->mounts[index];
	OWN(fd) int fd = -1;
	struct stat st;
	struct statfs fs;

	TRY(take_source(build, index, &fd));
	if (mount->copy_symlink) {
		if (fstat(fd, &st) < 0)
			return err_sys(errno, "look at %s", mount->source);
		if (S_ISLNK(st.st_mode))
			return copy_symlink(build, fd, destination);
	}
	if (str_eq(destination, "/proc")) {
		if (fstatfs(fd, &fs) < 0)
			return err_sys(errno, "look at %s", mount->source);
		if (fs.f_type != PROC_SUPER_MAGIC)
			return err_new(ERR_INVALID, "bind mount on /proc: %s is not a procfs",
				       mount->source);
	}
	TRY(mount_tree_on(build, fd, destination, mount->dest_nofollow));
	if (str_eq(destination, "/")) {
		/* the root is now what covers it */
		close(build->root_fd);
		build->root_fd = fd_take(&fd);
	}
	return NULL;
}

/* Change a mount that is there: its own flags for a bind, else those of the file system. */
static struct err *remount(struct build *build, const struct mount_spec *changes,
			   const char *destination)
{
	const struct tree_defaults defaults = { .userns_fd = -1 };
	OWN(fd) int fd = -1;
	struct path_fd path;

	TRY(path_open_in(build->root_fd, destination, O_PATH, &fd));
	TRY(check_not_kernel(fd, destination));
	if (mount_spec_is_bind(changes))
		return tree_configure(fd, changes, &defaults);
	path = path_of_fd(fd);
	if (mount(NULL, path.text, NULL, changes->flags, changes->data) < 0)
		return err_sys(errno, "remount %s", destination);
	return NULL;
}

bool mount_is_late_readonly(const struct mount_spec *mount)
{
	return (mount->flags & MS_RDONLY) && str_eq(mount->type, "tmpfs") &&
	       !mount_spec_is_bind(mount) && !(mount->flags & MS_REMOUNT);
}

struct err *mount_finish_readonly(const struct rootfs_spec *spec, int root_fd)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct mount_spec *mount = &spec->mounts[i];
		OWN(fd) int fd = -1;
		struct statfs fs;

		if (!mount_is_late_readonly(mount))
			continue;
		TRY(path_open_in(root_fd, mount->destination, O_PATH | O_DIRECTORY, &fd));
		/* covered by a later mount: nobody can write to it */
		if (fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
			TRY(tree_set(fd, 0, &attr, mount->destination));
	}
	return NULL;
}

static struct err *mount_fs(struct build *build, const struct mount_spec *mount,
			    const char *destination)
{
	struct target target;
	OWN(fd) int fd = -1;

	if (places_find_target(build, destination, &target))
		return fs_mount(build, mount, &target);
	TRY(open_target_dir(build, destination, &fd));
	target = (struct target){ fd, "" };
	TRY(fs_mount(build, mount, &target));
	if (!str_eq(destination, "/"))
		return NULL;
	close(fd_take(&build->root_fd));
	/* the root is now what covers it: a lookup through its own ".." stops at the new one */
	return path_open_in(fd, "..", O_PATH | O_DIRECTORY, &build->root_fd);
}

struct err *mount_apply(struct build *build, size_t index)
{
	const struct mount_spec *mount = &build->spec->mounts[index];
	OWN(str) char *destination = NULL;

	TRY(path_clean(mount->destination, &destination));
	if (mount->flags & MS_REMOUNT)
		return remount(build, mount, destination);
	if (mount_spec_is_bind(mount))
		TRY(mount_bind(build, index, destination));
	else
		TRY(mount_fs(build, mount, destination));
	return places_update(build, mount, destination);
}
