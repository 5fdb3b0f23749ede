/*
 * OpenVZ's CTID.conf, whose keys are ours where both have the thing; see import_keys.h. Sources:
 * ctid.conf(5) and vzctl(8) of OpenVZ.
 */
#include <inttypes.h>
#include <string.h>

#include "runtime/vps/import_keys.h"

/* An old container without limits of its memory has one of what it may allocate. */
static struct err *take_privvmpages(struct import *import, const struct import_key *key,
				    const char *value)
{
	(void)key;
	if (import->conf.ram_bytes != VPS_UNSET && import->conf.ram_bytes != VPS_UNLIMITED)
		return import_note(import, vps_conf_obsolete("PRIVVMPAGES"));
	TRY(import_put(import, "PHYSPAGES", "%s", value));
	return import_note(import, "its limit was taken as --ram, of which it had none");
}

/* clang-format off */
static const struct import_key keys[] = {
	{ "APPLY_IPONLY", .why = "an address is configured inside if there is one" },
	{ "BINDMOUNT",    .why = "directories of the host are not brought along: copy them, or mount them by an action script" },
	{ "CAPABILITY",   .why = "every VPS has the capabilities of its own user namespace" },
	{ "DEVICES",      .why = "a VPS has no devices of the host" },
	{ "DEVNODES",     .why = "a VPS has no devices of the host" },
	{ "DISK",         .why = "its files are those that were imported; other disks are not brought along" },
	{ "DISK_QUOTA",   .why = "limits are --diskspace and --diskinodes" },
	{ "DISTRIBUTION", .why = "cella looks into its files" },
	{ "FEATURES",     .why = "every VPS has what its user namespace allows" },
	{ "IPTABLES",     .why = "every VPS has a firewall of its own" },
	{ "LOCAL_GID",    .take = import_nothing },
	{ "LOCAL_IDS",    .take = import_nothing },
	{ "LOCAL_UID",    .take = import_nothing },
	{ "MOUNT_OPTS",   .why = "cella chooses the mount options" },
	{ "NAME",         .why = "it has the name that it was imported under" },
	{ "NETDEV",       .why = "an interface of the host's own is not given away" },
	{ "NETFILTER",    .why = "every VPS has a firewall of its own" },
	{ "ORIGIN_SAMPLE", .why = "it is the plan that it was made from there" },
	{ "PCI",          .why = "a VPS has no devices of the host" },
	{ "PRIVVMPAGES",  .take = take_privvmpages },
	{ "UUID",         .take = import_nothing },
	{ "VEID",         .take = import_nothing },
	{ "VERSION",      .take = import_nothing },
	{ "VE_LAYOUT",    .take = import_nothing }, /* of a disk that stays where it is */
	{ "VE_PRIVATE",   .take = import_nothing },
	{ "VE_ROOT",      .take = import_nothing },
};
static const struct import_table table = { keys, ARRAY_SIZE(keys) };
/* clang-format on */

static struct err *take_one(struct import *import, const struct conf_line *line)
{
	const struct import_key own = { .name = line->key, .take = import_as_is, .to = line->key };
	const struct import_table own_table = { &own, 1 };
	const char *obsolete = vps_conf_obsolete(line->key);

	for (size_t i = 0; i < table.count; i++)
		if (str_eq(keys[i].name, line->key))
			return import_take(import, &table, line->key, line->value);
	if (vps_conf_is_key(line->key))
		return import_take(import, &own_table, line->key, line->value);
	return import_note(import, obsolete ? obsolete : "cella does not know it");
}

static struct err *read_openvz(struct import *import, const char *text, size_t len)
{
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(conf_file_parse(text, len, &file));
	for (size_t i = 0; i < file.count; i++) {
		const struct conf_line *line = &file.lines[i];
		struct err *err;

		/* an empty value is no value, and the last line of a key counts */
		if (!line->key || !*line->value || conf_file_line(&file, line->key) != i + 1)
			continue;
		import->line = line->text;
		err = take_one(import, line);
		import->line = NULL;
		TRY(err);
	}
	return NULL;
}

const struct import_system import_openvz = { "OpenVZ", read_openvz };
