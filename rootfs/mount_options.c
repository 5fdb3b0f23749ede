/*
 * Mount options by name: the one table behind config.json, `features` and the manual.
 * Rests on the OCI config-linux "mounts" options, mount(8), mount_setattr(2); what is not in the
 * table is file system data.
 */
#include "rootfs/rootfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "rootfs/tree.h"

struct mount_option {
	const char *name;
	enum {
		OPT_NOTHING,	 /* accepted, the kernel's default */
		OPT_SET,	 /* MS_* flag on */
		OPT_CLEAR,	 /* MS_* flag off */
		OPT_PROPAGATION, /* MS_*, perhaps with MS_REC */
		OPT_REC_SET,	 /* MOUNT_ATTR_* on, below as well */
		OPT_REC_CLEAR,	 /* MOUNT_ATTR_* off, below as well */
		OPT_IDMAP,
		OPT_COPY_UP,
		OPT_COPY_SYMLINK,
		OPT_SOURCE_NOFOLLOW,
		OPT_DEST_NOFOLLOW,
	} kind;
	uint64_t value;
};

/* clang-format off */
static const struct mount_option mount_options[] = {
	{ "async",          OPT_CLEAR,       MS_SYNCHRONOUS },
	{ "atime",          OPT_CLEAR,       MS_NOATIME },
	{ "bind",           OPT_SET,         MS_BIND },
	{ "copy-symlink",   OPT_COPY_SYMLINK },
	{ "defaults",       OPT_NOTHING },
	{ "dest-nofollow",  OPT_DEST_NOFOLLOW },
	{ "dev",            OPT_CLEAR,       MS_NODEV },
	{ "diratime",       OPT_CLEAR,       MS_NODIRATIME },
	{ "dirsync",        OPT_SET,         MS_DIRSYNC },
	{ "exec",           OPT_CLEAR,       MS_NOEXEC },
	{ "idmap",          OPT_IDMAP,       MOUNT_IDMAP },
	{ "iversion",       OPT_SET,         MS_I_VERSION },
	{ "lazytime",       OPT_SET,         MS_LAZYTIME },
	{ "loud",           OPT_CLEAR,       MS_SILENT },
	{ "mand",           OPT_SET,         MS_MANDLOCK },
	{ "noatime",        OPT_SET,         MS_NOATIME },
	{ "nodev",          OPT_SET,         MS_NODEV },
	{ "nodiratime",     OPT_SET,         MS_NODIRATIME },
	{ "noexec",         OPT_SET,         MS_NOEXEC },
	{ "noiversion",     OPT_CLEAR,       MS_I_VERSION },
	{ "nolazytime",     OPT_CLEAR,       MS_LAZYTIME },
	{ "nomand",         OPT_CLEAR,       MS_MANDLOCK },
	{ "norelatime",     OPT_CLEAR,       MS_RELATIME },
	{ "nostrictatime",  OPT_CLEAR,       MS_STRICTATIME },
	{ "nosuid",         OPT_SET,         MS_NOSUID },
	{ "nosymfollow",    OPT_SET,         MS_NOSYMFOLLOW },
	{ "private",        OPT_PROPAGATION, MS_PRIVATE },
	{ "ratime",         OPT_REC_CLEAR,   MOUNT_ATTR_NOATIME },
	{ "rbind",          OPT_SET,         MS_BIND | MS_REC },
	{ "rdev",           OPT_REC_CLEAR,   MOUNT_ATTR_NODEV },
	{ "rdiratime",      OPT_REC_CLEAR,   MOUNT_ATTR_NODIRATIME },
	{ "relatime",       OPT_SET,         MS_RELATIME },
	{ "remount",        OPT_SET,         MS_REMOUNT },
	{ "rexec",          OPT_REC_CLEAR,   MOUNT_ATTR_NOEXEC },
	{ "ridmap",         OPT_IDMAP,       MOUNT_RIDMAP },
	{ "rnoatime",       OPT_REC_SET,     MOUNT_ATTR_NOATIME },
	{ "rnodev",         OPT_REC_SET,     MOUNT_ATTR_NODEV },
	{ "rnodiratime",    OPT_REC_SET,     MOUNT_ATTR_NODIRATIME },
	{ "rnoexec",        OPT_REC_SET,     MOUNT_ATTR_NOEXEC },
	{ "rnorelatime",    OPT_NOTHING }, /* MOUNT_ATTR_RELATIME is 0: there is no bit to clear */
	{ "rnostrictatime", OPT_REC_CLEAR,   MOUNT_ATTR_STRICTATIME },
	{ "rnosuid",        OPT_REC_SET,     MOUNT_ATTR_NOSUID },
	{ "rnosymfollow",   OPT_REC_SET,     MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro",             OPT_SET,         MS_RDONLY },
	{ "rprivate",       OPT_PROPAGATION, MS_PRIVATE | MS_REC },
	{ "rrelatime",      OPT_REC_SET,     MOUNT_ATTR_RELATIME },
	{ "rro",            OPT_REC_SET,     MOUNT_ATTR_RDONLY },
	{ "rrw",            OPT_REC_CLEAR,   MOUNT_ATTR_RDONLY },
	{ "rshared",        OPT_PROPAGATION, MS_SHARED | MS_REC },
	{ "rslave",         OPT_PROPAGATION, MS_SLAVE | MS_REC },
	{ "rstrictatime",   OPT_REC_SET,     MOUNT_ATTR_STRICTATIME },
	{ "rsuid",          OPT_REC_CLEAR,   MOUNT_ATTR_NOSUID },
	{ "rsymfollow",     OPT_REC_CLEAR,   MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable",    OPT_PROPAGATION, MS_UNBINDABLE | MS_REC },
	{ "rw",             OPT_CLEAR,       MS_RDONLY },
	{ "shared",         OPT_PROPAGATION, MS_SHARED },
	{ "silent",         OPT_SET,         MS_SILENT },
	{ "slave",          OPT_PROPAGATION, MS_SLAVE },
	{ "src-nofollow",   OPT_SOURCE_NOFOLLOW },
	{ "strictatime",    OPT_SET,         MS_STRICTATIME },
	{ "suid",           OPT_CLEAR,       MS_NOSUID },
	{ "symfollow",      OPT_CLEAR,       MS_NOSYMFOLLOW },
	{ "sync",           OPT_SET,         MS_SYNCHRONOUS },
	{ "tmpcopyup",      OPT_COPY_UP },
	{ "unbindable",     OPT_PROPAGATION, MS_UNBINDABLE },
};
/* clang-format on */

const char *mount_option_name(size_t i)
{
	return i < ARRAY_SIZE(mount_options) ? mount_options[i].name : NULL;
}

static int compare_option(const void *name, const void *option)
{
	return strcmp(name, ((const struct mount_option *)option)->name);
}

static struct err *add_data(struct mount_spec *mount, const char *option)
{
	char *joined;

	TRY(str_format(&joined, "%s%s%s", mount->data ? mount->data : "", mount->data ? "," : "",
		       option));
	free(mount->data);
	mount->data = joined;
	return NULL;
}

/* The atime bits are one field of the kernel's: setting any value means clearing the field. */
static void add_recursive(struct mount_spec *mount, const struct mount_option *opt)
{
	bool is_atime = opt->value == MOUNT_ATTR_RELATIME || (opt->value & MOUNT_ATTR__ATIME);

	if (is_atime) {
		mount->rec_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
		mount->rec_clear |= MOUNT_ATTR__ATIME;
	}
	if (opt->kind == OPT_REC_SET) {
		mount->rec_set |= opt->value;
		mount->rec_clear &= is_atime ? ~(uint64_t)0 : ~opt->value;
	} else if (!is_atime) {
		mount->rec_clear |= opt->value;
		mount->rec_set &= ~opt->value;
	}
}

static void apply_option(struct mount_spec *mount, const struct mount_option *opt)
{
	switch (opt->kind) {
	case OPT_NOTHING:
		break;
	case OPT_SET:
		mount->flags |= opt->value;
		mount->clear_flags &= ~opt->value;
		break;
	case OPT_CLEAR:
		mount->flags &= ~opt->value;
		mount->clear_flags |= opt->value;
		break;
	case OPT_PROPAGATION:
		mount->propagation = opt->value;
		break;
	case OPT_REC_SET:
	case OPT_REC_CLEAR:
		add_recursive(mount, opt);
		break;
	case OPT_IDMAP:
		mount->idmap = (enum mount_idmap)opt->value;
		break;
	case OPT_COPY_UP:
		mount->copy_up = true;
		break;
	case OPT_COPY_SYMLINK:
		mount->copy_symlink = true;
		break;
	case OPT_SOURCE_NOFOLLOW:
		mount->source_nofollow = true;
		break;
	case OPT_DEST_NOFOLLOW:
		mount->dest_nofollow = true;
		break;
	}
}

/* One "A-B-COUNT"; text is cut up. */
static struct err *parse_map(char *text, struct id_map *ret_map)
{
	uint32_t *const fields[] = { &ret_map->inside, &ret_map->outside, &ret_map->count };
	char *next = text;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *field = strsep(&next, "-");
		uint64_t value;

		if (!field)
			return err_new(ERR_INVALID, "idmap: '%s' is not ID-ID-COUNT", text);
		TRY(parse_u64("idmap", field, i == 2, UINT32_MAX, &value));
		*fields[i] = (uint32_t)value;
	}
	if (next)
		return err_new(ERR_INVALID, "idmap: '%s' follows the count", next);
	return NULL;
}

/* "[@]A-B-N[#A-B-N...]": *maps grows, *relative tells of the "@". text is cut up. */
static struct err *parse_map_list(char *text, struct id_map **maps, size_t *count, bool *relative)
{
	char *next = text;

	if (*next == '@') {
		*relative = true;
		next++;
	}
	while (next) {
		char *one = strsep(&next, "#");
		struct id_map map;
		struct id_map *grown;

		/* a mark on each triplet says no more than one on the first */
		TRY(parse_map(*one == '@' && *relative ? one + 1 : one, &map));
		grown = realloc(*maps, (*count + 1) * sizeof(map));
		if (!grown)
			return err_sys(ENOMEM, "idmap of %zu ranges", *count + 1);
		grown[(*count)++] = map;
		*maps = grown;
	}
	return NULL;
}

/* crun's "idmap=uids=0-1-10#10-11-10;gids=0-100-10". */
static struct err *parse_idmap_value(struct mount_spec *mount, const char *value)
{
	OWN(str) char *copy = NULL;
	char *next;

	TRY(str_dup(value, &copy));
	next = copy;
	while (next) {
		char *part = strsep(&next, ";");

		if (str_has_prefix(part, "uids="))
			TRY(parse_map_list(part + 5, &mount->maps.uids, &mount->maps.uid_count,
					   &mount->uids_relative));
		else if (str_has_prefix(part, "gids="))
			TRY(parse_map_list(part + 5, &mount->maps.gids, &mount->maps.gid_count,
					   &mount->gids_relative));
		else if (*part)
			return err_new(ERR_INVALID, "idmap: '%s' is neither uids= nor gids=", part);
	}
	if (mount->maps.uid_count == 0 || mount->maps.gid_count == 0)
		return err_new(ERR_INVALID, "idmap: '%s' must give both uids= and gids=", value);
	return NULL;
}

struct err *mount_spec_option(struct mount_spec *mount, const char *option)
{
	const struct mount_option *opt;

	opt = bsearch(option, mount_options, ARRAY_SIZE(mount_options), sizeof(mount_options[0]),
		      compare_option);
	if (opt) {
		apply_option(mount, opt);
		return NULL;
	}
	if (!*option)
		return NULL; /* podman writes such ones; mount(2) skips them, too */
	if (str_has_prefix(option, "idmap=")) {
		mount->idmap = MOUNT_IDMAP;
		return parse_idmap_value(mount, option + strlen("idmap="));
	}
	if (str_has_prefix(option, "ridmap=")) {
		mount->idmap = MOUNT_RIDMAP;
		return parse_idmap_value(mount, option + strlen("ridmap="));
	}
	return add_data(mount, option);
}
