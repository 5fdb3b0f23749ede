/* The keys of NAME.conf as one table, and what walks it; see conf.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "runtime/vps/keys.h"

#define FIELD(member) offsetof(struct vps_conf, member)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "AFTER",        &conf_words, FIELD(after), 0, 0, "--after",
	  "VPSs that are up before it is started with the host", check_names },
	{ "ALLOW_PEER",   &conf_words, FIELD(allow_peers), 0, 0, "--allow-peer", "VPSs of this host that it reaches and is reached by", check_names },
	{ "AUTORESTART",  &conf_autorestart, FIELD(autorestart), 0, VPS_RESTART_ALWAYS, "--autorestart",
	  "no, on-failure, always: started again when it ends by itself" },
	{ "BEST_EFFORT",  &conf_yes_no, FIELD(best_effort), 0, 1, "--best-effort",
	  "yes: a limit that this host cannot enforce is a warning, not an error" },
	{ "BOOTORDER",    &conf_number, FIELD(bootorder), 0, 1000000, "--bootorder",
	  "the higher, the earlier it is started with the host" },
	{ "CONFIG",       &conf_text, FIELD(config), 0, 0, "--config", "the plan it was made from", check_name },
	{ "CPUBURST",     &conf_number, FIELD(cpu_burst_percent), 0, 100000, "--cpu-burst",
	  "CPU time in percent of one CPU that it may save up while it uses less than its limit" },
	{ "CPULIMIT",     &conf_number, FIELD(cpulimit_percent), 0, 100000, "--cpulimit",
	  "CPU time in percent of one CPU; 0: no limit" },
	{ "CPUMASK",      &conf_text, FIELD(cpumask), 0, 1024, "--cpumask",
	  "CPUs it may run on, as 0-3,7; all; auto: those of NODEMASK", check_cpu_list },
	{ "CPUS",         &conf_number, FIELD(cpus), 1, 4096, "--cpus", "number of CPUs" },
	{ "CPUUNITS",     &conf_number, FIELD(cpuunits), 8, 500000, "--cpuunits",
	  "share of the CPU under contention; 1000 is the default" },
	{ "DESCRIPTION",  &conf_text, FIELD(description), 0, 4096, "--description", "any text, one line", check_text },
	{ "DISABLED",     &conf_yes_no, FIELD(disabled), 0, 1, "--disabled", "yes: start is refused" },
	{ "DISKINODES",   &conf_count_pair, FIELD(disk_inodes), 16, UINT64_C(1) << 40, "--diskinodes",
	  "files and directories, soft:hard" },
	{ "DISKSPACE",    &conf_space_pair, FIELD(disk_bytes), 1 << 20, UINT64_C(1) << 60, "--diskspace",
	  "space in KiB, or as 10G, soft:hard" },
	{ "FEATURES",     &conf_words, FIELD(features), 0, 0, "--features",
	  "nesting:on lets it have containers of its own", check_features },
	{ "GROUP",        &conf_words, FIELD(groups), 0, 0, "--group", "VPSs of the same group reach each other", check_names },
	{ "HOSTNAME",     &conf_text, FIELD(hostname), 0, 64, "--hostname", "host name inside", check_hostname },
	{ "IOLIMIT",      &conf_byte_count, FIELD(iolimit_bytes), 0, UINT64_C(1) << 50, "--iolimit",
	  "bytes per second from and to disk; 0: no limit" },
	{ "IOPRIO",       &conf_number, FIELD(ioprio), 0, 7, "--ioprio",
	  "share of the disk under contention; 4 is the default, each step doubles" },
	{ "IOPSLIMIT",    &conf_count, FIELD(iopslimit), 0, UINT32_MAX - 1, "--iopslimit",
	  "disk operations per second; 0: no limit" },
	{ "IP_ADDRESS",   &conf_addrs, FIELD(addrs), 0, 0, "--ipadd", "addresses, separated by blanks" },
	{ "LOCAL_GID",    &conf_number, FIELD(id_first), 1, 4294836224, NULL,
	  "as LOCAL_UID; both are always the same" },
	{ "LOCAL_IDS",    &conf_number, FIELD(id_count), 65536, 16777216, NULL,
	  "how many host ids from LOCAL_UID on belong to it" },
	{ "LOCAL_UID",    &conf_number, FIELD(id_first), 1, 4294836224, NULL,
	  "the host's uid of its root" },
	{ "MEMGUARANTEE_BYTES", &conf_byte_count, FIELD(ram_min_bytes), 0, UINT64_C(1) << 60, "--ram-min",
	  "memory in bytes that is never taken from it" },
	{ "NAMESERVER",   &conf_words, FIELD(nameservers), 0, 0, "--nameserver", "addresses for resolv.conf", check_name_servers },
	{ "NETIF",        &conf_netifs, FIELD(netifs), 0, 0, "--netif_add", "interfaces, separated by semicolons" },
	{ "NODEMASK",     &conf_text, FIELD(nodemask), 0, 1024, "--nodemask",
	  "memory nodes it may use, as 0-1, or all", check_node_list },
	{ "NUMPROC",      &conf_count_limit, FIELD(numproc), 1, 4194304, "--numproc",
	  "processes and threads, barrier:limit; the limit counts" },
	{ "ONBOOT",       &conf_yes_no, FIELD(onboot), 0, 1, "--onboot", "yes: started with the host" },
	{ "OOM_GROUP",    &conf_yes_no, FIELD(oom_group), 0, 1, "--oom-group",
	  "yes: out of memory, all of it is killed instead of one process" },
	{ "OSTEMPLATE",   &conf_text, FIELD(ostemplate), 0, 0, "--ostemplate", "the template it was made from", check_name },
	{ "PHYSPAGES",    &conf_page_limit, FIELD(ram_bytes), 4 << 20, UINT64_MAX, "--ram",
	  "memory in pages of 4 KiB, barrier:limit; the limit counts" },
	{ "PPS",          &conf_number, FIELD(packets_per_s), 0, 100000000, "--pps", "packets per second, each way; 0: no limit" },
	{ "PUBLISH",      &conf_words, FIELD(publish), 0, 0, "--publish", "ports of the host that lead to it, behind NAT", check_publish },
	{ "QUOTATIME",    &conf_number, FIELD(quota_time_s), 0, UINT64_C(10) * 365 * 86400, "--quotatime",
	  "seconds for which a soft limit may be exceeded" },
	{ "RAM_SOFT_BYTES", &conf_limit, FIELD(ram_soft_bytes), 1 << 20, UINT64_MAX, "--ram-soft",
	  "memory in bytes above which it is slowed down and reclaimed from" },
	{ "RATE",         &conf_text, FIELD(rate), 0, 1024, NULL, "OpenVZ's DEVICE:CLASS:KBIT; with RATEBOUND the limit of what it sends", check_rate },
	{ "RATEBOUND",    &conf_yes_no, FIELD(ratebound), 0, 1, NULL, "yes: RATE is a limit, where RATE_OUT is not given" },
	{ "RATE_BURST",   &conf_bytes, FIELD(rate_burst_bytes), 2000, 1 << 30, "--rate-burst", "bytes that may go at once; by default 20 ms worth" },
	{ "RATE_IN",      &conf_bit_rate, FIELD(rate_in_bits), 8000, UINT64_C(400000000000), "--rate-in", "bits per second that it gets, as 10M" },
	{ "RATE_OUT",     &conf_bit_rate, FIELD(rate_out_bits), 8000, UINT64_C(400000000000), "--rate-out", "bits per second that it sends, as 10M" },
	{ "SEARCHDOMAIN", &conf_words, FIELD(searchdomains), 0, 0, "--searchdomain", "domains for resolv.conf", check_domains },
	{ "STOP_TIMEOUT", &conf_number, FIELD(stop_timeout_s), 0, 86400, "--stop-timeout",
	  "seconds that stop waits before it kills" },
	{ "SWAPPAGES",    &conf_page_limit, FIELD(swap_bytes), 0, UINT64_MAX, "--swap",
	  "swap in pages of 4 KiB, barrier:limit; the limit counts" },
	{ "TIMEZONE",     &conf_text, FIELD(timezone), 0, 128, "--timezone", "time zone, as Europe/Berlin", check_zone },
	{ "TRAFFIC_QUOTA", &conf_text, FIELD(traffic_quota), 0, 64, "--traffic-quota",
	  "bytes it may send and receive in a month and what is done then, as 500G:throttle", check_traffic_quota },
	{ "VE_LAYOUT",    &conf_text, FIELD(layout), 0, 0, "--layout", "how its disk lies on the host: dir, overlay or image", check_layout },
};
/* clang-format on */

