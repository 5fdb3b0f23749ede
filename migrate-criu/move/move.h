/*
 * Moving a VPS to another host, over one ssh session that runs "cella migrate-receive" there. What
 * each end remembers, and what that forbids, is runtime/vps/moving.h; what they say to each other
 * is drawn in wire.h. No port is listened on.
 *
 * A cold move: stop, copy, start. Near-live: copy while it runs, stop, copy what has changed,
 * start. The disk goes as a backup (rootfs/backup.h), or in rounds that build upon each other,
 * which the target has verified before it says that it is prepared.
 */
#ifndef MIGRATE_CRIU_MOVE_MOVE_H
#define MIGRATE_CRIU_MOVE_MOVE_H

#include <stdarg.h>

#include "runtime/vps/moving.h"

enum move_how { MOVE_BEST, MOVE_COLD, MOVE_NEAR_LIVE };
/* "near-live" */
const char *move_how_name(enum move_how how);
enum move_flags {
	MOVE_CHECK = 1,	     /* only find out whether it would be possible */
	MOVE_KEEP_SOURCE = 2 /* disk and definition stay here, and cannot be started */
};
/* Told what comes next; the caller embeds it in a struct of its own. */
struct move_voice {
	void (*say)(struct move_voice *voice, const char *fmt, va_list args);
};
struct move_request {
	const char *name;
	const char *peer; /* [USER@]HOST, as ssh takes it */
	enum move_how how;
	unsigned int flags;
	uint64_t bytes_per_s; /* read its disk not faster; 0: as fast as can be */
	struct template_progress *progress;
	struct move_voice *voice; /* NULL: nobody listens */
};
#define MOVE_ROUNDS_MAX 16
struct move_round {
	uint64_t sent_bytes;
	uint64_t ms; /* until the target had it on its disk */
};
struct move_result {
	bool was_running;
	enum move_how how;			   /* MOVE_COLD for one that was down */
	struct move_round rounds[MOVE_ROUNDS_MAX]; /* the last one with the VPS down */
	size_t round_count;
	uint64_t disk_bytes, sent_bytes; /* of its files; over the wire */
	uint64_t total_ms, down_ms; /* down_ms: it ran neither here nor there; 0: it was down */
	struct strlist refusals;    /* why it cannot be moved, a line each */
	struct strlist remarks;	    /* what will be other than here */
};
void move_result_release(struct move_result *result);
static inline __attribute__((unused)) void own_move_result(struct move_result *result)
{
	move_result_release(result);
}
/*
 * Move a VPS. With refusals nothing was begun: ERR_STATE, or success with MOVE_CHECK. On any other
 * failure it is here and runs if it ran before, unless the error says that it is in doubt.
 * ERR_NOT_FOUND; ERR_INVALID: the host's name; ERR_PEER: the other host.
 */
MUST_CHECK struct err *move_send(const struct vps_host *host, const struct move_request *request,
				 struct move_result *ret_result);

/* The other end: what the source says on standard input, until it has no more to say. from: who
 * that is, for people. */
MUST_CHECK struct err *move_receive(const struct vps_host *host, const char *from);

/* For a move of which this host does not know the end: ask the other one, or take the operator's
 * word that it is here or there. *ret_now: what came of it. ERR_STATE: nothing is to be resolved;
 * ERR_PEER: the other host cannot be asked, or does not know either. */
enum move_word { MOVE_ASK, MOVE_IS_HERE, MOVE_IS_THERE };
MUST_CHECK struct err *move_resolve(const struct vps_host *host, const char *name,
				    enum move_word word, enum moving_state *ret_now);

#endif
