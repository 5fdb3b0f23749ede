/* Names and flags of the namespaces, and the rules between the fields of a ns_spec. */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

/* clang-format off */
const struct ns_info ns_infos[NS_KIND_COUNT] = {
	[NS_USER]   = { "user",    "user",   CLONE_NEWUSER },
	[NS_PID]    = { "pid",     "pid",    CLONE_NEWPID },
	[NS_NET]    = { "network", "net",    CLONE_NEWNET },
	[NS_MOUNT]  = { "mount",   "mnt",    CLONE_NEWNS },
	[NS_UTS]    = { "uts",     "uts",    CLONE_NEWUTS },
	[NS_IPC]    = { "ipc",     "ipc",    CLONE_NEWIPC },
	[NS_CGROUP] = { "cgroup",  "cgroup", CLONE_NEWCGROUP },
	[NS_TIME]   = { "time",    "time",   CLONE_NEWTIME },
};
/* clang-format on */

/* linux/nsfs.h, USER_NS_INIT_INO: the initial user namespace's inode is fixed */
#define INITIAL_USER_NS_INODE 0xEFFFFFFDu

struct err *ns_user_is_initial(bool *ret_initial)
{
	struct stat st;

	if (stat("/proc/self/ns/user", &st) < 0)
		return err_sys(errno, "look at /proc/self/ns/user");
	*ret_initial = st.st_ino == INITIAL_USER_NS_INODE;
	return NULL;
}

struct err *ns_kind_parse(const char *oci_name, enum ns_kind *ret_kind)
{
	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		if (str_eq(ns_infos[kind].oci_name, oci_name)) {
			*ret_kind = (enum ns_kind)kind;
			return NULL;
		}
	return err_new(ERR_INVALID,
		       "namespace type '%s' is not one of user, pid, network, mount, uts, ipc, "
		       "cgroup, time",
		       oci_name);
}

void id_maps_release(struct id_maps *maps)
{
	free(maps->uids);
	free(maps->gids);
	*maps = (struct id_maps){ 0 };
}

static struct err *copy_maps(const struct id_map *maps, size_t count, struct id_map **ret_maps)
{
	struct id_map *copy;

	if (count == 0) {
		*ret_maps = NULL;
		return NULL;
	}
	copy = calloc(count, sizeof(*copy));
	if (!copy)
		return err_sys(ENOMEM, "copy %zu id maps", count);
	memcpy(copy, maps, count * sizeof(*copy));
	*ret_maps = copy;
	return NULL;
}

struct err *id_maps_copy(const struct id_maps *maps, struct id_maps *ret_maps)
{
	struct id_maps copy = { .uid_count = maps->uid_count, .gid_count = maps->gid_count };
	struct err *err = copy_maps(maps->uids, maps->uid_count, &copy.uids);

	if (!err)
		err = copy_maps(maps->gids, maps->gid_count, &copy.gids);
	if (err) {
		id_maps_release(&copy);
		return err;
	}
	*ret_maps = copy;
	return NULL;
}

bool id_map_out(const struct id_map *maps, size_t count, uint32_t inside, uint32_t *ret_outside)
{
	for (size_t i = 0; i < count; i++)
		if (inside >= maps[i].inside && inside - maps[i].inside < maps[i].count) {
			*ret_outside = maps[i].outside + (inside - maps[i].inside);
			return true;
		}
	return false;
}

void ns_spec_release(struct ns_spec *spec)
{
	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		free(spec->join_path[kind]);
	id_maps_release(&spec->maps);
	*spec = (struct ns_spec){ 0 };
}

uint64_t ns_spec_flags(const struct ns_spec *spec)
{
	uint64_t flags = 0;

	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		if (spec->is_new[kind] || spec->join_path[kind])
			flags |= ns_infos[kind].clone_flag;
	return flags;
}

struct err *ns_spec_check(const struct ns_spec *spec)
{
	const struct id_maps *maps = &spec->maps;

	for (int kind = 0; kind < NS_KIND_COUNT; kind++) {
		const char *path = spec->join_path[kind];

		if (path && spec->is_new[kind])
			return err_new(ERR_INVALID, "%s namespace: cannot be both new and joined",
				       ns_infos[kind].oci_name);
		if (path && path[0] != '/')
			return err_new(ERR_INVALID, "%s namespace: path '%s' is not absolute",
				       ns_infos[kind].oci_name, path);
	}
	if ((maps->uid_count || maps->gid_count) && !spec->is_new[NS_USER] &&
	    !spec->join_path[NS_USER])
		return err_new(ERR_INVALID, "id mappings need a user namespace");
	if (spec->is_new[NS_USER] && (!maps->uid_count || !maps->gid_count))
		return err_new(ERR_INVALID, "a new user namespace needs uid and gid mappings");
	if ((spec->monotonic.is_set || spec->boottime.is_set) && !spec->is_new[NS_TIME])
		return err_new(ERR_INVALID, "time offsets need a new time namespace");
	return NULL;
}
