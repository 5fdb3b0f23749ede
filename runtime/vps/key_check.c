/* The rules for values of NAME.conf, for rows of keys.c to name; see keys.h. */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/keys.h"

/* One label or several, as hostname(7) and RFC 1123 have it. */
static struct err *check_domain(const char *option, const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0 || len > 253)
		return err_new(ERR_INVALID, "%s: a name has 1 to 253 characters", option);
	for (size_t i = 0; i < len; i++) {
		bool dash = name[i] == '-', dot = name[i] == '.';
		bool edge = label == 0 || name[i + 1] == '.' || name[i + 1] == '\0';

		if (!dash && !dot &&
		    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			    name[i]))
			return err_new(ERR_INVALID,
				       "%s: a name is made of letters, digits, '-' and '.'",
				       option);
		if ((dash && edge) || (dot && (label == 0 || i + 1 == len)))
			return err_new(ERR_INVALID, "%s: '-' or '.' stands at the edge of a label",
				       option);
		label = dot ? 0 : label + 1;
		if (label > 63)
			return err_new(ERR_INVALID, "%s: a label has at most 63 characters",
				       option);
	}
	return NULL;
}

struct err *check_hostname(const struct conf_key *key, const void *field)
{
	const char *name = *(char *const *)field;

	TRY(check_domain(conf_key_label(key), name));
	if (strlen(name) <= key->max)
		return NULL;
	return err_new(ERR_INVALID,
		       "%s: longer than %" PRIu64 " bytes, which is the kernel's limit",
		       conf_key_label(key), key->max);
}

struct err *check_domains(const struct conf_key *key, const void *field)
{
	const struct strlist *names = field;

	for (size_t i = 0; i < names->count; i++)
		TRY(check_domain(conf_key_label(key), names->items[i]));
	return NULL;
}

struct err *check_name_servers(const struct conf_key *key, const void *field)
{
	const struct strlist *servers = field;

	for (size_t i = 0; i < servers->count; i++) {
		struct net_addr addr;

		TRY(net_addr_parse_host(conf_key_label(key), servers->items[i], &addr));
	}
	return NULL;
}

/* A template's or a plan's: what can be a file's name. */
struct err *check_name(const struct conf_key *key, const void *field)
{
	return err_wrap(parse_container_id(*(char *const *)field), "%s", conf_key_label(key));
}

struct err *check_names(const struct conf_key *key, const void *field)
{
	const struct strlist *names = field;

	for (size_t i = 0; i < names->count; i++)
		TRY(err_wrap(parse_container_id(names->items[i]), "%s", conf_key_label(key)));
	return NULL;
}

/* "DEVICE:CLASS:KBIT", several of them separated by blanks; each has its number last. */
struct err *check_rate(const struct conf_key *key, const void *field)
{
	uint64_t kbits;

	return vps_rate_kbits(conf_key_label(key), *(char *const *)field, &kbits);
}

struct err *check_layout(const struct conf_key *key, const void *field)
{
	const char *layout = *(char *const *)field;

	if (str_eq(layout, "dir"))
		return NULL;
	return err_new(ERR_INVALID, "%s: '%.40s' is not known; there is: dir", conf_key_label(key),
		       layout);
}

/* One line that can stand in the file, of at most key->max bytes. */
struct err *check_text(const struct conf_key *key, const void *field)
{
	const char *text = *(char *const *)field;
	struct conf_file scratch = { 0 };
	struct err *err;

	if (strlen(text) > key->max)
		return err_new(ERR_INVALID, "%s: longer than %" PRIu64 " bytes",
			       conf_key_label(key), key->max);
	err = conf_file_set(&scratch, conf_key_label(key), text);
	conf_file_release(&scratch);
	return err;
}
