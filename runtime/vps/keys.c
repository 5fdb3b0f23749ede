/* The keys of NAME.conf as one table, and what walks it; see conf.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "runtime/vps/keys.h"

#define FIELD(member) offsetof(struct vps_conf, member)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "ALLOW_PEER",   &conf_words, FIELD(allow_peers), 0, 0, "--allow-peer", "VPSs of this host that it reaches and is reached by", check_names },
	{ "AUTORESTART",  &conf_autorestart, FIELD(autorestart), 0, VPS_RESTART_ALWAYS, "--autorestart",
	  "no, on-failure, always: started again when it ends by itself" },
	{ "CONFIG",       &conf_text, FIELD(config), 0, 0, "--config", "the plan it was made from", check_name },
	{ "CPULIMIT",     &conf_number, FIELD(cpulimit_percent), 0, 100000, "--cpulimit",
	  "CPU time in percent of one CPU; 0: no limit" },
	{ "CPUS",         &conf_number, FIELD(cpus), 1, 4096, "--cpus", "number of CPUs" },
	{ "CPUUNITS",     &conf_number, FIELD(cpuunits), 8, 500000, "--cpuunits",
	  "share of the CPU under contention; 1000 is the default" },
	{ "DESCRIPTION",  &conf_text, FIELD(description), 0, 4096, "--description", "any text, one line", check_text },
	{ "DISABLED",     &conf_yes_no, FIELD(disabled), 0, 1, "--disabled", "yes: start is refused" },
	{ "GROUP",        &conf_words, FIELD(groups), 0, 0, "--group", "VPSs of the same group reach each other", check_names },
	{ "HOSTNAME",     &conf_text, FIELD(hostname), 0, 64, "--hostname", "host name inside", check_hostname },
	{ "IP_ADDRESS",   &conf_addrs, FIELD(addrs), 0, 0, "--ipadd", "addresses, separated by blanks" },
	{ "LOCAL_GID",    &conf_number, FIELD(id_first), 1, 4294836224, NULL,
	  "as LOCAL_UID; both are always the same" },
	{ "LOCAL_IDS",    &conf_number, FIELD(id_count), 65536, 16777216, NULL,
	  "how many host ids from LOCAL_UID on belong to it" },
	{ "LOCAL_UID",    &conf_number, FIELD(id_first), 1, 4294836224, NULL,
	  "the host's uid of its root" },
	{ "NAMESERVER",   &conf_words, FIELD(nameservers), 0, 0, "--nameserver", "addresses for resolv.conf", check_name_servers },
	{ "NUMPROC",      &conf_count_limit, FIELD(numproc), 1, 4194304, "--numproc",
	  "processes and threads, barrier:limit; the limit counts" },
	{ "ONBOOT",       &conf_yes_no, FIELD(onboot), 0, 1, "--onboot", "yes: started with the host" },
	{ "OSTEMPLATE",   &conf_text, FIELD(ostemplate), 0, 0, "--ostemplate", "the template it was made from", check_name },
	{ "PHYSPAGES",    &conf_page_limit, FIELD(ram_bytes), 4 << 20, UINT64_MAX, "--ram",
	  "memory in pages of 4 KiB, barrier:limit; the limit counts" },
	{ "PPS",          &conf_number, FIELD(packets_per_s), 0, 100000000, "--pps", "packets per second, each way; 0: no limit" },
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
	{ "VE_LAYOUT",    &conf_text, FIELD(layout), 0, 0, "--layout", "how its disk lies on the host: dir", check_layout },
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

		/* an empty value is how OpenVZ's tools unset a key */
		if (value && *value)
			TRY(keys[i].kind->read(&keys[i], value, field_of(&keys[i], conf)));
	}
	return NULL;
}

static struct err *write_one(const struct conf_key *key, const struct vps_conf *conf,
			     struct conf_file *file)
{
	OWN(buf) struct buf text = { 0 };
	bool is_set;

	TRY(key->kind->write(key, value_of(key, conf), &text, &is_set));
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
	err = key->kind->read(key, value, field_of(key, &read));
	if (err) {
		err_drop(err); /* a bad old value is simply replaced */
		return NULL;
	}
	TRY(key->kind->write(key, value_of(key, conf), &ours, &ours_set));
	TRY(key->kind->write(key, value_of(key, &read), &theirs, &theirs_set));
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

		TRY(key->kind->write(key, value_of(key, over), &text, &is_set));
		if (is_set)
			TRY(key->kind->read(key, text.data, field_of(key, conf)));
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

struct err *vps_conf_check(const struct vps_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		TRY(check_one(&keys[i], conf));
	return NULL;
}
