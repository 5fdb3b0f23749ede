/* What the journal of a move forbids, and what is put right after a killed one; see moving.h. */
#include <unistd.h>

#include "base/log.h"
#include "runtime/vps/moving.h"
#include "runtime/vps/watcher.h"

/* What a state means for other commands. A row without text forbids nothing. */
static const struct fence {
	const char *what, *cure; /* both may have one %s each: the other host, the VPS */
	bool keeps_copy;	 /* it must not be destroyed either */
} fences[MOVING_STATE_COUNT] = {
	[MOVING_SENDING] = { "is being moved to", "wait for that command", true },
	[MOVING_COMMITTED] = { "was handed over to",
			       "that host has not said yet that it has it: cella migrate-resolve",
			       true },
	[MOVING_REMOVING] = { "has moved to", "it is started there", false },
	[MOVING_GONE] = { "has moved to", "it is started there; 'cella destroy' forgets it here",
			  false },
	[MOVING_RECEIVING] = { "is just coming from", "wait for that command", true },
	[MOVING_PREPARED] = { "is here for",
			      "that host has not given it away yet: 'cella migrate-resolve' there",
			      true },
	[MOVING_DISCARDED] = { "did not come from", "'cella destroy' removes what is left", false },
};

static struct err *refuse(const char *name, const struct moving *moving)
{
	const struct fence *fence = &fences[moving->state];

	return err_new(ERR_STATE, "VPS %s %s %s: %s", name, fence->what, moving->peer, fence->cure);
}

struct err *moving_check_start(const struct vps_host *host, const char *name)
{
	struct moving moving;

	TRY(moving_read(host, name, &moving));
	return fences[moving.state].what ? refuse(name, &moving) : NULL;
}

struct err *moving_check_destroy(const struct vps_host *host, const char *name)
{
	struct moving moving;

	TRY(moving_read(host, name, &moving));
	return fences[moving.state].keeps_copy ? refuse(name, &moving) : NULL;
}

struct err *moving_check_make(const struct vps_host *host, const char *name)
{
	TRY(moving_check_destroy(host, name));
	return moving_forget(host, name);
}

/* --- after a kill --- */

static bool is_left(enum moving_state state)
{
	return state == MOVING_SENDING || state == MOVING_REMOVING || state == MOVING_RETURNING ||
	       state == MOVING_RECEIVING || state == MOVING_ACTIVE || state == MOVING_DISCARDED;
}

struct err *moving_start(const struct vps_host *host, const char *name, const struct moving *moving)
{
	OWN(ct_state) struct ct_state state = { 0 };
	bool lives;

	if (!moving->was_running)
		return NULL;
	TRY(vps_load_state(host, name, &state, &lives));
	return lives ? NULL : start_locked(host, name);
}

static struct err *start_again(const struct vps_host *host, const char *name, struct moving *moving,
			       enum moving_state next)
{
	/* started or not, it is this host's, and a start by hand says why not */
	log_warn(err_wrap(moving_start(host, name, moving), "VPS %s, after its move", name));
	return moving_write(host, name, moving, next);
}

static struct err *remove_copy(const struct vps_host *host, const char *name)
{
	OWN(str) char *stream = NULL;

	TRY(str_format(&stream, "%s/%s.stream", host->moving_dir, name));
	unlink(stream); /* of one that was being received, if any */
	return destroy_locked(host, name, DESTROY_COPY);
}

static struct err *put_right(const struct vps_host *host, const char *name, struct moving *moving)
{
	switch (moving->state) {
	case MOVING_SENDING:
		log_warning("VPS %s: its move to %s was broken off; it stays here", name,
			    moving->peer);
		TRY(moving_write(host, name, moving, MOVING_RETURNING));
		return start_again(host, name, moving, MOVING_RETURNED);
	case MOVING_RETURNING:
		return start_again(host, name, moving, MOVING_RETURNED);
	case MOVING_REMOVING:
		TRY(destroy_locked(host, name, DESTROY_ALL));
		return moving_write(host, name, moving, MOVING_GONE);
	case MOVING_RECEIVING:
		TRY(remove_copy(host, name));
		return moving_forget(host, name);
	case MOVING_DISCARDED:
		return remove_copy(host, name);
	case MOVING_ACTIVE:
		return start_again(host, name, moving, MOVING_DONE);
	case MOVING_NONE:
	case MOVING_COMMITTED:
	case MOVING_GONE:
	case MOVING_RETURNED:
	case MOVING_PREPARED:
	case MOVING_DONE:
	case MOVING_STATE_COUNT:
		break;
	}
	return NULL;
}

/* *ret_fd -1: nothing is left to be put right, or somebody is at it. */
static struct err *find_left(const struct vps_host *host, const char *name,
			     struct moving *ret_moving, int *ret_fd)
{
	*ret_fd = -1;
	TRY(moving_read(host, name, ret_moving));
	if (!is_left(ret_moving->state))
		return NULL;
	TRY(moving_lock(host, name, ret_fd));
	return *ret_fd < 0 ? NULL : moving_read(host, name, ret_moving);
}

struct err *moving_is_left(const struct vps_host *host, const char *name, bool *ret_left)
{
	struct moving moving;
	OWN(fd) int fd = -1;

	TRY(find_left(host, name, &moving, &fd));
	*ret_left = fd >= 0 && moving.state != MOVING_DISCARDED;
	return NULL;
}

struct err *moving_recover(const struct vps_host *host, const char *name)
{
	struct moving moving;
	OWN(fd) int fd = -1;
	struct err *err = find_left(host, name, &moving, &fd);

	if (err && err_kind(err) == ERR_INVALID) {
		log_warn(err); /* the fence holds; other commands must go on */
		return NULL;
	}
	if (err)
		return err;
	return fd < 0 ? NULL : err_wrap(put_right(host, name, &moving), "recover VPS %s", name);
}
