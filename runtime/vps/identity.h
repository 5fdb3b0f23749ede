/* Private to runtime/vps: the pure part of identity.c, for its test, and what create needs of it.
 */
#ifndef RUNTIME_VPS_IDENTITY_H
#define RUNTIME_VPS_IDENTITY_H

#include "base/err.h"
#include "base/str.h"

/* /etc/hosts with one line of ours, and everything else of the old text kept. */
MUST_CHECK struct err *identity_hosts(const char *old, const char *hostname, struct buf *ret_text);
/* Remove the machine id of a fresh copy, which must not be shared by all copies of a template. */
MUST_CHECK struct err *identity_forget(int root_fd);
/* That, and ssh host keys of its own: the copy is another one. */
MUST_CHECK struct err *identity_renew(int root_fd);

#endif
