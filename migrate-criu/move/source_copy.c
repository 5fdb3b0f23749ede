/*
 * The disk on its way, in rounds: each is a backup upon the one before, so all but the first have
 * what has changed meanwhile. What changed is what has another inode, change time, size or mode;
 * where that is no proof its digest is compared (rootfs/backup_base.c). The target has compared the
 * digest of each round before it unpacks it.
 */
#include <assert.h>
#include <string.h>

#include "base/fd.h"
#include "base/sha256.h"
#include "migrate-criu/move/source.h"

/* Rounds before the VPS stops. One of so little time is the last of them, and one that took not
 * much less than that before it: the next would not either. */
#define ROUNDS_MAX 8
#define QUICK_MS 1000
#define WORTH_PERCENT 70

struct pipe {
	struct backup_sink base;
	struct move_channel *channel;
	const char *fault;
	struct sha256 sha;
	uint64_t bytes;
};

static struct err *put(struct backup_sink *base, const void *data, size_t len)
{
	struct pipe *pipe = (void *)base;

	sha256_add(&pipe->sha, data, len);
	pipe->bytes += len;
	TRY(move_send_data(pipe->channel, data, len));
	move_fault(pipe->fault);
	return NULL;
}

/* --- one round --- */

/* The next one's base is this one. */
static struct err *build_upon(struct source *source, int index_fd, const struct backup_info *info)
{
	char path[] = "the index of what was sent";
	struct backup_link link = { .fd = index_fd, .path = path, .info = *info };

	link.info.index_offset = 0; /* it has a file of its own */
	own_backup_base(&source->base);
	source->base = NULL;
	return backup_base_open(&link, (uint32_t)source->host->id_first, &source->base);
}

static struct err *write_disk(struct source *source, enum backup_what what, struct pipe *pipe,
			      struct backup_info *info)
{
	const char *name = source->request->name;
	OWN(fd) int index_fd = -1;
	struct backup_write write = { .what = what,
				      .tree_fd = source->still.root_fd,
				      .fd = -1,
				      .sink = &pipe->base,
				      .base = source->base,
				      .total_bytes = source->result->disk_bytes,
				      .bytes_per_s = source->request->bytes_per_s,
				      .progress = source->request->progress };

	if (what == BACKUP_ROUND)
		write.ret_index_fd = &index_fd;
	TRY(str_dup(name, &info->name));
	TRY(str_dup(vps_disk(source->host, name, &source->still.conf).layout, &info->layout));
	TRY(str_dup(source->conf, &info->conf));
	info->created_ns = source->still.since_ns;
	TRY(backup_write(&write, info));
	return what == BACKUP_ROUND ? build_upon(source, index_fd, info) : NULL;
}

static struct err *send_disk(struct source *source, enum backup_what what, struct pipe *pipe)
{
	OWN(backup_info) struct backup_info info = { 0 };
	struct err *err;

	TRY(what == BACKUP_ROUND ? vps_still_look(&source->still) : vps_still_hold(&source->still));
	err = write_disk(source, what, pipe, &info);
	TRY(err_first(err, vps_still_end(&source->still)));
	if (what != BACKUP_ROUND && info.skipped)
		TRY(strlist_format(&source->result->remarks,
				   "%ju sockets and device nodes did not go with it",
				   (uintmax_t)info.skipped));
	return NULL;
}

/* What closes it: ROUND or END. */
static struct err *send_end(struct source *source, enum move_kind kind, struct pipe *pipe)
{
	OWN(move_message) struct move_message end = { .bytes = pipe->bytes };
	char digest[SHA256_HEX_MAX];

	sha256_hex(&pipe->sha, digest);
	TRY(str_dup(digest, &end.digest));
	if (kind == MOVE_END) {
		TRY(traffic_export(source->host, source->request->name, &end.traffic));
		source->asked_to_prepare = true;
	}
	return move_send_frame(&source->ssh.channel, kind, &end);
}

/* While it unpacks it says how far it is. */
static struct err *await(struct source *source, enum move_kind awaited)
{
	enum move_kind kind;

	for (;;) {
		TRY(move_recv_frame(&source->ssh.channel, &kind, &source->message));
		if (kind == awaited)
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

static struct err *send_round(struct source *source, enum backup_what what)
{
	const bool is_last = what != BACKUP_ROUND;
	struct pipe pipe = { .base.put = put,
			     .channel = &source->ssh.channel,
			     .fault =
				     is_last && source->base ? "source:last-data" : "source:data" };
	struct move_round *round = &source->result->rounds[source->result->round_count];
	uint64_t began_ms = move_now_ms();
	struct err *err;

	sha256_init(&pipe.sha);
	err = send_disk(source, what, &pipe);
	if (!err)
		err = send_end(source, is_last ? MOVE_END : MOVE_ROUND, &pipe);
	if (err)
		return err_kind(err) == ERR_PEER ? reason_of(source, err) : err;
	TRY(await(source, is_last ? MOVE_PREPARED : MOVE_READY));
	*round = (struct move_round){ .sent_bytes = pipe.bytes, .ms = move_now_ms() - began_ms };
	source->result->round_count++;
	return NULL;
}

/* --- all of them --- */

/* Would another one make the last one shorter? */
static bool is_enough(const struct move_result *result)
{
	const struct move_round *last = &result->rounds[result->round_count - 1];

	if (last->ms <= QUICK_MS || result->round_count == ROUNDS_MAX)
		return true;
	return result->round_count > 1 && last->ms * 100 > last[-1].ms * WORTH_PERCENT;
}

struct err *move_send_rounds(struct source *source)
{
	static_assert(ROUNDS_MAX < MOVE_ROUNDS_MAX && MOVE_ROUNDS_MAX <= BACKUP_CHAIN_MAX,
		      "and the last one");
	do
		TRY(send_round(source, BACKUP_ROUND));
	while (!is_enough(source->result));
	return NULL;
}

struct err *move_send_last(struct source *source)
{
	return send_round(source, source->base ? BACKUP_LAST_ROUND : BACKUP_ALONE);
}
