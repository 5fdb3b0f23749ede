/* What is done when one host does not know what came of a move: by asking the other one, or by the
 * operator's word. See wire.h. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "migrate-criu/move/wire.h"

/* A message about this move. The strings stay the caller's. */
static struct err *say(struct move_channel *channel, enum move_kind kind, const char *name,
		       const struct moving *moving)
{
	OWN(move_message) struct move_message message = { 0 };

	TRY(str_dup(moving->id, &message.id));
	TRY(str_dup(name, &message.name));
	return move_send_frame(channel, kind, &message);
}

struct err *move_let_go(const struct vps_host *host, const char *name, struct moving *moving,
			bool keep)
{
	if (!keep) {
		TRY(moving_write(host, name, moving, MOVING_REMOVING));
		move_fault("source:removing");
		TRY(destroy_locked(host, name, DESTROY_ALL));
	}
	return moving_write(host, name, moving, MOVING_GONE);
}

/* It is this host's, and runs if it ran. */
static struct err *take_back(const struct vps_host *host, const char *name, struct moving *moving)
{
	TRY(moving_write(host, name, moving, MOVING_RETURNING));
	log_warn(err_wrap(moving_start(host, name, moving), "VPS %s, after its move", name));
	return moving_write(host, name, moving, MOVING_RETURNED);
}

static struct err *unknown(const struct move_channel *channel, const char *state)
{
	return err_new(ERR_PEER,
		       "%s says '%s': look there, and then say here where it is "
		       "(migrate-resolve --here or --there)",
		       channel->peer, state);
}

/* The answer to COMMIT: DONE, FAILED, or the STATE that it is in already. */
static struct err *hear_end(struct move_channel *channel, enum moving_state *ret_there,
			    struct err **ret_why)
{
	OWN(move_message) struct move_message message = { 0 };
	enum move_kind kind;

	*ret_there = MOVING_DONE;
	TRY(move_recv_frame(channel, &kind, &message));
	if (kind == MOVE_DONE)
		return NULL;
	if (kind == MOVE_STATE)
		return moving_state_parse(message.state, ret_there);
	if (kind != MOVE_FAILED)
		return err_new(ERR_PEER, "%s ended the connection", channel->peer);
	*ret_why = err_new(ERR_PEER, "%s: %s", channel->peer, message.text);
	return NULL;
}

/* FAILED is not yet the word that it does not run there. */
static struct err *ask(struct move_channel *channel, const char *name, const struct moving *moving,
		       enum moving_state *ret_there)
{
	OWN(move_message) struct move_message message = { 0 };

	TRY(say(channel, MOVE_QUERY, name, moving));
	TRY(move_expect(channel, MOVE_STATE, &message));
	return moving_state_parse(message.state, ret_there);
}

struct err *move_finish(const struct vps_host *host, const char *name, struct moving *moving,
			struct move_channel *channel, enum moving_state *ret_now)
{
	struct err *why = NULL;
	enum moving_state there = MOVING_NONE;

	TRY(say(channel, MOVE_COMMIT, name, moving));
	move_fault("source:commit-said");
	TRY(hear_end(channel, &there, &why));
	if (why)
		TRY(err_first(ask(channel, name, moving, &there), NULL));
	*ret_now = MOVING_GONE;
	if (there == MOVING_DONE || there == MOVING_ACTIVE) {
		err_drop(why); /* it is there all the same */
		return NULL;
	}
	if (there != MOVING_DISCARDED)
		return why ? why : unknown(channel, moving_state_name(there));
	TRY(take_back(host, name, moving));
	err_drop(say(channel, MOVE_RELEASE, name, moving)); /* else its record stays, to no harm */
	TRY(moving_forget(host, name));
	*ret_now = MOVING_RETURNED;
	return why;
}

struct err *move_call_off(const struct vps_host *host, const char *name, struct moving *moving,
			  struct move_channel *channel)
{
	OWN(move_message) struct move_message message = { 0 };
	enum moving_state there;

