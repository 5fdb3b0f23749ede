/*
 * A VPS that comes from another host: its disk in rounds, each a backup upon the one before
 * (rootfs/backup.h), of which the first is unpacked and the others are applied to what is there.
 */
#ifndef RUNTIME_VPS_ARRIVE_H
#define RUNTIME_VPS_ARRIVE_H

#include "rootfs/backup.h"
#include "runtime/vps/vps.h"

struct arrival_round {
	int fd;		  /* a file with all of it; borrowed, like path */
	const char *path; /* for errors */
	bool is_last;
};
/* The caller embeds it in a struct of its own. */
struct vps_arrival {
	const char *name, *conf; /* as they were offered; borrowed */
	/* Called when the round before, if there was one, is on disk: wait for the next. */
	struct err *(*next)(struct vps_arrival *arrival, struct arrival_round *ret_round);
	struct template_progress *progress;
};
/* Make it; on failure nothing is left. The journal of the move is the caller's. ERR_INVALID: what
 * comes is not what was offered. */
MUST_CHECK struct err *vps_arrive(const struct vps_host *host, struct vps_arrival *arrival);

#endif
