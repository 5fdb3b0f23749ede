/*
 * Trees of other systems, to copy from; see layout.h. What a system in a user namespace has written
 * lies on disk with ids from some first one on. The mount shows them from 0 on, with the ids in
 * ACLs and file capabilities. Ids that are none of its 65,536 are shown above these: an id without
 * any map would look like nobody's, who is one of them. Rests on mount_setattr(2), "ID-mapped
 * mounts".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "rootfs/disk.h"
#include "rootfs/tree.h"

#define ID_COUNT 65536
#define ID_END UINT32_MAX /* which is no id */

/* first..first+65535 become 0..65535, what is below and above them comes after. */
static struct err *map_from(uint32_t first, int tree_fd, const char *path)
{
	struct id_map rows[] = {
		{ first, 0, ID_COUNT },
		{ 0, ID_COUNT, first },
		{ first + ID_COUNT, first + ID_COUNT, ID_END - (first + ID_COUNT) },
	};
	const struct id_maps maps = { rows, rows, ARRAY_SIZE(rows), ARRAY_SIZE(rows) };

	if (first == 0)
		return NULL;
	if (first > ID_END - 2 * ID_COUNT)
		return err_new(ERR_INVALID, "%s belongs to the id %u, which cannot be its first",
			       path, first);
	return disk_map_ids(tree_fd, &maps, path);
}

struct err *disk_open_foreign(const char *path, uint32_t *ret_id_first, int *ret_tree_fd)
{
	const struct mount_attr quiet = { .attr_clr = MOUNT_ATTR__ATIME,
					  .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME |
						      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						      MOUNT_ATTR_NOEXEC,
					  .propagation = MS_PRIVATE };
	OWN(fd) int tree_fd = -1;
	struct stat st;

	TRY(tree_open(path, 0, &tree_fd));
	if (fstat(tree_fd, &st) < 0)
		return err_sys(errno, "look at %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_new(ERR_INVALID, "%s is no directory", path);
	if (st.st_gid != st.st_uid)
		return err_new(ERR_INVALID,
			       "%s belongs to the ids %u:%u: a system's root directory belongs to "
			       "its root",
			       path, st.st_uid, st.st_gid);
	TRY(map_from(st.st_uid, tree_fd, path));
	TRY(tree_set(tree_fd, 0, &quiet, path));
	*ret_id_first = st.st_uid;
	*ret_tree_fd = fd_take(&tree_fd);
	return NULL;
}
