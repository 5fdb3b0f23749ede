/*
 * What the two ends of a move say to each other: frames of a fixed header and a bounded payload,
 * which is JSON but for DATA. Everything is checked when it is parsed, against the tables in
 * message.c: a frame that the other end does not send, that is too long, lacks a member or has one
 * too many ends the session.
 *
 *	source                                   target
 *	HELLO version -------------------------> is it ours?
 *	                    <------------------- HELLO version
 *	OFFER name, definition, size ----------> all that could stand in the way is looked at
 *	                    <------------------- ACCEPT remarks, or REFUSE reasons
 *	BEGIN id ------------------------------> journal: receiving
 *	                    <------------------- READY
 *	journal: sending
 *	DATA ..., ROUND digest ----------------> verify, unpack; PROGRESS now and then
 *	                    <------------------- READY
 *	... more rounds, each upon the one before; then the VPS stops
 *	DATA ..., END digest, traffic ---------> the same with the last round
 *	                    <------------------- PREPARED            journal: prepared
 *	journal: committed
 *	COMMIT id -----------------------------> journal: active, which is the commit; start
 *	                    <------------------- DONE, or FAILED     journal: done, or discarded
 *	journal: removing; then gone
 *	RELEASE id ----------------------------> the journal is forgotten
 *
 * In a session of its own, after an accident: QUERY, COMMIT, ABORT, RELEASE id; each but the last
 * is answered by STATE, COMMIT by DONE or FAILED if there is something to commit.
 */
#ifndef MIGRATE_CRIU_MOVE_WIRE_H
#define MIGRATE_CRIU_MOVE_WIRE_H

#include "base/str.h"
#include "migrate-criu/move/move.h"

#define MOVE_PROTOCOL 2
#define MOVE_DATA_MAX ((size_t)256 << 10)

enum move_kind {
	MOVE_EOF, /* no frame: the other end has closed */
	MOVE_HELLO,
	MOVE_OFFER,
	MOVE_BEGIN,
	MOVE_DATA,
	MOVE_ROUND,
	MOVE_END,
	MOVE_COMMIT,
	MOVE_ABORT,
	MOVE_RELEASE,
	MOVE_QUERY,
	MOVE_ACCEPT,
	MOVE_REFUSE,
	MOVE_READY,
	MOVE_PROGRESS,
	MOVE_PREPARED,
	MOVE_DONE,
	MOVE_FAILED,
	MOVE_STATE,
	MOVE_KIND_COUNT
};
const char *move_kind_name(enum move_kind kind);

/* All that a frame may say; which members it has is the table's. Strings and lists are owned. */
struct move_message {
	uint64_t protocol;
	char *cella;	/* version of the program */
	char *id;	/* of the move: moving_is_id() */
	char *name;	/* of the VPS: a valid one */
	char *conf;	/* its definition */
	uint64_t bytes; /* OFFER: of its files, about; ROUND, END: of all DATA since the last one */
	uint64_t running;
	char *digest;		/* of that DATA: 64 hex digits */
	struct strlist traffic; /* traffic_export() */
	struct strlist lines;	/* reasons or remarks, for people */
	char *text;		/* why, for people */
	char *state;		/* moving_state_parse() */
	uint64_t done, total;
};
void move_message_release(struct move_message *message);
static inline __attribute__((unused)) void own_move_message(struct move_message *message)
{
	move_message_release(message);
}

/* --- message.c --- */

/* The payload of a frame. ERR_INVALID names the member. */
MUST_CHECK struct err *move_message_parse(enum move_kind kind, const char *text, size_t len,
					  struct move_message *ret_message);
MUST_CHECK struct err *move_message_format(enum move_kind kind, const struct move_message *message,
					   char **ret_text);
/* How long a payload may be. */
size_t move_kind_max(enum move_kind kind);
enum move_end { MOVE_SOURCE, MOVE_TARGET };
/* Does that end send such frames? */
bool move_kind_is_from(enum move_kind kind, enum move_end end);

/* --- frame.c --- */

