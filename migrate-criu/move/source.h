/* What the files of the source share; see wire.h. */
#ifndef MIGRATE_CRIU_MOVE_SOURCE_H
#define MIGRATE_CRIU_MOVE_SOURCE_H

#include "migrate-criu/move/wire.h"
#include "runtime/vps/backup.h"
#include "runtime/vps/still.h"

struct source {
	const struct vps_host *host;
	const struct move_request *request;
	struct move_result *result;
	struct move_ssh ssh;
	struct vps_still still; /* has the VPS's lock */
	struct moving moving;
	struct move_message message; /* the last one */
	char *conf;		     /* the definition that is offered; owned */
	struct backup_base *base; /* the round that the next one builds upon; owned; NULL: none */
	int lock_fd;		  /* of the move */
	bool asked_to_prepare;	  /* the target may be prepared: it had all */
	uint64_t down_since_ms;
};

/* By the monotonic clock. */
uint64_t move_now_ms(void);
/* A line for people, about what comes next. */
PRINTF(2, 3) void move_announce(const struct source *source, const char *fmt, ...);

/* --- source_copy.c --- */

/* Send the disk while the VPS runs, in rounds, until what is left goes quickly, or does not become
 * less. */
MUST_CHECK struct err *move_send_rounds(struct source *source);
/* It stands still: send the rest, and wait until the target is prepared. */
MUST_CHECK struct err *move_send_last(struct source *source);

#endif
