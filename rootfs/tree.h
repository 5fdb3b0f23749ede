/*
 * Detached mount trees: clone, set attributes, attach. Private to rootfs/. Everything is done on
 * descriptors, so no path is looked up twice.
 */
#ifndef ROOTFS_TREE_H
#define ROOTFS_TREE_H

#include <sys/mount.h>

#include "rootfs/rootfs.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* linux/mount.h, since 5.10 */
#endif
#ifndef MS_I_VERSION
#define MS_I_VERSION (1 << 23) /* linux/mount.h */
#endif

/*
 * Clone the mount at a path of the caller's own tree, with what is mounted below when flags has
 * AT_RECURSIVE; AT_SYMLINK_NOFOLLOW takes a symlink itself. The clone keeps the propagation of its
 * source. ERR_NOT_FOUND, ERR_SYS. Source: open_tree(2), OPEN_TREE_CLONE.
 */
MUST_CHECK struct err *tree_open(const char *path, unsigned int flags, int *ret_fd);

/* True when the spec wants what is mounted below its source as well. */
bool tree_is_recursive(const struct mount_spec *mount);

/* mount_setattr(2) on a descriptor that is the root of a mount; flags: 0 or AT_RECURSIVE. */
MUST_CHECK struct err *tree_set(int fd, unsigned int flags, const struct mount_attr *attr,
				const char *what);

/* How a tree is to look besides what its mount_spec says. */
struct tree_defaults {
	unsigned long
		propagation; /* of what the mount_spec does not mention, recursive; 0: as is */
	int userns_fd;	     /* for idmap; -1: none */
};

/*
 * Apply flags, recursive attributes, propagation and idmap of the mount_spec to a tree made for it;
 * nothing wanted costs no system call.
 */
MUST_CHECK struct err *tree_configure(int fd, const struct mount_spec *mount,
				      const struct tree_defaults *defaults);
/* The MOUNT_ATTR_* of MS_* flags. */
uint64_t tree_attrs_of_flags(unsigned long flags);

/*
 * What is to be covered by a mount: what fd (O_PATH) stands for, or NAME in the directory fd. A
 * name is only used for what we have just made ourselves in a file system of our own.
 */
struct target {
	int fd;		  /* borrowed */
	const char *name; /* "": fd itself; borrowed */
};

/* Clone the mount at a target, as tree_open() does; *ret_fd is -1 when nothing is there. */
MUST_CHECK struct err *tree_find(const struct target *at, unsigned int flags, int *ret_fd);

/* Mount a detached tree on the target; what: for the error text. Source: move_mount(2). */
MUST_CHECK struct err *tree_attach(int tree_fd, const struct target *target, const char *what);
/* The same for a descriptor. */
MUST_CHECK struct err *tree_attach_fd(int tree_fd, int target_fd, const char *what);

#endif
