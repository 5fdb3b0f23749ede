/*
 * What the files that build a root share. Private to rootfs/. The order of the work is the table
 * in build.c.
 */
#ifndef ROOTFS_BUILD_H
#define ROOTFS_BUILD_H

#include "rootfs/rootfs.h"
#include "rootfs/tree.h"

struct build {
	const struct rootfs_spec *spec;
	const struct rootfs_env *env;
	struct rootfs_handles *handles;
	int root_fd; /* of the root's mount; owned */
	/*
	 * The container's /dev (a tmpfs), procfs and sysfs once they are mounted, else -1; owned.
	 * Paths below them may be used as text, within the limits told in places.c.
	 */
	int dev_fd, proc_fd, sys_fd;
};

/* After a mount on destination (clean): know the places above, or that they are no longer ours. */
MUST_CHECK struct err *places_update(struct build *build, const struct mount_spec *mount,
				     const char *destination);
void places_drop(struct build *build);
/* The target for a file system on destination if it lies in a place of ours, made when it must be.
 * False: it has to be resolved. */
bool places_find_target(const struct build *build, const char *destination,
			struct target *ret_target);
/* The place that path (as configured) can be used in, with the way from there; -1: none. */
int places_find(const struct build *build, const char *path, const char **ret_rest);

/* One mount of the spec, in mount.c. */
MUST_CHECK struct err *mount_apply(struct build *build, size_t index);
/* True for the few files below /proc that may be mounted over; destination is clean. */
bool mount_may_cover_proc(const char *destination);
/* A mount that stays writable until rootfs_enter(): mount points may have to be made in it. */
bool mount_is_late_readonly(const struct mount_spec *mount);
/* Make the mounts above read-only; after everything else. */
MUST_CHECK struct err *mount_finish_readonly(const struct rootfs_spec *spec, int root_fd);
/* Bind tree_fd on destination, made as a file or directory when missing. */
MUST_CHECK struct err *mount_tree_on(struct build *build, int tree_fd, const char *destination,
				     bool nofollow);
/* The tree_open() flags of a bind mount's source. */
unsigned int mount_tree_flags(const struct mount_spec *mount);

/* A file system about to be mounted; everything borrowed. */
struct fs {
	const struct mount_spec *mount;
	const char *type, *source;
	const char *data;    /* NULL: none */
	unsigned long flags; /* MS_* */
};
/* Mount it on a directory; in filesystem.c. ERR_SYS with mount(2)'s errno. */
MUST_CHECK struct err *fs_attach(struct build *build, const struct fs *fs,
				 const struct target *target);
/* Mount the spec on a directory, with what its type needs in a container; in special.c. */
MUST_CHECK struct err *fs_mount(struct build *build, const struct mount_spec *mount,
				const struct target *target);

/* Copy the tree below from into the empty directory to_fd, for tmpcopyup; in copyup.c. */
MUST_CHECK struct err *copy_up_tree(const struct target *from, int to_fd, const char *what);

/* Default and other devices, and links; in device.c. */
MUST_CHECK struct err *device_make_all(struct build *build);
/* True when /dev is the host's, bound by the spec: nothing is made there. */
bool device_dir_is_foreign(const struct rootfs_spec *spec);

/* In mask.c. */
MUST_CHECK struct err *mask_make_readonly(struct build *build);
MUST_CHECK struct err *mask_hide(struct build *build);

#endif
