/* Options of a mount, one a line, as config.json lists them. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rootfs/rootfs.h"
#include "rootfs/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(str) char *text = strndup((const char *)data, size);
	struct mount_spec mount = { 0 };
	char *next = text;

	while (next) {
		char *option = strsep(&next, "\n");

		err_drop(mount_spec_option(&mount, option));
	}
	/* what is wanted is not unwanted as well; the atime field may be cleared to be set */
	if ((mount.flags & mount.clear_flags) ||
	    (mount.rec_set & mount.rec_clear & ~(uint64_t)MOUNT_ATTR__ATIME))
		abort();
	if ((mount.maps.uid_count > 0 || mount.maps.gid_count > 0) && mount.idmap == MOUNT_NO_IDMAP)
		abort();
	mount_spec_release(&mount);
	return 0;
}
