/* The last bytes of a console, for those who come later; see monitor.h. */
#include <string.h>

#include "runtime/monitor/monitor.h"

void ring_add(struct ring *ring, const char *data, size_t len)
{
	while (len > 0) {
		size_t at = ring->total_bytes % RING_BYTES, room = RING_BYTES - at;
		size_t part = len < room ? len : room;

		memcpy(ring->data + at, data, part);
		ring->total_bytes += part;
		data += part;
		len -= part;
	}
}

/* Drop everything up to the first line break; all of it stays where there is none. */
static void skip_line(struct ring_piece pieces[2])
{
	for (size_t i = 0; i < 2; i++) {
		const char *end = memchr(pieces[i].data, '\n', pieces[i].len);

		if (!end)
			continue;
		if (i == 1)
			pieces[0].len = 0;
		pieces[i].len -= (size_t)(end + 1 - pieces[i].data);
		pieces[i].data = end + 1;
		return;
	}
}

void ring_pieces(const struct ring *ring, struct ring_piece ret_pieces[2])
{
	size_t at = ring->total_bytes % RING_BYTES;
	bool wrapped = ring->total_bytes > RING_BYTES;

	ret_pieces[0] =
		(struct ring_piece){ ring->data + at,
				     ring->total_bytes >= RING_BYTES ? RING_BYTES - at : 0 };
	ret_pieces[1] = (struct ring_piece){ ring->data, at };
	if (wrapped)
		skip_line(ret_pieces);
}
