/* The host that a VPS moves to: one session, on standard input and output; see wire.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"
#include "migrate-criu/move/wire.h"
#include "runtime/vps/arrive.h"

#define WHY_MAX 1900
/* Above the size of the files that were offered: index, archive headers, what cannot be packed. */
#define STREAM_EXTRA_BYTES (UINT64_C(64) << 20)

struct target {
	const struct vps_host *host;
	struct move_channel channel;
	struct move_message message; /* the last one */
	struct move_message offer;
	struct moving moving;
	const char *from;
	int lock_fd; /* of the move */
};

static void own_target(struct target *target)
{
	own_move_channel(&target->channel);
	move_message_release(&target->message);
	move_message_release(&target->offer);
	own_fd(&target->lock_fd);
}

/* --- receiving the disk --- */

/* What comes, a round at a time, and waits to be unpacked. */
struct stream {
	struct vps_arrival base; /* first */
	struct target *target;
	int fd;
	char *path; /* owned */
	struct sha256 sha;
	uint64_t rounds, bytes, max_bytes; /* bytes: of this round */
};

static void own_stream(struct stream *stream)
{
	if (stream->fd >= 0)
		unlink(stream->path);
	own_fd(&stream->fd);
	free(stream->path);
}

/* Who runs there may write meanwhile. Where nobody has counted what comes: half of what is free,
 * for the disk needs room as well. */
static struct err *choose_max(const struct target *target, struct stream *stream)
{
	struct statvfs fs;

	stream->max_bytes = target->offer.bytes + target->offer.bytes / 4 + STREAM_EXTRA_BYTES;
	if (target->offer.bytes)
		return NULL;
	if (fstatvfs(stream->fd, &fs) < 0)
		return err_sys(errno, "look at the space of %s", target->host->moving_dir);
	stream->max_bytes = (uint64_t)fs.f_bavail * fs.f_frsize / 2;
	return NULL;
}

static struct err *open_stream(const struct target *target, struct stream *stream)
{
	TRY(str_format(&stream->path, "%s/%s.stream", target->host->moving_dir,
		       target->offer.name));
	stream->fd = open(stream->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (stream->fd < 0)
		return err_sys(errno, "create %s", stream->path);
	return choose_max(target, stream);
}

/* The one before is on disk: its room is free. */
static struct err *begin_round(struct stream *stream)
{
	stream->bytes = 0;
	sha256_init(&stream->sha);
	if (ftruncate(stream->fd, 0) < 0 || lseek(stream->fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "empty %s", stream->path);
	if (stream->rounds++ == 0)
		return NULL;
	return move_send_frame(&stream->target->channel, MOVE_READY, &(struct move_message){ 0 });
}

static struct err *take_block(struct stream *stream, const struct buf *block)
{
	stream->bytes += block->len;
	if (stream->bytes > stream->max_bytes)
		return err_new(ERR_INVALID, "it sends more than it offered");
	sha256_add(&stream->sha, block->data, block->len);
	return fd_write_all(stream->fd, stream->path, block->data, block->len);
}

static struct err *check_end(struct stream *stream, const struct move_message *end)
{
	char digest[SHA256_HEX_MAX];

	sha256_hex(&stream->sha, digest);
	if (end->bytes != stream->bytes || !str_eq(end->digest, digest))
		return err_new(ERR_INVALID, "the disk did not arrive as it was sent");
	return NULL;
}

/* All DATA up to ROUND or END, which is in target->message then. */
static struct err *next_round(struct vps_arrival *base, struct arrival_round *ret_round)
{
	struct stream *stream = (void *)base;
	struct target *target = stream->target;
	enum move_kind kind;

	TRY(begin_round(stream));
	for (;;) {
		TRY(move_recv_frame(&target->channel, &kind, &target->message));
		if (kind == MOVE_ROUND || kind == MOVE_END)
			break;
		if (kind != MOVE_DATA)
			return err_new(ERR_PEER, "%s: %s where the disk was awaited", target->from,
				       move_kind_name(kind));
		TRY(take_block(stream, &target->channel.payload));
		move_fault(stream->rounds == 1 ? "target:data" : "target:more-data");
	}
	TRY(check_end(stream, &target->message));
	*ret_round = (struct arrival_round){ .fd = stream->fd,
					     .path = stream->path,
					     .is_last = kind == MOVE_END };
	return NULL;
}

struct relay {
	struct template_progress base;
	struct target *target;
};

/* A connection that is gone is noticed when it counts. */
static void relay_progress(struct template_progress *base, uint64_t done, uint64_t total)
{
	struct relay *relay = (void *)base;
	const struct move_message message = { .done = done, .total = total };

	err_drop(move_send_frame(&relay->target->channel, MOVE_PROGRESS, &message));
}

static struct err *receive_vps(struct target *target)
{
	struct relay relay = { .base.report = relay_progress, .target = target };
	OWN(stream)
	struct stream stream = { .base = { .name = target->offer.name,
					   .conf = target->offer.conf,
					   .next = next_round,
					   .progress = &relay.base },
				 .target = target,
				 .fd = -1 };

