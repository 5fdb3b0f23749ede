/* The keys of NAME.conf: OpenVZ's names and units on one side, plain units on the other; see
 * conf.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/conf.h"

#define PAGE_BYTES 4096 /* OpenVZ's page, whatever this machine's is */
/* What OpenVZ writes for "unlimited": LONG_MAX on 64 and on 32 bit hosts. */
#define VZ_UNLIMITED_64 UINT64_C(9223372036854775807)
#define VZ_UNLIMITED_32 UINT64_C(2147483647)

struct conf_key;
typedef struct err *key_read_fn(const struct conf_key *key, const char *text, void *field);
/* Nothing is appended when the field is unset; *ret_set says which. */
typedef struct err *key_write_fn(const struct conf_key *key, const void *field, struct buf *text,
				 bool *ret_set);

struct conf_key {
	const char *name;
	key_read_fn *read;
	key_write_fn *write;
	size_t offset;
	uint64_t min, max; /* numbers, in the struct's units */
	const char *option, *meaning;
};

/* --- one pair of functions per kind of value --- */

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

/* --- the table --- */

#define FIELD(member) offsetof(struct vps_conf, member)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "CONFIG",       read_text, write_text, FIELD(config), 0, 0, "--config", "the plan it was made from" },
	{ "CPULIMIT",     read_number, write_number, FIELD(cpulimit_percent), 0, 100000, "--cpulimit",
	  "CPU time in percent of one CPU; 0: no limit" },
	{ "CPUS",         read_number, write_number, FIELD(cpus), 1, 4096, "--cpus", "number of CPUs" },
	{ "CPUUNITS",     read_number, write_number, FIELD(cpuunits), 8, 500000, "--cpuunits",
	  "share of the CPU under contention; 1000 is the default" },
	{ "DESCRIPTION",  read_text, write_text, FIELD(description), 0, 0, "--description", "any text, one line" },
	{ "DISABLED",     read_yes_no, write_yes_no, FIELD(disabled), 0, 1, "--disabled", "yes: start is refused" },
	{ "HOSTNAME",     read_text, write_text, FIELD(hostname), 0, 0, "--hostname", "host name inside" },
	{ "IP_ADDRESS",   read_addrs, write_addrs, FIELD(addrs), 0, 0, "--ipadd", "addresses, separated by blanks" },
	{ "LOCAL_GID",    read_number, write_number, FIELD(id_first), 1, 4294836224, NULL,
	  "as LOCAL_UID; both are always the same" },
	{ "LOCAL_IDS",    read_number, write_number, FIELD(id_count), 65536, 16777216, NULL,
	  "how many host ids from LOCAL_UID on belong to it" },
	{ "LOCAL_UID",    read_number, write_number, FIELD(id_first), 1, 4294836224, NULL,
	  "the host's uid of its root" },
	{ "NAMESERVER",   read_words, write_words, FIELD(nameservers), 0, 0, "--nameserver", "addresses for resolv.conf" },
	{ "NUMPROC",      read_count_limit, write_count_limit, FIELD(numproc), 1, 4194304, "--numproc",
	  "processes and threads, barrier:limit; the limit counts" },
	{ "ONBOOT",       read_yes_no, write_yes_no, FIELD(onboot), 0, 1, "--onboot", "yes: started with the host" },
	{ "OSTEMPLATE",   read_text, write_text, FIELD(ostemplate), 0, 0, "--ostemplate", "the template it was made from" },
	{ "PHYSPAGES",    read_page_limit, write_page_limit, FIELD(ram_bytes), 4 << 20, UINT64_MAX, "--ram",
	  "memory in pages of 4 KiB, barrier:limit; the limit counts" },
	{ "SEARCHDOMAIN", read_words, write_words, FIELD(searchdomains), 0, 0, "--searchdomain", "domains for resolv.conf" },
	{ "STOP_TIMEOUT", read_number, write_number, FIELD(stop_timeout_s), 0, 86400, "--stop-timeout",
	  "seconds that stop waits before it kills" },
	{ "SWAPPAGES",    read_page_limit, write_page_limit, FIELD(swap_bytes), 0, UINT64_MAX, "--swap",
	  "swap in pages of 4 KiB, barrier:limit; the limit counts" },
	{ "VE_LAYOUT",    read_text, write_text, FIELD(layout), 0, 0, "--layout", "how its disk lies on the host: dir" },
};
/* clang-format on */

const char *vps_conf_key(size_t i, const char **ret_meaning)
{
	if (i >= ARRAY_SIZE(keys))
		return NULL;
	*ret_meaning = keys[i].meaning;
	return keys[i].name;
}

void vps_conf_init(struct vps_conf *conf)
{
	*conf = (struct vps_conf){
		.ram_bytes = VPS_UNSET,
		.swap_bytes = VPS_UNSET,
		.numproc = VPS_UNSET,
		.cpus = VPS_UNSET,
		.cpulimit_percent = VPS_UNSET,
		.cpuunits = VPS_UNSET,
		.stop_timeout_s = VPS_UNSET,
		.onboot = VPS_UNSET,
		.disabled = VPS_UNSET,
		.id_first = VPS_UNSET,
		.id_count = VPS_UNSET,
	};
}

void vps_conf_release(struct vps_conf *conf)
{
	free(conf->ostemplate);
	free(conf->hostname);
	free(conf->description);
	free(conf->layout);
	free(conf->config);
	free(conf->addrs);
	strlist_release(&conf->nameservers);
	strlist_release(&conf->searchdomains);
	vps_conf_init(conf);
}

