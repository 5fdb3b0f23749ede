/*
 * Proxmox's configuration of a container, ID.conf or pct.conf in an archive; see import_keys.h.
 * Source: pct.conf(5) of Proxmox VE.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/import_keys.h"

#define PAGES_OF_MIB 256

static struct err *take_mib(struct import *import, const struct import_key *key, const char *value)
{
	uint64_t mib;

	TRY(parse_u64(key->name, value, 0, UINT32_MAX, &mib));
	return import_put(import, key->to, "0:%" PRIu64, mib * PAGES_OF_MIB);
}

/* A number of CPUs, perhaps with a fraction; 0: no limit. */
static struct err *take_cpus(struct import *import, const struct import_key *key, const char *value)
{
	size_t whole = strspn(value, "0123456789"), part;
	const char *fraction = value + whole + (value[whole] == '.');

	part = strspn(fraction, "0123456789");
	if (whole == 0 || whole > 4 || fraction[part] || part > 8)
		return err_new(ERR_INVALID, "%s: '%.40s' is not a number of CPUs", key->name,
			       value);
	return import_put(import, key->to, "%u", (unsigned int)(strtod(value, NULL) * 100 + 0.5));
}

/* What a cgroup calls weight: 100 are our 1000. */
static struct err *take_units(struct import *import, const struct import_key *key,
			      const char *value)
{
	uint64_t units;

	TRY(parse_u64(key->name, value, 1, 500000, &units));
	return import_put(import, key->to, "%" PRIu64, units > 10000 ? 100000 : units * 10);
}

static struct err *take_zone(struct import *import, const struct import_key *key, const char *value)
{
	if (str_eq(value, "host"))
		return import_note(import, "it has the zone that its files say");
	return import_put(import, key->to, "%s", value);
}

static struct err *take_comma_words(struct import *import, const struct import_key *key,
				    const char *value)
{
	OWN(str) char *words = NULL;

	TRY(str_dup(value, &words));
	for (char *at = words; *at; at++)
		if (*at == ',' || *at == ';')
			*at = ' ';
	return import_put(import, key->to, "%s", words);
}

/* "VOLUME,size=8G,...": the size is the VPS's. */
static struct err *take_rootfs(struct import *import, const struct import_key *key,
			       const char *value)
{
	static const char size[] = "size=";

	for (const char *at = value; *at;) {
		size_t len = strcspn(at, ",");

		if (str_has_prefix(at, size))
			return import_put(import, key->to, "%.*s", (int)(len - strlen(size)),
					  at + strlen(size));
		at += len + (at[len] == ',');
	}
	return NULL;
}

/* --- interfaces: netN: name=eth0,bridge=vmbr0,... --- */

static const struct nic_key {
	const char *name, *to; /* to: of NETIF; NULL: a reason */
	const char *why;       /* NULL with a to of NULL: it is so anyway */
} nic_keys[] = {
	{ "name", "ifname", NULL },
	{ "bridge", "link", NULL },
	{ "hwaddr", "mac", NULL },
	{ "ip", "ip", NULL },
	{ "ip6", "ip", NULL },
	{ "gw", "gateway", NULL },
	{ "gw6", "gateway", NULL },
	{ "tag", "vlan", NULL },
	{ "mtu", "mtu", NULL },
	{ "type", NULL, NULL },
	{ "firewall", NULL, "that host's firewall rules are not brought along" },
	{ "rate", NULL, "it is in megabytes a second: set --rate-in and --rate-out" },
	{ "link_down", NULL, "an interface is always up" },
	{ "trunks", NULL, "a port has one VLAN" },
};

static bool is_automatic(const char *value)
{
	return str_eq(value, "dhcp") || str_eq(value, "auto") || str_eq(value, "manual");
}

static struct err *set_nic(struct import *import, struct import_nic *nic, const char *name,
			   const char *value)
{
	OWN(str) char *what = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(nic_keys); i++) {
		const struct nic_key *key = &nic_keys[i];

		if (!str_eq(key->name, name))
			continue;
		if (!key->to)
			return key->why ? import_note(import, key->why) : NULL;
		if (is_automatic(value)) /* its own files say how */
			return NULL;
		TRY(str_format(&what, "net%ju", (uintmax_t)nic->number));
		return netif_set(what, &nic->port, key->to, value);
	}
	return import_note(import, "cella does not know it");
}

/* One word of the line, which is what a note is about. */
static struct err *take_word(struct import *import, const struct import_key *key, const char *word)
{
	OWN(str) char *name = NULL, *value = NULL;
	struct import_nic *nic;
	uint64_t number;

