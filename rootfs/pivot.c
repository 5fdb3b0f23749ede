/*
 * Enter a finished root and leave the old one behind for good. Rests on pivot_root(2), which
 * documents pivot_root(".", "."), and Documentation/filesystems/sharedsubtree.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/build.h"

#define MOUNTS_MAX ((size_t)16 << 20)

/* Stacks the old root on the new one, and takes it off again. */
static struct err *pivot(const struct rootfs_spec *spec, int root_fd)
{
	OWN(fd) int old_fd = -1;

	/* only while it is still shared with the host would unmounting the old root be seen there
	 */
	if (spec->propagation & MS_SHARED) {
		old_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old_fd < 0)
			return err_sys(errno, "open the old root");
	}
	if (fchdir(root_fd) < 0)
		return err_sys(errno, "change directory to the root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(errno, "pivot_root to %s", spec->path);
	if (old_fd >= 0) {
		if (fchdir(old_fd) < 0)
			return err_sys(errno, "change directory to the old root");
		if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
			return err_sys(errno, "cut the old root off from the host");
	}
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(errno, "unmount the old root");
	return NULL;
}

/* Undo the octal escapes of proc_pid_mounts(5) in place. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++)
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 3;
		} else {
			*out++ = *text;
		}
	*out = '\0';
}

/* Unmount what a line of /proc/self/mounts tells of, unless it is below keep. */
static struct err *drop_kernel_mount(char *line, const char *keep)
{
	size_t keep_len = strlen(keep);
	char *next = line, *path;
	const char *type;

	strsep(&next, " ");
	path = strsep(&next, " ");
	type = strsep(&next, " ");
	if (!type || (!str_eq(type, "proc") && !str_eq(type, "sysfs")))
		return NULL;
	unescape(path);
	if (strncmp(path, keep, keep_len) == 0 && path[keep_len] == '/')
		return NULL;
	if (umount2(path, MNT_DETACH) == 0 || errno == ENOENT)
		return NULL;
	/* locked in a user namespace: covered, it does not count as visible either */
	if (mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL) < 0 && errno != ENOENT)
		return err_sys(errno, "cover the old %s", path);
	return NULL;
}

/*
 * On an initramfs pivot_root(2) cannot work: cover the old root instead. Its procfs and sysfs go
 * first: as long as an uncovered one is in the namespace, the kernel lets a nested user namespace
 * mount new ones without our masks (mount_too_revealing() in fs/namespace.c).
 */
static struct err *drop_kernel_mounts(int root_fd)
{
	const struct path_fd root = path_of_fd(root_fd);
	OWN(buf) struct buf mounts = { 0 };
	char keep[PATH_MAX];
	ssize_t len = readlink(root.text, keep, sizeof(keep) - 1);
	char *next, *line;

	if (len < 0 || (size_t)len == sizeof(keep) - 1)
		return err_sys(len < 0 ? errno : ENAMETOOLONG, "find the place of the root");
	keep[len] = '\0';
	/* on "/" itself the names of the old root do not reach into it */
	if (str_eq(keep, "/"))
		snprintf(keep, sizeof(keep), "nothing");
	TRY(file_read(AT_FDCWD, "/proc/self/mounts", MOUNTS_MAX, &mounts));
	next = mounts.data;
	while ((line = strsep(&next, "\n")))
		TRY(drop_kernel_mount(line, keep));
	return NULL;
}

static struct err *cover(const struct rootfs_spec *spec, int root_fd)
{
	TRY(drop_kernel_mounts(root_fd));
	if (fchdir(root_fd) < 0)
		return err_sys(errno, "change directory to the root");
	/* ELOOP: it was mounted on "/" from the beginning */
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 && errno != ELOOP)
		return err_sys(errno, "move root %s to /", spec->path);
	if (chroot(".") < 0)
		return err_sys(errno, "change root to %s", spec->path);
	return NULL;
}

/* Explicit propagation of a volume outlives what the spec says of the whole. */
static unsigned long final_propagation(const struct rootfs_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].propagation)
			return spec->propagation & ~(unsigned long)MS_REC;
	return spec->propagation;
}

static struct err *finish(const struct rootfs_spec *spec, int root_fd)
{
	const struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };

	TRY(mount_finish_readonly(spec, root_fd));
	if (spec->readonly)
		TRY(tree_set(root_fd, 0, &readonly, spec->path));
	if (spec->propagation && mount(NULL, "/", NULL, final_propagation(spec), NULL) < 0)
		return err_sys(errno, "set propagation of the root");
	return NULL;
}

struct err *rootfs_enter(const struct rootfs_spec *spec, const struct rootfs_env *env, int root_fd)
{
	if (!env->own_mount_ns) {
		if (fchdir(root_fd) < 0 || chroot(".") < 0)
			return err_sys(errno, "change root to %s", spec->path);
	} else if (env->no_pivot) {
		TRY(cover(spec, root_fd));
	} else {
		TRY(pivot(spec, root_fd));
	}
	if (chdir("/") < 0)
		return err_sys(errno, "change directory to /");
	return env->own_mount_ns ? finish(spec, root_fd) : NULL;
}
