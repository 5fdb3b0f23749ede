/* The frames of both ends of a move, as they come from the other one, and the journal. What can be
 * read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "migrate-criu/move/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void payload(enum move_kind kind, const char *text, size_t len)
{
	OWN(move_message) struct move_message message = { 0 }, again = { 0 };
	OWN(str) char *written = NULL, *rewritten = NULL;
	struct err *err = move_message_parse(kind, text, len, &message);

	err_drop(err); /* refused */
	if (err)
		return;
	if (move_message_format(kind, &message, &written) ||
	    move_message_parse(kind, written, strlen(written), &again) ||
	    move_message_format(kind, &again, &rewritten) || !str_eq(written, rewritten))
		abort();
}

static void frames(enum move_end from, const uint8_t *data, size_t size)
{
	while (size >= MOVE_HEADER_BYTES) {
		enum move_kind kind;
		size_t len;
		struct err *err = move_header_parse(data, from, &kind, &len);

		err_drop(err); /* refused */
		if (err || len > size - MOVE_HEADER_BYTES)
			return;
		if (kind != MOVE_DATA)
			payload(kind, (const char *)data + MOVE_HEADER_BYTES, len);
		data += MOVE_HEADER_BYTES + len;
		size -= MOVE_HEADER_BYTES + len;
	}
}

static void journal(const char *text, size_t len)
{
	OWN(str) char *written = NULL;
	struct moving moving, again;
	struct err *err = moving_parse(text, len, &moving);

	err_drop(err); /* refused */
	if (err)
		return;
	if (moving_format(&moving, &written) || moving_parse(written, strlen(written), &again) ||
	    moving.state != again.state || !str_eq(moving.id, again.id))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	frames(MOVE_SOURCE, data, size);
	frames(MOVE_TARGET, data, size);
	journal((const char *)data, size);
	if (size > 0 && data[0] > MOVE_EOF && data[0] < MOVE_KIND_COUNT && data[0] != MOVE_DATA)
		payload((enum move_kind)data[0], (const char *)data + 1, size - 1);
	return 0;
}