	TRY(parse_u64("net", key->to, 0, 9999, &number));
	TRY(import_nic(import, number, &nic));
	TRY(import_split(word, '=', &name, &value));
	if (!name)
		return import_note(import, "it is not KEY=VALUE");
	return *value ? set_nic(import, nic, name, value) : NULL;
}

static struct err *take_net(struct import *import, const char *number, const char *value)
{
	const struct import_key key = { .name = "*", .take = take_word, .to = number };
	const struct import_table words = { &key, 1 };

	for (const char *at = value; *at;) {
		size_t len = strcspn(at, ",");
		OWN(str) char *word = NULL, *line = NULL;

		TRY(str_format(&word, "%.*s", (int)len, at));
		TRY(str_format(&line, "net%.9s: %s", number, word));
		import->line = line;
		TRY(import_take(import, &words, "*", word));
		at += len + (at[len] == ',');
	}
	return NULL;
}

/* clang-format off */
static const struct import_key keys[] = {
	{ "arch",        .why = "a VPS sees the machine as it is" },
	{ "cmode",       .why = "see cella console" },
	{ "console",     .why = "every VPS has a console: see cella console" },
	{ "cores",       import_as_is, "CPUS" },
	{ "cpulimit",    take_cpus, "CPULIMIT" },
	{ "cpuunits",    take_units, "CPUUNITS" },
	{ "debug",       .why = "see -v" },
	{ "description", import_as_is, "DESCRIPTION" },
	{ "dev*",        .why = "a VPS has no devices of the host" },
	{ "digest",      .take = import_nothing },
	{ "entrypoint",  .why = "a VPS runs /sbin/init" },
	{ "env",         .why = "init gets an environment of its own" },
	{ "features",    .why = "every VPS has what its user namespace allows" },
	{ "hookscript",  .why = "scripts are not run: see the action scripts of cella(8)" },
	{ "hostname",    import_as_is, "HOSTNAME" },
	{ "lock",        .why = "it was another command's there" },
	{ "memory",      take_mib, "PHYSPAGES" },
	{ "mp*",         .why = "it is no volume of its own any more: what the source has of it is on the VPS's disk" },
	{ "nameserver",  take_comma_words, "NAMESERVER" },
	{ "onboot",      import_as_is, "ONBOOT" },
	{ "ostype",      .why = "cella looks into its files" },
	{ "parent",      .why = "snapshots are not brought along" },
	{ "protection",  .why = "cella does not know it" },
	{ "rootfs",      take_rootfs, "DISKSPACE" },
	{ "searchdomain", take_comma_words, "SEARCHDOMAIN" },
	{ "snaptime",    .why = "snapshots are not brought along" },
	{ "startup",     .why = "there the lower is the earlier, here the higher: set --bootorder" },
	{ "swap",        take_mib, "SWAPPAGES" },
	{ "tags",        .why = "see --description" },
	{ "template",    .why = "it is a VPS now" },
	{ "timezone",    take_zone, "TIMEZONE" },
	{ "tty",         .take = import_nothing },
	{ "unprivileged", .take = import_nothing }, /* every VPS is */
	{ "unused*",     .why = "volumes that it did not use are not brought along" },
};
static const struct import_table table = { keys, ARRAY_SIZE(keys) };
/* clang-format on */

static struct err *take_line(struct import *import, const char *line)
{
	OWN(str) char *key = NULL, *value = NULL;

	TRY(import_split(line, ':', &key, &value));
	if (!key)
		return import_note(import, "it is not KEY: VALUE");
	if (str_has_prefix(key, "lxc."))
		return import_take_lxc(import, key, value);
	if (str_has_prefix(key, "net") && key[3])
		return take_net(import, key + 3, value);
	return import_take(import, &table, key, value);
}

/* Up to the first "[SNAPSHOT]": what follows is what it was at some time. */
static size_t present_part(const char *text, size_t len)
{
	const char *section = len > 0 && *text == '[' ? text : memmem(text, len, "\n[", 2);

	return section ? (size_t)(section - text) : len;
}

static struct err *read_proxmox(struct import *import, const char *text, size_t len)
{
	size_t present = present_part(text, len);

	TRY(import_lines(import, text, present, take_line));
	if (present == len)
		return NULL;
	import->line = "[...]";
	return import_note(import, "snapshots are not brought along");
}

const struct import_system import_proxmox = { "Proxmox", read_proxmox };
