/* The host that a VPS moves away from; see wire.h. The VPS's lock is held from the first look to
 * the end. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/sha256.h"
#include "migrate-criu/move/wire.h"
#include "runtime/vps/backup.h"
#include "runtime/vps/still.h"

#define TRIES_AFTER_COMMIT 3
#define PAUSE_S 2

void move_result_release(struct move_result *result)
{
	strlist_release(&result->refusals);
	strlist_release(&result->remarks);
	*result = (struct move_result){ 0 };
}

struct source {
	const struct vps_host *host;
	const struct move_request *request;
	struct move_result *result;
	struct move_ssh ssh;
	struct vps_still still; /* has the VPS's lock */
	struct moving moving;
	struct move_message message; /* the last one */
	char *conf;		     /* the definition that is offered; owned */
	int lock_fd;		     /* of the move */
	bool asked_to_prepare;	     /* the target may be prepared: it had all */
	uint64_t down_since_ms;
};

static void own_source(struct source *source)
{
	move_ssh_close(&source->ssh);
	vps_still_release(&source->still);
	move_message_release(&source->message);
	free(source->conf);
	own_fd(&source->lock_fd);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- before anything happens --- */

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
	TRY(move_check_source(source->host, request, &source->result->refusals,
			      &source->result->remarks));
	TRY(move_ssh_open(request->peer, &source->ssh));
	TRY(check_journal(source));
	return offer(source);
}

/* --- the copy --- */

struct pipe {
	struct backup_sink base;
	struct move_channel *channel;
	struct sha256 sha;
	uint64_t bytes;
};

static struct err *put(struct backup_sink *base, const void *data, size_t len)
{
	struct pipe *pipe = (void *)base;

	sha256_add(&pipe->sha, data, len);
	pipe->bytes += len;
	TRY(move_send_data(pipe->channel, data, len));
	move_fault("source:data");
	return NULL;
}

static struct err *send_disk(struct source *source, struct pipe *pipe)
{
	OWN(backup_info) struct backup_info info = { 0 };
	struct backup_write write = { .fd = -1,
				      .sink = &pipe->base,
				      .total_bytes = source->result->disk_bytes,
				      .bytes_per_s = source->request->bytes_per_s,
				      .progress = source->request->progress };
	struct err *err;

	TRY(vps_still_hold(&source->still));
	write.tree_fd = source->still.root_fd;
	TRY(str_dup(source->request->name, &info.name));
	TRY(str_dup(vps_disk(source->host, source->request->name, &source->still.conf).layout,
		    &info.layout));
	TRY(str_dup(source->conf, &info.conf));
	info.created_ns = source->still.since_ns;
	err = backup_write(&write, &info);
	TRY(err_first(err, vps_still_end(&source->still)));
	if (info.skipped)
		TRY(strlist_format(&source->result->remarks,
				   "%ju sockets and device nodes did not go with it",
				   (uintmax_t)info.skipped));
	return NULL;
}

static struct err *send_end(struct source *source, struct pipe *pipe)
{
	OWN(move_message) struct move_message end = { .bytes = pipe->bytes };
	char digest[SHA256_HEX_MAX];

	sha256_hex(&pipe->sha, digest);
	TRY(str_dup(digest, &end.digest));
	TRY(traffic_export(source->host, source->request->name, &end.traffic));
	source->asked_to_prepare = true;
	return move_send_frame(&source->ssh.channel, MOVE_END, &end);
}

/* While it unpacks it says how far it is. */
static struct err *await_prepared(struct source *source)
{
	enum move_kind kind;

	for (;;) {
		TRY(move_recv_frame(&source->ssh.channel, &kind, &source->message));
		if (kind == MOVE_PREPARED)
			return NULL;
		if (kind == MOVE_FAILED)
			return err_new(ERR_PEER, "%s: %s", source->request->peer,
				       source->message.text);
		if (kind != MOVE_PROGRESS)
			return err_new(ERR_PEER, "%s ended the connection", source->request->peer);
		if (source->request->progress)
			source->request->progress->report(source->request->progress,
							  source->message.done,
							  source->message.total);
	}
}

/* A target that gives up says why before it closes, and what is written then fails. */
static struct err *reason_of(struct source *source, struct err *err)
{
	enum move_kind kind;
	struct err *none = move_recv_frame(&source->ssh.channel, &kind, &source->message);

	if (!none && kind == MOVE_FAILED) {
		err_drop(err); /* only that the connection is broken */
		return err_new(ERR_PEER, "%s: %s", source->request->peer, source->message.text);
	}
	err_drop(none); /* then it is as it is said already */
	return err;
}

static struct err *copy(struct source *source)
{
	struct pipe pipe = { .base.put = put, .channel = &source->ssh.channel };
	struct err *err;

	sha256_init(&pipe.sha);
	err = send_disk(source, &pipe);
	if (!err)
		err = send_end(source, &pipe);
	if (err)
		return err_kind(err) == ERR_PEER ? reason_of(source, err) : err;
	return await_prepared(source);
}

static struct err *stop(struct source *source)
{
	const struct vps_stop request = { .timeout_s = VPS_UNSET };

	source->down_since_ms = now_ms();
	return source->result->was_running ?
		       stop_locked(source->host, source->request->name, &request) :
		       NULL;
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
	TRY(stop(source));
	move_fault("source:stopped");
	return copy(source);
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
		source->result->down_ms = now_ms() - source->down_since_ms;
	TRY(move_let_go(source->host, name, &source->moving,
			source->request->flags & MOVE_KEEP_SOURCE));
	TRY(str_dup(source->moving.id, &message.id));
	TRY(str_dup(name, &message.name));
	err_drop(move_send_frame(&source->ssh.channel, MOVE_RELEASE,
				 &message)); /* else its record stays, to no harm */
	return NULL;
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
	uint64_t began_ms = now_ms();
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
	err = move(&source);
	ret_result->sent_bytes = source.ssh.channel.sent_bytes;
	ret_result->total_ms = now_ms() - began_ms;
	return err;
}
