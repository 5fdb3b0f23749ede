/* The layout dir: the disk's directory is the root. A copy of the template that shares its blocks
 * where the file system can, limited by the quota of the directory. */
#include <errno.h>
#include <fcntl.h>

#include "rootfs/disk.h"
#include "rootfs/tree.h"

static struct err *dir_fill(const struct open_disk *open, const struct disk_source *source,
			    const struct disk_new *new)
{
	return disk_copy_source(source, open->dir_fd, new);
}

static struct err *dir_copy(const struct open_disk *from, const struct open_disk *to,
			    const struct disk_new *new)
{
	return disk_copy_source(&(struct disk_source){ .tree_fd = from->dir_fd }, to->dir_fd, new);
}

static struct err *dir_mount(const struct open_disk *open, const struct id_maps *maps,
			     int *ret_tree_fd)
{
	const struct target target = { open->dir_fd, "" };
	OWN(fd) int tree_fd = -1;

	TRY(tree_find(&target, 0, &tree_fd));
	TRY(disk_map_ids(tree_fd, maps, open->path));
	*ret_tree_fd = fd_take(&tree_fd);
	return NULL;
}

const struct layout layout_dir = {
	.name = "dir",
	.fill = dir_fill,
	.copy = dir_copy,
	.mount = dir_mount,
};
