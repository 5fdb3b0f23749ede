/* btrfs subvolumes, which carry the quota and the snapshots of a disk. Rests on btrfs-ioctl(2). */
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "rootfs/disk.h"

#define SUBVOLUME_ROOT_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID */

bool subvolume_is_possible(int dir_fd)
{
	struct statfs st;

	return fstatfs(dir_fd, &st) == 0 && (unsigned long)st.f_type == BTRFS_SUPER_MAGIC;
}

bool subvolume_is_root(int dir_fd)
{
	struct stat st;

	return subvolume_is_possible(dir_fd) && fstat(dir_fd, &st) == 0 &&
	       st.st_ino == SUBVOLUME_ROOT_INODE;
}

static struct err *copy_name(const char *name, char *to, size_t room)
{
	if (strlen(name) >= room)
		return err_new(ERR_INVALID, "the name %.60s... is too long", name);
	snprintf(to, room, "%s", name);
	return NULL;
}

struct err *subvolume_create(int parent_fd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	TRY(copy_name(name, args.name, sizeof(args.name)));
	if (ioctl(parent_fd, BTRFS_IOC_SUBVOL_CREATE, &args) == 0)
		return NULL;
	return errno == EEXIST ? err_new(ERR_EXISTS, "subvolume %s is there already", name) :
				 err_sys(errno, "make subvolume %s", name);
}

struct err *subvolume_snapshot(int from_fd, int parent_fd, const char *name)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = from_fd };

	TRY(copy_name(name, args.name, sizeof(args.name)));
	if (ioctl(parent_fd, BTRFS_IOC_SNAP_CREATE_V2, &args) == 0)
		return NULL;
	return errno == EEXIST ? err_new(ERR_EXISTS, "subvolume %s is there already", name) :
				 err_sys(errno, "make the snapshot %s", name);
}

struct err *subvolume_destroy(int parent_fd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	TRY(copy_name(name, args.name, sizeof(args.name)));
	if (ioctl(parent_fd, BTRFS_IOC_SNAP_DESTROY, &args) == 0 || errno == ENOENT)
		return NULL;
	/* subvolumes in it, for one; emptied by hand it goes like a directory */
	return path_remove_tree(parent_fd, name);
}
