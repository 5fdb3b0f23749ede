/*
 * LXC's configuration of a container, with the names from before LXC 2.1 as well; see
 * import_keys.h. Sources: lxc.container.conf(5); cgroup-v2.rst for the files of a cgroup.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/import_keys.h"

#define PAGE_BYTES 4096

/* "dir:/path" and "/path". Other kinds have to be mounted by who knows how. */
static struct err *take_root(struct import *import, const struct import_key *key, const char *value)
{
	static const char *const kinds[] = { "dir:", "btrfs:", "" };
	char *root = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !root; i++) {
		size_t len = strlen(kinds[i]);

		if (str_has_prefix(value, kinds[i]) && value[len] == '/')
			TRY(str_dup(value + len, &root));
	}
	if (!root)
		return err_new(ERR_INVALID, "%s: it is no directory", key->name);
	free(import->root);
	import->root = root;
	return NULL;
}

/* Bytes, "max", or -1 for no limit. */
static struct err *parse_amount(const char *what, const char *value, uint64_t *ret_bytes)
{
	if (!str_eq(value, "max") && !str_eq(value, "-1"))
		return parse_bytes(what, value, ret_bytes);
	*ret_bytes = VPS_UNLIMITED;
	return NULL;
}

static struct err *take_bytes(struct import *import, const struct import_key *key,
			      const char *value)
{
	uint64_t bytes;

	TRY(parse_amount(key->name, value, &bytes));
	if (bytes == VPS_UNLIMITED)
		return import_put(import, key->to, "unlimited");
	return import_put(import, key->to, "%" PRIu64, bytes);
}

static struct err *take_pages(struct import *import, const struct import_key *key,
			      const char *value)
{
	uint64_t bytes;

	TRY(parse_amount(key->name, value, &bytes));
	if (bytes == VPS_UNLIMITED)
		return import_put(import, key->to, "0:unlimited");
	return import_put(import, key->to, "0:%" PRIu64, bytes / PAGE_BYTES);
}

static struct err *take_count(struct import *import, const struct import_key *key,
			      const char *value)
{
	return import_put(import, key->to, "%s", str_eq(value, "max") ? "unlimited" : value);
}

/* "QUOTA PERIOD" or "max PERIOD", in microseconds. */
static struct err *take_cpu_max(struct import *import, const struct import_key *key,
				const char *value)
{
	OWN(str) char *quota_text = NULL, *period_text = NULL;
	uint64_t quota, period = 100000;

	TRY(import_split(value, ' ', &quota_text, &period_text));
	if (str_eq(quota_text ? quota_text : value, "max"))
		return NULL;
	TRY(parse_u64(key->name, quota_text ? quota_text : value, 1000, UINT32_MAX, &quota));
	if (period_text)
		TRY(parse_u64(key->name, period_text, 1000, 1000000, &period));
	return import_put(import, key->to, "%" PRIu64, (quota * 100 + period - 1) / period);
}

/* 100 are our 1000. */
static struct err *take_weight(struct import *import, const struct import_key *key,
			       const char *value)
{
	uint64_t weight;

	TRY(parse_u64(key->name, value, 1, 10000, &weight));
	return import_put(import, key->to, "%" PRIu64, weight * 10);
}

static struct err *take_shares(struct import *import, const struct import_key *key,
			       const char *value)
{
	uint64_t shares;

	TRY(parse_u64(key->name, value, 2, 262144, &shares));
	return import_put(import, key->to, "%" PRIu64, shares * 1000 / 1024);
}

/* --- interfaces: lxc.net.N.KEY, or lxc.network.KEY from one lxc.network.type to the next --- */

static const struct nic_key {
	const char *name, *to; /* to: of NETIF; NULL: a reason */
	const char *why;       /* NULL with a to of NULL: it is so anyway */
} nic_keys[] = {
	{ "name", "ifname" },
	{ "link", "link" },
	{ "hwaddr", "mac" },
	{ "mtu", "mtu" },
	{ "ipv4.address", "ip" },
	{ "ipv6.address", "ip" },
	{ "ipv4", "ip" },
	{ "ipv6", "ip" },
	{ "ipv4.gateway", "gateway" },
	{ "ipv6.gateway", "gateway" },
	{ "veth.pair", "host_ifname" },
	{ "veth.vlan.id", "vlan" },
	{ "flags", NULL, NULL },
	{ "script.up", NULL, "scripts are not run: see the action scripts of cella(8)" },
	{ "script.down", NULL, "scripts are not run: see the action scripts of cella(8)" },
};