	if (moving->state != MOVING_RETURNED)
		return NULL;
	if (!str_eq(moving->peer, channel->peer))
		return err_new(
			ERR_STATE,
			"VPS %s: a move of it to %s was broken off, and that host may keep a "
			"copy: cella migrate-resolve %s",
			name, moving->peer, name);
	TRY(say(channel, MOVE_ABORT, name, moving));
	TRY(move_expect(channel, MOVE_STATE, &message));
	TRY(moving_state_parse(message.state, &there));
	if (there != MOVING_NONE && there != MOVING_DISCARDED)
		return unknown(channel, message.state);
	return moving_forget(host, name);
}

/* --- by the operator --- */

static struct err *ask_peer(const struct vps_host *host, const char *name, struct moving *moving,
			    enum moving_state *ret_now)
{
	OWN(move_ssh) struct move_ssh ssh = MOVE_SSH_INIT;

	TRY(move_check_peer(moving->peer));
	TRY(move_ssh_open(moving->peer, &ssh));
	if (moving->state == MOVING_RETURNED) {
		*ret_now = MOVING_RETURNED;
		return move_call_off(host, name, moving, &ssh.channel);
	}
	TRY(move_finish(host, name, moving, &ssh.channel, ret_now));
	if (*ret_now != MOVING_GONE)
		return NULL;
	err_drop(say(&ssh.channel, MOVE_RELEASE, name, moving)); /* else its record stays */
	/* as with --keep-source: what is removed by and by, is removed by who knows that it may */
	return move_let_go(host, name, moving, true);
}

static struct err *is_here(const struct vps_host *host, const char *name, struct moving *moving,
			   enum moving_state *ret_now)
{
	if (moving->state == MOVING_COMMITTED || moving->state == MOVING_RETURNED) {
		*ret_now = MOVING_RETURNED;
		if (moving->state == MOVING_COMMITTED)
			TRY(take_back(host, name, moving));
		return moving_forget(host, name);
	}
	*ret_now = MOVING_DONE;
	TRY(moving_write(host, name, moving, MOVING_ACTIVE));
	TRY(moving_start(host, name, moving));
	return moving_write(host, name, moving, MOVING_DONE);
}

static struct err *is_there(const struct vps_host *host, const char *name, struct moving *moving,
			    enum moving_state *ret_now)
{
	*ret_now = moving->state == MOVING_PREPARED ? MOVING_DISCARDED : MOVING_GONE;
	if (moving->state == MOVING_RETURNED)
		return err_new(ERR_STATE, "VPS %s is here: there is no doubt about that", name);
	if (moving->state == MOVING_COMMITTED)
		return move_let_go(host, name, moving, true);
	TRY(moving_write(host, name, moving, MOVING_DISCARDED));
	return destroy_locked(host, name, DESTROY_COPY);
}

struct err *move_resolve(const struct vps_host *host, const char *name, enum move_word word,
			 enum moving_state *ret_now)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(fd) int move_fd = -1;
	struct moving moving;

	TRY(moving_read(host, name, &moving));
	if (moving.state == MOVING_NONE)
		return err_new(ERR_NOT_FOUND, "VPS %s: there is no move of it here", name);
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(moving_lock(host, name, &move_fd));
	if (move_fd < 0)
		return err_sys(EBUSY, "VPS %s: a move of it is at work", name);
	TRY(moving_read(host, name, &moving));
	if (moving.state != MOVING_COMMITTED && moving.state != MOVING_RETURNED &&
	    moving.state != MOVING_PREPARED)
		return err_new(ERR_STATE, "VPS %s: there is no doubt about its move (it is '%s')",
			       name, moving_state_name(moving.state));
	if (word == MOVE_IS_HERE)
		return is_here(host, name, &moving, ret_now);
	if (word == MOVE_IS_THERE)
		return is_there(host, name, &moving, ret_now);
	if (moving.state == MOVING_PREPARED)
		return err_new(
			ERR_STATE,
			"VPS %s came from %s, which knows: 'cella migrate-resolve %s' there, "
			"or --here or --there if that host is no more",
			name, moving.peer, name);
	return ask_peer(host, name, &moving, ret_now);
}
