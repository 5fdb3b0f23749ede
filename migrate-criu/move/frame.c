/* Frames on two descriptors; see wire.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "migrate-criu/move/wire.h"

static const unsigned char magic[4] = { 'C', 'M', 'V', '1' };

static void put_u32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void move_header_format(enum move_kind kind, size_t len, unsigned char *header)
{
	memcpy(header, magic, sizeof(magic));
	put_u32(header + 4, kind);
	put_u32(header + 8, (uint32_t)len);
}

struct err *move_header_parse(const unsigned char *header, enum move_end from,
			      enum move_kind *ret_kind, size_t *ret_len)
{
	uint32_t kind = get_u32(header + 4), len = get_u32(header + 8);

	if (memcmp(header, magic, sizeof(magic)) != 0)
		return err_new(ERR_INVALID, "that is no cella of this kind");
	if (kind >= MOVE_KIND_COUNT || !move_kind_is_from(kind, from))
		return err_new(ERR_INVALID, "it sends a frame %u, which is not its to send", kind);
	if (len > move_kind_max(kind))
		return err_new(ERR_INVALID, "its %s has %u bytes, and %zu are the most",
			       move_kind_name(kind), len, move_kind_max(kind));
	*ret_kind = kind;
	*ret_len = len;
	return NULL;
}

/* --- sending --- */

static struct err *send_raw(struct move_channel *channel, enum move_kind kind, const void *data,
			    size_t len)
{
	unsigned char header[MOVE_HEADER_BYTES];
	struct err *err;

	if (len > move_kind_max(kind))
		return err_new(ERR_INVALID, "%s would have %zu bytes, and %zu are the most",
			       move_kind_name(kind), len, move_kind_max(kind));
	move_header_format(kind, len, header);
	err = fd_write_all(channel->out_fd, channel->peer, header, sizeof(header));
	if (!err)
		err = fd_write_all(channel->out_fd, channel->peer, data, len);
	if (err) {
		err_drop(err); /* a broken pipe, which says less */
		return err_new(ERR_PEER, "%s ended the connection", channel->peer);
	}
	channel->sent_bytes += sizeof(header) + len;
	return NULL;
}

struct err *move_send_frame(struct move_channel *channel, enum move_kind kind,
			    const struct move_message *message)
{
	OWN(str) char *text = NULL;

	TRY(move_message_format(kind, message, &text));
	return send_raw(channel, kind, text, strlen(text));
}

struct err *move_send_data(struct move_channel *channel, const void *data, size_t len)
{
	for (size_t at = 0; at < len; at += MOVE_DATA_MAX) {
		size_t part = len - at < MOVE_DATA_MAX ? len - at : MOVE_DATA_MAX;

		TRY(send_raw(channel, MOVE_DATA, (const char *)data + at, part));
	}
	return NULL;
}

/* --- receiving --- */

/* *ret_got less than len: the end came before. */
static struct err *read_all(struct move_channel *channel, void *data, size_t len, size_t *ret_got)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = read(channel->in_fd, (char *)data + at, len - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(errno, "read from %s", channel->peer);
		if (got == 0)
			break;
		at += (size_t)got;
	}
	*ret_got = at;
	return NULL;
}

static struct err *read_payload(struct move_channel *channel, size_t len)
{
	char chunk[16384];
	size_t got;

	channel->payload.len = 0;
	while (len > 0) {
		size_t part = len < sizeof(chunk) ? len : sizeof(chunk);

		TRY(read_all(channel, chunk, part, &got));
		if (got < part)
			return err_new(ERR_PEER, "%s ended the connection in the middle of a frame",
				       channel->peer);
		TRY(buf_add(&channel->payload, chunk, part));
		len -= part;
	}
	return NULL;
}

struct err *move_recv_frame(struct move_channel *channel, enum move_kind *ret_kind,
			    struct move_message *message)
{
	enum move_end from = channel->end == MOVE_SOURCE ? MOVE_TARGET : MOVE_SOURCE;
	unsigned char header[MOVE_HEADER_BYTES];
	enum move_kind kind = MOVE_EOF;
	size_t len = 0, got = 0;

	move_message_release(message);
	TRY(read_all(channel, header, sizeof(header), &got));
	if (got == 0) {
		*ret_kind = MOVE_EOF;
		return NULL;
	}
	if (got < sizeof(header))
		return err_new(ERR_PEER, "%s ended the connection in the middle of a frame",
			       channel->peer);
	TRY(err_wrap(move_header_parse(header, from, &kind, &len), "%s", channel->peer));
	TRY(read_payload(channel, len));
	if (kind != MOVE_DATA)
		TRY(err_wrap(move_message_parse(kind,
						channel->payload.data ? channel->payload.data : "",
						channel->payload.len, message),
			     "%s", channel->peer));
	*ret_kind = kind;
	return NULL;
}

struct err *move_expect(struct move_channel *channel, enum move_kind kind,
			struct move_message *message)
{
	enum move_kind came;

	TRY(move_recv_frame(channel, &came, message));
	if (came == kind)
		return NULL;
	if (came == MOVE_FAILED)
		return err_new(ERR_PEER, "%s: %s", channel->peer, message->text);
	if (came == MOVE_EOF)
		return err_new(ERR_PEER, "%s ended the connection", channel->peer);
	return err_new(ERR_PEER, "%s said %s where %s was awaited", channel->peer,
		       move_kind_name(came), move_kind_name(kind));
}

struct err *move_greet(struct move_channel *channel)
{
	char version[] = CELLA_VERSION;
	const struct move_message hello = { .protocol = MOVE_PROTOCOL, .cella = version };
	OWN(move_message) struct move_message message = { 0 };

	TRY(move_send_frame(channel, MOVE_HELLO, &hello));
	TRY(move_expect(channel, MOVE_HELLO, &message));
	if (message.protocol != MOVE_PROTOCOL)
		return err_new(
			ERR_UNSUPPORTED,
			"%s has cella %s, which moves VPSs by another protocol (%u, not %u): "
			"install the same version there",
			channel->peer, message.cella, (unsigned int)message.protocol,
			MOVE_PROTOCOL);
	return NULL;
}
