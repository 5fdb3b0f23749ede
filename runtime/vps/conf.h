/*
 * NAME.conf as OpenVZ writes it: KEY="VALUE" lines. Two views of one file: struct conf_file keeps
 * every line as it was (comments, order, keys we do not know), struct vps_conf holds the values of
 * the keys we do know, in plain units. The table in keys.c joins the two. Nothing here touches the
 * file system.
 */
#ifndef RUNTIME_VPS_CONF_H
#define RUNTIME_VPS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "netns/netns.h"

/* --- lines (conf.c) --- */

struct conf_line {
	char *text;	   /* the whole line as it stood; NULL when the value was changed by us */
	char *key, *value; /* NULL: a comment or an empty line */
};

struct conf_file {
	struct conf_line *lines; /* owned */
	size_t count;
};

#define CONF_FILE_MAX ((size_t)256 << 10)
#define CONF_VALUE_MAX ((size_t)16 << 10)

void conf_file_release(struct conf_file *file);
static inline __attribute__((unused)) void own_conf_file(struct conf_file *file)
{
	conf_file_release(file);
}
/* ERR_INVALID names the line: not KEY=VALUE, unfinished quotes, NUL or control bytes, too long. A
 * later line of the same key counts, as in a shell. */
MUST_CHECK struct err *conf_file_parse(const char *text, size_t len, struct conf_file *ret_file);
/* Borrowed; NULL when the key is not there. */
const char *conf_file_get(const struct conf_file *file, const char *key);
/* Number of the line that counts, from 1, in a file that is as it was parsed; 0: no such key. */
size_t conf_file_line(const struct conf_file *file, const char *key);
/* NULL removes the key. ERR_INVALID: a value that shells and panels would read differently (quotes,
 * $, backslash, control bytes). */
MUST_CHECK struct err *conf_file_set(struct conf_file *file, const char *key, const char *value);
MUST_CHECK struct err *conf_file_format(const struct conf_file *file, struct buf *text);
MUST_CHECK struct err *conf_file_copy(const struct conf_file *file, struct conf_file *ret_copy);

/* --- values (keys.c) --- */

#define VPS_UNSET UINT64_MAX	       /* the file does not say */
#define VPS_UNLIMITED (UINT64_MAX - 1) /* the file says: no limit */

/* Whether a VPS that ends by itself is started again; a reboot always is. */
enum vps_autorestart { VPS_RESTART_NO, VPS_RESTART_ON_FAILURE, VPS_RESTART_ALWAYS };
/* A soft limit, which may be exceeded for a while, and a hard one. */
struct vps_pair {
	uint64_t soft, hard;
};

struct vps_conf {
	char *timezone;
	char *ostemplate, *hostname, *description, *layout, *config; /* owned */
	struct net_addr *addrs;					     /* owned */
	size_t addr_count;
	bool wants_addr;	 /* of the pool; no key: what is chosen is in addrs */
	struct net_ports netifs; /* as NETIF says; what it leaves out is empty */
	struct strlist nameservers, searchdomains;
	struct strlist publish; /* "8080:80/tcp" */
	uint64_t rate_in_bits, rate_out_bits, rate_burst_bytes, packets_per_s;
	char *rate; /* OpenVZ's "DEVICE:CLASS:KBIT"; owned */
	uint64_t ratebound;
	char *traffic_quota;		    /* "500G:stop"; owned */
	struct strlist groups, allow_peers; /* whom it reaches on this host */
	struct strlist features;	    /* "nesting:on", perhaps several with commas */
	uint64_t ram_bytes, swap_bytes, numproc;
	uint64_t ram_min_bytes, ram_soft_bytes; /* a guarantee; where reclaim begins */
	uint64_t oom_group;			/* 0, 1 or unset */
	uint64_t cpus, cpulimit_percent,
		cpuunits; /* 100 percent is one CPU; 1000 units are the default weight */
	uint64_t cpu_burst_percent;
	char *cpumask, *nodemask;	   /* "0-3,7", "all", "auto" (CPUs alone); owned */
	uint64_t ioprio;		   /* 0..7 */
	uint64_t iolimit_bytes, iopslimit; /* per second; 0: none */
	uint64_t best_effort;		   /* 0, 1 or unset */
	uint64_t stop_timeout_s;
	struct vps_pair disk_bytes, disk_inodes;
	uint64_t quota_time_s;
	uint64_t onboot, disabled; /* 0, 1 or unset */
	uint64_t autorestart;	   /* enum vps_autorestart or unset */
	uint64_t bootorder;	   /* the higher, the earlier */
	struct strlist after;	   /* VPSs that are up first, if they start with the host at all */
	uint64_t id_first, id_count; /* host ids of the VPS's ids 0.. */
};

void vps_conf_init(struct vps_conf *conf);
void vps_conf_release(struct vps_conf *conf);
static inline __attribute__((unused)) void own_vps_conf(struct vps_conf *conf)
{
	vps_conf_release(conf);
}
/* Add the values of the file to conf; keys the file does not have leave conf alone. ERR_INVALID
 * names line and key. */
