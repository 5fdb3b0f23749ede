/* The escape of a console: "~." after a line break leaves, "~?" helps, "~~" is one "~". No more
 * than bytes in and bytes out. */
#ifndef RUNTIME_VPS_ESCAPE_H
#define RUNTIME_VPS_ESCAPE_H

#include <stddef.h>

struct escape {
	enum {
		ESCAPE_AT_START,
		ESCAPE_TILDE,
		ESCAPE_INSIDE
	} state; /* zero: as after a line break */
};
enum escape_wish { ESCAPE_NOTHING, ESCAPE_LEAVE, ESCAPE_HELP };
/*
 * Take in bytes until they end or a wish is met; *ret_used says how many. out has room for len + 1
 * bytes, as a "~" may be kept back from the call before.
 */
enum escape_wish escape_feed(struct escape *escape, const char *in, size_t len, char *out,
			     size_t *ret_out_len, size_t *ret_used);

#endif