static struct err *set_nic(struct import *import, struct import_nic *nic, const char *name,
			   const char *value)
{
	OWN(str) char *what = NULL;

	if (str_eq(name, "type")) {
		snprintf(nic->type, sizeof(nic->type), "%s", value);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(nic_keys); i++) {
		const struct nic_key *key = &nic_keys[i];

		if (!str_eq(key->name, name))
			continue;
		if (!key->to)
			return key->why ? import_note(import, key->why) : NULL;
		TRY(str_format(&what, "interface %ju", (uintmax_t)nic->number));
		return netif_set(what, &nic->port, key->to, value);
	}
	return import_note(import, "cella does not know it");
}

static struct err *take_nic(struct import *import, const char *key, const char *value)
{
	OWN(str) char *number_text = NULL, *name = NULL;
	struct import_nic *nic;
	uint64_t number;

	TRY(import_split(key, '.', &number_text, &name));
	if (!number_text)
		return err_new(ERR_INVALID, "it is no interface's");
	TRY(parse_u64("lxc.net", number_text, 0, 9999, &number));
	TRY(import_nic(import, number, &nic));
	return *value ? set_nic(import, nic, name, value) : NULL;
}

static struct err *take_old_nic(struct import *import, const char *name, const char *value)
{
	uint64_t count = import->nic_count;
	struct import_nic *nic;

	TRY(import_nic(import, str_eq(name, "type") || count == 0 ? count : count - 1, &nic));
	return *value ? set_nic(import, nic, name, value) : NULL;
}

static struct err *take_line(struct import *import, const char *line);

/* What LXC's packages bring for each distribution says how LXC does what cella does in its way. */
static struct err *take_include(struct import *import, const struct import_key *key,
				const char *value)
{
	const char *line = import->line; /* which the lines of the file replace */
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	(void)key;
	if (str_has_prefix(value, "/usr/share/lxc/config/"))
		return import_note(import, "LXC's own settings for a distribution are not needed");
	TRY(import_include(import, value, &text));
	err = text.data ? import_lines(import, text.data, text.len, take_line) : NULL;
	import->line = line;
	return err;
}

#define FILTERED "every VPS is confined by cella's own rules"
#define MOUNTED "directories of the host are not brought along: see the action scripts of cella(8)"
#define OLD_CGROUP "it is of an old cgroup without equal: see the limits of cella(8)"

