/*
 * Device nodes and links in the container's /dev. Rests on the OCI config-linux "Default Devices"
 * and "Default symlinks". Everything is done relative to a descriptor of /dev, which may be no link
 * (CVE-2026-41579). Where mknod(2) is not allowed the host's node is bound instead, once its
 * descriptor was seen to be the device it is named for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "rootfs/build.h"

/* All of major 1 (mem) but tty: Documentation/admin-guide/devices.txt. */
static const struct device_node default_devices[] = {
	{ 'c', (char[]){ "/dev/null" }, 1, 3, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/zero" }, 1, 5, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/full" }, 1, 7, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/random" }, 1, 8, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/urandom" }, 1, 9, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/tty" }, 5, 0, 0666, 0, 0 },
};

static const struct default_link {
	const char *name, *target;
	bool replace; /* what an image has there does not work */
} default_links[] = {
	{ "fd", "/proc/self/fd", false },	{ "stdin", "/proc/self/fd/0", false },
	{ "stdout", "/proc/self/fd/1", false }, { "stderr", "/proc/self/fd/2", false },
	{ "core", "/proc/kcore", false },	{ "ptmx", "pts/ptmx", true },
};

bool device_dir_is_foreign(const struct rootfs_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const char *at = spec->mounts[i].destination;

		at += strspn(at, "/");
		if (mount_spec_is_bind(&spec->mounts[i]) && str_has_prefix(at, "dev") &&
		    strspn(at + 3, "/") == strlen(at + 3))
			return true;
	}
	return false;
}

static mode_t type_bits(const struct device_node *device)
{
	return device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
}

static bool is_device(const struct stat *st, const struct device_node *device)
{
	if ((st->st_mode & S_IFMT) != type_bits(device))
		return false;
	return device->type == 'p' ||
	       st->st_rdev == makedev((unsigned int)device->major, (unsigned int)device->minor);
}

void rootfs_device_listed(const struct device_node *device, char *ret_path)
{
	snprintf(ret_path, ROOTFS_DEVICE_PATH_MAX, "/dev/%s/%jd:%jd",
		 device->type == 'b' ? "block" : "char", (intmax_t)device->major,
		 (intmax_t)device->minor);
}

/* A detached clone of the host's node PATH, if it is this device; *ret_fd is -1 if it is not. */
static struct err *clone_node(const char *path, const struct device_node *device, int *ret_fd)
{
	OWN(fd) int fd = -1;
	struct stat st;

	*ret_fd = -1;
	TRY(tree_find(&(struct target){ AT_FDCWD, path }, 0, &fd));
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at the host's %s", path);
	if (is_device(&st, device))
		*ret_fd = fd_take(&fd);
	return NULL;
}

/* Bind the host's node on a file NAME made in dir_fd: the one of the same path, or, when the
 * container's has another name, the one that udev lists under the number. */
static struct err *bind_node(int dir_fd, const char *name, const struct device_node *device)
{
	const struct target target = { dir_fd, name };
	OWN(fd) int tree_fd = -1;
	char listed[ROOTFS_DEVICE_PATH_MAX] = "";

	TRY(clone_node(device->path, device, &tree_fd));
	if (tree_fd < 0) {
		rootfs_device_listed(device, listed);
		TRY(clone_node(listed, device, &tree_fd));
	}
	if (tree_fd < 0)
		return err_new(ERR_NOT_FOUND,
			       "device %s: mknod is not allowed, and the host has neither that "
			       "device there nor %s",
			       device->path, listed);
	if (mknodat(dir_fd, name, S_IFREG | 0666, 0) < 0 && errno != EEXIST)
		return err_sys(errno, "create %s", device->path);
	/* move_mount(2) follows no link at the end: what it meets there is covered */
	return tree_attach(tree_fd, &target, device->path);
}

/* Something is there already: right only if it is this very device. */
static struct err *adopt_node(int dir_fd, const char *name, const struct device_node *device)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at %s", device->path);
	if (!is_device(&st, device))
		return err_new(ERR_EXISTS, "device %s: a different file is there", device->path);
	if (fchmodat(dir_fd, name, device->mode, 0) < 0)
		return err_sys(errno, "set mode of %s", device->path);
	if (fchownat(dir_fd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "set owner of %s", device->path);
	return NULL;
}

