/* Disks: the list of layouts, and what is the same for all of them; see layout.h. */
#include "rootfs/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/path.h"
#include "rootfs/disk.h"
#include "rootfs/tree.h"

static const struct layout *const layouts[] = { &layout_dir, &layout_overlay, &layout_image };

const char *layout_name(size_t i)
{
	return i < ARRAY_SIZE(layouts) ? layouts[i]->name : NULL;
}

static const struct layout *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (str_eq(layouts[i]->name, name))
			return layouts[i];
	return NULL;
}

bool layout_is_known(const char *name)
{
	return find(name);
}

static struct err *find_layout(const struct disk *disk, const struct layout **ret_layout)
{
	*ret_layout = find(disk->layout);
	return *ret_layout ? NULL :
			     err_new(ERR_INVALID, "layout '%.40s' is not known", disk->layout);
}

void open_disk_release(struct open_disk *open)
{
	own_fd(&open->dir_fd);
	free(open->path);
	*open = (struct open_disk)OPEN_DISK_INIT;
}

static struct err *open_parent(const char *parent, int *ret_fd)
{
	*ret_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", parent) : NULL;
}

static struct err *open_disk(const struct disk *disk, struct open_disk *ret_open)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	OWN(fd) int parent_fd = -1;

	TRY(open_parent(disk->parent, &parent_fd));
	TRY(str_format(&open.path, "%s/%s", disk->parent, disk->name));
	TRY(path_open_beneath(parent_fd, disk->name, O_RDONLY | O_DIRECTORY, &open.dir_fd));
	open.disk = disk;
	*ret_open = open;
	open = (struct open_disk)OPEN_DISK_INIT;
	return NULL;
}

struct err *disk_can_limit(const char *parent, enum quota_kind *ret_kind)
{
	OWN(fd) int parent_fd = -1;

	TRY(open_parent(parent, &parent_fd));
	return quota_detect(parent_fd, parent, ret_kind);
}

/* --- making --- */

static bool has_limits(const struct quota_limits *limits)
{
	return limits &&
	       (limits->hard_bytes != QUOTA_UNLIMITED || limits->soft_bytes != QUOTA_UNLIMITED ||
		limits->hard_inodes != QUOTA_UNLIMITED || limits->soft_inodes != QUOTA_UNLIMITED);
}

/* Before anything is in it. Where nothing is to be limited, a file system that counts counts
 * anyway, so that a limit can come later. */
static struct err *put_quota(const struct open_disk *open, const struct disk_new *new)
{
	struct err *err;

	if (!new->project)
		return NULL;
	err = quota_assign(open->dir_fd, open->path, new->project);
	if (err && err_kind(err) == ERR_UNSUPPORTED && !has_limits(new->limits)) {
		err_drop(err); /* as said above */
		return NULL;
	}
	if (!err && new->limits)
		err = quota_limit(open->dir_fd, open->path, new->limits);
	return err;
}

/* btrfs counts by subvolume. */
static struct err *make_dir(int parent_fd, const struct disk *disk, const struct layout *layout)
{
	if (!layout->is_limited_by_size && subvolume_is_possible(parent_fd))
		return subvolume_create(parent_fd, disk->name);
	if (mkdirat(parent_fd, disk->name, 0755) == 0)
		return NULL;
	return errno == EEXIST ?
		       err_new(ERR_EXISTS, "%s/%s is there already", disk->parent, disk->name) :
		       err_sys(errno, "make %s/%s", disk->parent, disk->name);
}

struct err *disk_copy_source(const struct disk_source *source, int to_fd,
			     const struct disk_new *new)
{
	const struct template_copy copy = { .from_fd = source->tree_fd,
					    .to_fd = to_fd,
					    .total_bytes = source->bytes,
					    .is_foreign = new->is_foreign,
					    .progress = new->progress };
	struct template_counts counts;

	TRY(template_copy(&copy, &counts));
	if (new->ret_counts)
		*new->ret_counts = counts;
	return NULL;
}

/* What a crash finds is either the whole disk or something under a name that is not yet the
 * VPS's. */
static struct err *sync_disk(const struct open_disk *open)
{
	return syncfs(open->dir_fd) < 0 ? err_sys(errno, "sync %s", open->path) : NULL;
}

