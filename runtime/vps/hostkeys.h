/* Private to runtime/vps: the ssh host keys of a VPS. */
#ifndef RUNTIME_VPS_HOSTKEYS_H
#define RUNTIME_VPS_HOSTKEYS_H

#include "base/err.h"

/*
 * For a fresh copy of a tree with an ssh server: keys that nothing else has, of the types that it
 * came with, ed25519 where it came with none. A host without ssh-keygen(1) is warned about: the
 * copy has none then, never those of what it was copied from.
 */
MUST_CHECK struct err *host_keys_renew(int tree_fd);
/* For a new root of VPS vps: those of its old one and no others; new ones if that had none. */
MUST_CHECK struct err *host_keys_keep(const char *vps, int old_fd, int new_fd);

#endif
