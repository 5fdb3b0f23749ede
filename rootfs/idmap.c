/*
 * Id mappings of mounts: which ids a mount gets, and the user namespace that tells the kernel so.
 * Rests on mount_setattr(2), "ID-mapped mounts".
 */
#include "rootfs/idmap.h"

#include <stdlib.h>

/* Count outside ids from the container's own, as crun's "@" asks. */
static struct err *shift_maps(struct id_map *maps, size_t count, const struct id_map *base,
			      size_t base_count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t first = maps[i].outside, last = first + (maps[i].count - 1), end;

		if (last < first || !id_map_out(base, base_count, first, &maps[i].outside) ||
		    !id_map_out(base, base_count, last, &end) ||
		    end - maps[i].outside != last - first)
			return err_new(ERR_INVALID,
				       "idmap: the container has no range of ids %u to %u", first,
				       last);
	}
	return NULL;
}

struct err *idmap_open(const struct mount_spec *mount, const struct id_maps *container,
		       int *ret_userns_fd)
{
	struct id_maps maps = { 0 };
	struct err *err = NULL;

	if (mount->maps.uid_count == 0) {
		if (!container || container->uid_count == 0)
			return err_new(ERR_INVALID,
				       "mount on %s: idmap needs mappings: the container's are not "
				       "known",
				       mount->destination);
		return id_maps_open_userns(container, ret_userns_fd);
	}
	TRY(id_maps_copy(&mount->maps, &maps));
	if (mount->uids_relative && container)
		err = shift_maps(maps.uids, maps.uid_count, container->uids, container->uid_count);
	if (!err && mount->gids_relative && container)
		err = shift_maps(maps.gids, maps.gid_count, container->gids, container->gid_count);
	if (!err)
		err = id_maps_open_userns(&maps, ret_userns_fd);
	id_maps_release(&maps);
	return err;
}
