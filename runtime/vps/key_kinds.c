/* The kinds of values that NAME.conf holds: OpenVZ's spelling and units on one side, plain units on
 * the other; see keys.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/keys.h"
#include "runtime/vps/netif.h"

#define PAGE_BYTES 4096 /* OpenVZ's page, whatever this machine's is */
/* What OpenVZ writes for "unlimited": LONG_MAX on 64 and on 32 bit hosts. */
#define VZ_UNLIMITED_64 UINT64_C(9223372036854775807)
#define VZ_UNLIMITED_32 UINT64_C(2147483647)

static void init_number(void *field)
{
	*(uint64_t *)field = VPS_UNSET;
}

static void init_text(void *field)
{
	*(char **)field = NULL;
}

static void release_text(void *field)
{
	free(*(char **)field);
}

static void init_words(void *field)
{
	*(struct strlist *)field = (struct strlist){ 0 };
}

static void release_words(void *field)
{
	strlist_release(field);
}

static struct err *read_text(const struct conf_key *key, const char *text, void *field)
{
	char **value = field;
	char *copy = NULL;

	(void)key;
	TRY(str_dup(text, &copy));
	free(*value);
	*value = copy;
	return NULL;
}

static struct err *write_text(const struct conf_key *key, const void *field, struct buf *text,
			      bool *ret_set)
{
	char *const *value = field;

	(void)key;
	*ret_set = *value;
	return *value ? buf_format(text, "%s", *value) : NULL;
}

static struct err *read_words(const struct conf_key *key, const char *text, void *field)
{
	OWN(strlist) struct strlist words = { 0 };

	(void)key;
	for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");

		TRY(strlist_format(&words, "%.*s", (int)len, at));
		at += len;
	}
	strlist_release(field);
	*(struct strlist *)field = words;
	words = (struct strlist){ 0 };
	return NULL;
}

static struct err *write_words(const struct conf_key *key, const void *field, struct buf *text,
			       bool *ret_set)
{
	const struct strlist *words = field;

	(void)key;
	*ret_set = words->count > 0;
	for (size_t i = 0; i < words->count; i++)
		TRY(buf_format(text, "%s%s", i ? " " : "", words->items[i]));
	return NULL;
}

static struct err *read_number(const struct conf_key *key, const char *text, void *field)
{
	return parse_u64(key->name, text, key->min, key->max, field);
}

static struct err *write_number(const struct conf_key *key, const void *field, struct buf *text,
				bool *ret_set)
{
	const uint64_t *value = field;

	(void)key;
	*ret_set = *value != VPS_UNSET;
	return *ret_set ? buf_format(text, "%" PRIu64, *value) : NULL;
}

static const char *const autorestart_words[] = { [VPS_RESTART_NO] = "no",
						 [VPS_RESTART_ON_FAILURE] = "on-failure",
						 [VPS_RESTART_ALWAYS] = "always" };

const char *vps_autorestart_name(uint64_t value)
{
	return autorestart_words[value < ARRAY_SIZE(autorestart_words) ? value : VPS_RESTART_NO];
}

struct err *vps_autorestart_parse(const char *option, const char *text, uint64_t *ret_value)
{
	for (size_t i = 0; i < ARRAY_SIZE(autorestart_words); i++)
		if (str_eq(autorestart_words[i], text)) {
			*ret_value = i;
			return NULL;
		}
	return err_new(ERR_INVALID, "%s: '%.40s' is none of no, on-failure, always", option, text);
}

static struct err *read_autorestart(const struct conf_key *key, const char *text, void *field)
{
	return vps_autorestart_parse(key->name, text, field);
}

static struct err *write_autorestart(const struct conf_key *key, const void *field,
				     struct buf *text, bool *ret_set)
{
	const uint64_t *value = field;

	(void)key;
	*ret_set = *value != VPS_UNSET;
	return *ret_set ? buf_format(text, "%s", vps_autorestart_name(*value)) : NULL;
}

static struct err *read_yes_no(const struct conf_key *key, const char *text, void *field)
{
	bool yes;

	TRY(parse_bool(key->name, text, &yes));
	*(uint64_t *)field = yes;
	return NULL;
}

static struct err *write_yes_no(const struct conf_key *key, const void *field, struct buf *text,
				bool *ret_set)
{
	const uint64_t *value = field;

	(void)key;
	*ret_set = *value != VPS_UNSET;
	return *ret_set ? buf_format(text, "%s", *value ? "yes" : "no") : NULL;
}

static struct err *read_bit_rate(const struct conf_key *key, const char *text, void *field)
{
	return parse_bit_rate(key->name, text, field);
}