static struct err *make_and_fill(const struct disk *disk, const struct layout *layout,
				 const struct disk_source *source, const struct disk_new *new)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;

	TRY(open_disk(disk, &open));
	if (!layout->is_limited_by_size)
		TRY(put_quota(&open, new));
	TRY(layout->fill(&open, source, new));
	return sync_disk(&open);
}

static struct err *create_from(const struct disk *disk, const struct disk_source *source,
			       const struct disk_new *new)
{
	const struct layout *layout;
	OWN(fd) int parent_fd = -1;
	struct err *err;

	TRY(find_layout(disk, &layout));
	TRY(open_parent(disk->parent, &parent_fd));
	TRY(make_dir(parent_fd, disk, layout));
	err = make_and_fill(disk, layout, source, new);
	return err ? err_first(err, disk_remove(disk)) : NULL;
}

struct err *disk_create(const struct disk *disk, const char *name, const struct disk_new *new)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(template) struct template template = { 0 };
	OWN(fd) int tree_fd = -1;

	TRY(template_store_open(disk->template_dir, TEMPLATE_READ, &store));
	TRY(template_load(&store, name, &template));
	TRY(template_open_tree(&store, &template, &tree_fd));
	return create_from(disk,
			   &(struct disk_source){ .tree_fd = tree_fd,
						  .bytes = template.bytes,
						  .template = &template },
			   new);
}

struct err *disk_create_from(const struct disk *disk, int tree_fd, uint64_t bytes,
			     const struct disk_new *new)
{
	OWN(fd) int root_fd = -1;

	TRY(disk_open_root(tree_fd, &root_fd));
	return create_from(disk, &(struct disk_source){ .tree_fd = root_fd, .bytes = bytes }, new);
}

static struct err *copy_into(const struct open_disk *from, const struct disk *to,
			     const struct layout *layout, const struct disk_new *new)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;

	TRY(open_disk(to, &open));
	if (!layout->is_limited_by_size)
		TRY(put_quota(&open, new));
	/* a snapshot of the subvolume has the content already */
	if (layout->is_limited_by_size || !subvolume_is_root(open.dir_fd) ||
	    !subvolume_is_root(from->dir_fd))
		TRY(layout->copy(from, &open, new));
	return sync_disk(&open);
}

struct err *disk_copy(const struct disk *from, const struct disk *to, const struct disk_new *new)
{
	OWN(open_disk) struct open_disk source = OPEN_DISK_INIT;
	const struct layout *layout;
	OWN(fd) int parent_fd = -1;
	struct err *err;

	TRY(find_layout(from, &layout));
	TRY(open_parent(to->parent, &parent_fd));
	TRY(open_disk(from, &source));
	if (!layout->is_limited_by_size && subvolume_is_root(source.dir_fd))
		TRY(subvolume_snapshot(source.dir_fd, parent_fd, to->name));
	else
		TRY(make_dir(parent_fd, to, layout));
	err = copy_into(&source, to, layout, new);
	return err ? err_first(err, disk_remove(to)) : NULL;
}

/* By trying it, with a file that has no name. */
static bool can_share(const struct open_disk *open)
{
	OWN(fd) int from_fd = openat(open->dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	OWN(fd) int to_fd = openat(open->dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	return from_fd >= 0 && to_fd >= 0 && write(from_fd, "x", 1) == 1 &&
	       ioctl(to_fd, FICLONE, from_fd) == 0;
}

bool disk_copy_is_cheap(const struct disk *disk)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	struct err *err = open_disk(disk, &open);
	bool is_cheap = !err && (subvolume_is_root(open.dir_fd) || can_share(&open));

	err_drop(err); /* who uses the disk says it */
	return is_cheap;
}

/* --- removing --- */

static struct err *remove_dir(int parent_fd, int dir_fd, const char *name)
{
	if (subvolume_is_root(dir_fd))
		return subvolume_destroy(parent_fd, name);
	return path_remove_tree(parent_fd, name);
}

struct err *disk_remove(const struct disk *disk)
{
	OWN(fd) int parent_fd = -1, dir_fd = -1;
	uint64_t id;
	struct err *err;

	TRY(open_parent(disk->parent, &parent_fd));
	err = path_open_beneath(parent_fd, disk->name, O_RDONLY | O_DIRECTORY, &dir_fd);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing to remove */
		return NULL;
	}
	if (err)
		return err;
	TRY(quota_id(dir_fd, disk->name, &id));
	TRY(overlay_let_go(dir_fd, disk->template_dir));
	TRY(remove_dir(parent_fd, dir_fd, disk->name));
	return quota_forget(parent_fd, id);
}

