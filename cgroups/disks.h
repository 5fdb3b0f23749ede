/* Private to cgroups: the parts of disks.c that its test calls with a sysfs and a mountinfo of its
 * own. */
#ifndef CGROUPS_DISKS_H
#define CGROUPS_DISKS_H

#include "cgroups/cgroups.h"

/* sys_fd: /sys or what plays it; device: "MAJ:MIN". Disks are added, each once. */
MUST_CHECK struct err *disks_below_device(int sys_fd, const char *device,
					  struct strlist *ret_disks);

struct mount_found {
	char *type, *source, *upper_dir; /* owned; upper_dir: NULL unless overlay */
};
void mount_found_release(struct mount_found *found);
static inline __attribute__((unused)) void own_mount_found(struct mount_found *found)
{
	mount_found_release(found);
}
MUST_CHECK struct err *mount_find(const char *mountinfo, uint64_t mount_id,
				  struct mount_found *ret_found);

#endif
