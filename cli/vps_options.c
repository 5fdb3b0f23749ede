/* Definitions on the command line, in vzctl's spellings; see vps.h. */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli/vps.h"

struct err *opt_vps_bytes(const struct opt *opt, const char *text, void *field)
{
	if (str_eq(text, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_bytes(opt, text, field);
}

struct err *opt_vps_space(const struct opt *opt, const char *text, void *field)
{
	return vps_pair_parse(opt_label(opt).text, text, VPS_PAIR_KIB, field);
}

struct err *opt_vps_pair(const struct opt *opt, const char *text, void *field)
{
	return vps_pair_parse(opt_label(opt).text, text, VPS_PAIR_COUNT, field);
}

/* "limit" or vzctl's "barrier:limit", where the limit counts. */
struct err *opt_vps_limit(const struct opt *opt, const char *text, void *field)
{
	const char *colon = strchr(text, ':'), *limit = colon ? colon + 1 : text;

	if (str_eq(limit, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_u64(opt, limit, field);
}

/* "150" or "150%" */
struct err *opt_vps_percent(const struct opt *opt, const char *text, void *field)
{
	size_t len = strlen(text);
	OWN(str) char *number = NULL;

	TRY(str_format(&number, "%.*s", (int)(len && text[len - 1] == '%' ? len - 1 : len), text));
	return opt_u64(opt, number, field);
}

struct err *opt_vps_yes_no(const struct opt *opt, const char *text, void *field)
{
	bool yes;

	TRY(opt_bool(opt, text, &yes));
	*(uint64_t *)field = yes;
	return NULL;
}

struct err *opt_vps_autorestart(const struct opt *opt, const char *text, void *field)
{
	return vps_autorestart_parse(opt_label(opt).text, text, field);
}

struct err *opt_vps_text(const struct opt *opt, const char *text, void *field)
{
	char **value = field;
	char *copy = NULL;

	(void)opt;
	TRY(str_dup(text, &copy));
	free(*value);
	*value = copy;
	return NULL;
}

/* An option may be repeated, or hold several words as in the file. */
struct err *opt_vps_words(const struct opt *opt, const char *text, void *field)
{
	(void)opt;
	for (const char *at = text + strspn(text, " ,"); *at; at += strspn(at, " ,")) {
		size_t len = strcspn(at, " ,");

		TRY(strlist_format(field, "%.*s", (int)len, at));
		at += len;
	}
	return NULL;
}

struct err *opt_vps_net(const struct opt *opt, const char *text, void *field)
{
	return strlist_format(field, "%s=%s", opt->name, text);
}
