/* config-linux.md "Block IO": lines for io.weight and io.max. Rests on cgroup-v2.rst, "IO Interface
 * Files". */
#include "runtime/spec/tables.h"

static struct err *parse_weight(const struct json *value, const struct field *field, void *out);
static struct err *parse_weight_devices(const struct json *value, const struct field *field,
					void *out);
static struct err *parse_throttle(const struct json *value, const struct field *field, void *out);

/* What rows of one list share; the rate or weight is 0 when it was not given. */
struct raw_device {
	uint32_t major, minor;
	uint16_t weight;
	uint64_t rate;
};

#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)
#define WHY_LEAF "cgroup version 2 has no leaf weight"

/* clang-format off */
static const struct field weight_device_rows[] = {
	{ "leafWeight", field_refuse, .harmless = "0", .why = WHY_LEAF },
	{ "major",      field_u32,    AT(raw_device, major), .required = true, .max = MAJOR_MAX },
	{ "minor",      field_u32,    AT(raw_device, minor), .required = true, .max = MINOR_MAX },
	{ "weight",     field_u16,    AT(raw_device, weight), .max = WEIGHT_MAX },
};
static const struct field_table weight_device_table = FIELD_TABLE(weight_device_rows);

static const struct field throttle_rows[] = {
	{ "major", field_u32, AT(raw_device, major), .required = true, .max = MAJOR_MAX },
	{ "minor", field_u32, AT(raw_device, minor), .required = true, .max = MINOR_MAX },
	{ "rate",  field_u64, AT(raw_device, rate),  .required = true },
};
static const struct field_table throttle_table = FIELD_TABLE(throttle_rows);

#define THROTTLE AT(cgroup_limits, io_max), .table = &throttle_table, .shape = FIELD_LIST

static const struct field block_io_rows[] = {
	{ "leafWeight",              field_refuse,   .harmless = "0", .why = WHY_LEAF },
	{ "throttleReadBpsDevice",   parse_throttle, THROTTLE },
	{ "throttleReadIOPSDevice",  parse_throttle, THROTTLE },
	{ "throttleWriteBpsDevice",  parse_throttle, THROTTLE },
	{ "throttleWriteIOPSDevice", parse_throttle, THROTTLE },
	{ "weight",                  parse_weight,   AT(cgroup_limits, io_weight), .max = WEIGHT_MAX },
	{ "weightDevice",            parse_weight_devices, AT(cgroup_limits, io_device_weights),
	  .table = &weight_device_table, .shape = FIELD_LIST },
};
const struct field_table block_io_table = FIELD_TABLE(block_io_rows);

/* The word of io.max behind each list. */
static const struct {
	const char *list, *word;
} io_max_words[] = {
	{ "throttleReadBpsDevice",   "rbps" },
	{ "throttleReadIOPSDevice",  "riops" },
	{ "throttleWriteBpsDevice",  "wbps" },
	{ "throttleWriteIOPSDevice", "wiops" },
};
/* clang-format on */

static struct err *too_light(const struct json *value, unsigned int weight)
{
	if (weight == 0 || weight >= WEIGHT_MIN) /* 0: not given */
		return NULL;
	return json_err(value, ERR_INVALID, "%u is not a weight from %d to %d", weight, WEIGHT_MIN,
			WEIGHT_MAX);
}

static struct err *parse_weight(const struct json *value, const struct field *field, void *out)
{
	uint16_t weight = 0;

	TRY(field_u16(value, field, &weight));
	TRY(too_light(value, weight));
	if (weight)
		*(uint64_t *)out = cgroup_io_weight_from_blkio(weight);
	return NULL;
}

static struct err *parse_weight_devices(const struct json *value, const struct field *field,
					void *out)
{
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		struct raw_device raw = { 0 };

		TRY(fields_parse(field->table, item, &raw));
		if (raw.weight == 0)
			return json_err(item, ERR_INVALID, "weight: is missing");
		TRY(too_light(json_get(item, "weight"), raw.weight));
		TRY(strlist_format(out, "%u:%u %ju", raw.major, raw.minor,
				   (uintmax_t)cgroup_io_weight_from_blkio(raw.weight)));
	}
	return NULL;
}

static const char *io_max_word(const char *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(io_max_words); i++)
		if (str_eq(io_max_words[i].list, list))
			return io_max_words[i].word;
	return NULL;
}

static struct err *parse_throttle(const struct json *value, const struct field *field, void *out)
{
	const char *word = io_max_word(field->name);

	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		struct raw_device raw = { 0 };

		TRY(fields_parse(field->table, item, &raw));
		/* 0 lifted the limit in version 1; version 2 spells that "max" and refuses 0 */
		if (raw.rate == 0)
			TRY(strlist_format(out, "%u:%u %s=max", raw.major, raw.minor, word));
		else
			TRY(strlist_format(out, "%u:%u %s=%ju", raw.major, raw.minor, word,
					   (uintmax_t)raw.rate));
	}
	return NULL;
}
