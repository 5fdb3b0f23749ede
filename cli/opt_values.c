/* The value parsers that option tables name: text to one typed field. */
#include "cli/opt.h"

#include <string.h>

#include "base/parse.h"

struct err *opt_bool(const struct opt *opt, const char *text, void *field)
{
	return parse_bool(opt_label(opt).text, text, field);
}

struct err *opt_flag(const struct opt *opt, const char *text, void *field)
{
	if (text)
		return opt_bool(opt, text, field);
	*(bool *)field = true;
	return NULL;
}

struct err *opt_off(const struct opt *opt, const char *text, void *field)
{
	bool off = true;

	if (text)
		TRY(opt_bool(opt, text, &off));
	*(bool *)field = !off;
	return NULL;
}

struct err *opt_string(const struct opt *opt, const char *text, void *field)
{
	(void)opt;
	*(const char **)field = text;
	return NULL;
}

struct err *opt_path(const struct opt *opt, const char *text, void *field)
{
	if (!*text)
		return err_new(ERR_INVALID, "--%s: the path is empty", opt->name);
	return opt_string(opt, text, field);
}

struct err *opt_strlist(const struct opt *opt, const char *text, void *field)
{
	(void)opt;
	return strlist_add(field, text);
}

struct err *opt_u64(const struct opt *opt, const char *text, void *field)
{
	return parse_u64(opt_label(opt).text, text, 0, UINT64_MAX, field);
}

struct err *opt_i64(const struct opt *opt, const char *text, void *field)
{
	return parse_i64(opt_label(opt).text, text, field);
}

struct err *opt_u32(const struct opt *opt, const char *text, void *field)
{
	uint64_t value;

	TRY(parse_u64(opt_label(opt).text, text, 0, UINT32_MAX, &value));
	*(uint32_t *)field = (uint32_t)value;
	return NULL;
}

struct err *opt_bytes(const struct opt *opt, const char *text, void *field)
{
	return parse_bytes(opt_label(opt).text, text, field);
}

struct err *opt_bit_rate(const struct opt *opt, const char *text, void *field)
{
	return parse_bit_rate(opt_label(opt).text, text, field);
}

struct err *opt_duration(const struct opt *opt, const char *text, void *field)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
	size_t digits = strspn(text, "0123456789");
	char number[20] = "x";
	uint64_t value, scale = 0;

	if (digits < sizeof(number)) {
		memcpy(number, text, digits);
		number[digits] = '\0';
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_eq(text + digits, units[i].suffix))
			scale = units[i].ms;
	if (!scale || strspn(number, "0123456789") == 0)
		return err_new(ERR_INVALID, "--%s: '%.64s' is not a time such as 500ms, 5s or 2m",
			       opt->name, text);
	TRY(parse_u64(opt_label(opt).text, number, 0, UINT64_MAX / scale, &value));
	*(uint64_t *)field = value * scale;
	return NULL;
}

struct err *opt_choice(const struct opt *opt, const char *text, void *field)
{
	OWN(buf) struct buf words = { 0 };

	for (int i = 0; opt->choices[i]; i++) {
		if (str_eq(opt->choices[i], text)) {
			*(int *)field = i;
			return NULL;
		}
		TRY(buf_format(&words, "%s%s", i ? ", " : "", opt->choices[i]));
	}
	return err_new(ERR_INVALID, "--%s: '%.64s' is none of %s", opt->name, text, words.data);
}

struct err *opt_ignored(const struct opt *opt, const char *text, void *field)
{
	(void)opt;
	(void)text;
	(void)field;
	return NULL;
}