#define MOVE_HEADER_BYTES 12
/* "CMV1", kind, length of the payload: 32 bits each, the highest byte first. */
void move_header_format(enum move_kind kind, size_t len, unsigned char *header);
/* from: whose it is. ERR_INVALID: no header, not of that end, or longer than such a frame may be.
 */
MUST_CHECK struct err *move_header_parse(const unsigned char *header, enum move_end from,
					 enum move_kind *ret_kind, size_t *ret_len);

/* One end's view of the session. */
struct move_channel {
	int in_fd, out_fd;   /* borrowed */
	enum move_end end;   /* this one */
	const char *peer;    /* for errors; borrowed */
	uint64_t sent_bytes; /* headers too */
	struct buf payload;  /* of the last frame; owned */
};
static inline __attribute__((unused)) void own_move_channel(struct move_channel *channel)
{
	buf_release(&channel->payload);
}
MUST_CHECK struct err *move_send_frame(struct move_channel *channel, enum move_kind kind,
				       const struct move_message *message);
/* In as many frames as it takes. */
MUST_CHECK struct err *move_send_data(struct move_channel *channel, const void *data, size_t len);
/* The next frame. DATA is in channel->payload, all else in *ret_message, which is released first.
 * MOVE_EOF: there is none. */
MUST_CHECK struct err *move_recv_frame(struct move_channel *channel, enum move_kind *ret_kind,
				       struct move_message *message);
/* That frame and no other. ERR_PEER has the reason that REFUSE or FAILED gave, or says that the
 * connection ended. */
MUST_CHECK struct err *move_expect(struct move_channel *channel, enum move_kind kind,
				   struct move_message *message);
/* HELLO both ways. */
MUST_CHECK struct err *move_greet(struct move_channel *channel);

/* --- ssh.c --- */

struct move_ssh {
	int pidfd, in_fd, out_fd;
	struct move_channel channel;
};
#define MOVE_SSH_INIT                                  \
	{                                              \
		.pidfd = -1, .in_fd = -1, .out_fd = -1 \
	}
/* ERR_INVALID: peer is nothing that ssh should be told. */
MUST_CHECK struct err *move_check_peer(const char *peer);
/* Start ssh, and greet the other end. A signal that would end this process ends ssh instead, from
 * now on: what was begun is then given up in good order. ERR_PEER. */
MUST_CHECK struct err *move_ssh_open(const char *peer, struct move_ssh *ret_ssh);
void move_ssh_close(struct move_ssh *ssh);
static inline __attribute__((unused)) void own_move_ssh(struct move_ssh *ssh)
{
	move_ssh_close(ssh);
}

/* --- target_check.c --- */

/* What stands in the way of this VPS on this host, and what would be other than there. */
MUST_CHECK struct err *move_check_offer(const struct vps_host *host,
					const struct move_message *offer, struct strlist *refusals,
					struct strlist *remarks);
/* --- source_check.c: the same on the host where it is --- */
MUST_CHECK struct err *move_check_source(const struct vps_host *host,
					 const struct move_request *request,
					 struct strlist *refusals, struct strlist *remarks);

/* --- resolve.c --- */

/* The source is committed: ask the target what came of it, and go on from there. *ret_now: the
 * state that this host is in then. */
MUST_CHECK struct err *move_finish(const struct vps_host *host, const char *name,
				   struct moving *moving, struct move_channel *channel,
				   enum moving_state *ret_now);
/* The VPS has moved. keep: its copy here stays. The lock is held. */
MUST_CHECK struct err *move_let_go(const struct vps_host *host, const char *name,
				   struct moving *moving, bool keep);
/* After a broken one: tell the target, if it is the same, that this host has the VPS. */
MUST_CHECK struct err *move_call_off(const struct vps_host *host, const char *name,
				     struct moving *moving, struct move_channel *channel);

/* --- fault.c --- */

/* Test builds (CELLA_FAULTS): with this point in CELLA_MOVE_FAIL, the process ends here by SIGKILL.
 */
#ifdef CELLA_FAULTS
void move_fault(const char *point);
#else
static inline void move_fault(const char *point)
{
	(void)point;
}
#endif

#endif
