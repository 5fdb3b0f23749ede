/* Strict parsing of small values; see parse.h. */
#include "base/parse.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define CONTAINER_ID_MAX 128

static bool all_digits(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9')
			return false;
	return true;
}

/* Digits only, so that neither "+1", " 1" nor "0x1" passes; false on overflow. */
static bool digits_to_u64(const char *text, size_t len, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*ret_value = value;
	return true;
}

struct err *parse_u64(const char *what, const char *text, uint64_t min, uint64_t max,
		      uint64_t *ret_value)
{
	uint64_t value;

	if (!digits_to_u64(text, strlen(text), &value) || value < min || value > max)
		return err_new(ERR_INVALID, "%s: '%.64s' is not a number from %ju to %ju", what,
			       text, (uintmax_t)min, (uintmax_t)max);
	*ret_value = value;
	return NULL;
}

struct err *parse_i64(const char *what, const char *text, int64_t *ret_value)
{
	bool negative = text[0] == '-';
	uint64_t value;

	if (!digits_to_u64(text + negative, strlen(text + negative), &value) ||
	    value > (uint64_t)INT64_MAX + negative)
		return err_new(ERR_INVALID, "%s: '%.64s' is not a number", what, text);
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return NULL;
}

struct err *parse_bytes(const char *what, const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "bkmgt";
	size_t digits = strspn(text, "0123456789");
	const char *suffix = text + digits, *unit;
	unsigned int shift = 0;
	uint64_t value;
	bool good = digits_to_u64(text, digits, &value);

	if (good && *suffix) {
		unit = strchr(units, tolower((unsigned char)*suffix));
		good = unit && (!suffix[1] || (unit > units && (!strcasecmp(suffix + 1, "b") ||
								!strcasecmp(suffix + 1, "ib"))));
		if (good)
			shift = (unsigned int)(unit - units) * 10;
	}
	if (!good || (shift && value >> (64 - shift)))
		return err_new(ERR_INVALID, "%s: '%.64s' is not a size such as 512M or 2G", what,
			       text);
	*ret_bytes = value << shift;
	return NULL;
}

struct err *parse_bit_rate(const char *what, const char *text, uint64_t *ret_bits)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(text, "0123456789");
	const char *suffix = text + digits, *unit;
	uint64_t value = 0, factor = 1;
	bool good = digits_to_u64(text, digits, &value);

	if (!strcmp(text, "unlimited")) {
		*ret_bits = UINT64_MAX - 1;
		return NULL;
	}
	if (good && *suffix && (unit = strchr(units, tolower((unsigned char)*suffix)))) {
		for (const char *at = units; at <= unit; at++)
			factor *= 1000;
		suffix++;
	}
	good = good && (!*suffix || !strcasecmp(suffix, "bit"));
	if (!good || value > UINT64_MAX / 2 / factor)
		return err_new(ERR_INVALID, "%s: '%.64s' is not a rate such as 500K, 10M or 1Gbit",
			       what, text);
	*ret_bits = value ? value * factor : UINT64_MAX - 1;
	return NULL;
}

struct err *parse_bool(const char *what, const char *text, bool *ret_value)
{
	static const char *const words[][2] = {
		{ "no", "yes" },
		{ "off", "on" },
		{ "false", "true" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (!strcasecmp(text, words[i][value])) {
				*ret_value = value;
				return NULL;
			}
	return err_new(ERR_INVALID, "%s: '%.64s' is neither yes nor no", what, text);
}

struct err *parse_id(const char *what, const char *text, uid_t *ret_id)
{
	uint64_t value;

	TRY(parse_u64(what, text, 0, UINT32_MAX - 1, &value));
	*ret_id = (uid_t)value;
	return NULL;
}

const char *signal_name(int signum)
{
	return sigabbrev_np(signum);
}

/* "RTMIN+3" and "RTMAX-2", as kill(1) and systemd spell them; 0 when it is neither. */
static int realtime_signal(const char *name)
{
	bool from_min = !strncasecmp(name, "RTMIN", 5);
	uint64_t offset = 0;
	int signum;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return 0;
	if (name[5] && (name[5] != (from_min ? '+' : '-') ||
			!digits_to_u64(name + 6, strlen(name + 6), &offset) || offset > 64))
		return 0;
	signum = from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
	return signum >= SIGRTMIN && signum <= SIGRTMAX ? signum : 0;
}

struct err *parse_signal(const char *text, int *ret_signal)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	uint64_t number;
	int signum = 0;

	if (all_digits(text)) {
		if (digits_to_u64(text, strlen(text), &number) && number >= 1 && number < NSIG)
			signum = (int)number;
	} else {
		signum = realtime_signal(name);
		for (int i = 1; !signum && i < NSIG; i++)
			if (signal_name(i) && !strcasecmp(signal_name(i), name))
				signum = i;
	}
	if (!signum)
		return err_new(ERR_INVALID,
			       "signal: '%.64s' is not a signal name or a number from 1 to 64",
			       text);
	*ret_signal = signum;
	return NULL;
}

struct err *parse_container_id(const char *text)
{
	size_t len = strlen(text);
	bool good = len >= 1 && len <= CONTAINER_ID_MAX;

	for (size_t i = 0; good && i < len; i++)
		good = (text[i] > 0 && isalnum((unsigned char)text[i])) || text[i] == '_' ||
		       (i > 0 && strchr(".+-", text[i]));
	if (!good) {
		OWN(str) char *shown = NULL;

		TRY(str_escape(text, &shown));
		return err_new(ERR_INVALID,
			       "container name '%.64s': use 1 to %d of A-Z a-z 0-9 _ . + -, "
			       "beginning with a letter, a digit or _",
			       shown, CONTAINER_ID_MAX);
	}
	return NULL;
}
