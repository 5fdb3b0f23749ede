/* See escape.h. */
#include "runtime/vps/escape.h"

static void put(struct escape *escape, char byte, char *out, size_t *out_len)
{
	out[(*out_len)++] = byte;
	escape->state = byte == '\r' || byte == '\n' ? ESCAPE_AT_START : ESCAPE_INSIDE;
}

enum escape_wish escape_feed(struct escape *escape, const char *in, size_t len, char *out,
			     size_t *ret_out_len, size_t *ret_used)
{
	*ret_out_len = 0;
	for (size_t i = 0; i < len; i++) {
		*ret_used = i + 1;
		if (escape->state == ESCAPE_AT_START && in[i] == '~') {
			escape->state = ESCAPE_TILDE;
			continue;
		}
		if (escape->state == ESCAPE_TILDE) {
			escape->state = ESCAPE_AT_START;
			if (in[i] == '.')
				return ESCAPE_LEAVE;
			if (in[i] == '?')
				return ESCAPE_HELP;
			put(escape, '~', out, ret_out_len);
			if (in[i] == '~')
				continue;
		}
		put(escape, in[i], out, ret_out_len);
	}
	*ret_used = len;
	return ESCAPE_NOTHING;
}
