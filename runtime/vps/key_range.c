/* Ranges of values in words, as options have them: "1 to 4096", "4M or more". See keys.h. */
#include <inttypes.h>

#include "runtime/vps/keys.h"

/* What one step of K, M, G, T is worth; 1: they are not written. */
static const struct scale {
	const struct conf_kind *kind;
	uint64_t base;
} scales[] = {
	{ &conf_limit, 1024 },	    { &conf_bytes, 1024 },	{ &conf_byte_count, 1024 },
	{ &conf_page_limit, 1024 }, { &conf_space_pair, 1024 }, { &conf_bit_rate, 1000 },
};

static uint64_t base_of(const struct conf_key *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		if (scales[i].kind == key->kind)
			return scales[i].base;
	return 1;
}

/* In the largest unit that has no rest. */
static struct err *put_value(const struct conf_key *key, uint64_t value, struct buf *text)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	uint64_t base = base_of(key);
	size_t unit = 0;

	while (base > 1 && value && value % base == 0 && unit + 1 < ARRAY_SIZE(units)) {
		value /= base;
		unit++;
	}
	return buf_format(text, "%" PRIu64 "%s", value, units[unit]);
}

struct err *conf_range(const struct conf_key *key, struct buf *text)
{
	TRY(put_value(key, key->min, text));
	if (key->max > INT64_MAX)
		return buf_format(text, " or more");
	TRY(buf_format(text, " to "));
	return put_value(key, key->max, text);
}

struct err *conf_check_range(const struct conf_key *key, uint64_t value)
{
	OWN(buf) struct buf text = { 0 };

	if (value == VPS_UNSET || value == VPS_UNLIMITED ||
	    (value >= key->min && value <= key->max))
		return NULL;
	TRY(put_value(key, value, &text));
	TRY(buf_format(&text, " is not in the range "));
	TRY(conf_range(key, &text));
	return err_new(ERR_INVALID, "%s: %s", conf_key_label(key), text.data);
}