/* In the largest unit that has no rest. */
static struct err *write_bit_rate(const struct conf_key *key, const void *field, struct buf *text,
				  bool *ret_set)
{
	static const char *const units[] = { "", "K", "M", "G" };
	uint64_t value = *(const uint64_t *)field;
	size_t unit = 0;

	(void)key;
	*ret_set = value != VPS_UNSET;
	if (!*ret_set)
		return NULL;
	if (value == VPS_UNLIMITED)
		return buf_format(text, "unlimited");
	for (; unit + 1 < ARRAY_SIZE(units) && value && value % 1000 == 0; unit++)
		value /= 1000;
	return buf_format(text, "%" PRIu64 "%s", value, units[unit]);
}

static struct err *read_bytes(const struct conf_key *key, const char *text, void *field)
{
	return parse_bytes(key->name, text, field);
}

static bool is_unlimited(uint64_t value)
{
	return value == VZ_UNLIMITED_64 || value == VZ_UNLIMITED_32;
}

/* "barrier:limit", where the limit counts, or one number for both. */
static struct err *read_limit(const struct conf_key *key, const char *text, uint64_t *ret_limit)
{
	const char *colon = strchr(text, ':'), *limit = colon ? colon + 1 : text;

	if (str_eq(limit, "unlimited")) {
		*ret_limit = VPS_UNLIMITED;
		return NULL;
	}
	TRY(parse_u64(key->name, limit, 0, UINT64_MAX - 2, ret_limit));
	if (is_unlimited(*ret_limit))
		*ret_limit = VPS_UNLIMITED;
	return NULL;
}

static struct err *read_count_limit(const struct conf_key *key, const char *text, void *field)
{
	uint64_t limit;

	TRY(read_limit(key, text, &limit));
	*(uint64_t *)field = limit;
	return NULL;
}

static struct err *write_count_limit(const struct conf_key *key, const void *field,
				     struct buf *text, bool *ret_set)
{
	uint64_t value = *(const uint64_t *)field;

	(void)key;
	*ret_set = value != VPS_UNSET;
	if (!*ret_set)
		return NULL;
	if (value == VPS_UNLIMITED)
		return buf_format(text, "unlimited");
	return buf_format(text, "%" PRIu64 ":%" PRIu64, value, value);
}

/* For values that OpenVZ writes as one number, and where ours may be unlimited. */
static struct err *write_limit(const struct conf_key *key, const void *field, struct buf *text,
			       bool *ret_set)
{
	uint64_t value = *(const uint64_t *)field;

	if (value == VPS_UNLIMITED) {
		*ret_set = true;
		return buf_format(text, "unlimited");
	}
	return write_number(key, field, text, ret_set);
}

/* OpenVZ's rates: 0 and "unlimited" are the same. */
static struct err *read_count(const struct conf_key *key, const char *text, void *field)
{
	uint64_t value;

	TRY(read_limit(key, text, &value));
	*(uint64_t *)field = value == VPS_UNLIMITED ? 0 : value;
	return NULL;
}

static struct err *read_page_limit(const struct conf_key *key, const char *text, void *field)
{
	uint64_t pages;

	TRY(read_limit(key, text, &pages));
	if (pages != VPS_UNLIMITED && pages > UINT64_MAX / PAGE_BYTES / 2)
		return err_new(ERR_INVALID, "%s: %s is too large", key->name, text);
	*(uint64_t *)field = pages == VPS_UNLIMITED ? pages : pages * PAGE_BYTES;
	return NULL;
}

static struct err *write_page_limit(const struct conf_key *key, const void *field, struct buf *text,
				    bool *ret_set)
{
	uint64_t bytes = *(const uint64_t *)field;

	(void)key;
	*ret_set = bytes != VPS_UNSET;
	if (!*ret_set)
		return NULL;
	if (bytes == VPS_UNLIMITED)
		return buf_format(text, "0:unlimited");
	return buf_format(text, "0:%" PRIu64, bytes / PAGE_BYTES);
}

struct addr_list {
	struct net_addr *items;
	size_t count;
};
_Static_assert(offsetof(struct vps_conf, addr_count) ==
		       offsetof(struct vps_conf, addrs) + offsetof(struct addr_list, count),
	       "addrs and addr_count are an addr_list");

static struct err *addr_list_add(struct addr_list *list, const struct net_addr *addr)
{
	struct net_addr *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "keep an address");
	list->items = items;
	items[list->count++] = *addr;
	return NULL;
}

