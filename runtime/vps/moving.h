/*
 * A VPS between two hosts: the journal of its move, one file per VPS and host, and the fence that
 * the journal is. /var/lib/cella/moving/NAME.json is replaced whole and made durable at each step,
 * so that a kill or a power cut at any instant leaves one of these states.
 *
 *	source                          target
 *	SENDING     may give up         RECEIVING  may give up
 *	                                PREPARED   all is there; waits for the other's word
 *	COMMITTED   may not run it      ACTIVE     it is this host's, to be started: the commit
 *	REMOVING    its copy goes       DONE       it was
 *	GONE        says where it went
 *	RETURNING   it stays, and is    DISCARDED  it never ran here, its copy goes
 *	            to be started
 *	RETURNED    the other host may not know that yet
 *
 * Presumed abort: a source without COMMITTED has the VPS. The lock of the move is held by the
 * command at work; who finds it free puts right what that command left (vps_lock() does). What only
 * the other host knows is migrate-criu/move's to ask.
 */
#ifndef RUNTIME_VPS_MOVING_H
#define RUNTIME_VPS_MOVING_H

#include "runtime/vps/room.h"

enum moving_state {
	MOVING_NONE, /* no journal */
	MOVING_SENDING,
	MOVING_COMMITTED,
	MOVING_REMOVING,
	MOVING_GONE,
	MOVING_RETURNING,
	MOVING_RETURNED,
	MOVING_RECEIVING,
	MOVING_PREPARED,
	MOVING_ACTIVE,
	MOVING_DONE,
	MOVING_DISCARDED,
	MOVING_STATE_COUNT
};
/* As the journal and the other host are told: "sending". */
const char *moving_state_name(enum moving_state state);
/* ERR_INVALID. */
MUST_CHECK struct err *moving_state_parse(const char *text, enum moving_state *ret_state);

#define MOVING_ID_MAX 33 /* 32 hex digits and a NUL */
#define MOVING_PEER_MAX 256
struct moving {
	enum moving_state state;
	char id[MOVING_ID_MAX];	    /* of this move alone; who knows it is one of its two ends */
	char peer[MOVING_PEER_MAX]; /* the other host, as ssh is told; on the target for people */
	bool was_running;	    /* so it is to run after the move */
	uint64_t since_s;	    /* of this state, since 1970 */
};
/* A new id. */
MUST_CHECK struct err *moving_id_new(char *ret_id);
bool moving_is_id(const char *text);

/* The text of a journal. ERR_INVALID names the member. */
MUST_CHECK struct err *moving_parse(const char *text, size_t len, struct moving *ret_moving);
MUST_CHECK struct err *moving_format(const struct moving *moving, char **ret_text);

/* state MOVING_NONE: there is none. ERR_INVALID: it is damaged. */
MUST_CHECK struct err *moving_read(const struct vps_host *host, const char *name,
				   struct moving *ret_moving);
/* Go on to a state, durably. */
MUST_CHECK struct err *moving_write(const struct vps_host *host, const char *name,
				    struct moving *moving, enum moving_state state);
/* Missing is success. */
MUST_CHECK struct err *moving_forget(const struct vps_host *host, const char *name);

/* Held by the command that moves the VPS, beside or without the VPS's lock. *ret_fd -1: another
 * process has it. */
MUST_CHECK struct err *moving_lock(const struct vps_host *host, const char *name, int *ret_fd);

/* The fence. ERR_STATE says where the VPS is and what is to be done. */
MUST_CHECK struct err *moving_check_start(const struct vps_host *host, const char *name);
MUST_CHECK struct err *moving_check_destroy(const struct vps_host *host, const char *name);
/* For who makes a VPS of this name: a tombstone is in nobody's way, and forgotten. */
MUST_CHECK struct err *moving_check_make(const struct vps_host *host, const char *name);

/* Done by vps_lock(): what this host alone can put right after a killed command. */
MUST_CHECK struct err *moving_recover(const struct vps_host *host, const char *name);
/* Is there something of that kind, that nobody is at work on? */
MUST_CHECK struct err *moving_is_left(const struct vps_host *host, const char *name,
				      bool *ret_left);
/* The VPS's lock is held: it starts, if it was running and does not run. */
MUST_CHECK struct err *moving_start(const struct vps_host *host, const char *name,
				    const struct moving *moving);

/* --- the sums of traffic, which go with it (moving_traffic.c) --- */

/* "IFNAME" and its sums as text, one after the other. */
MUST_CHECK struct err *traffic_export(const struct vps_host *host, const char *name,
				      struct strlist *ret_pairs);
/* ERR_INVALID: not what traffic_export() gave. */
MUST_CHECK struct err *traffic_import(const struct vps_host *host, const char *name,
				      const struct strlist *pairs);

#endif
