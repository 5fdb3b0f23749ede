/*
 * The layout image: a sparse file with an ext4 of its own, on a loop device while somebody uses it.
 * Works on any file system of the host and is limited by its size. The size is chosen so that what
 * df(1) shows as the total is what was asked for: the file is larger by ext4's own tables. Rests on
 * loop(4), fsopen(2), ioctl EXT4_IOC_RESIZE_FS.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/disk.h"

#define IMAGE "root.img"
#define NEW_IMAGE "root.img.new"
#define BLOCK_BYTES UINT64_C(4096)
#define SIZE_MIN_BYTES (UINT64_C(16) << 20)
#define GROW_TRIES 16
#define SHRINK_TRIES 8
#define EXT4_RESIZE_FS _IOW('f', 16, __u64) /* fs/ext4/ext4.h: EXT4_IOC_RESIZE_FS */
/* Blocks that ext4 keeps back for its own emergencies: 2 percent, at most 4096, which a small disk
 * would miss. Source: ext4_set_resv_clusters(). */
#define RESERVED_BLOCKS "128"

static struct err *open_image(const struct open_disk *open, int flags, int *ret_fd)
{
	return err_wrap(path_open_beneath(open->dir_fd, IMAGE, flags, ret_fd), "%s", open->path);
}

static struct err *image_path(const struct open_disk *open, const char *name, char **ret_path)
{
	return str_format(ret_path, "%s/%s", open->path, name);
}

/* --- the mounted image --- */

/* A file system in use: its loop device and a detached mount. */
struct super {
	int image_fd, loop_fd, tree_fd;
	int root_fd; /* of the tree, for reading */
};
#define SUPER_INIT                                                          \
	{                                                                   \
		.image_fd = -1, .loop_fd = -1, .tree_fd = -1, .root_fd = -1 \
	}

static void own_super(struct super *super)
{
	own_fd(&super->root_fd);
	own_fd(&super->tree_fd);
	own_fd(&super->loop_fd);
	own_fd(&super->image_fd);
}

static struct err *keep_little_back(const char *device)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, "/sys/fs/ext4/%s/reserved_clusters", strrchr(device, '/') + 1));
	return file_write_once(AT_FDCWD, path, RESERVED_BLOCKS "\n");
}

/* The superblock of a device that is mounted already is shared: this is how a running VPS's file
 * system is reached from outside. */
static struct err *mount_device(const char *device, int *ret_tree_fd)
{
	OWN(fd) int fs_fd = fsopen("ext4", FSOPEN_CLOEXEC);
	int tree_fd;

	if (fs_fd < 0)
		return err_sys(errno, "ask for ext4");
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
	    fsconfig(fs_fd, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) < 0 ||
	    /* what a VPS deletes is the host's again */
	    fsconfig(fs_fd, FSCONFIG_SET_FLAG, "discard", NULL, 0) < 0 ||
	    fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(errno, "mount the ext4 on %s", device);
	tree_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	if (tree_fd < 0)
		return err_sys(errno, "mount the ext4 on %s", device);
	*ret_tree_fd = tree_fd;
	return NULL;
}

static struct err *super_open_file(const struct open_disk *open, const char *name,
				   struct super *ret_super)
{
	OWN(super) struct super super = SUPER_INIT;
	OWN(str) char *path = NULL;
	struct loop_path device;

	TRY(err_wrap(path_open_beneath(open->dir_fd, name, O_RDWR, &super.image_fd), "%s",
		     open->path));
	TRY(image_path(open, name, &path));
	TRY(loop_find(super.image_fd, &super.loop_fd));
	if (super.loop_fd < 0)
		TRY(loop_attach(super.image_fd, path, &super.loop_fd));
	TRY(loop_path_of(super.loop_fd, &device));
	TRY(err_wrap(mount_device(device.text, &super.tree_fd), "%s", path));
	TRY(disk_open_root(super.tree_fd, &super.root_fd));
	TRY(keep_little_back(device.text));
	*ret_super = super;
	super = (struct super)SUPER_INIT;
	return NULL;
}

static struct err *super_open(const struct open_disk *open, struct super *ret_super)
{
	return super_open_file(open, IMAGE, ret_super);
}

static struct err *numbers_of(int tree_fd, struct ext4_numbers *ret_numbers)
{
	struct statfs st;