struct err *vps_conf_add_addr(struct vps_conf *conf, const struct net_addr *addr)
{
	struct addr_list list = { conf->addrs, conf->addr_count };
	struct err *err = addr_list_add(&list, addr);

	conf->addrs = list.items;
	conf->addr_count = list.count;
	return err;
}

struct err *vps_conf_read(const struct conf_file *file, struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = conf_file_get(file, keys[i].name);

		/* an empty value is how OpenVZ's tools unset a key */
		if (value && *value)
			TRY(keys[i].read(&keys[i], value, (char *)conf + keys[i].offset));
	}
	return NULL;
}

static struct err *write_one(const struct conf_key *key, const struct vps_conf *conf,
			     struct conf_file *file)
{
	OWN(buf) struct buf text = { 0 };
	bool is_set;

	TRY(key->write(key, (const char *)conf + key->offset, &text, &is_set));
	return is_set ? conf_file_set(file, key->name, text.data) : NULL;
}

/* Does the file's own spelling already mean this value? Then it stays as the operator wrote it. */
static struct err *means_the_same(const struct conf_key *key, const struct vps_conf *conf,
				  const struct conf_file *file, bool *ret_same)
{
	const char *value = conf_file_get(file, key->name);
	OWN(vps_conf) struct vps_conf read = { 0 };
	OWN(buf) struct buf ours = { 0 }, theirs = { 0 };
	bool ours_set, theirs_set;
	struct err *err;

	*ret_same = false;
	vps_conf_init(&read);
	if (!value)
		return NULL;
	err = key->read(key, value, (char *)&read + key->offset);
	if (err) {
		err_drop(err); /* a bad old value is simply replaced */
		return NULL;
	}
	TRY(key->write(key, (const char *)conf + key->offset, &ours, &ours_set));
	TRY(key->write(key, (const char *)&read + key->offset, &theirs, &theirs_set));
	*ret_same = ours_set == theirs_set &&
		    str_eq(ours.data ? ours.data : "", theirs.data ? theirs.data : "");
	return NULL;
}

struct err *vps_conf_write(const struct vps_conf *conf, struct conf_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool same;

		TRY(means_the_same(&keys[i], conf, file, &same));
		if (!same)
			TRY(write_one(&keys[i], conf, file));
	}
	return NULL;
}

struct err *vps_conf_merge(const struct vps_conf *over, struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct conf_key *key = &keys[i];
		OWN(buf) struct buf text = { 0 };
		bool is_set;

		TRY(key->write(key, (const char *)over + key->offset, &text, &is_set));
		if (is_set)
			TRY(key->read(key, text.data, (char *)conf + key->offset));
	}
	return NULL;
}

struct err *vps_conf_unknown(const struct conf_file *file, struct strlist *ret_keys)
{
	for (size_t i = 0; i < file->count; i++) {
		const char *name = file->lines[i].key;
		bool known = !name || strlist_has(ret_keys, name);

		for (size_t k = 0; k < ARRAY_SIZE(keys) && !known; k++)
			known = str_eq(keys[k].name, name);
		if (!known)
			TRY(strlist_add(ret_keys, name));
	}
	return NULL;
}

/* --- the check of the final object --- */

static struct err *check_range(const struct conf_key *key, uint64_t value)
{
	if (value == VPS_UNSET || value == VPS_UNLIMITED ||
	    (value >= key->min && value <= key->max))
		return NULL;
	return err_new(ERR_INVALID, "%s: %" PRIu64 " is not in %" PRIu64 "..%" PRIu64,
		       key->option ? key->option : key->name, value, key->min, key->max);
}

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

static struct err *check_text(const char *option, const char *text, size_t max)
{
	struct conf_file scratch = { 0 };
	struct err *err;

	if (!text)
		return NULL;
	if (strlen(text) > max)
		return err_new(ERR_INVALID, "%s: longer than %zu bytes", option, max);
	err = conf_file_set(&scratch, option, text);
	conf_file_release(&scratch);
	return err;
}

static struct err *check_lists(const struct vps_conf *conf)
{
	for (size_t i = 0; i < conf->nameservers.count; i++) {
		struct net_addr addr;

		TRY(net_addr_parse_host("--nameserver", conf->nameservers.items[i], &addr));
	}
	for (size_t i = 0; i < conf->searchdomains.count; i++)
		TRY(check_domain("--searchdomain", conf->searchdomains.items[i]));
	for (size_t i = 0; i < conf->addr_count; i++)
		for (size_t k = 0; k < i; k++)
			if (net_addr_same_host(&conf->addrs[i], &conf->addrs[k]))
				return err_new(ERR_INVALID, "--ipadd: an address is given twice");
	if (conf->addr_count > 256)
		return err_new(ERR_INVALID, "--ipadd: more than 256 addresses");
	return NULL;
}

struct err *vps_conf_check(const struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].max)
			TRY(check_range(&keys[i],
					*(const uint64_t *)(const void *)((const char *)conf +
									  keys[i].offset)));
	if (conf->hostname)
		TRY(check_domain("--hostname", conf->hostname));
	if (conf->hostname && strlen(conf->hostname) > 64)
		return err_new(ERR_INVALID,
			       "--hostname: longer than 64 bytes, which is the kernel's limit");
	if (conf->ostemplate)
		TRY(parse_container_id(conf->ostemplate));
	if (conf->config)
		TRY(parse_container_id(conf->config));
	if (conf->layout && !str_eq(conf->layout, "dir"))
		return err_new(ERR_INVALID, "--layout: '%.40s' is not known; there is: dir",
			       conf->layout);
	TRY(check_text("--description", conf->description, 4096));
	return check_lists(conf);
}
