/* GVariant text to values; see gvariant.h. */
#include "cgroups/gvariant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ITEMS_MAX 65536
#define DEFAULT_INTEGER 'i'

struct parser {
	const char *at, *end, *begin;
	char type; /* as declared, or by the first item; 0: not known yet */
};

static const struct type_row {
	const char *keyword;
	char type;
	uint64_t max;	       /* of integers */
	uint64_t negative_max; /* absolute value of the smallest; 0: unsigned */
} types[] = {
	{ "boolean", 'b', 0, 0 },
	{ "byte", 'y', UINT8_MAX, 0 },
	{ "int16", 'n', INT16_MAX, (uint64_t)INT16_MAX + 1 },
	{ "uint16", 'q', UINT16_MAX, 0 },
	{ "int32", 'i', INT32_MAX, (uint64_t)INT32_MAX + 1 },
	{ "uint32", 'u', UINT32_MAX, 0 },
	{ "int64", 'x', INT64_MAX, (uint64_t)INT64_MAX + 1 },
	{ "uint64", 't', UINT64_MAX, 0 },
	{ "double", 'd', 0, 0 },
	{ "string", 's', 0, 0 },
	{ "objectpath", 'o', 0, 0 },
	{ "signature", 'g', 0, 0 },
};

static const struct type_row *type_by_code(char type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

bool variant_type_is_text(char type)
{
	return type == 's' || type == 'o' || type == 'g';
}

bool variant_type_is_signed(char type)
{
	const struct type_row *row = type_by_code(type);

	return row && row->negative_max;
}

void variant_release(struct variant *variant)
{
	for (size_t i = 0; variant_type_is_text(variant->type) && i < variant->count; i++)
		free(variant->items[i].text);
	free(variant->items);
	*variant = (struct variant){ 0 };
}

static struct err *refuse(const struct parser *parser, const char *wanted)
{
	return err_new(ERR_INVALID, "GVariant text, byte %zu: %s",
		       (size_t)(parser->at - parser->begin) + 1, wanted);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void skip_space(struct parser *parser)
{
	while (parser->at < parser->end && is_space(*parser->at))
		parser->at++;
}

static bool take_char(struct parser *parser, char c)
{
	skip_space(parser);
	if (parser->at == parser->end || *parser->at != c)
		return false;
	parser->at++;
	return true;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The word at the cursor, which stays. */
static size_t word_len(const struct parser *parser)
{
	size_t len = 0;

	while (parser->at + len < parser->end && is_word_char(parser->at[len]))
		len++;
	return len;
}

static bool take_word(struct parser *parser, const char *word)
{
	size_t len = word_len(parser);

	if (len != strlen(word) || memcmp(parser->at, word, len) != 0)
		return false;
	parser->at += len;
	return true;
}

/* A keyword fixes the type; the same one may be repeated for later items. */
static struct err *take_keyword(struct parser *parser)
{
	skip_space(parser);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!take_word(parser, types[i].keyword))
			continue;
		if (parser->type && parser->type != types[i].type)
			return refuse(parser, "items of one array have one type");
		parser->type = types[i].type;
		skip_space(parser);
		return NULL;
	}
	return NULL;
}

/* --- text --- */

static struct err *add_utf8(struct parser *parser, struct buf *out, uint32_t code)
{
	char bytes[4];
	size_t len = 0;

	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return refuse(parser, "no such character");
	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | (code >> 6));
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | (code >> 12));
		bytes[len++] = (char)(0x80 | ((code >> 6) & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | (code >> 18));
		bytes[len++] = (char)(0x80 | ((code >> 12) & 0x3f));
		bytes[len++] = (char)(0x80 | ((code >> 6) & 0x3f));
	}
	if (code >= 0x80)
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	return buf_add(out, bytes, len);
}

static struct err *take_hex(struct parser *parser, size_t digits, struct buf *out)
{
	uint32_t code = 0;

	for (size_t i = 0; i < digits; i++) {
		const char *hex = "0123456789abcdef";
		const char *digit = NULL;

		if (parser->at < parser->end && *parser->at)
			digit = strchr(hex, *parser->at | 0x20);
		if (!digit)
			return refuse(parser, "a hexadecimal digit is missing");
		code = code << 4 | (uint32_t)(digit - hex);
		parser->at++;
	}
	return add_utf8(parser, out, code);
}

