/* Private to runtime/vps: the console's log, at most two files of CONSOLE_LOG_BYTES. */
#ifndef RUNTIME_VPS_CONSOLE_H
#define RUNTIME_VPS_CONSOLE_H

#include <stdint.h>

#include "runtime/vps/vps.h"

#define CONSOLE_LOG_BYTES (256 << 10)

struct console_log {
	char *path, *old_path; /* owned */
	int fd;
	uint64_t len_bytes;
};
#define CONSOLE_LOG_INIT \
	{                \
		.fd = -1 \
	}

MUST_CHECK struct err *console_log_open(const struct vps_host *host, const char *name,
					struct console_log *ret_log);
void console_log_release(struct console_log *log);
/* Append; a full disk loses output and nothing else. */
void console_log_add(struct console_log *log, const char *data, size_t len);

/* A new pty on the /dev/console of the VPS whose init is init_pidfd; *ret_master_fd is the caller's
 * (replug.c). */
MUST_CHECK struct err *console_replug(int init_pidfd, int *ret_master_fd);

#endif