	TRY(open_stream(target, &stream));
	TRY(vps_arrive(target->host, &stream.base));
	return traffic_import(target->host, target->offer.name, &target->message.traffic);
}

/* --- journal --- */

static struct err *go_on(struct target *target, enum moving_state state)
{
	return moving_write(target->host, target->offer.name, &target->moving, state);
}

/* Let go of the move; the lock of the VPS then removes what is not to stay. */
static void settle(struct target *target)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;

	own_fd(&target->lock_fd);
	target->lock_fd = -1;
	log_warn(vps_lock(target->host, target->offer.name, VPS_LOCK_PATIENT, &lock));
	vps_lock_forget(target->host, target->offer.name);
}

/* What a killed one left here of this VPS; then its state is what is known of it. */
static struct err *put_right(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	bool left;

	TRY(moving_is_left(host, name, &left));
	return left ? vps_lock(host, name, VPS_LOCK_PATIENT, &lock) : NULL;
}

static struct err *take_lock(struct target *target, const char *name)
{
	own_fd(&target->lock_fd);
	TRY(moving_lock(target->host, name, &target->lock_fd));
	return target->lock_fd < 0 ?
		       err_sys(EBUSY, "VPS %s: another move of it is at work here", name) :
		       NULL;
}

/* Nothing of that name may be here: what goes wrong from now on removes it. */
static struct err *reserve(struct target *target)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	const char *name = target->offer.name;
	bool exists;

	TRY(take_lock(target, name));
	TRY(vps_lock(target->host, name, VPS_LOCK_PATIENT, &lock));
	TRY(store_exists(target->host, name, &exists));
	if (exists)
		return err_new(ERR_EXISTS, "VPS %s exists already", name);
	TRY(moving_check_destroy(target->host, name));
	target->moving = (struct moving){ .was_running = target->offer.running };
	memcpy(target->moving.id, target->message.id, MOVING_ID_MAX); /* moving_is_id() */
	strncpy(target->moving.peer, target->from, MOVING_PEER_MAX - 1);
	return go_on(target, MOVING_RECEIVING);
}

/* --- the word of the source --- */

/* The error is consumed. */
static struct err *send_failed(struct target *target, struct err *why)
{
	OWN(str) char *text = NULL;
	struct err *err = str_escape(err_text(why), &text);

	err_drop(why); /* said to who asked for it */
	TRY(err);
	if (strlen(text) > WHY_MAX)
		text[WHY_MAX] = '\0';
	return move_send_frame(&target->channel, MOVE_FAILED,
			       &(struct move_message){ .text = text });
}

/* It never ran here to the end of its start: the source has it again. */
static struct err *take_back(struct target *target, const char *name, struct err *why)
{
	const struct vps_stop stop = { .fast = true };
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	struct err *err = vps_lock(target->host, name, VPS_LOCK_PATIENT, &lock);

	if (!err)
		err = stop_locked(target->host, name, &stop);
	if (err && err_kind(err) == ERR_STATE) {
		err_drop(err); /* it did not run */
		err = NULL;
	}
	if (!err)
		err = vps_check_down(target->host, name);
	if (!err)
		err = moving_write(target->host, name, &target->moving, MOVING_DISCARDED);
	if (!err)
		err = destroy_locked(target->host, name, DESTROY_COPY);
	log_warn(err);
	return send_failed(target, why);
}

/* The commit is the rename in moving_write(). */
static struct err *commit(struct target *target, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	struct err *err;

	move_fault("target:prepared");
	TRY(vps_lock(target->host, name, VPS_LOCK_PATIENT, &lock));
	TRY(moving_write(target->host, name, &target->moving, MOVING_ACTIVE));
	move_fault("target:active");
	err = moving_start(target->host, name, &target->moving);
	if (err) {
		vps_unlock(&lock);
		return take_back(target, name, err);
	}
	TRY(moving_write(target->host, name, &target->moving, MOVING_DONE));
	move_fault("target:done");
	return move_send_frame(&target->channel, MOVE_DONE, &(struct move_message){ 0 });
}

static struct err *send_state(struct target *target, enum moving_state state)
{
	OWN(str) char *text = NULL;