static void own_addr_list(struct addr_list *list)
{
	free(list->items);
}

static void init_addrs(void *field)
{
	*(struct addr_list *)field = (struct addr_list){ 0 };
}

static void release_addrs(void *field)
{
	own_addr_list(field);
}

static struct err *read_addrs(const struct conf_key *key, const char *text, void *field)
{
	OWN(strlist) struct strlist words = { 0 };
	OWN(addr_list) struct addr_list list = { 0 };
	struct addr_list *target = field;

	TRY(read_words(key, text, &words));
	for (size_t i = 0; i < words.count; i++) {
		struct net_addr addr;

		TRY(net_addr_parse(key->name, words.items[i], &addr));
		TRY(addr_list_add(&list, &addr));
	}
	free(target->items);
	*target = list;
	list = (struct addr_list){ 0 };
	return NULL;
}

static struct err *write_addrs(const struct conf_key *key, const void *field, struct buf *text,
			       bool *ret_set)
{
	const struct addr_list *list = field;

	(void)key;
	*ret_set = list->count > 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct net_addr *addr = &list->items[i];
		char host[NET_ADDR_TEXT_MAX];

		net_addr_format(addr, host);
		TRY(buf_format(text, "%s%s", i ? " " : "", host));
		if (addr->prefix != (addr->family == AF_INET ? 32 : 128))
			TRY(buf_format(text, "/%u", addr->prefix));
	}
	return NULL;
}

struct err *vps_conf_add_addr(struct vps_conf *conf, const struct net_addr *addr)
{
	struct addr_list list = { conf->addrs, conf->addr_count };
	struct err *err = addr_list_add(&list, addr);

	conf->addrs = list.items;
	conf->addr_count = list.count;
	return err;
}

static struct err *check_addrs(const struct conf_key *key, const void *field)
{
	const struct addr_list *list = field;

	for (size_t i = 0; i < list->count; i++)
		for (size_t k = 0; k < i; k++)
			if (net_addr_same_host(&list->items[i], &list->items[k]))
				return err_new(ERR_INVALID, "%s: an address is given twice",
					       conf_key_label(key));
	if (list->count > 256)
		return err_new(ERR_INVALID, "%s: more than 256 addresses", conf_key_label(key));
	return NULL;
}

static void init_netifs(void *field)
{
	*(struct net_ports *)field = (struct net_ports){ 0 };
}

static void release_netifs(void *field)
{
	net_ports_release(field);
}

static struct err *read_netifs(const struct conf_key *key, const char *text, void *field)
{
	struct net_ports ports;

	TRY(netif_parse(key->name, text, &ports));
	net_ports_release(field);
	*(struct net_ports *)field = ports;
	return NULL;
}

static struct err *write_netifs(const struct conf_key *key, const void *field, struct buf *text,
				bool *ret_set)
{
	const struct net_ports *ports = field;

	(void)key;
	*ret_set = ports->count > 0;
	return netif_format(ports, text);
}

static struct err *check_netifs(const struct conf_key *key, const void *field)
{
	return netif_check(key->name, field);
}

static struct err *check_range(const struct conf_key *key, const void *field)
{
	return conf_check_range(key, *(const uint64_t *)field);
}

/* clang-format off */
const struct conf_kind
	conf_text        = { init_text,   release_text,  read_text,        write_text,        NULL },
	conf_words       = { init_words,  release_words, read_words,       write_words,       NULL },
	conf_number      = { init_number, NULL,          read_number,      write_number,      check_range },
	conf_yes_no      = { init_number, NULL,          read_yes_no,      write_yes_no,      check_range },
	conf_autorestart = { init_number, NULL,          read_autorestart, write_autorestart, check_range },
	conf_count_limit = { init_number, NULL,          read_count_limit, write_count_limit, check_range },
	conf_limit       = { init_number, NULL,          read_count_limit, write_limit,       check_range },
	conf_count       = { init_number, NULL,          read_count,       write_number,      check_range },
	conf_byte_count  = { init_number, NULL,          read_count,       write_number,      check_range },
	conf_bit_rate    = { init_number, NULL,          read_bit_rate,    write_bit_rate,    check_range },
	conf_bytes       = { init_number, NULL,          read_bytes,       write_number,      check_range },
	conf_page_limit  = { init_number, NULL,          read_page_limit,  write_page_limit,  check_range },
	conf_addrs       = { init_addrs,  release_addrs, read_addrs,       write_addrs,       check_addrs },
	conf_netifs      = { init_netifs, release_netifs, read_netifs,     write_netifs,      check_netifs };
/* clang-format on */
