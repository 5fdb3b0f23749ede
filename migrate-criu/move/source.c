/* The host that a VPS moves away from; see wire.h. The VPS's lock is held from the first look to
 * the end. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "migrate-criu/move/source.h"

#define TRIES_AFTER_COMMIT 3
#define PAUSE_S 2

const char *move_how_name(enum move_how how)
{
	static const char *const names[] = { [MOVE_BEST] = "as well as can be",
					     [MOVE_COLD] = "cold",
					     [MOVE_NEAR_LIVE] = "near-live" };

	return names[how];
}

void move_result_release(struct move_result *result)
{
	strlist_release(&result->refusals);
	strlist_release(&result->remarks);
	*result = (struct move_result){ 0 };
}

static void own_source(struct source *source)
{
	move_ssh_close(&source->ssh);
	vps_still_release(&source->still);
	move_message_release(&source->message);
	free(source->conf);
	own_backup_base(&source->base);
	own_fd(&source->lock_fd);
}

uint64_t move_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void move_announce(const struct source *source, const char *fmt, ...)
{
	va_list args;

	if (!source->request->voice)
		return;
	va_start(args, fmt);
	source->request->voice->say(source->request->voice, fmt, args);
	va_end(args);
}

/* --- before anything happens --- */

/* A VPS that does not run has nothing to be quick for. */
static void choose(struct source *source)
{
	struct move_result *result = source->result;

	result->how = source->request->how == MOVE_BEST ? MOVE_NEAR_LIVE : source->request->how;
	if (!result->was_running)
		result->how = MOVE_COLD;
}

static struct err *check_journal(struct source *source)
{
	const char *name = source->request->name;

	TRY(moving_lock(source->host, name, &source->lock_fd));
	if (source->lock_fd < 0)
		return err_sys(EBUSY, "VPS %s: another move of it is at work", name);
	TRY(moving_check_start(source->host, name));
	TRY(moving_read(source->host, name, &source->moving));
	return move_call_off(source->host, name, &source->moving, &source->ssh.channel);
}

static struct err *send_offer(struct source *source)
{
	OWN(move_message) struct move_message offer = { 0 };

	offer.bytes = source->result->disk_bytes = vps_still_bytes(&source->still);
	offer.running = source->result->was_running;
	TRY(str_dup(source->request->name, &offer.name));
	TRY(str_dup(source->conf, &offer.conf));
	return move_send_frame(&source->ssh.channel, MOVE_OFFER, &offer);
}

/* What the target has against it goes into the result. */
static struct err *offer(struct source *source)
{
	struct strlist *lists[] = { &source->result->remarks, &source->result->refusals };
	const char *peer = source->request->peer;
	enum move_kind kind;

	TRY(vps_still_conf(&source->still, &source->conf));
	TRY(send_offer(source));
	TRY(move_recv_frame(&source->ssh.channel, &kind, &source->message));
	if (kind != MOVE_ACCEPT && kind != MOVE_REFUSE)
		return err_new(ERR_PEER, "%s: %s", peer,
			       kind == MOVE_FAILED ? source->message.text :
						     "it ended the connection");
	for (size_t i = 0; i < source->message.lines.count; i++)
		TRY(strlist_format(lists[kind == MOVE_REFUSE], "%s: %s", peer,
				   source->message.lines.items[i]));
	return NULL;
}

static struct err *check(struct source *source)
{
	const struct move_request *request = source->request;
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(move_check_peer(request->peer));
	TRY(vps_still_begin(source->host, request->name, &source->still));
	TRY(vps_load_state(source->host, request->name, &state, &source->result->was_running));
	choose(source);
	TRY(move_check_source(source->host, request, &source->result->refusals,
			      &source->result->remarks));
	TRY(move_ssh_open(request->peer, &source->ssh));
	TRY(check_journal(source));
	return offer(source);
}

/* --- the move --- */

/* It may have ended by itself while its disk was sent: then it is to run there all the same. */
static struct err *stop(struct source *source)
{
	const struct vps_stop request = { .timeout_s = VPS_UNSET };
	struct err *err;

	source->down_since_ms = move_now_ms();
	if (!source->result->was_running)
		return NULL;
	move_announce(source, "VPS %s is stopped now", source->request->name);
	err = stop_locked(source->host, source->request->name, &request);
	if (!err || err_kind(err) != ERR_STATE || source->result->how == MOVE_COLD)
		return err;
	err_drop(err); /* it did not run */
	return vps_check_down(source->host, source->request->name);
}

/* All that may be given up without a word of the target. */
static struct err *prepare(struct source *source)
{
	OWN(move_message) struct move_message begin = { 0 };
	struct moving *moving = &source->moving;