/* clang-format off */
static const struct import_key keys[] = {
	{ "lxc.apparmor.*",       .why = FILTERED },
	{ "lxc.aa_*",             .why = FILTERED },
	{ "lxc.arch",             .why = "a VPS sees the machine as it is" },
	{ "lxc.autodev",          .take = import_nothing },
	{ "lxc.cap.*",            .why = "every VPS has the capabilities of its own user namespace" },
	{ "lxc.cgroup.cpu.shares", take_shares, "CPUUNITS" },
	{ "lxc.cgroup.cpuset.cpus", import_as_is, "CPUMASK" },
	{ "lxc.cgroup.cpuset.mems", import_as_is, "NODEMASK" },
	{ "lxc.cgroup.memory.limit_in_bytes", take_pages, "PHYSPAGES" },
	{ "lxc.cgroup.memory.memsw.limit_in_bytes", .why = "it is memory and swap together: set --swap" },
	{ "lxc.cgroup.memory.soft_limit_in_bytes", take_bytes, "RAM_SOFT_BYTES" },
	{ "lxc.cgroup.pids.max",  take_count, "NUMPROC" },
	{ "lxc.cgroup2.cpu.max",  take_cpu_max, "CPULIMIT" },
	{ "lxc.cgroup2.cpu.weight", take_weight, "CPUUNITS" },
	{ "lxc.cgroup2.cpuset.cpus", import_as_is, "CPUMASK" },
	{ "lxc.cgroup2.cpuset.mems", import_as_is, "NODEMASK" },
	{ "lxc.cgroup2.devices.*", .why = "a VPS has no devices of the host" },
	{ "lxc.cgroup.devices.*", .why = "a VPS has no devices of the host" },
	{ "lxc.cgroup2.io.*",     .why = "it names a disk of that host: set --iolimit or --iopslimit" },
	{ "lxc.cgroup2.memory.high", take_bytes, "RAM_SOFT_BYTES" },
	{ "lxc.cgroup2.memory.max", take_pages, "PHYSPAGES" },
	{ "lxc.cgroup2.memory.min", take_bytes, "MEMGUARANTEE_BYTES" },
	{ "lxc.cgroup2.memory.swap.max", take_pages, "SWAPPAGES" },
	{ "lxc.cgroup2.pids.max", take_count, "NUMPROC" },
	{ "lxc.cgroup2.*",        .why = "see the limits of cella(8)" },
	{ "lxc.cgroup.*",         .why = OLD_CGROUP },
	{ "lxc.console*",         .why = "every VPS has a console: see cella console" },
	{ "lxc.environment*",     .why = "init gets an environment of its own" },
	{ "lxc.group",            .why = "groups are of that host: see --onboot and --bootorder" },
	{ "lxc.hook.*",           .why = "scripts are not run: see the action scripts of cella(8)" },
	{ "lxc.id_map",           .take = import_nothing }, /* the owner of the root directory says it */
	{ "lxc.idmap",            .take = import_nothing },
	{ "lxc.include",          take_include },
	{ "lxc.init*",            .why = "a VPS runs /sbin/init" },
	{ "lxc.mount*",           .why = MOUNTED },
	{ "lxc.prlimit.*",        .why = "init has the usual limits" },
	{ "lxc.pty.max",          .take = import_nothing },
	{ "lxc.pts",              .take = import_nothing },
	{ "lxc.rootfs",           take_root },
	{ "lxc.rootfs.path",      take_root },
	{ "lxc.rootfs.*",         .why = "cella mounts it in its own way" },
	{ "lxc.seccomp*",         .why = FILTERED },
	{ "lxc.selinux*",         .why = FILTERED },
	{ "lxc.signal.*",         .why = "cella stop knows the usual inits" },
	{ "lxc.start.auto",       import_as_is, "ONBOOT" },
	{ "lxc.start.order",      .why = "there the lower is the earlier, here the higher: set --bootorder" },
	{ "lxc.start.delay",      .why = "see --after" },
	{ "lxc.sysctl.*",         .why = "it has the settings of a new system: set them inside" },
	{ "lxc.tty*",             .take = import_nothing },
	{ "lxc.uts.name",         import_as_is, "HOSTNAME" },
	{ "lxc.utsname",          import_as_is, "HOSTNAME" },
};
static const struct import_table table = { keys, ARRAY_SIZE(keys) };
/* clang-format on */

static struct err *take_nic_row(struct import *import, const struct import_key *row,
				const char *value)
{
	return str_has_prefix(row->to, "lxc.net.") ?
		       take_nic(import, row->to + strlen("lxc.net."), value) :
		       take_old_nic(import, row->to + strlen("lxc.network."), value);
}

struct err *import_take_lxc(struct import *import, const char *key, const char *value)
{
	const struct import_key nic = { .name = key, .take = take_nic_row, .to = key };

	if (str_has_prefix(key, "lxc.net.") || str_has_prefix(key, "lxc.network."))
		return import_take(import, &(struct import_table){ &nic, 1 }, key, value);
	return import_take(import, &table, key, value);
}

static struct err *take_line(struct import *import, const char *line)
{
	OWN(str) char *key = NULL, *value = NULL;

	TRY(import_split(line, '=', &key, &value));
	if (!key)
		return import_note(import, "it is not KEY = VALUE");
	return import_take_lxc(import, key, value);
}

static struct err *read_lxc(struct import *import, const char *text, size_t len)
{
	return import_lines(import, text, len, take_line);
}

const struct import_system import_lxc = { "LXC", read_lxc };
