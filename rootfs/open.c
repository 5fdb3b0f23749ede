/*
 * The parent's part: detached trees of what init, with its mapped ids and in its own mount
 * namespace, could not reach (a bundle of mode 0700) or may not do (idmapped mounts need the
 * privileges of the file system's owner). A descriptor of the parent's mounts would be no use to
 * init: the kernel binds only what is in the caller's own namespace, or detached.
 * Rests on open_tree(2), mount_setattr(2); check_mnt() in fs/namespace.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "rootfs/build.h"
#include "rootfs/idmap.h"

void rootfs_handles_release(struct rootfs_handles *handles)
{
	own_fd(&handles->root_fd);
	own_fd(&handles->notify_fd);
	for (size_t i = 0; i < handles->mount_count; i++)
		own_fd(&handles->mount_fd[i]);
	free(handles->mount_fd);
	*handles = (struct rootfs_handles)ROOTFS_HANDLES_INIT;
}

/* Init would not get to the host's files by itself. */
static bool is_out_of_reach(const struct rootfs_env *env)
{
	return env->user_ns || env->no_host_files;
}

/* The trees come from the host's namespace: unless the spec shares, nothing may flow back. */
static unsigned long default_propagation(const struct rootfs_spec *spec)
{
	return spec->propagation & MS_SHARED ? 0 : MS_SLAVE | MS_REC;
}

static struct err *check_root(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return err_sys(errno, "root %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_new(ERR_INVALID, "root %s is not a directory", path);
	return NULL;
}

/* A mount that stands for the root or the notify directory. */
static struct err *open_whole(const struct rootfs_spec *spec, const struct rootfs_env *env,
			      const struct mount_spec *mount, int *ret_fd)
{
	struct tree_defaults defaults = { .propagation = default_propagation(spec),
					  .userns_fd = -1 };
	OWN(fd) int fd = -1, userns_fd = -1;

	TRY(tree_open(mount->source, mount_tree_flags(mount), &fd));
	if (mount->idmap != MOUNT_NO_IDMAP) {
		TRY(idmap_open(mount, env->maps, &userns_fd));
		defaults.userns_fd = userns_fd;
	}
	TRY(tree_configure(fd, mount, &defaults));
	*ret_fd = fd_take(&fd);
	return NULL;
}

/* A rootless caller may not clone mounts of the namespace it is in: init does it in its own. */
static struct err *leave_to_init(struct err *err, const struct rootfs_env *env, bool idmapped)
{
	if (err && err_errno(err) == EPERM && env->user_ns && !env->no_host_files && !idmapped) {
		err_drop(err);
		return NULL;
	}
	return err;
}

/* Another descriptor of the same mount: unlike what lies at a path it cannot be cloned. */
static struct err *use_root(const struct rootfs_spec *spec, int tree_fd, int *ret_fd)
{
	const struct mount_attr attr = { .propagation = default_propagation(spec) &
							~(unsigned long)MS_REC };
	OWN(fd) int fd = -1;

	TRY(fd_dup(tree_fd, &fd));
	TRY(tree_set(fd, 0, &attr, spec->path));
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *open_root(const struct rootfs_spec *spec, const struct rootfs_env *env,
			     struct rootfs_handles *handles)
{
	const bool idmapped = spec->root_maps.uid_count > 0;
	struct mount_spec root = {
		.destination = spec->path,
		.source = spec->path,
		.flags = MS_REC,
		.source_nofollow = true,
		.idmap = idmapped ? MOUNT_IDMAP : MOUNT_NO_IDMAP,
		.maps = spec->root_maps,
	};

	if (env->root_tree_fd > 0)
		return use_root(spec, env->root_tree_fd, &handles->root_fd);
	if (!is_out_of_reach(env) && !idmapped)
		return check_root(spec->path);
	return leave_to_init(open_whole(spec, env, &root, &handles->root_fd), env, idmapped);
}

static struct err *open_notify(const struct rootfs_spec *spec, const struct rootfs_env *env,
			       struct rootfs_handles *handles)
{
	OWN(str) char *source = NULL;
	struct mount_spec notify = { 0 };

	if (!env->notify_dir || !is_out_of_reach(env))
		return NULL;
	TRY(str_dup(env->notify_dir, &source));
	notify.destination = notify.source = source;
	return leave_to_init(open_whole(spec, env, &notify, &handles->notify_fd), env, false);
}

static struct err *open_mounts(const struct rootfs_spec *spec, const struct rootfs_env *env,
			       struct rootfs_handles *handles)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct mount_spec *mount = &spec->mounts[i];
		const bool idmapped = mount->idmap != MOUNT_NO_IDMAP;

		if (!mount_spec_is_bind(mount) || (mount->flags & MS_REMOUNT) ||
		    (!is_out_of_reach(env) && !idmapped))
			continue;
		TRY(leave_to_init(open_whole(spec, env, mount, &handles->mount_fd[i]), env,
				  idmapped));
	}
	return NULL;
}

struct err *rootfs_open(const struct rootfs_spec *spec, const struct rootfs_env *env,
			struct rootfs_handles *ret_handles)
{
	struct rootfs_handles handles = ROOTFS_HANDLES_INIT;
	struct err *err;

	if (spec->mount_count > 0) {
		handles.mount_fd = malloc(spec->mount_count * sizeof(*handles.mount_fd));
		if (!handles.mount_fd)
			return err_sys(ENOMEM, "%zu mounts", spec->mount_count);
		handles.mount_count = spec->mount_count;
		for (size_t i = 0; i < spec->mount_count; i++)
			handles.mount_fd[i] = -1;
	}
	err = open_root(spec, env, &handles);
	if (!err)
		err = open_mounts(spec, env, &handles);
	if (!err)
		err = open_notify(spec, env, &handles);
	if (err) {
		rootfs_handles_release(&handles);
		return err;
	}
	*ret_handles = handles;
	return NULL;
}
