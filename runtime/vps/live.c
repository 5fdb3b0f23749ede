/*
 * What `set` can change in a running VPS, as a table: for each group of keys whether it may be done
 * now and how. An applier makes the VPS what change->to says, whatever half of it is done already;
 * going back is the same with both ends exchanged. A key that is in no row waits for a restart.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "runtime/vps/live.h"

static struct err *nothing(const struct live_change *change)
{
	(void)change; /* these matter when something is done with the VPS, and are read then */
	return NULL;
}

static const struct applier {
	const char *what;
	const char *const *keys;
	/* Before anything is done. NULL: always. */
	struct err *(*check)(const struct live_change *change);
	struct err *(*apply)(const struct live_change *change);
} appliers[] = {
	{ "limits",
	  (const char *const[]){ "PHYSPAGES", "SWAPPAGES", "MEMGUARANTEE_BYTES", "RAM_SOFT_BYTES",
				 "OOM_GROUP", "CPUS", "CPULIMIT", "CPUUNITS", "CPUBURST", "CPUMASK",
				 "NODEMASK", "NUMPROC", "IOPRIO", "IOLIMIT", "IOPSLIMIT", NULL },
	  live_check_limits, live_apply_limits },
	{ "disk", (const char *const[]){ "DISKSPACE", "DISKINODES", "QUOTATIME", NULL }, NULL,
	  live_apply_disk },
	{ "host name", (const char *const[]){ "HOSTNAME", NULL }, NULL, live_apply_hostname },
	{ "resolv.conf", (const char *const[]){ "NAMESERVER", "SEARCHDOMAIN", NULL }, NULL,
	  live_apply_resolv },
	{ "time zone", (const char *const[]){ "TIMEZONE", NULL }, NULL, live_apply_timezone },
	{ "network",
	  (const char *const[]){ "IP_ADDRESS", "NETIF", "PUBLISH", "GROUP", "ALLOW_PEER", "RATE",
				 "RATEBOUND", "RATE_BURST", "RATE_IN", "RATE_OUT", "PPS",
				 "TRAFFIC_QUOTA", NULL },
	  NULL, live_apply_network },
	{ "definition",
	  (const char *const[]){ "AFTER", "AUTORESTART", "BOOTORDER", "BEST_EFFORT", "CONFIG",
				 "DESCRIPTION", "DISABLED", "ONBOOT", "OSTEMPLATE", "STOP_TIMEOUT",
				 NULL },
	  NULL, nothing },
};

/* Why a key waits for a restart. */
static const struct waiting {
	const char *key, *why;
} waits[] = {
	{ "FEATURES", "its mounts and devices are made when it starts" },
	{ "VE_LAYOUT", "its disk is mounted" },
	{ "LOCAL_UID", "its processes have these ids" },
	{ "LOCAL_GID", "its processes have these ids" },
	{ "LOCAL_IDS", "its processes have these ids" },
};

static bool has_key(const struct applier *applier, const char *key)
{
	for (size_t i = 0; applier->keys[i]; i++)
		if (str_eq(applier->keys[i], key))
			return true;
	return false;
}

static const struct applier *find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(appliers); i++)
		if (has_key(&appliers[i], key))
			return &appliers[i];
	return NULL;
}

static const char *why_waits(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (str_eq(waits[i].key, key))
			return waits[i].why;
	return NULL;
}

bool live_knows(const char *key)
{
	return !find(key) != !why_waits(key);
}

static bool concerns(const struct applier *applier, const struct strlist *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		if (has_key(applier, keys->items[i]))
			return true;
	return false;
}

struct err *live_check(const struct live_change *change, const struct strlist *keys,
		       bool at_restart, struct strlist *ret_waiting)
{
	for (size_t i = 0; i < keys->count; i++) {
		const char *why;

		if (find(keys->items[i]))
			continue;
		why = why_waits(keys->items[i]);
		if (!at_restart)
			return err_new(ERR_STATE,
				       "%s: cannot be changed while VPS %s runs: %s; --at-restart "
				       "saves it for the next start",
				       vps_conf_label(keys->items[i]), change->name,
				       why ? why : "it is read when the VPS starts");
		TRY(strlist_add(ret_waiting, keys->items[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(appliers); i++)
		if (appliers[i].check && concerns(&appliers[i], keys))
			TRY(appliers[i].check(change));
	return NULL;
}

/* Going back is best effort: what cannot be undone is said, and the first error stays the answer.
 */
static void go_back(const struct live_change *change, const struct strlist *keys, size_t count)
{
	const struct live_change back = { .host = change->host,
					  .name = change->name,
					  .from = change->to,
					  .to = change->from,
					  .force = true };

	while (count-- > 0)
		if (concerns(&appliers[count], keys))
			log_warn(err_wrap(appliers[count].apply(&back), "undo: %s",
					  appliers[count].what));
}

struct err *live_apply(const struct live_change *change, const struct strlist *keys)
{
	for (size_t i = 0; i < ARRAY_SIZE(appliers); i++) {
		struct err *err = concerns(&appliers[i], keys) ? appliers[i].apply(change) : NULL;

		if (!err)
			continue;
		go_back(change, keys, i + 1);
		return err_wrap(err, "%s", appliers[i].what);
	}
	return NULL;
}
