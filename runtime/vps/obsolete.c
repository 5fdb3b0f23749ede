/*
 * OpenVZ's beancounters and other keys that an upstream kernel has nothing for: taken, kept in
 * NAME.conf, without effect. Their options are their names in lower case. Source: vzctl(8),
 * "Resource management parameters".
 */
#include <ctype.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/room.h"

static const struct obsolete {
	const char *key, *why;
} obsolete[] = {
	{ "AVNUMPROC", "an advice to the old kernel" },
	{ "DCACHESIZE", "directory entries are part of --ram" },
	{ "DGRAMRCVBUF", "socket buffers are part of --ram" },
	{ "KMEMSIZE", "kernel memory is part of --ram" },
	{ "LOCKEDPAGES", "locked memory is part of --ram" },
	{ "NUMFILE", "open files are limited for each process, and part of --ram" },
	{ "NUMFLOCK", "file locks are part of --ram" },
	{ "NUMIPTENT", "firewall rules are part of --ram" },
	{ "NUMOTHERSOCK", "sockets are part of --ram" },
	{ "NUMPTY", "pseudo terminals are its own" },
	{ "NUMSIGINFO", "queued signals are limited for each user" },
	{ "NUMTCPSOCK", "sockets are part of --ram" },
	{ "OOMGUARPAGES", "see --ram-min" },
	{ "OTHERSOCKBUF", "socket buffers are part of --ram" },
	{ "PRIVVMPAGES", "address space costs nothing, --ram limits what is used" },
	{ "SHMPAGES", "shared memory is part of --ram" },
	{ "TCPRCVBUF", "socket buffers are part of --ram" },
	{ "TCPSNDBUF", "socket buffers are part of --ram" },
	{ "VMGUARPAGES", "see --ram-min" },
	{ "VM_OVERCOMMIT", "address space costs nothing" },
};

static const struct obsolete *find(const char *key, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(obsolete); i++)
		if (strlen(obsolete[i].key) == len && strncmp(obsolete[i].key, key, len) == 0)
			return &obsolete[i];
	return NULL;
}

const char *vps_conf_obsolete(const char *key)
{
	const struct obsolete *row = find(key, strlen(key));

	return row ? row->why : NULL;
}

/* "unlimited", or digits with one of vzctl's suffixes. */
static bool is_amount(const char *text, size_t len)
{
	size_t digits = strspn(text, "0123456789.");

	if (len == strlen("unlimited") && strncmp(text, "unlimited", len) == 0)
		return true;
	return digits > 0 &&
	       (digits == len || (digits + 1 == len && strchr("TtGgMmKkPpBb", text[digits])));
}

static struct err *not_kept(const struct obsolete *row, const char *value)
{
	OWN(buf) struct buf option = { 0 };

	for (const char *at = row->key; *at; at++)
		TRY(buf_format(&option, "%c", tolower((unsigned char)*at)));
	return err_new(ERR_INVALID, "--%s: '%.40s' is not BARRIER:LIMIT, two numbers or unlimited",
		       option.data, value);
}

struct err *vps_obsolete_keep(const struct strlist *pairs, struct conf_file *file)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *pair = pairs->items[i], *value = strchr(pair, '=') + 1;
		size_t first = strcspn(value, ":");
		const struct obsolete *row = find(pair, (size_t)(value - 1 - pair));

		if (!row)
			return err_new(ERR_INVALID, "%s: there is no such key", pair);
		if (!is_amount(value, first) ||
		    (value[first] && !is_amount(value + first + 1, strlen(value + first + 1))))
			return not_kept(row, value);
		TRY(conf_file_set(file, row->key, value));
	}
	return NULL;
}
