/*
 * Build a container's root in init's mount namespace. The order is the table at the end. Nothing
 * here can be seen by the host, and everything is gone with the namespace, so there is no undo.
 */
#include "rootfs/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"

static bool is_shared(const struct build *build)
{
	return (build->spec->propagation & MS_SHARED) != 0;
}

/* Cut our copy of the host's mounts off from the host's. */
static struct err *isolate(struct build *build)
{
	unsigned long flags = MS_SLAVE | MS_REC;

	if (build->spec->propagation & MS_PRIVATE)
		flags = MS_PRIVATE | MS_REC;
	if (build->spec->propagation & MS_UNBINDABLE)
		flags = MS_PRIVATE | MS_REC; /* unbindable sources could not be mounted at all */
	if (is_shared(build))
		return NULL; /* volumes must stay peers of the host's mounts */
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_sys(errno, "make the mount tree private to the container");
	return NULL;
}

/*
 * Make the mount that holds path private: the root is mounted on it next, which must not show on
 * the host, and pivot_root(2) refuses a shared parent. The path itself need not be a mount point.
 */
static struct err *make_holder_private(const char *path)
{
	OWN(str) char *holder = NULL;

	TRY(str_dup(path, &holder));
	while (mount(NULL, *holder ? holder : "/", NULL, MS_PRIVATE, NULL) < 0) {
		char *slash = strrchr(holder, '/');

		/* EINVAL: no mount point; the others: not to be seen from here, so "/" holds it */
		if ((errno != EINVAL && errno != ENOENT && errno != EACCES) || !slash)
			return err_sys(errno, "make the mount of %s private", path);
		*slash = '\0';
	}
	return NULL;
}

/*
 * Where to mount the root: on its own place, where hooks expect it, or on "/" when the way there is
 * closed to our mapped ids or does not exist in a small launch namespace. Both are below the
 * namespace's root and can be pivoted to.
 */
static struct err *open_root_place(const char *path, int *ret_fd)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == EACCES || errno == ENOENT))
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open root %s", path);
	*ret_fd = fd;
	return NULL;
}

static struct err *attach_root(struct build *build)
{
	const struct mount_attr alone = { .propagation = MS_PRIVATE };
	const char *path = build->spec->path;
	OWN(fd) int tree_fd = fd_take(&build->handles->root_fd);
	OWN(fd) int place_fd = -1;

	if (tree_fd < 0)
		TRY(tree_open(path, AT_RECURSIVE | AT_SYMLINK_NOFOLLOW, &tree_fd));
	if (is_shared(build)) {
		TRY(tree_set(tree_fd, 0, &alone, path));
		TRY(make_holder_private(path));
	}
	TRY(open_root_place(path, &place_fd));
	TRY(tree_attach_fd(tree_fd, place_fd, path));
	build->root_fd = fd_take(&tree_fd);
	return NULL;
}

static struct err *do_mounts(struct build *build)
{
	for (size_t i = 0; i < build->spec->mount_count; i++)
		TRY(mount_apply(build, i));
	return NULL;
}

static struct err *bind_notify(struct build *build)
{
	OWN(fd) int fd = fd_take(&build->handles->notify_fd);

	if (!build->env->notify_dir)
		return NULL;
	if (fd < 0)
		TRY(tree_open(build->env->notify_dir, 0, &fd));
	return mount_tree_on(build, fd, "/run/notify", false);
}

static const struct build_step {
	const char *name;
	struct err *(*run)(struct build *build);
} build_steps[] = {
	/* before the first mount: what we mount must not appear on the host */
	{ "isolation", isolate },
	/* needs the host's paths; everything below is relative to it */
	{ "root", attach_root },
	/* in the order of the spec, which may mount on what it mounted before */
	{ "mounts", do_mounts },
	/* /dev is one of the mounts; host nodes are bound, so the old root must still be there */
	{ "devices", device_make_all },
	/* /run is often one of the mounts */
	{ "notify directory", bind_notify },
	/* a read-only bind covers what is below it, so masks come after */
	{ "read-only paths", mask_make_readonly },
	/* last, and before the old root goes: nothing of the image is a source of masks */
	{ "masked paths", mask_hide },
};

/* Without a mount namespace of its own a container gets no mounts: they would be the caller's. */
static struct err *open_plain_root(const struct rootfs_spec *spec, int *ret_root_fd)
{
	int fd;

	if (spec->mount_count > 0 || spec->masked_paths.count > 0 || spec->readonly_paths.count > 0)
		return err_new(ERR_UNSUPPORTED,
			       "mounts and masked or read-only paths need a new mount namespace");
	fd = open(spec->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open root %s", spec->path);
	*ret_root_fd = fd;
	return NULL;
}

struct err *rootfs_build(const struct rootfs_spec *spec, const struct rootfs_env *env,
			 struct rootfs_handles *handles, int *ret_root_fd)
{
	struct build build = { .spec = spec,
			       .env = env,
			       .handles = handles,
			       .root_fd = -1,
			       .dev_fd = -1,
			       .proc_fd = -1,
			       .sys_fd = -1 };
	mode_t umask_bits;
	struct err *err = NULL;

	if (!env->own_mount_ns)
		return open_plain_root(spec, ret_root_fd);
	umask_bits = umask(0); /* modes of nodes and mount points are meant as they stand */
	for (size_t i = 0; i < ARRAY_SIZE(build_steps) && !err; i++) {
		err = build_steps[i].run(&build);
		if (err)
			err = err_wrap(err, "%s", build_steps[i].name);
	}
	umask(umask_bits);
	places_drop(&build);
	if (err) {
		own_fd(&build.root_fd);
		return err;
	}
	*ret_root_fd = build.root_fd;
	return NULL;
}
