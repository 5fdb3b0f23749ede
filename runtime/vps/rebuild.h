/* Private to runtime/vps: what a new root takes over from the old one. */
#ifndef RUNTIME_VPS_REBUILD_H
#define RUNTIME_VPS_REBUILD_H

#include "base/err.h"

/* Machine id, ssh host keys, passwords and root's ssh keys of the old root. What the tenant has
 * made unreadable is warned about. */
MUST_CHECK struct err *keep_credentials(const char *name, int old_fd, int new_fd);

#endif
