/* What the layouts share. Private to rootfs/. */
#ifndef ROOTFS_DISK_H
#define ROOTFS_DISK_H

#include "rootfs/layout.h"

/* A disk whose directory is open. */
struct open_disk {
	const struct disk *disk;
	int dir_fd;
	char *path; /* for error texts */
};
#define OPEN_DISK_INIT       \
	{                    \
		.dir_fd = -1 \
	}
void open_disk_release(struct open_disk *open);
static inline __attribute__((unused)) void own_open_disk(struct open_disk *open)
{
	open_disk_release(open);
}

/* What a disk is made from. */
struct disk_source {
	int tree_fd;			 /* open for reading; ids as on disk */
	uint64_t bytes;			 /* about; 0: not known */
	const struct template *template; /* whose tree that is; NULL: nobody's */
};

/* template_copy() of the source into the empty directory to_fd. */
MUST_CHECK struct err *disk_copy_source(const struct disk_source *source, int to_fd,
					const struct disk_new *new);

/* One layout. The directory exists, and its quota is assigned where the file system has any. */
struct layout {
	const char *name;
	bool is_limited_by_size; /* its own file system's, not the host's quota */
	bool is_mounted_once;	 /* at a time */
	struct err *(*fill)(const struct open_disk *open, const struct disk_source *source,
			    const struct disk_new *new);
	struct err *(*copy)(const struct open_disk *from, const struct open_disk *to,
			    const struct disk_new *new);
	struct err *(*mount)(const struct open_disk *open, const struct id_maps *maps,
			     int *ret_tree_fd);
	struct err *(*check)(const struct open_disk *open); /* NULL: nothing to check */
	/* NULL: by the quota of the directory */
	struct err *(*limit)(const struct open_disk *open, const struct quota_limits *limits,
			     enum disk_state state);
	struct err *(*usage)(const struct open_disk *open, struct quota_usage *usage);
};
extern const struct layout layout_dir, layout_overlay, layout_image;

/* Give a detached mount the ids of a VPS. ERR_UNSUPPORTED: its file system has no idmapped mounts.
 */
MUST_CHECK struct err *disk_map_ids(int tree_fd, const struct id_maps *maps, const char *what);

/* The root of a detached mount, open for reading: the mount's own descriptor is only a place. */
MUST_CHECK struct err *disk_open_root(int tree_fd, int *ret_fd);

/* More is in use than the limits allow: ERR_STATE, with figures. */
MUST_CHECK struct err *disk_check_fits(const struct quota_usage *usage,
				       const struct quota_limits *limits);

/* --- overlay: templates that are in use --- */

/* Let go of the template that the half or whole overlay in dir_fd uses, if it is one. */
MUST_CHECK struct err *overlay_let_go(int dir_fd, const char *template_dir);

/* --- subvolume.c: btrfs --- */

/* Is the directory on btrfs? */
bool subvolume_is_possible(int dir_fd);
bool subvolume_is_root(int dir_fd);
MUST_CHECK struct err *subvolume_create(int parent_fd, const char *name);
/* A writable snapshot of from_fd. */
MUST_CHECK struct err *subvolume_snapshot(int from_fd, int parent_fd, const char *name);
MUST_CHECK struct err *subvolume_destroy(int parent_fd, const char *name);

/* --- loop.c --- */

/* A free loop device over the image, which ends with its last user. Direct I/O where the host's
 * file system has it. */
MUST_CHECK struct err *loop_attach(int image_fd, const char *what, int *ret_loop_fd);
/* The loop device that has the image already; *ret_loop_fd -1: none. */
MUST_CHECK struct err *loop_find(int image_fd, int *ret_loop_fd);
/* "/dev/loopN" of an open loop device. */
struct loop_path {
	char text[32];
};
MUST_CHECK struct err *loop_path_of(int loop_fd, struct loop_path *ret_path);

/* --- ext4.c: the programs of e2fsprogs, on an image by its path --- */

/* Make a file system that fills the file; inodes 0: as many as usual. ERR_UNSUPPORTED: e2fsprogs
 * is missing, as for those below. */
MUST_CHECK struct err *ext4_make(const char *image, uint64_t inodes);
/* Repair what can be repaired without asking. ERR_STATE: it needs an operator. */
enum ext4_check { EXT4_CHECK_IF_NEEDED, EXT4_CHECK_ALL };
MUST_CHECK struct err *ext4_check(const char *image, enum ext4_check how);
/* Make the file system smaller, not yet the file; it was just checked. */
MUST_CHECK struct err *ext4_shrink(const char *image, uint64_t blocks);
/* What the superblock says, in the words of statfs(2): for an image that is not mounted. */
struct ext4_numbers {
	uint64_t block_bytes, blocks, overhead, free_blocks, inodes, free_inodes;
};
/* ERR_INVALID: no ext4. data: the first 2048 bytes. Pure. */
MUST_CHECK struct err *ext4_parse(const void *data, size_t len, struct ext4_numbers *ret_numbers);

/* --- template_copy.c --- */

/* The bytes of a file into an empty one: shared where the file system can, holes kept. */
MUST_CHECK struct err *copy_data(int from_fd, int to_fd, off_t size, const char *path);

#endif