static struct err *take_escape(struct parser *parser, struct buf *out)
{
	static const char names[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	const char *name;
	char c;

	if (parser->at == parser->end || !*parser->at)
		return refuse(parser, "the text has no end");
	c = *parser->at++;
	if (c == 'u' || c == 'U')
		return take_hex(parser, c == 'u' ? 4 : 8, out);
	name = strchr(names, c);
	return buf_add(out, name ? &bytes[name - names] : &c, 1);
}

static struct err *take_text(struct parser *parser, char **ret_text)
{
	char quote = *parser->at++;
	OWN(buf) struct buf out = { 0 };

	for (;;) {
		char c;

		if (parser->at == parser->end || !*parser->at)
			return refuse(parser, "the text has no end");
		c = *parser->at++;
		if (c == quote)
			return buf_take(&out, ret_text);
		if (c == '\\')
			TRY(take_escape(parser, &out));
		else
			TRY(buf_add(&out, &c, 1));
	}
}

/* --- numbers --- */

#define NUMBER_MAX 64

/* The characters of a number, terminated, for strtod(3) and strtoull(3). */
static size_t copy_number(const struct parser *parser, char *copy)
{
	size_t len = 0;

	while (parser->at + len < parser->end && len + 1 < NUMBER_MAX && parser->at[len] &&
	       strchr("0123456789abcdefxABCDEFX+-.", parser->at[len]))
		len++;
	memcpy(copy, parser->at, len);
	copy[len] = '\0';
	return len;
}

static struct err *take_integer(struct parser *parser, const char *copy, uint64_t *ret_number)
{
	const struct type_row *row = type_by_code(parser->type);
	bool negative = *copy == '-';
	uint64_t number;
	char *end;

	copy += negative || *copy == '+';
	if (*copy < '0' || *copy > '9')
		return refuse(parser, "not a number");
	errno = 0;
	number = strtoull(copy, &end, 0);
	if (*end)
		return refuse(parser, "not a whole number");
	if (errno || number > (negative ? row->negative_max : row->max))
		return refuse(
			parser,
			"the number does not fit the type (a type may be put in front: uint64 5)");
	*ret_number = negative ? 0 - number : number;
	return NULL;
}

static struct err *take_real(struct parser *parser, const char *copy, double *ret_real)
{
	char *end;
	double real = strtod(copy, &end);

	if (!*copy || *end || !isfinite(real))
		return refuse(parser, "not a number");
	*ret_real = real;
	return NULL;
}

static struct err *take_number(struct parser *parser, union variant_item *ret_item)
{
	char copy[NUMBER_MAX];
	size_t len = copy_number(parser, copy);

	if (!parser->type)
		parser->type = strchr(copy, '.') ? 'd' : DEFAULT_INTEGER;
	if (parser->type == 'd')
		TRY(take_real(parser, copy, &ret_item->real));
	else
		TRY(take_integer(parser, copy, &ret_item->number));
	parser->at += len;
	return NULL;
}

/* --- values --- */

static struct err *take_item(struct parser *parser, union variant_item *ret_item)
{
	bool is_quote;

	TRY(take_keyword(parser));
	skip_space(parser);
	if (parser->at == parser->end)
		return refuse(parser, "a value is missing");
	is_quote = *parser->at == '\'' || *parser->at == '"';
	if (!parser->type && is_quote)
		parser->type = 's';
	if (!parser->type && (*parser->at == 't' || *parser->at == 'f'))
		parser->type = 'b';
	if (variant_type_is_text(parser->type))
		return is_quote ? take_text(parser, &ret_item->text) :
				  refuse(parser, "a quote is missing");
	if (parser->type != 'b')
		return take_number(parser, ret_item);
	ret_item->number = take_word(parser, "true");
	if (!ret_item->number && !take_word(parser, "false"))
		return refuse(parser, "neither true nor false");
	return NULL;
}

static struct err *add_item(struct parser *parser, struct variant *variant)
{
	union variant_item *grown;
	union variant_item item = { 0 };