static struct err *make_node(const struct build *build, int dir_fd, const char *name,
			     const struct device_node *device)
{
	dev_t number = makedev((unsigned int)device->major, (unsigned int)device->minor);

	if (device->type == 'p')
		number = 0;
	else if (build->env->user_ns)
		return bind_node(dir_fd, name, device);
	if (mknodat(dir_fd, name, type_bits(device) | device->mode, number) < 0) {
		if (errno == EEXIST)
			return adopt_node(dir_fd, name, device);
		/* no CAP_MKNOD, in a container ourselves, or the device filter's word */
		if (errno == EPERM)
			return bind_node(dir_fd, name, device);
		return err_sys(errno, "make device %s", device->path);
	}
	if ((device->uid || device->gid) &&
	    fchownat(dir_fd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "set owner of %s", device->path);
	return NULL;
}

static bool is_link_to(int dev_fd, const struct default_link *link)
{
	char text[32];
	ssize_t len = readlinkat(dev_fd, link->name, text, sizeof(text));

	return len == (ssize_t)strlen(link->target) && memcmp(text, link->target, (size_t)len) == 0;
}

static struct err *make_link(int dev_fd, const struct default_link *link)
{
	if (symlinkat(link->target, dev_fd, link->name) == 0)
		return NULL;
	if (errno != EEXIST)
		return err_sys(errno, "make link /dev/%s", link->name);
	if (!link->replace || is_link_to(dev_fd, link))
		return NULL;
	if (unlinkat(dev_fd, link->name, 0) < 0)
		return err_sys(errno, "remove /dev/%s", link->name);
	if (symlinkat(link->target, dev_fd, link->name) < 0)
		return err_sys(errno, "make link /dev/%s", link->name);
	return NULL;
}

static bool is_in_spec(const struct rootfs_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->device_count; i++)
		if (str_eq(spec->devices[i].path, path))
			return true;
	return false;
}

const struct device_node *rootfs_device(const struct rootfs_spec *spec, size_t i)
{
	if (i < ARRAY_SIZE(default_devices))
		return &default_devices[i];
	i -= ARRAY_SIZE(default_devices);
	return i < spec->device_count ? &spec->devices[i] : NULL;
}

static struct err *make_defaults(const struct build *build, int dev_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		const struct device_node *device = &default_devices[i];

		if (!is_in_spec(build->spec, device->path))
			TRY(make_node(build, dev_fd, device->path + strlen("/dev/"), device));
	}
	return NULL;
}

/* After the nodes, which they are not to replace. */
static struct err *make_links(const struct build *build, int dev_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_links); i++)
		TRY(make_link(dev_fd, &default_links[i]));
	/* the pty is bound on it by rootfs_open_console() */
	if (build->env->terminal && mknodat(dev_fd, "console", S_IFREG | 0600, 0) < 0 &&
	    errno != EEXIST)
		return err_sys(errno, "create /dev/console");
	return NULL;
}

/* A privileged container's list has the host's /dev/ptmx, which is of no use in it. */
static bool is_replaced(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_links); i++)
		if (default_links[i].replace && str_has_prefix(path, "/dev/") &&
		    str_eq(path + strlen("/dev/"), default_links[i].name))
			return true;
	return false;
}

static struct err *make_from_spec(const struct build *build, const struct device_node *device)
{
	OWN(fd) int parent_fd = -1;
	const char *name;

	/* podman --privileged lists all of the host's: the host's ptmx would be of another devpts
	 */
	if (str_eq(device->path, "/dev/ptmx"))
		return NULL;
	TRY(path_open_parent_in(build->root_fd, device->path, &parent_fd, &name));
	return make_node(build, parent_fd, name, device);
}

/* /dev itself, made when the image has none; a link is refused. */
static struct err *open_dev(const struct build *build, int *ret_fd)
{
	struct err *err;

	err = path_find_in(build->root_fd, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW, ret_fd);
	if (err)
		return err_wrap(err, "/dev of the root");
	if (*ret_fd >= 0)
		return NULL;
	return path_make_dir_in(build->root_fd, "dev", 0755, ret_fd);
}

struct err *device_make_all(struct build *build)
{
	OWN(fd) int image_fd = -1;
	int dev_fd = build->dev_fd;

	/* the host's /dev bound into the container has what it needs, and is not ours to change */
	if (device_dir_is_foreign(build->spec))
		return NULL;
	if (dev_fd < 0) {
		TRY(open_dev(build, &image_fd));
		dev_fd = image_fd;
	}
	TRY(make_defaults(build, dev_fd));
	for (size_t i = 0; i < build->spec->device_count; i++)
		if (!is_replaced(build->spec->devices[i].path))
			TRY(make_from_spec(build, &build->spec->devices[i]));
	return make_links(build, dev_fd);
}
