/* Kinds of values that are two numbers, "soft:hard"; see keys.h. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/keys.h"

#define KIB 1024
#define FRACTION_DIGITS 3 /* "2.125G"; more is nobody's meaning */

static void init_pair(void *field)
{
	*(struct vps_pair *)field = (struct vps_pair){ VPS_UNSET, VPS_UNSET };
}

/* "2.2G" as 2252 MiB and a bit, which OpenVZ's own samples have: thousandths of the unit. */
static struct err *parse_fraction(const char *what, const char *text, uint64_t *ret_bytes)
{
	size_t whole_len = strcspn(text, ".");
	const char *fraction = text + whole_len + 1;
	size_t digits = strspn(fraction, "0123456789");
	OWN(str) char *whole = NULL, *unit = NULL;
	uint64_t unit_bytes, whole_bytes, thousandths = 0;

	if (digits == 0 || digits > FRACTION_DIGITS || !fraction[digits])
		return err_new(ERR_INVALID, "%s: '%.64s' is not a size such as 512M or 2.5G", what,
			       text);
	TRY(str_format(&whole, "%.*s%s", (int)whole_len, text, fraction + digits));
	TRY(str_format(&unit, "1%s", fraction + digits));
	TRY(parse_bytes(what, whole, &whole_bytes));
	TRY(parse_bytes(what, unit, &unit_bytes));
	for (size_t i = 0; i < FRACTION_DIGITS; i++)
		thousandths = thousandths * 10 + (i < digits ? (uint64_t)(fraction[i] - '0') : 0);
	if (whole_bytes > UINT64_MAX / 2 || unit_bytes > UINT64_MAX / 1000)
		return err_new(ERR_INVALID, "%s: '%.64s' is too large", what, text);
	*ret_bytes = whole_bytes + unit_bytes * thousandths / 1000;
	return NULL;
}

static struct err *parse_half(const char *what, const char *text, enum vps_pair_unit unit,
			      uint64_t *ret_value)
{
	size_t len = strlen(text);
	bool plain = len && strspn(text, "0123456789") == len;
	uint64_t value;

	if (str_eq(text, "unlimited")) {
		*ret_value = VPS_UNLIMITED;
		return NULL;
	}
	if (!plain && unit == VPS_PAIR_COUNT)
		return err_new(ERR_INVALID, "%s: '%.64s' is not a number", what, text);
	if (plain) {
		TRY(parse_u64(what, text, 0, INT64_MAX, &value));
		/* what OpenVZ writes for "unlimited": LONG_MAX on 64 and on 32 bit hosts */
		if (value == INT64_MAX || value == INT32_MAX)
			value = VPS_UNLIMITED;
		else if (unit == VPS_PAIR_KIB && value > UINT64_MAX / 2 / KIB)
			return err_new(ERR_INVALID, "%s: '%.64s' is too large", what, text);
		else if (unit == VPS_PAIR_KIB)
			value *= KIB;
		*ret_value = value;
		return NULL;
	}
	return strchr(text, '.') ? parse_fraction(what, text, ret_value) :
				   parse_bytes(what, text, ret_value);
}

struct err *vps_pair_parse(const char *what, const char *text, enum vps_pair_unit unit,
			   struct vps_pair *ret_pair)
{
	size_t len = strcspn(text, ":");
	OWN(str) char *soft = NULL;
	struct vps_pair pair;

	TRY(str_format(&soft, "%.*s", (int)len, text));
	TRY(parse_half(what, soft, unit, &pair.soft));
	pair.hard = pair.soft;
	if (text[len])
		TRY(parse_half(what, text + len + 1, unit, &pair.hard));
	if (pair.soft > pair.hard)
		return err_new(ERR_INVALID, "%s: '%.64s' is not SOFT:HARD, the smaller one first",
			       what, text);
	*ret_pair = pair;
	return NULL;
}

static struct err *read_space(const struct conf_key *key, const char *text, void *field)
{
	return vps_pair_parse(key->name, text, VPS_PAIR_KIB, field);
}

static struct err *read_count(const struct conf_key *key, const char *text, void *field)
{
	return vps_pair_parse(key->name, text, VPS_PAIR_COUNT, field);
}

static struct err *write_half(struct buf *text, uint64_t value, uint64_t unit)
{
	return value == VPS_UNLIMITED ?
		       buf_format(text, "unlimited") :
		       buf_format(text, "%" PRIu64, value / unit + (value % unit != 0));
}

static struct err *write_pair(const struct vps_pair *pair, uint64_t unit, struct buf *text,
			      bool *ret_set)
{
	*ret_set = pair->hard != VPS_UNSET;
	if (!*ret_set)
		return NULL;
	TRY(write_half(text, pair->soft, unit));
	TRY(buf_format(text, ":"));
	return write_half(text, pair->hard, unit);
}

static struct err *write_space(const struct conf_key *key, const void *field, struct buf *text,
			       bool *ret_set)
{
	(void)key;
	return write_pair(field, KIB, text, ret_set);
}

static struct err *write_count(const struct conf_key *key, const void *field, struct buf *text,
			       bool *ret_set)
{
	(void)key;
	return write_pair(field, 1, text, ret_set);
}

static struct err *check_pair(const struct conf_key *key, const void *field)
{
	const struct vps_pair *pair = field;

	TRY(conf_check_range(key, pair->soft));
	return conf_check_range(key, pair->hard);
}

const struct conf_kind conf_space_pair = { init_pair, NULL, read_space, write_space, check_pair };
const struct conf_kind conf_count_pair = { init_pair, NULL, read_count, write_count, check_pair };
