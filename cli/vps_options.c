/* Definitions on the command line, in vzctl's spellings; see vps.h. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "cli/vps.h"

/* A value that cannot be read: with the numbers that it might have been. */
static struct err *with_range(const struct opt *opt, struct err *err)
{
	/* vzctl's older spellings of --ram and --swap */
	const char *label = str_eq(opt->name, "physpages") ? "--ram" :
			    str_eq(opt->name, "swappages") ? "--swap" :
							     opt_label(opt).text;
	OWN(buf) struct buf range = { 0 };
	OWN(err) struct err *cause = err;

	if (!err)
		return NULL;
	TRY(vps_conf_range(label, &range));
	return err_new(ERR_INVALID, "%s in the range %s", err_text(cause), range.data);
}

static struct err *not_a_number(const struct opt *opt, const char *text)
{
	return with_range(opt, err_new(ERR_INVALID, "%s: '%.40s' is not a number",
				       opt_label(opt).text, text));
}

struct err *opt_vps_number(const struct opt *opt, const char *text, void *field)
{
	struct err *err = parse_u64(opt_label(opt).text, text, 0, UINT64_MAX - 2, field);

	if (!err)
		return NULL;
	err_drop(err); /* said with the range */
	return not_a_number(opt, text);
}

struct err *opt_vps_size(const struct opt *opt, const char *text, void *field)
{
	return with_range(opt, opt_bytes(opt, text, field));
}

struct err *opt_vps_bit_rate(const struct opt *opt, const char *text, void *field)
{
	return with_range(opt, opt_bit_rate(opt, text, field));
}

struct err *opt_vps_bytes(const struct opt *opt, const char *text, void *field)
{
	if (str_eq(text, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_vps_size(opt, text, field);
}

struct err *opt_vps_rate(const struct opt *opt, const char *text, void *field)
{
	OWN(str) char *megabytes = NULL;
	size_t digits = strspn(text, "0123456789");

	TRY(str_format(&megabytes, "%.*sM", (int)digits, text));
	return opt_vps_size(opt, digits && !text[digits] ? megabytes : text, field);
}

/* Of "barrier:limit" the limit counts. vzctl's suffixes: P for pages, else as for bytes. */
struct err *opt_vps_pages(const struct opt *opt, const char *text, void *field)
{
	const char *colon = strchr(text, ':'), *limit = colon ? colon + 1 : text;
	size_t digits = strspn(limit, "0123456789");
	OWN(str) char *number = NULL;
	uint64_t pages;

	if (!digits ||
	    (limit[digits] && !str_eq(limit + digits, "P") && !str_eq(limit + digits, "p")))
		return opt_vps_bytes(opt, limit, field);
	TRY(str_format(&number, "%.*s", (int)digits, limit));
	TRY(opt_vps_number(opt, number, &pages));
	/* OpenVZ's "unlimited" is LONG_MAX, of 64 or of 32 bits */
	if (pages == INT64_MAX || pages == INT32_MAX)
		*(uint64_t *)field = VPS_UNLIMITED;
	else if (pages > UINT64_MAX / 4096 / 2)
		return with_range(opt, err_new(ERR_INVALID, "%s: '%s' pages are no size",
					       opt_label(opt).text, limit));
	else
		*(uint64_t *)field = pages * 4096;
	return NULL;
}

struct err *opt_vps_best_effort(const struct opt *opt, const char *text, void *field)
{
	return opt_vps_yes_no(opt, text ? text : "yes", field);
}

struct err *opt_vps_space(const struct opt *opt, const char *text, void *field)
{
	return with_range(opt, vps_pair_parse(opt_label(opt).text, text, VPS_PAIR_KIB, field));
}

struct err *opt_vps_pair(const struct opt *opt, const char *text, void *field)
{
	return with_range(opt, vps_pair_parse(opt_label(opt).text, text, VPS_PAIR_COUNT, field));
}

/* "limit" or vzctl's "barrier:limit", where the limit counts. */
struct err *opt_vps_limit(const struct opt *opt, const char *text, void *field)
{
	const char *colon = strchr(text, ':'), *limit = colon ? colon + 1 : text;

	if (str_eq(limit, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_vps_number(opt, limit, field);
}

/* "150" or "150%" */
struct err *opt_vps_percent(const struct opt *opt, const char *text, void *field)
{
	size_t len = strlen(text);
	OWN(str) char *number = NULL;

	TRY(str_format(&number, "%.*s", (int)(len && text[len - 1] == '%' ? len - 1 : len), text));
	return opt_vps_number(opt, number, field);
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

struct err *opt_vps_kept(const struct opt *opt, const char *text, void *field)
{
	char key[32];
	size_t len = 0;

	for (; len < sizeof(key) - 1 && opt->name[len]; len++)
		key[len] = (char)toupper((unsigned char)opt->name[len]);
	key[len] = '\0';
	return strlist_format(field, "%s=%s", key, text);
}

struct err *vps_warn_kept(const struct strlist *pairs)
{
	OWN(buf) struct buf keys = { 0 };

	for (size_t i = 0; i < pairs->count; i++)
		TRY(buf_format(&keys, "%s%.*s", i ? ", " : "", (int)strcspn(pairs->items[i], "="),
			       pairs->items[i]));
	if (pairs->count)
		log_warning("kept in the file, but without effect on this kernel: %s", keys.data);
	return NULL;
}

/* "ssh-ed25519 AAAA..." or the path of a file with such lines. */
struct err *opt_vps_keys(const struct opt *opt, const char *text, void *field)
{
	OWN(buf) struct buf lines = { 0 };
	struct err *err;

	if (*text != '/' && *text != '.')
		return strlist_add(field, text);
	err = file_read(AT_FDCWD, text, 65536, &lines);
	if (!err)
		err = buf_add(&lines, "", 0);
	if (err)
		return err_wrap(err, "%s", opt_label(opt).text);
	for (const char *at = lines.data; *at;) {
		size_t len = strcspn(at, "\n");

		if (len && *at != '#')
			TRY(strlist_format(field, "%.*s", (int)len, at));
		at += len + (at[len] == '\n');
	}
	return NULL;
}
