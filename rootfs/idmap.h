/* Id mappings of mounts. Private to rootfs/. */
#ifndef ROOTFS_IDMAP_H
#define ROOTFS_IDMAP_H

#include "rootfs/rootfs.h"

/*
 * A user namespace descriptor with the ids that mount is to show: its own maps, relative to the
 * container's when it says so, or else the container's (NULL: not known). Owned by the caller.
 * ERR_INVALID when there are none or they do not fit.
 */
MUST_CHECK struct err *idmap_open(const struct mount_spec *mount, const struct id_maps *container,
				  int *ret_userns_fd);

#endif
