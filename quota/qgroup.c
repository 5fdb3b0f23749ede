/*
 * btrfs: the qgroup 0/ID of a subvolume. What counts is "referenced": data shared with a template
 * or a snapshot counts in full, as with project quotas. Rests on btrfs-quota(5), btrfs-ioctl(2),
 * linux/btrfs_tree.h; what is read is as of the last transaction, so reading syncs first.
 */
#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quota/driver.h"

#define SUBVOLUME_ROOT_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID: the root of every subvolume */

/* One item of the quota tree by its key. *ret_found false: no such item. ENOENT: no quota tree. */
static int find_item(int dir_fd, const struct btrfs_ioctl_search_key *key, void *item, size_t len,
		     bool *ret_found)
{
	struct btrfs_ioctl_search_args args = { .key = *key };
	const struct btrfs_ioctl_search_header *header = (const void *)args.buf;

	*ret_found = false;
	args.key.tree_id = BTRFS_QUOTA_TREE_OBJECTID;
	args.key.max_transid = UINT64_MAX;
	args.key.nr_items = 1;
	if (ioctl(dir_fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
		return -1;
	if (args.key.nr_items == 0 || header->len < len)
		return 0;
	memcpy(item, header + 1, len);
	*ret_found = true;
	return 0;
}

static struct btrfs_ioctl_search_key key_of(__u32 type, uint64_t id)
{
	return (struct btrfs_ioctl_search_key){
		.min_type = type, .max_type = type, .min_offset = id, .max_offset = id
	};
}

static struct err *qgroup_detect(int dir_fd, const char *what, const char *fs_name)
{
	const struct btrfs_ioctl_search_key key = key_of(BTRFS_QGROUP_STATUS_KEY, 0);
	struct btrfs_qgroup_status_item status;
	bool found = false;

	if (find_item(dir_fd, &key, &status, sizeof(status), &found) < 0 && errno != ENOENT)
		return err_sys(errno, "ask for the quotas of %s", what);
	if (found && (le64toh(status.flags) & BTRFS_QGROUP_STATUS_FLAG_ON))
		return NULL;
	return err_new(ERR_UNSUPPORTED, "the %s of %s has no quotas; run 'btrfs quota enable %s'",
		       fs_name, what, what);
}

static struct err *qgroup_id(int dir_fd, const char *what, uint64_t *ret_id)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	struct stat st;

	*ret_id = 0;
	if (fstat(dir_fd, &st) < 0)
		return err_sys(errno, "look at %s", what);
	if (st.st_ino != SUBVOLUME_ROOT_INODE)
		return NULL;
	if (ioctl(dir_fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
		return err_sys(errno, "read the subvolume id of %s", what);
	*ret_id = info.treeid;
	return NULL;
}

/* Every subvolume has its qgroup from birth on. */
static struct err *qgroup_assign(int dir_fd, const char *what, uint32_t project)
{
	uint64_t id;

	(void)project;
	TRY(qgroup_id(dir_fd, what, &id));
	return id ? NULL : err_new(ERR_INVALID, "%s is not a subvolume", what);
}

static struct err *qgroup_limit(int dir_fd, const char *what, uint64_t id,
				const struct quota_limits *limits)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.qgroupid = id,
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = limits->hard_bytes },
	};

	if (limits->hard_inodes != QUOTA_UNLIMITED)
		return err_new(ERR_UNSUPPORTED,
			       "btrfs cannot limit the number of files of %s; leave "
			       "--diskinodes out, or use the layout image",
			       what);
	/* UINT64_MAX, our "unlimited", is the kernel's CLEAR_VALUE */
	if (ioctl(dir_fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0)
		return err_sys(errno, "limit the qgroup 0/%ju of %s", (uintmax_t)id, what);
	return NULL;
}

static struct err *qgroup_read(int dir_fd, const char *what, uint64_t id, struct quota_usage *usage)
{
	const struct btrfs_ioctl_search_key info_key = key_of(BTRFS_QGROUP_INFO_KEY, id);
	const struct btrfs_ioctl_search_key limit_key = key_of(BTRFS_QGROUP_LIMIT_KEY, id);
	struct btrfs_qgroup_info_item info = { 0 };
	struct btrfs_qgroup_limit_item limit = { 0 };
	bool found;

	if (syncfs(dir_fd) < 0 || find_item(dir_fd, &info_key, &info, sizeof(info), &found) < 0 ||
	    find_item(dir_fd, &limit_key, &limit, sizeof(limit), &found) < 0)
		return err_sys(errno, "read the qgroup 0/%ju of %s", (uintmax_t)id, what);
	*usage = (struct quota_usage){
		.bytes = le64toh(info.rfer),
		.inodes = QUOTA_UNLIMITED,
		.limits = { .soft_bytes = QUOTA_UNLIMITED,
			    .hard_bytes = le64toh(limit.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER ?
						  le64toh(limit.max_rfer) :
						  QUOTA_UNLIMITED,
			    .soft_inodes = QUOTA_UNLIMITED,
			    .hard_inodes = QUOTA_UNLIMITED },
	};
	return NULL;
}

/* Newer kernels remove it with the subvolume. */
static struct err *qgroup_forget(int dir_fd, uint64_t id)
{
	struct btrfs_ioctl_qgroup_create_args args = { .create = 0, .qgroupid = id };

	/* EBUSY: the subvolume is still being emptied, and the kernel's cleaner comes back to it */
	if (ioctl(dir_fd, BTRFS_IOC_QGROUP_CREATE, &args) < 0 && errno != ENOENT && errno != EBUSY)
		return err_sys(errno, "remove the qgroup 0/%ju", (uintmax_t)id);
	return NULL;
}

const struct quota_driver quota_qgroup_driver = {
	.detect = qgroup_detect,
	.assign = qgroup_assign,
	.id = qgroup_id,
	.limit = qgroup_limit,
	.read = qgroup_read,
	.forget = qgroup_forget,
};
