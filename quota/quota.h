/*
 * Space and inodes of a directory tree, limited and counted by its file system: project quotas on
 * ext4 and xfs, qgroups of subvolumes on btrfs. Nothing is ever counted by walking a tree. Rests
 * on quotactl(2), ioctl_xfs_fsgetxattr(2), btrfs-quota(5); Linux 5.14 for quotactl_fd(2).
 */
#ifndef QUOTA_QUOTA_H
#define QUOTA_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define QUOTA_UNLIMITED UINT64_MAX

enum quota_kind {
	QUOTA_PROJECT, /* a directory that passes its project id on to what is made in it */
	QUOTA_QGROUP,  /* a btrfs subvolume: space only, no soft limit */
	QUOTA_KIND_COUNT
};
const char *quota_kind_name(enum quota_kind kind);

/*
 * What the file system of a directory can do.
 *
 * dir_fd: any directory on it, open for reading; borrowed
 * what:   its path, for the error text
 *
 * Errors: ERR_UNSUPPORTED names the file system and the cure (how to make or mount it, how to
 * switch quotas on).
 */
MUST_CHECK struct err *quota_detect(int dir_fd, const char *what, enum quota_kind *ret_kind);

/*
 * Limits of a tree. A soft limit may be exceeded for grace_s seconds, then it is as hard as the
 * other; df(1) in the tree shows the smaller one. A soft limit of 0 or one not below the hard limit
 * means the hard one alone; with grace_s 0 the soft limit is the hard one.
 */
struct quota_limits {
	uint64_t soft_bytes, hard_bytes; /* rounded up to 1 KiB; QUOTA_UNLIMITED: none */
	uint64_t soft_inodes, hard_inodes;
	uint64_t grace_s;
};

/*
 * Put an empty directory under a quota of its own: everything made in it from now on counts.
 *
 * dir_fd:  an empty directory; for QUOTA_QGROUP the root of a subvolume
 * project: quota project id, unique on the host; 0 is refused. Ignored for QUOTA_QGROUP, where the
 *          subvolume's own id is used.
 *
 * A hostile tenant cannot change it back: the ioctl wants the initial user namespace.
 * Errors: as quota_detect(); ERR_INVALID (project 0, no subvolume); ERR_SYS.
 */
MUST_CHECK struct err *quota_assign(int dir_fd, const char *what, uint32_t project);

/*
 * Replace the limits of the tree that dir_fd is the root of. More than the limits may be in use
 * already: then nothing can be added. Errors: as quota_detect(); ERR_INVALID (no quota was assigned
 * to the directory); ERR_UNSUPPORTED (inode limits on btrfs); ERR_SYS.
 */
MUST_CHECK struct err *quota_limit(int dir_fd, const char *what, const struct quota_limits *limits);

struct quota_usage {
	uint64_t bytes, inodes; /* inodes QUOTA_UNLIMITED: not counted here */
	uint64_t bytes_until_s,
		inodes_until_s;	    /* when the grace ends, since 1970; 0: not running */
	struct quota_limits limits; /* in force; grace_s is 0 */
};
/* Errors: as quota_limit(). */
MUST_CHECK struct err *quota_read(int dir_fd, const char *what, struct quota_usage *ret_usage);

/*
 * Give a soft limit that was exceeded since the last look the tree's own grace in place of the file
 * system's default, which is one for all projects. To be called now and then (age_s: the longest
 * time since the last call). A grace that is not shorter than the default leaves the default in
 * force. Errors: as quota_limit().
 */
struct quota_grace {
	uint64_t grace_s, age_s;
};
MUST_CHECK struct err *quota_keep_grace(int dir_fd, const char *what,
					const struct quota_grace *grace);

/* The id whose limits quota_forget() removes: project or qgroup of the tree; 0: none. */
MUST_CHECK struct err *quota_id(int dir_fd, const char *what, uint64_t *ret_id);
/* Remove the limits of an id whose tree is gone; dir_fd is any directory on its file system.
 * Nothing to remove is success, and so is a file system without quotas. */
MUST_CHECK struct err *quota_forget(int dir_fd, uint64_t id);

#endif
