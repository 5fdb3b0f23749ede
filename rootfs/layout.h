/*
 * How the disk of a VPS lies on the host: one directory of ours per disk, and in it
 *
 *	dir		the tree itself
 *	overlay		upper/ and work/; "lower" names the shared tree of a template below them
 *	image		root.img, a sparse ext4 file system
 *
 * What a VPS or a command sees is always a detached mount, so that nothing is mounted on the host
 * and nothing is left when somebody is killed: the mount, and a loop device with it, end with
 * their last user. On disk files belong to ids 0.., whatever ids the VPS has. The content is
 * hostile. Rests on quota/, fsopen(2), mount_setattr(2), loop(4), overlayfs.
 */
#ifndef ROOTFS_LAYOUT_H
#define ROOTFS_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "namespaces/namespaces.h"
#include "quota/quota.h"
#include "rootfs/template.h"

/* The i-th layout's name, NULL past the end. */
const char *layout_name(size_t i);
bool layout_is_known(const char *name);

/* One disk; everything borrowed. */
struct disk {
	const char *parent;	  /* the directory in which disks lie; absolute, the host's own */
	const char *name;	  /* in it; one component */
	const char *layout;	  /* one of layout_name() */
	const char *template_dir; /* the store, for overlay */
};

/* A disk that is to be made. */
struct disk_new {
	uint32_t project; /* for quotas, unique on the host */
	/* NULL: none. With image hard_bytes (soft_bytes, when that is less) is the size, and
	 * hard_inodes the number of inodes for good. */
	const struct quota_limits *limits;
	struct template_progress *progress; /* NULL: nobody wants to know */
	bool is_foreign; /* the content comes from elsewhere: see struct template_copy */
	struct template_counts *ret_counts; /* of what was copied; NULL: nobody wants to know */
};

/*
 * Make disk->parent/disk->name from a template of the store. On failure nothing is left, after a
 * kill what disk_remove() removes. ERR_EXISTS; ERR_NOT_FOUND (template); ERR_UNSUPPORTED (limits
 * that this file system cannot keep; programs that are missing on the host).
 */
MUST_CHECK struct err *disk_create(const struct disk *disk, const char *template,
				   const struct disk_new *new);
/* The same from any mounted tree (tree_fd: its root, which may be O_PATH) with ids as on disk, of
 * about so many bytes (0: not known). The layout overlay is ERR_UNSUPPORTED: it begins with a
 * template. */
MUST_CHECK struct err *disk_create_from(const struct disk *disk, int tree_fd, uint64_t bytes,
					const struct disk_new *new);
/*
 * A tree that is nobody's disk, as a detached mount for disk_create_from(): read-only, without what
 * is mounted in it, and its ids counted from the owner of its root directory on, so that they are
 * those of the system in it. *ret_id_first: that owner. The caller owns *ret_tree_fd.
 * ERR_UNSUPPORTED: the owner is not 0, and its file system has no idmapped mounts.
 */
MUST_CHECK struct err *disk_open_foreign(const char *path, uint32_t *ret_id_first,
					 int *ret_tree_fd);
/* Make a disk of the same layout with the content of another, which must stand still. */
MUST_CHECK struct err *disk_copy(const struct disk *from, const struct disk *to,
				 const struct disk_new *new);
/* Does disk_copy() share the content of the disk, or would it copy every byte of it? */
bool disk_copy_is_cheap(const struct disk *disk);
/* Remove a disk, of whatever layout, whole or half made; missing is success. */
MUST_CHECK struct err *disk_remove(const struct disk *disk);

/* Can a directory below parent be limited by its file system? If not, why, as ERR_UNSUPPORTED. */
MUST_CHECK struct err *disk_can_limit(const char *parent, enum quota_kind *ret_kind);

/*
 * A detached mount of the tree: with ids as on disk (maps NULL: for the host's own work), or as a
 * VPS with these maps sees it. The caller owns it. ERR_NOT_FOUND (no such disk, or its template is
 * gone), ERR_UNSUPPORTED.
 */
MUST_CHECK struct err *disk_mount(const struct disk *disk, const struct id_maps *maps,
				  int *ret_tree_fd);
/* While a VPS has it mounted nobody else may: its content is then reached through the VPS alone. */
bool disk_is_mounted_once(const struct disk *disk);
/* Write down what a file system of its own holds back, also of a running one: before a copy. */
MUST_CHECK struct err *disk_sync(const struct disk *disk);
/* Before a start: check, and repair what a crash left. ERR_STATE: it needs an operator. */
MUST_CHECK struct err *disk_check(const struct disk *disk);

/*
 * Replace the limits. running: it is mounted by a VPS, so an image can only grow. ERR_STATE with
 * figures: more is in use than the new limits allow, or it would have to shrink while it runs.
 */
enum disk_state { DISK_IDLE, DISK_RUNNING };
MUST_CHECK struct err *disk_limit(const struct disk *disk, const struct quota_limits *limits,
				  enum disk_state state);
/* For a start: put the limits in force whatever is in use; an image keeps its size. */
MUST_CHECK struct err *disk_enforce(const struct disk *disk, const struct quota_limits *limits);
/* What is used and what the limits are, without walking the tree. ERR_UNSUPPORTED, ERR_INVALID:
 * nothing counts it. */
MUST_CHECK struct err *disk_usage(const struct disk *disk, struct quota_usage *ret_usage);

#endif