MUST_CHECK struct err *vps_conf_read(const struct conf_file *file, struct vps_conf *conf);
/* Put every value that is set into the file and take out what is not; a key whose value is the same
 * keeps its line as it is. */
MUST_CHECK struct err *vps_conf_write(const struct vps_conf *conf, struct conf_file *file);
/* Every set value of over replaces the one of conf (lists are replaced whole). */
MUST_CHECK struct err *vps_conf_merge(const struct vps_conf *over, struct vps_conf *conf);
/* The final object: every value in its range, names well formed. ERR_INVALID names the option. */
MUST_CHECK struct err *vps_conf_check(const struct vps_conf *conf);
/* The same of a definition that was read from file: ERR_INVALID names the line too. */
MUST_CHECK struct err *vps_conf_check_file(const struct vps_conf *conf,
					   const struct conf_file *file);
/* What only several values together can break, host's defaults included. ERR_INVALID. */
MUST_CHECK struct err *vps_conf_check_together(const struct vps_conf *conf);
/* Names of the keys whose values differ. */
MUST_CHECK struct err *vps_conf_diff(const struct vps_conf *a, const struct vps_conf *b,
				     struct strlist *ret_keys);
/* One key's value, unset included. ERR_INVALID: there is no such key. */
MUST_CHECK struct err *vps_conf_copy_key(const char *key, const struct vps_conf *from,
					 struct vps_conf *to);
/* Set one key to a value as the file has it, which is good in itself. ERR_INVALID: it is not, or
 * there is no such key; conf is as it was then. */
MUST_CHECK struct err *vps_conf_set_key(const char *key, const char *value, struct vps_conf *conf);
bool vps_conf_is_key(const char *key);
/* All of them; *ret_copy is initialised here. */
MUST_CHECK struct err *vps_conf_dup(const struct vps_conf *conf, struct vps_conf *ret_copy);
MUST_CHECK struct err *vps_conf_add_addr(struct vps_conf *conf, const struct net_addr *addr);
/* "no", "on-failure" or "always"; option: for the error text. ERR_INVALID. */
MUST_CHECK struct err *vps_autorestart_parse(const char *option, const char *text,
					     uint64_t *ret_value);
const char *vps_autorestart_name(uint64_t value); /* unset is "no" */
/* Why a key of OpenVZ's has no effect any more; NULL: it is not one of these. */
const char *vps_conf_obsolete(const char *key);
/* The numbers that an option may have, in words. ERR_NOT_FOUND: an option without a key. */
MUST_CHECK struct err *vps_conf_range(const char *option, struct buf *text);
/* Put "KEY=VALUE" of such keys into the file. ERR_INVALID: a value that vzctl would refuse. */
MUST_CHECK struct err *vps_obsolete_keep(const struct strlist *pairs, struct conf_file *file);
/* Is this one of its features on? */
#define VPS_NESTING "nesting"
bool vps_has_feature(const struct vps_conf *conf, const char *name);
/* Those of OpenVZ's that are on and have no effect. */
MUST_CHECK struct err *vps_features_idle(const struct vps_conf *conf, struct strlist *ret_names);
/* The number of OpenVZ's RATE. ERR_INVALID. */
MUST_CHECK struct err *vps_rate_kbits(const char *what, const char *text, uint64_t *ret_kbits);
/* What becomes of a VPS that has sent and received more in a month. ERR_INVALID. */
enum vps_quota_action {
	VPS_QUOTA_WARN,
	VPS_QUOTA_THROTTLE,
	VPS_QUOTA_STOP,
	VPS_QUOTA_HOOK,
	VPS_QUOTA_ACTION_COUNT
};
struct vps_traffic_quota {
	uint64_t bytes; /* VPS_UNLIMITED: there is none */
	enum vps_quota_action action;
};
MUST_CHECK struct err *vps_traffic_quota_parse(const char *what, const char *text,
					       struct vps_traffic_quota *ret_quota);
const char *vps_quota_action_name(enum vps_quota_action action);
/* Keys of the file that mean nothing to us, or no longer anything to the kernel. */
MUST_CHECK struct err *vps_conf_unknown(const struct conf_file *file, struct strlist *ret_keys);
/* The i-th key and what it means, for the manual; NULL past the end. */
const char *vps_conf_key(size_t i, const char **ret_meaning);
/* What messages call a key: its option, or itself. */
const char *vps_conf_label(const char *key);

/* "SOFT:HARD" or one number for both, each perhaps "unlimited"; of space in KiB unless there is a
 * suffix (B K M G T, with a fraction: "2.2G"). ERR_INVALID. */
enum vps_pair_unit { VPS_PAIR_COUNT, VPS_PAIR_KIB };
MUST_CHECK struct err *vps_pair_parse(const char *what, const char *text, enum vps_pair_unit unit,
				      struct vps_pair *ret_pair);

/* A layout's name of ours for one of OpenVZ's, or the same. */
const char *vps_layout_of(const char *name);

#endif
