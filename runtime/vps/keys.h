/*
 * Private to runtime/vps: what a row of the table of keys is made of. A new key is a member of
 * struct vps_conf and a row in keys.c; a new kind of value is a struct conf_kind in key_kinds.c; a
 * value with rules of its own has a check in key_check.c.
 */
#ifndef RUNTIME_VPS_KEYS_H
#define RUNTIME_VPS_KEYS_H

#include "runtime/vps/conf.h"

struct conf_key;

/* One kind of value: how it stands in the file and how in its member of struct vps_conf. */
struct conf_kind {
	void (*init)(void *field);    /* to "the file does not say" */
	void (*release)(void *field); /* NULL: nothing is owned */
	struct err *(*read)(const struct conf_key *key, const char *text, void *field);
	/* Nothing is appended when the field is unset; *ret_set says which. */
	struct err *(*write)(const struct conf_key *key, const void *field, struct buf *text,
			     bool *ret_set);
	/* NULL: every value that can be read is good. */
	struct err *(*check)(const struct conf_key *key, const void *field);
};

struct conf_key {
	const char *name;
	const struct conf_kind *kind;
	size_t offset;
	uint64_t min, max; /* of numbers, in the struct's units; of texts the length in bytes */
	const char *option, *meaning;
	/* Rules beyond the kind's; the field is set. NULL: none. */
	struct err *(*check)(const struct conf_key *key, const void *field);
};

/* What a message calls it: the option, or the key where there is none. */
const char *conf_key_label(const struct conf_key *key);

/* --- key_kinds.c; the struct's member is a char *, a struct strlist, a uint64_t, ... --- */

extern const struct conf_kind conf_text, /* char * */
	conf_words,			 /* struct strlist, separated by blanks */
	conf_number,			 /* uint64_t in min..max */
	conf_yes_no,			 /* uint64_t 0 or 1 */
	conf_autorestart,		 /* uint64_t, enum vps_autorestart */
	conf_count_limit,		 /* uint64_t, "barrier:limit" or "limit" */
	conf_limit,			 /* uint64_t or "unlimited" */
	conf_count,			 /* uint64_t; "unlimited" is 0 */
	conf_byte_count,		 /* the same in bytes */
	conf_bit_rate,			 /* uint64_t in bits per second, or VPS_UNLIMITED */
	conf_bytes,			 /* uint64_t */
	conf_page_limit,		 /* uint64_t in bytes, pages of 4 KiB in the file */
	conf_addrs,			 /* struct net_addr * and the size_t after it */
	conf_netifs,			 /* struct net_ports */
	conf_space_pair, /* struct vps_pair in bytes, KiB in the file (key_pairs.c) */
	conf_count_pair; /* struct vps_pair (key_pairs.c) */

/* --- key_range.c --- */

/* The numbers that a key may have, in words. */
MUST_CHECK struct err *conf_range(const struct conf_key *key, struct buf *text);
/* ERR_INVALID names label, value and range. Unset and unlimited are always good. */
MUST_CHECK struct err *conf_check_range(const struct conf_key *key, uint64_t value);

/* --- key_check.c --- */

MUST_CHECK struct err *check_hostname(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_domains(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_name_servers(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_names(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_publish(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_features(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_name(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_names(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_layout(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_cpu_list(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_node_list(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_zone(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_rate(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_traffic_quota(const struct conf_key *key, const void *field);
MUST_CHECK struct err *check_text(const struct conf_key *key, const void *field);

#endif