/* --- using --- */

struct err *disk_map_ids(int tree_fd, const struct id_maps *maps, const char *what)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	OWN(fd) int userns_fd = -1;

	if (!maps)
		return NULL;
	TRY(id_maps_open_userns(maps, &userns_fd));
	attr.userns_fd = (uint64_t)userns_fd;
	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return NULL;
	if (errno == EINVAL || errno == EOPNOTSUPP)
		return err_new(ERR_UNSUPPORTED,
			       "the file system of %s has no idmapped mounts; put it on ext4, xfs "
			       "or btrfs, or use the layout image",
			       what);
	return err_sys(errno, "map the ids of %s", what);
}

struct err *disk_open_root(int tree_fd, int *ret_fd)
{
	*ret_fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open the root of a disk") : NULL;
}

bool disk_is_mounted_once(const struct disk *disk)
{
	const struct layout *layout = find(disk->layout);

	return layout && layout->is_mounted_once;
}

struct err *disk_sync(const struct disk *disk)
{
	OWN(fd) int tree_fd = -1, root_fd = -1;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	if (!layout->is_limited_by_size)
		return NULL; /* what is copied is what the host's page cache has */
	TRY(disk_mount(disk, NULL, &tree_fd));
	TRY(disk_open_root(tree_fd, &root_fd));
	return syncfs(root_fd) < 0 ? err_sys(errno, "sync the disk %s", disk->name) : NULL;
}

struct err *disk_mount(const struct disk *disk, const struct id_maps *maps, int *ret_tree_fd)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	TRY(open_disk(disk, &open));
	return layout->mount(&open, maps, ret_tree_fd);
}

struct err *disk_check(const struct disk *disk)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	if (!layout->check)
		return NULL;
	TRY(open_disk(disk, &open));
	return layout->check(&open);
}

static bool exceeds(uint64_t used, uint64_t limit)
{
	return used != QUOTA_UNLIMITED && used > limit;
}

struct err *disk_check_fits(const struct quota_usage *usage, const struct quota_limits *limits)
{
	if (exceeds(usage->bytes, limits->hard_bytes))
		return err_new(ERR_STATE,
			       "--diskspace: %" PRIu64
			       " KiB are in use, which is more than %" PRIu64 " KiB",
			       usage->bytes / 1024, limits->hard_bytes / 1024);
	if (exceeds(usage->inodes, limits->hard_inodes))
		return err_new(ERR_STATE,
			       "--diskinodes: %" PRIu64 " are in use, which is more than %" PRIu64,
			       usage->inodes, limits->hard_inodes);
	return NULL;
}

static struct err *limit_by_quota(const struct open_disk *open, const struct quota_limits *limits)
{
	struct quota_usage usage;
	struct err *err = quota_read(open->dir_fd, open->path, &usage);

	if (err && !has_limits(limits)) {
		err_drop(err); /* no limits on what cannot be limited */
		return NULL;
	}
	if (!err)
		err = disk_check_fits(&usage, limits);
	return err ? err : quota_limit(open->dir_fd, open->path, limits);
}

struct err *disk_limit(const struct disk *disk, const struct quota_limits *limits,
		       enum disk_state state)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	TRY(open_disk(disk, &open));
	return layout->limit ? layout->limit(&open, limits, state) : limit_by_quota(&open, limits);
}

struct err *disk_enforce(const struct disk *disk, const struct quota_limits *limits)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	if (layout->is_limited_by_size)
		return NULL;
	TRY(open_disk(disk, &open));
	return quota_limit(open.dir_fd, open.path, limits);
}

struct err *disk_usage(const struct disk *disk, struct quota_usage *ret_usage)
{
	OWN(open_disk) struct open_disk open = OPEN_DISK_INIT;
	const struct layout *layout;

	TRY(find_layout(disk, &layout));
	TRY(open_disk(disk, &open));
	return layout->usage ? layout->usage(&open, ret_usage) :
			       quota_read(open.dir_fd, open.path, ret_usage);
}