	if (fstatfs(tree_fd, &st) < 0)
		return err_sys(errno, "ask an image for its space");
	/* without the overhead, which is the file system's own */
	*ret_numbers = (struct ext4_numbers){ .block_bytes = (uint64_t)st.f_bsize,
					      .blocks = st.f_blocks,
					      .free_blocks = st.f_bfree,
					      .inodes = st.f_files,
					      .free_inodes = st.f_ffree };
	return NULL;
}

static struct err *resize_to(const struct super *super, uint64_t file_bytes)
{
	uint64_t blocks = file_bytes / BLOCK_BYTES;

	if (ftruncate(super->image_fd, (off_t)file_bytes) < 0)
		return err_sys(errno, "make the image larger");
	if (ioctl(super->loop_fd, LOOP_SET_CAPACITY, 0) < 0)
		return err_sys(errno, "tell the loop device of its new size");
	if (ioctl(super->root_fd, EXT4_RESIZE_FS, &blocks) < 0)
		return err_sys(errno, "resize the ext4 of the image");
	return NULL;
}

/* Until df shows so many bytes in all: new groups of blocks bring tables, so a first try falls
 * short of it. */
static struct err *grow_to(const struct super *super, uint64_t usable_bytes)
{
	struct ext4_numbers numbers;
	struct stat st;

	for (int i = 0; i < GROW_TRIES; i++) {
		TRY(numbers_of(super->root_fd, &numbers));
		if (numbers.blocks * numbers.block_bytes >= usable_bytes)
			return NULL;
		if (fstat(super->image_fd, &st) < 0)
			return err_sys(errno, "look at an image");
		TRY(resize_to(super, (uint64_t)st.st_size + usable_bytes -
					     numbers.blocks * numbers.block_bytes));
	}
	return err_new(ERR_UNSUPPORTED, "the ext4 of the image cannot grow to %" PRIu64 " KiB",
		       usable_bytes / 1024);
}

/* --- making --- */

/* The smaller number is what df shows with the other layouts too. */
static uint64_t size_of(const struct quota_limits *limits)
{
	uint64_t bytes = limits->soft_bytes && limits->soft_bytes < limits->hard_bytes ?
				 limits->soft_bytes :
				 limits->hard_bytes;

	return bytes == QUOTA_UNLIMITED ? bytes : (bytes + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1);
}

static struct err *check_size(uint64_t usable_bytes)
{
	if (usable_bytes == QUOTA_UNLIMITED)
		return err_new(ERR_INVALID, "--diskspace is missing: an image has a size");
	if (usable_bytes < SIZE_MIN_BYTES)
		return err_new(ERR_INVALID, "--diskspace: an image has at least %" PRIu64 " KiB",
			       SIZE_MIN_BYTES / 1024);
	return NULL;
}

