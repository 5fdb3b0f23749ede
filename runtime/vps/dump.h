/* Private to runtime/vps: the directories in which the memory of a VPS lies; see memory.h. */
#ifndef RUNTIME_VPS_DUMP_H
#define RUNTIME_VPS_DUMP_H

#include "runtime/vps/room.h"

/* NAME with it, in the directory of logs: those of whoever writes and reads the memory. */
#define DUMP_LOG_SUFFIX ".criu"
/* Beside the images: the definition that the VPS ran with. */
#define DUMP_DEFINITION "definition.conf"

struct dump {
	const char *name; /* the VPS's, and of the directory when it is suspended; borrowed */
	int dir_fd;
	char *writing, *resuming; /* owned */
};
#define DUMP_INIT            \
	{                    \
		.dir_fd = -1 \
	}
MUST_CHECK struct err *dump_open(const struct vps_host *host, const char *name,
				 struct dump *ret_dump);
void dump_close(struct dump *dump);
static inline __attribute__((unused)) void own_dump(struct dump *dump)
{
	dump_close(dump);
}
bool dump_has(const struct dump *dump, const char *name);
MUST_CHECK struct err *dump_move(const struct dump *dump, const char *from, const char *to);
/* Where the program that writes and reads it leaves its logs. *ret_path is owned. */
MUST_CHECK struct err *dump_log_path(const struct vps_host *host, const char *name,
				     char **ret_path);

#endif