const char *vps_conf_key(size_t i, const char **ret_meaning)
{
	if (i >= ARRAY_SIZE(keys))
		return NULL;
	*ret_meaning = keys[i].meaning;
	return keys[i].name;
}

const char *conf_key_label(const struct conf_key *key)
{
	return key->option ? key->option : key->name;
}

static void *field_of(const struct conf_key *key, struct vps_conf *conf)
{
	return (char *)conf + key->offset;
}

static const void *value_of(const struct conf_key *key, const struct vps_conf *conf)
{
	return (const char *)conf + key->offset;
}

void vps_conf_init(struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i].kind->init(field_of(&keys[i], conf));
	conf->wants_addr = false;
}

void vps_conf_release(struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].kind->release)
			keys[i].kind->release(field_of(&keys[i], conf));
	vps_conf_init(conf);
}

struct err *vps_conf_read(const struct conf_file *file, struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = conf_file_get(file, keys[i].name);
		struct err *err = NULL;

		/* an empty value is how OpenVZ's tools unset a key */
		if (value && *value)
			err = keys[i].kind->read(&keys[i], value, field_of(&keys[i], conf));
		if (err)
			return err_wrap(err, "line %zu", conf_file_line(file, keys[i].name));
	}
	return NULL;
}

static struct err *same_value(const struct conf_key *key, const struct vps_conf *a,
			      const struct vps_conf *b, bool *ret_same)
{
	OWN(buf) struct buf a_text = { 0 }, b_text = { 0 };
	bool a_set, b_set;

	TRY(key->kind->write(key, value_of(key, a), &a_text, &a_set));
	TRY(key->kind->write(key, value_of(key, b), &b_text, &b_set));
	*ret_same = a_set == b_set && (!a_set || str_eq(a_text.data, b_text.data));
	return NULL;
}