static struct err *make_file(const struct open_disk *open, const char *name, int *ret_fd)
{
	OWN(fd)
	int fd = openat(open->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (fd < 0)
		return err_sys(errno, "make %s/%s", open->path, name);
	if (subvolume_is_possible(fd)) {
		/* in place: a database in a copy-on-write file in a copy-on-write file crawls */
		int flags = FS_NOCOW_FL;

		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags); /* slower without, not wrong */
	}
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *parse_numbers(int image_fd, const char *path, struct ext4_numbers *ret_numbers)
{
	char data[2048];
	ssize_t len = pread(image_fd, data, sizeof(data), 0);

	if (len < 0)
		return err_sys(errno, "read %s", path);
	TRY(err_wrap(ext4_parse(data, (size_t)len, ret_numbers), "%s", path));
	ret_numbers->blocks -= ret_numbers->overhead;
	return NULL;
}

/* Made again, larger, until df will show what was asked for: an ext4 that grows afterwards would
 * also have more inodes than that. */
static struct err *make_image(const struct open_disk *open, const struct quota_limits *limits,
			      uint64_t usable_bytes)
{
	OWN(fd) int image_fd = -1;
	OWN(str) char *path = NULL;
	uint64_t inodes = limits->hard_inodes == QUOTA_UNLIMITED ? 0 : limits->hard_inodes;
	uint64_t file_bytes = usable_bytes, short_bytes = 0;

	TRY(image_path(open, IMAGE, &path));
	TRY(make_file(open, IMAGE, &image_fd));
	for (int i = 0; i < GROW_TRIES; i++) {
		struct ext4_numbers numbers;

		file_bytes += short_bytes;
		/* empty first: what the last one wrote elsewhere must not stay */
		if (ftruncate(image_fd, 0) < 0 || ftruncate(image_fd, (off_t)file_bytes) < 0)
			return err_sys(errno, "make an image of %" PRIu64 " KiB",
				       file_bytes / 1024);
		TRY(ext4_make(path, inodes));
		TRY(parse_numbers(image_fd, path, &numbers));
		if (numbers.blocks * numbers.block_bytes >= usable_bytes)
			return NULL;
		short_bytes = usable_bytes - numbers.blocks * numbers.block_bytes;
	}
	return NULL; /* the rest is grown once it is mounted */
}

static struct err *image_fill(const struct open_disk *open, const struct disk_source *source,
			      const struct disk_new *new)
{
	OWN(super) struct super super = SUPER_INIT;
	uint64_t usable_bytes = new->limits ? size_of(new->limits) : QUOTA_UNLIMITED;

	TRY(check_size(usable_bytes));
	TRY(make_image(open, new->limits, usable_bytes));
	TRY(super_open(open, &super));
	TRY(grow_to(&super, usable_bytes));
	/* as the source has it or has not; e2fsck makes one when it needs it */
	(void)unlinkat(super.root_fd, "lost+found", AT_REMOVEDIR);
	TRY(disk_copy_source(source, super.root_fd, new));
	return syncfs(super.root_fd) < 0 ? err_sys(errno, "sync the new image") : NULL;
}

static struct err *copy_image(const struct open_disk *from, const struct open_disk *to,
			      const char *to_name)
{
	OWN(fd) int from_fd = -1, to_fd = -1;
	struct stat st;

	TRY(open_image(from, O_RDONLY, &from_fd));
	if (fstat(from_fd, &st) < 0)
		return err_sys(errno, "look at %s/" IMAGE, from->path);
	TRY(make_file(to, to_name, &to_fd));
	TRY(copy_data(from_fd, to_fd, st.st_size, to->path));
	return fsync(to_fd) < 0 ? err_sys(errno, "sync %s/%s", to->path, to_name) : NULL;
}

static struct err *image_copy(const struct open_disk *from, const struct open_disk *to,
			      const struct disk_new *new)
{
	(void)new;
	return copy_image(from, to, IMAGE);
}

/* --- using --- */

static struct err *image_mount(const struct open_disk *open, const struct id_maps *maps,
			       int *ret_tree_fd)
{
	OWN(super) struct super super = SUPER_INIT;

	TRY(super_open(open, &super));
	TRY(disk_map_ids(super.tree_fd, maps, open->path));
	*ret_tree_fd = fd_take(&super.tree_fd);
	return NULL;
}

static struct err *remove_unfinished(const struct open_disk *open)
{
	if (unlinkat(open->dir_fd, NEW_IMAGE, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s/" NEW_IMAGE, open->path);
	return NULL;
}

static struct err *image_check(const struct open_disk *open)
{
	OWN(fd) int image_fd = -1, loop_fd = -1;
	OWN(str) char *path = NULL;

	TRY(remove_unfinished(open));
	TRY(open_image(open, O_RDONLY, &image_fd));
	TRY(loop_find(image_fd, &loop_fd));
	if (loop_fd >= 0)
		return NULL; /* somebody has it mounted */
	TRY(image_path(open, IMAGE, &path));
	return ext4_check(path, EXT4_CHECK_IF_NEEDED);
}

static struct err *read_numbers(const struct open_disk *open, struct ext4_numbers *ret_numbers)
{
	OWN(fd) int image_fd = -1;

	TRY(open_image(open, O_RDONLY, &image_fd));
	return parse_numbers(image_fd, open->path, ret_numbers);
}

static struct err *find_numbers(const struct open_disk *open, struct ext4_numbers *ret_numbers)
{
	OWN(super) struct super super = SUPER_INIT;
	OWN(fd) int image_fd = -1, loop_fd = -1;

	TRY(open_image(open, O_RDONLY, &image_fd));
	TRY(loop_find(image_fd, &loop_fd));
	if (loop_fd < 0)
		return read_numbers(open, ret_numbers);
	TRY(super_open(open, &super));
	return numbers_of(super.root_fd, ret_numbers);
}

static struct err *image_usage(const struct open_disk *open, struct quota_usage *usage)
{
	struct ext4_numbers numbers;

	TRY(find_numbers(open, &numbers));
	*usage = (struct quota_usage){
		.bytes = (numbers.blocks - numbers.free_blocks) * numbers.block_bytes,
		.inodes = numbers.inodes - numbers.free_inodes,
	};
	usage->limits.soft_bytes = usage->limits.hard_bytes = numbers.blocks * numbers.block_bytes;
	usage->limits.soft_inodes = usage->limits.hard_inodes = numbers.inodes;
	return NULL;
}

/* --- resizing --- */

/* One step: as many blocks less as df shows too many. */
static struct err *shrink_once(const char *path, int image_fd, uint64_t excess_bytes)
{
	struct stat st;
	uint64_t blocks;

	if (fstat(image_fd, &st) < 0)
		return err_sys(errno, "look at %s", path);
	blocks = ((uint64_t)st.st_size - excess_bytes) / BLOCK_BYTES;
	TRY(ext4_check(path, EXT4_CHECK_ALL));
	TRY(ext4_shrink(path, blocks));
	return ftruncate(image_fd, (off_t)(blocks * BLOCK_BYTES)) < 0 ?
		       err_sys(errno, "make %s smaller", path) :
		       NULL;
}

/* By mounting it: resize2fs leaves no overhead in the superblock. */
static struct err *copy_numbers(const struct open_disk *open, struct ext4_numbers *ret_numbers)
{
	OWN(super) struct super super = SUPER_INIT;

	TRY(super_open_file(open, NEW_IMAGE, &super));
	return numbers_of(super.root_fd, ret_numbers);
}

static struct err *shrink_copy(const struct open_disk *open, uint64_t usable_bytes)
{
	OWN(fd) int image_fd = -1;
	OWN(str) char *path = NULL;

	TRY(image_path(open, NEW_IMAGE, &path));
	TRY(path_open_beneath(open->dir_fd, NEW_IMAGE, O_RDWR, &image_fd));
	for (int i = 0; i < SHRINK_TRIES; i++) {
		struct ext4_numbers numbers;
		uint64_t usable;

		TRY(copy_numbers(open, &numbers));
		usable = numbers.blocks * numbers.block_bytes;
		if (usable <= usable_bytes)
			break;
		TRY(shrink_once(path, image_fd, usable - usable_bytes));
	}
	return fsync(image_fd) < 0 ? err_sys(errno, "sync %s", path) : NULL;
}

/* resize2fs works in place and must not be interrupted, so it works on a copy. */
static struct err *shrink(const struct open_disk *open, uint64_t usable_bytes)
{
	struct err *err;

	TRY(remove_unfinished(open));
	err = copy_image(open, open, NEW_IMAGE);
	if (!err)
		err = shrink_copy(open, usable_bytes);
	if (!err && renameat(open->dir_fd, NEW_IMAGE, open->dir_fd, IMAGE) < 0)
		err = err_sys(errno, "put the smaller image in place");
	if (!err && fsync(open->dir_fd) < 0)
		err = err_sys(errno, "sync %s", open->path);
	return err ? err_first(err, remove_unfinished(open)) : NULL;
}

static struct err *image_limit(const struct open_disk *open, const struct quota_limits *limits,
			       enum disk_state state)
{
	OWN(super) struct super super = SUPER_INIT;
	uint64_t usable_bytes = size_of(limits);
	struct quota_usage usage;

	TRY(check_size(usable_bytes));
	TRY(image_usage(open, &usage));
	if (usable_bytes < usage.limits.hard_bytes) {
		const struct quota_limits wanted = { .hard_bytes = usable_bytes,
						     .hard_inodes = QUOTA_UNLIMITED };

		TRY(disk_check_fits(&usage, &wanted));
		if (state == DISK_RUNNING)
			return err_new(ERR_STATE,
				       "--diskspace: an image of %" PRIu64 " KiB cannot shrink to "
				       "%" PRIu64 " KiB while the VPS runs; stop it first",
				       usage.limits.hard_bytes / 1024, usable_bytes / 1024);
		TRY(shrink(open, usable_bytes));
	}
	TRY(super_open(open, &super));
	return grow_to(&super, usable_bytes);
}

const struct layout layout_image = {
	.name = "image",
	.is_limited_by_size = true,
	.fill = image_fill,
	.copy = image_copy,
	.mount = image_mount,
	.check = image_check,
	.limit = image_limit,
	.usage = image_usage,
};