	TRY(str_dup(moving_state_name(state), &text));
	return move_send_frame(&target->channel, MOVE_STATE,
			       &(struct move_message){ .state = text });
}

/* What was prepared for the source that has it is nobody's any more. */
static struct err *abort_move(struct target *target, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;

	TRY(vps_lock(target->host, name, VPS_LOCK_PATIENT, &lock));
	TRY(moving_write(target->host, name, &target->moving, MOVING_DISCARDED));
	TRY(destroy_locked(target->host, name, DESTROY_COPY));
	TRY(moving_forget(target->host, name));
	vps_lock_forget(target->host, name);
	return send_state(target, MOVING_DISCARDED);
}

/* COMMIT, ABORT, RELEASE and QUERY are about a move that this host remembers, by its id; of others
 * it knows nothing. */
static struct err *obey(struct target *target, enum move_kind kind)
{
	const char *name = target->message.name;
	struct moving *moving = &target->moving;

	if (target->offer.name && !str_eq(name, target->offer.name))
		return err_new(ERR_PEER, "%s: this session is about VPS %s", target->from,
			       target->offer.name);
	if (target->lock_fd < 0) {
		TRY(put_right(target->host, name));
		TRY(take_lock(target, name));
	}
	TRY(moving_read(target->host, name, moving));
	if (!str_eq(moving->id, target->message.id) || moving->state == MOVING_NONE)
		return kind == MOVE_RELEASE ? NULL : send_state(target, MOVING_NONE);
	if (kind == MOVE_COMMIT && moving->state == MOVING_PREPARED)
		return commit(target, name);
	if (kind == MOVE_ABORT && moving->state == MOVING_PREPARED)
		return abort_move(target, name);
	if (kind == MOVE_RELEASE)
		return moving->state == MOVING_DONE || moving->state == MOVING_DISCARDED ?
			       moving_forget(target->host, name) :
			       NULL;
	return send_state(target, moving->state);
}

/* --- the session --- */

static struct err *begin(struct target *target)
{
	struct err *err;

	if (!target->offer.name)
		return err_new(ERR_PEER, "%s: BEGIN of nothing that was offered", target->from);
	TRY(reserve(target));
	err = move_send_frame(&target->channel, MOVE_READY, &(struct move_message){ 0 });
	if (!err)
		err = receive_vps(target);
	if (!err)
		err = go_on(target, MOVING_PREPARED);
	if (err) {
		settle(target);
		return err;
	}
	move_fault("target:before-vote");
	return move_send_frame(&target->channel, MOVE_PREPARED, &(struct move_message){ 0 });
}

static struct err *answer_offer(struct target *target)
{
	OWN(strlist) struct strlist refusals = { 0 }, remarks = { 0 };
	const struct move_message refuse = { .lines = refusals };
	struct move_message answer = refuse;

	move_message_release(&target->offer);
	target->offer = target->message;
	target->message = (struct move_message){ 0 };
	TRY(put_right(target->host, target->offer.name));
	TRY(move_check_offer(target->host, &target->offer, &refusals, &remarks));
	answer.lines = refusals.count ? refusals : remarks;
	if (!refusals.count)
		return move_send_frame(&target->channel, MOVE_ACCEPT, &answer);
	TRY(move_send_frame(&target->channel, MOVE_REFUSE, &answer));
	move_message_release(&target->offer);
	return NULL;
}

static struct err *serve(struct target *target)
{
	enum move_kind kind;

	TRY(move_greet(&target->channel));
	for (;;) {
		TRY(move_recv_frame(&target->channel, &kind, &target->message));
		if (kind == MOVE_EOF)
			return NULL;
		if (kind == MOVE_OFFER)
			TRY(answer_offer(target));
		else if (kind == MOVE_BEGIN)
			TRY(begin(target));
		else if (kind >= MOVE_COMMIT && kind <= MOVE_QUERY)
			TRY(obey(target, kind));
		else
			return err_new(ERR_PEER, "%s: %s at the wrong time", target->from,
				       move_kind_name(kind));
	}
}

struct err *move_receive(const struct vps_host *host, const char *from)
{
	OWN(target)
	struct target target = {
		.host = host,
		.channel = { .in_fd = 0, .out_fd = 1, .end = MOVE_TARGET, .peer = from },
		.from = from,
		.lock_fd = -1,
	};
	OWN(str) char *text = NULL;
	enum err_kind kind;
	struct err *err;

	signal(SIGPIPE, SIG_IGN);
	err = serve(&target);
	if (!err)
		return NULL;
	TRY(str_dup(err_text(err), &text));
	kind = err_kind(err);
	err_drop(send_failed(&target, err)); /* then nobody listens any more */
	return err_new(kind, "%s", text);
}