	*moving = (struct moving){ .was_running = source->result->was_running };
	TRY(moving_id_new(moving->id));
	memcpy(moving->peer, source->request->peer, strlen(source->request->peer) + 1);
	TRY(str_dup(moving->id, &begin.id));
	TRY(move_send_frame(&source->ssh.channel, MOVE_BEGIN, &begin));
	TRY(move_expect(&source->ssh.channel, MOVE_READY, &source->message));
	TRY(moving_write(source->host, source->request->name, moving, MOVING_SENDING));
	move_fault("source:sending");
	if (source->result->how == MOVE_NEAR_LIVE)
		TRY(move_send_rounds(source));
	TRY(stop(source));
	move_fault("source:stopped");
	return move_send_last(source);
}

/* --- after it --- */

/* Let go of everything, the VPS's lock puts right what was begun. */
static struct err *give_up(struct source *source, struct err *why)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	const char *name = source->request->name;
	struct err *err;

	move_ssh_close(&source->ssh);
	vps_still_release(&source->still);
	own_fd(&source->lock_fd);
	source->lock_fd = -1;
	err = vps_lock(source->host, name, VPS_LOCK_PATIENT, &lock);
	/* what it had not got whole, the target has removed by itself */
	if (!err && !source->asked_to_prepare)
		err = moving_forget(source->host, name);
	log_warn(err);
	return why;
}

static struct err *reconnect(struct source *source)
{
	const struct timespec pause = { .tv_sec = PAUSE_S };

	nanosleep(&pause, NULL);
	move_ssh_close(&source->ssh);
	return move_ssh_open(source->request->peer, &source->ssh);
}

static struct err *in_doubt(const struct source *source, struct err *why)
{
	const char *name = source->request->name;
	struct err *err =
		err_new(ERR_PEER,
			"VPS %s was handed over to %s, which does not say that it has it "
			"(%.500s): it stays stopped here until 'cella migrate-resolve %s'",
			name, source->request->peer, err_text(why), name);

	err_drop(why); /* it is in the text */
	return err;
}

/* The decision, and whatever it takes to hear what came of it. */
static struct err *hand_over(struct source *source, enum moving_state *ret_now)
{
	const char *name = source->request->name;
	struct err *err;

	move_fault("source:prepared");
	TRY(moving_write(source->host, name, &source->moving, MOVING_COMMITTED));
	move_fault("source:committed");
	err = move_finish(source->host, name, &source->moving, &source->ssh.channel, ret_now);
	for (int i = 0; err && source->moving.state == MOVING_COMMITTED; i++) {
		if (i == TRIES_AFTER_COMMIT)
			return in_doubt(source, err);
		err_drop(err); /* asked again, it may say something else */
		err = reconnect(source);
		if (!err)
			err = move_finish(source->host, name, &source->moving, &source->ssh.channel,
					  ret_now);
	}
	return err;
}

static struct err *release(struct source *source)
{
	const char *name = source->request->name;
	OWN(move_message) struct move_message message = { 0 };

	if (source->result->was_running)
		source->result->down_ms = move_now_ms() - source->down_since_ms;
	TRY(move_let_go(source->host, name, &source->moving,
			source->request->flags & MOVE_KEEP_SOURCE));
	TRY(str_dup(source->moving.id, &message.id));
	TRY(str_dup(name, &message.name));
	err_drop(move_send_frame(&source->ssh.channel, MOVE_RELEASE,
				 &message)); /* else its record stays, to no harm */
	return NULL;
}

static void say_first(const struct source *source)
{
	static const char *const ways[] = {
		[MOVE_COLD] = "it is stopped, sent, and started there",
		[MOVE_NEAR_LIVE] = "it is sent while it runs, then stopped, and started there when "
				   "what has changed meanwhile is there, too",
	};

	if (source->result->was_running)
		move_announce(source, "VPS %s moves %s: %s", source->request->name,
			      move_how_name(source->result->how), ways[source->result->how]);
}

static struct err *move(struct source *source)
{
	enum moving_state now = MOVING_NONE;
	struct err *err = prepare(source);

	if (err)
		return give_up(source, err);
	TRY(hand_over(source, &now));
	if (now != MOVING_GONE)
		return err_new(ERR_PEER, "%s could not start VPS %s: it is here again",
			       source->request->peer, source->request->name);
	return release(source);
}

struct err *move_send(const struct vps_host *host, const struct move_request *request,
		      struct move_result *ret_result)
{
	OWN(source)
	struct source source = {
		.host = host,
		.request = request,
		.result = ret_result,
		.ssh = MOVE_SSH_INIT,
		.lock_fd = -1,
	};
	uint64_t began_ms = move_now_ms();
	struct err *err;

	vps_still_init(&source.still);
	TRY(check(&source));
	if (ret_result->refusals.count)
		return request->flags & MOVE_CHECK ?
			       NULL :
			       err_new(ERR_STATE, "VPS %s cannot be moved to %s", request->name,
				       request->peer);
	if (request->flags & MOVE_CHECK)
		return NULL;
	say_first(&source);
	err = move(&source);
	ret_result->sent_bytes = source.ssh.channel.sent_bytes;
	ret_result->total_ms = move_now_ms() - began_ms;
	return err;
}