static struct err *write_one(const struct conf_key *key, const struct vps_conf *conf,
			     struct conf_file *file)
{
	OWN(buf) struct buf text = { 0 };
	const char *value;
	bool is_set;

	TRY(key->kind->write(key, value_of(key, conf), &text, &is_set));
	if (is_set)
		return conf_file_set(file, key->name, text.data);
	value = conf_file_get(file, key->name);
	return value && *value ? conf_file_set(file, key->name, NULL) : NULL;
}

/* Does the file's own spelling already mean this value? Then it stays as the operator wrote it. */
static struct err *means_the_same(const struct conf_key *key, const struct vps_conf *conf,
				  const struct conf_file *file, bool *ret_same)
{
	const char *value = conf_file_get(file, key->name);
	OWN(vps_conf) struct vps_conf read;
	struct err *err;

	*ret_same = false;
	vps_conf_init(&read);
	if (!value)
		return NULL;
	err = key->kind->read(key, value, field_of(key, &read));
	if (err) {
		err_drop(err); /* a bad old value is simply replaced */
		return NULL;
	}
	return same_value(key, conf, &read, ret_same);
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

		TRY(key->kind->write(key, value_of(key, over), &text, &is_set));
		if (is_set)
			TRY(key->kind->read(key, text.data, field_of(key, conf)));
	}
	return NULL;
}

struct err *vps_conf_diff(const struct vps_conf *a, const struct vps_conf *b,
			  struct strlist *ret_keys)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool same;

		TRY(same_value(&keys[i], a, b, &same));
		if (!same)
			TRY(strlist_add(ret_keys, keys[i].name));
	}
	return NULL;
}

static struct err *copy_value(const struct conf_key *key, const struct vps_conf *from,
			      struct vps_conf *to)
{
	OWN(buf) struct buf text = { 0 };
	bool is_set;

	TRY(key->kind->write(key, value_of(key, from), &text, &is_set));
	if (key->kind->release)
		key->kind->release(field_of(key, to));
	key->kind->init(field_of(key, to));
	return is_set ? key->kind->read(key, text.data, field_of(key, to)) : NULL;
}

static const struct conf_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_eq(keys[i].name, name))
			return &keys[i];
	return NULL;
}

struct err *vps_conf_copy_key(const char *name, const struct vps_conf *from, struct vps_conf *to)
{
	const struct conf_key *key = find_key(name);

	return key ? copy_value(key, from, to) : err_new(ERR_INVALID, "there is no key %s", name);
}

struct err *vps_conf_dup(const struct vps_conf *conf, struct vps_conf *ret_copy)
{
	vps_conf_init(ret_copy);
	return vps_conf_merge(conf, ret_copy);
}

const char *vps_conf_label(const char *name)
{
	const struct conf_key *key = find_key(name);

	return key ? conf_key_label(key) : name;
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

static struct err *check_one(const struct conf_key *key, const struct vps_conf *conf)
{
	const void *field = value_of(key, conf);
	OWN(buf) struct buf text = { 0 };
	bool is_set;

	if (key->kind->check)
		TRY(key->kind->check(key, field));
	if (!key->check)
		return NULL;
	TRY(key->kind->write(key, field, &text, &is_set));
	return is_set ? key->check(key, field) : NULL;
}

struct err *vps_conf_range(const char *option, struct buf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].option && str_eq(keys[i].option, option))
			return conf_range(&keys[i], text);
	return err_new(ERR_NOT_FOUND, "no key has the option %s", option);
}

bool vps_conf_is_key(const char *name)
{
	return find_key(name);
}

struct err *vps_conf_set_key(const char *name, const char *value, struct vps_conf *conf)
{
	const struct conf_key *key = find_key(name);
	OWN(vps_conf) struct vps_conf one;

	if (!key)
		return err_new(ERR_INVALID, "there is no key %s", name);
	vps_conf_init(&one);
	TRY(key->kind->read(key, value, field_of(key, &one)));
	TRY(check_one(key, &one));
	return copy_value(key, &one, conf);
}

struct err *vps_conf_check(const struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		TRY(check_one(&keys[i], conf));
	return NULL;
}

struct err *vps_conf_check_file(const struct vps_conf *conf, const struct conf_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct err *err = check_one(&keys[i], conf);
		size_t line = err ? conf_file_line(file, keys[i].name) : 0;

		if (err) /* without a line it is one of the host's defaults */
			return line ? err_wrap(err, "line %zu", line) : err;
	}
	return NULL;
}