	if (variant->count == ITEMS_MAX)
		return refuse(parser, "too many items");
	TRY(take_item(parser, &item));
	variant->type = parser->type;
	grown = realloc(variant->items, (variant->count + 1) * sizeof(*grown));
	if (!grown) {
		if (variant_type_is_text(parser->type))
			free(item.text);
		return err_sys(ENOMEM, "keep a GVariant");
	}
	variant->items = grown;
	variant->items[variant->count++] = item;
	return NULL;
}

static struct err *take_array(struct parser *parser, struct variant *variant)
{
	variant->is_array = true;
	if (take_char(parser, ']')) {
		variant->type = parser->type;
		return parser->type ? NULL : refuse(parser, "an empty array needs a type: @as []");
	}
	do {
		TRY(add_item(parser, variant));
	} while (take_char(parser, ','));
	return take_char(parser, ']') ? NULL : refuse(parser, "',' or ']' is missing");
}

/* "@as" and the like. */
static struct err *take_signature(struct parser *parser, bool *ret_is_array)
{
	bool is_array = parser->at < parser->end && *parser->at == 'a';

	parser->at += is_array;
	if (parser->at == parser->end || !type_by_code(*parser->at))
		return refuse(parser, "only basic types and arrays of them are understood");
	parser->type = *parser->at++;
	skip_space(parser);
	*ret_is_array = is_array;
	return NULL;
}

static struct err *take_value(struct parser *parser, struct variant *variant)
{
	bool is_signed_array = false, has_signature = take_char(parser, '@');
	bool is_array;

	if (has_signature)
		TRY(take_signature(parser, &is_signed_array));
	is_array = take_char(parser, '[');
	if (has_signature && is_array != is_signed_array)
		return refuse(parser, "the value is not of its declared type");
	TRY(is_array ? take_array(parser, variant) : add_item(parser, variant));
	skip_space(parser);
	return parser->at == parser->end ? NULL : refuse(parser, "text after the value");
}

struct err *variant_parse(const char *text, size_t len, struct variant *ret_variant)
{
	struct parser parser = { .at = text, .begin = text, .end = text + len };
	struct variant variant = { 0 };
	struct err *err = take_value(&parser, &variant);

	if (err) {
		variant_release(&variant);
		return err;
	}
	*ret_variant = variant;
	return NULL;
}

/* --- properties --- */

static bool is_name(const char *name, size_t len)
{
	if (len < 3 || len > 128)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z'))
			return false;
	return true;
}

/* "TimeoutStopSec", but not "TimeoutStopUSec". */
static bool is_in_seconds(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && str_eq(name + len - 3, "Sec") && name[len - 4] >= 'a' &&
	       name[len - 4] <= 'z';
}

static struct err *to_microseconds(const char *name, struct variant *value)
{
	double seconds;

	if (value->is_array || variant_type_is_text(value->type) || value->type == 'b')
		return err_new(ERR_INVALID, "%s: not a number of seconds", name);
	if (value->type == 'd')
		seconds = value->items[0].real;
	else if (variant_type_is_signed(value->type))
		seconds = (double)(int64_t)value->items[0].number;
	else
		seconds = (double)value->items[0].number;
	if (seconds < 0 || seconds > 1e12)
		return err_new(ERR_INVALID, "%s: %g seconds are out of range", name, seconds);
	value->items[0].number = (uint64_t)(seconds * 1e6 + 0.5);
	value->type = 't';
	return NULL;
}

struct err *property_parse(const char *property, char **ret_name, struct variant *ret_value)
{
	const char *equals = strchr(property, '=');
	OWN(str) char *name = NULL;
	OWN(variant) struct variant value = { 0 };
	struct err *err;

	if (!equals || !is_name(property, (size_t)(equals - property)))
		return err_new(ERR_INVALID, "'%.64s' is not NAME=VALUE of a unit property",
			       property);
	TRY(str_format(&name, "%.*s", (int)(equals - property), property));
	err = variant_parse(equals + 1, strlen(equals + 1), &value);
	if (err)
		return err_wrap(err, "unit property %s", name);
	if (is_in_seconds(name)) {
		OWN(str) char *in_us = NULL;

		TRY(to_microseconds(name, &value));
		TRY(str_format(&in_us, "%.*sUSec", (int)strlen(name) - 3, name));
		free(name);
		name = TAKE(in_us);
	}
	*ret_name = TAKE(name);
	*ret_value = value;
	value = (struct variant){ 0 };
	return NULL;
}
