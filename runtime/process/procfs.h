/* Files of a procfs that may be the tenant's own making. Private to runtime/process. */
#ifndef RUNTIME_PROCESS_PROCFS_H
#define RUNTIME_PROCESS_PROCFS_H

#include "base/err.h"

/*
 * Open name ("self/oom_score_adj") below /proc, after checking that /proc is the root of a procfs
 * and that nothing is mounted over any part of the way. flags: open(2), O_CLOEXEC is added. Errors:
 * ERR_NOT_FOUND (the kernel has no such file), ERR_INVALID (/proc is not procfs), ERR_SYS. Source:
 * openat2(2), RESOLVE_NO_XDEV; CVE-2019-16884, CVE-2025-52881 (writes to a faked file).
 */
MUST_CHECK struct err *procfs_open(const char *name, int flags, int *ret_fd);
/* Write text to it in one write(2). */
MUST_CHECK struct err *procfs_write(const char *name, const char *text);

#endif
