/* The rules for values of NAME.conf, for rows of keys.c to name; see keys.h. */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "rootfs/layout.h"
#include "runtime/vps/keys.h"
#include "runtime/vps/publish.h"

/* One label or several, as hostname(7) and RFC 1123 have it. */
static struct err *check_domain(const char *option, const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0 || len > 253)
		return err_new(ERR_INVALID, "%s: '%.40s%s' has not 1 to 253 characters", option,
			       name, len > 40 ? "..." : "");
	for (size_t i = 0; i < len; i++) {
		bool dash = name[i] == '-', dot = name[i] == '.';
		bool edge = label == 0 || name[i + 1] == '.' || name[i + 1] == '\0';

		if (!dash && !dot &&
		    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			    name[i]))
			return err_new(ERR_INVALID,
				       "%s: '%.64s' is not made of letters, digits, '-' and '.'",
				       option, name);
		if ((dash && edge) || (dot && (label == 0 || i + 1 == len)))
			return err_new(ERR_INVALID,
				       "%s: '%.64s' has '-' or '.' at the edge of a label", option,
				       name);
		label = dot ? 0 : label + 1;
		if (label > 63)
			return err_new(ERR_INVALID,
				       "%s: '%.64s...' has more than 63 characters in a label",
				       option, name);
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
		       "%s: '%.40s...' is longer than %" PRIu64 " bytes, the kernel's limit",
		       conf_key_label(key), name, key->max);
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

struct err *check_traffic_quota(const struct conf_key *key, const void *field)
{
	struct vps_traffic_quota quota;

	return vps_traffic_quota_parse(conf_key_label(key), *(char *const *)field, &quota);
}

struct err *check_layout(const struct conf_key *key, const void *field)
{
	const char *layout = *(char *const *)field;

	if (layout_is_known(vps_layout_of(layout)))
		return NULL;
	return err_new(ERR_INVALID, "%s: '%.40s' is not known; there are: dir, overlay, image",
		       conf_key_label(key), layout);
}

#define INDEX_MAX 8191 /* the kernel's largest NR_CPUS, less one */

static bool take_index(const char **at, unsigned int *ret_index)
{
	size_t digits = strspn(*at, "0123456789");

	*ret_index = 0;
	for (size_t i = 0; i < digits && *ret_index <= INDEX_MAX; i++)
		*ret_index = *ret_index * 10 + (unsigned int)((*at)[i] - '0');
	*at += digits;
	return digits > 0 && *ret_index <= INDEX_MAX;
}

/* Ranges as cpuset(7) has them; whether these CPUs exist is asked where they are used. */
static bool is_index_list(const char *at)
{
	for (;; at++) {
		unsigned int first, last;

		if (!take_index(&at, &first))
			return false;
		last = first;
		if (*at == '-') {
			at++;
			if (!take_index(&at, &last))
				return false;
		}
		if (last < first || *at != ',')
			return last >= first && *at == '\0';
	}
}

struct err *check_cpu_list(const struct conf_key *key, const void *field)
{
	const char *list = *(char *const *)field;

	if (str_eq(list, "all") || str_eq(list, "auto"))
		return NULL;
	if (is_index_list(list))
		return NULL;
	return err_new(ERR_INVALID,
		       "%s: '%.64s' is not a list of CPUs from 0 to %d such as 0-3,7, all or auto",
		       conf_key_label(key), list, INDEX_MAX);
}

struct err *check_node_list(const struct conf_key *key, const void *field)
{
	const char *list = *(char *const *)field;

	if (str_eq(list, "all"))
		return NULL;
	if (is_index_list(list))
		return NULL;
	return err_new(ERR_INVALID, "%s: '%.64s' is not a list of memory nodes such as 0-1, or all",
		       conf_key_label(key), list);
}

/* A name below /usr/share/zoneinfo, which becomes a part of a path. */
struct err *check_zone(const struct conf_key *key, const void *field)
{
	const char *zone = *(char *const *)field;
	size_t len = strlen(zone);

	if (len == 0 || len > key->max || *zone == '/' || zone[len - 1] == '/' ||
	    strstr(zone, "//") ||
	    strspn(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") !=
		    len)
		return err_new(ERR_INVALID,
			       "%s: '%.64s' is not the name of a zone such as Europe/Berlin",
			       conf_key_label(key), zone);
	return NULL;
}

/* One line that can stand in the file, of at most key->max bytes. */
struct err *check_text(const struct conf_key *key, const void *field)
{
	const char *text = *(char *const *)field;
	struct conf_file scratch = { 0 };
	struct err *err;

	if (strlen(text) > key->max)
		return err_new(ERR_INVALID, "%s: '%.40s...' is longer than %" PRIu64 " bytes",
			       conf_key_label(key), text, key->max);
	err = conf_file_set(&scratch, conf_key_label(key), text);
	conf_file_release(&scratch);
	return err;
}

struct err *check_publish(const struct conf_key *key, const void *field)
{
	return publish_check(conf_key_label(key), field);
}

static bool is_number(uint64_t value)
{
	return value != VPS_UNSET && value != VPS_UNLIMITED;
}

static struct err *check_below_ram(const struct vps_conf *conf, const char *option, uint64_t bytes)
{
	if (!is_number(bytes) || !is_number(conf->ram_bytes) || bytes <= conf->ram_bytes)
		return NULL;
	return err_new(ERR_INVALID, "%s: %" PRIu64 " bytes are more than --ram, %" PRIu64, option,
		       bytes, conf->ram_bytes);
}

/* Percent of one CPU; 0: none. */
static uint64_t cpu_limit(const struct vps_conf *conf)
{
	uint64_t by_count = is_number(conf->cpus) ? conf->cpus * 100 : 0;
	uint64_t by_percent = is_number(conf->cpulimit_percent) ? conf->cpulimit_percent : 0;

	if (!by_count || !by_percent)
		return by_count + by_percent;
	return by_count < by_percent ? by_count : by_percent;
}

struct err *vps_conf_check_together(const struct vps_conf *conf)
{
	TRY(check_below_ram(conf, "--ram-min", conf->ram_min_bytes));
	TRY(check_below_ram(conf, "--ram-soft", conf->ram_soft_bytes));
	if (!is_number(conf->cpu_burst_percent) || conf->cpu_burst_percent <= cpu_limit(conf))
		return NULL;
	if (cpu_limit(conf) == 0)
		return err_new(ERR_INVALID,
			       "--cpu-burst: needs a limit, by --cpulimit or --cpus, to save from");
	return err_new(ERR_INVALID,
		       "--cpu-burst: %" PRIu64 " is more than the CPU limit of %" PRIu64
		       " percent (the kernel saves up one period's time at most)",
		       conf->cpu_burst_percent, cpu_limit(conf));
}
