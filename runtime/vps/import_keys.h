/*
 * Private to runtime/vps: other systems' configurations as tables, a file for each system. A key is
 * taken over by a function, or has a reason why not. Pure; every byte that is read is hostile.
 */
#ifndef RUNTIME_VPS_IMPORT_KEYS_H
#define RUNTIME_VPS_IMPORT_KEYS_H

#include "runtime/vps/import.h"
#include "runtime/vps/netif.h"

/* One interface while its lines come in. */
struct import_nic {
	uint64_t number; /* by which its lines are known */
	char type[16];	 /* as the source says it; "": a cable */
	struct net_port port;
};

/* What is known so far. */
struct import {
	struct vps_conf conf; /* only values that are good in themselves */
	struct vps_import_report report;
	const char *line; /* that is being read, for the notes; borrowed */
	char *root;	  /* the directory that the configuration names; owned, NULL: none */
	struct import_nic nics[NETIF_PORTS_MAX];
	size_t nic_count;
	int dir_fd; /* where the configuration lies; -1: files that it includes are not read */
	size_t include_count;
};
void import_init(struct import *import);
void import_release(struct import *import);
static inline __attribute__((unused)) void own_import(struct import *import)
{
	import_release(import);
}

struct import_key {
	const char *name; /* one that ends in "*" is the beginning of many */
	/* NULL: it is not taken over, because of why. ERR_INVALID: that value is not, which becomes
	 * a note. */
	struct err *(*take)(struct import *import, const struct import_key *key, const char *value);
	const char *to;	 /* of NAME.conf */
	const char *why; /* NULL with a function */
};
struct import_table {
	const struct import_key *keys;
	size_t count;
};

/* The i-th system's name and the reader of its configuration; NULL past the end. */
struct import_system {
	const char *name;
	struct err *(*read)(struct import *import, const char *text, size_t len);
};
extern const struct import_system import_openvz, import_lxc, import_proxmox;
/* Whose configuration is it? By its first line that is no comment. ERR_INVALID: nobody's. */
MUST_CHECK struct err *import_recognise(const char *text, size_t len,
					const struct import_system **ret_system);
/* Read it, and put the interfaces together. ERR_INVALID: no text, or too large. */
MUST_CHECK struct err *import_read(struct import *import, const struct import_system *system,
				   const char *text, size_t len);

/* The present line is not taken over. */
MUST_CHECK struct err *import_note(struct import *import, const char *why);
/* Take one key by the table. */
MUST_CHECK struct err *import_take(struct import *import, const struct import_table *table,
				   const char *key, const char *value);
/* The text of a file that the configuration includes: one that lies beside it or below. Others,
 * which may be anything of this host's, are ERR_INVALID, as too many are. (import_include.c) */
MUST_CHECK struct err *import_include(struct import *import, const char *path,
				      struct buf *ret_text);
/* Every line that is neither empty nor a comment, to take(), without blanks at its ends. */
MUST_CHECK struct err *import_lines(struct import *import, const char *text, size_t len,
				    struct err *(*take)(struct import *import, const char *line));
/* "KEY SEPARATOR VALUE" without blanks around them; owned strings. *ret_key NULL: it is none. */
MUST_CHECK struct err *import_split(const char *line, char separator, char **ret_key,
				    char **ret_value);

/* For rows: key->to becomes the value as it stands, or translated. ERR_INVALID. */
MUST_CHECK struct err *import_as_is(struct import *import, const struct import_key *key,
				    const char *value);
MUST_CHECK struct err *import_nothing(struct import *import, const struct import_key *key,
				      const char *value); /* it is so anyway */
MUST_CHECK PRINTF(3, 4) struct err *import_put(struct import *import, const char *to,
					       const char *fmt, ...);
/* LXC's raw keys, which Proxmox's files have as well. */
MUST_CHECK struct err *import_take_lxc(struct import *import, const char *key, const char *value);

/* Interface number; made when it is not there yet. ERR_INVALID: too many. */
MUST_CHECK struct err *import_nic(struct import *import, uint64_t number,
				  struct import_nic **ret_nic);

#endif
