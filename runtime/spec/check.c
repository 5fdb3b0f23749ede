/* The rules between the fields of a container, and what follows from several of them at once. */
#include <string.h>
#include <sys/mount.h>

#include "runtime/process/process.h"
#include "runtime/spec/tables.h"

static bool has_own(const struct spec *spec, enum ns_kind kind)
{
	return spec->ns.is_new[kind] || spec->ns.join_path[kind];
}

static struct err *make_absolute(const char *bundle, char **path)
{
	OWN(str) char *whole = NULL;

	if (**path == '/')
		return NULL;
	TRY(str_format(&whole, "%s/%s", bundle, *path));
	free(*path);
	*path = TAKE(whole);
	return NULL;
}

static struct err *complete_mount(const struct spec *spec, const char *bundle,
				  struct mount_spec *mount)
{
	if (mount->source && mount_spec_is_bind(mount))
		TRY(make_absolute(bundle, &mount->source));
	return mount_spec_check(mount, has_own(spec, NS_USER));
}

static struct err *complete_mounts(struct spec *spec, const char *bundle)
{
	for (size_t i = 0; i < spec->root.mount_count; i++) {
		struct err *err = complete_mount(spec, bundle, &spec->root.mounts[i]);

		if (err)
			return err_wrap(err, "mounts[%zu]", i);
	}
	return NULL;
}

static bool needs_mount_ns(const struct rootfs_spec *root)
{
	return root->mount_count || root->masked_paths.count || root->readonly_paths.count ||
	       root->readonly || root->propagation;
}

static struct err *check_namespaces(const struct spec *spec)
{
	if (spec->hostname && !has_own(spec, NS_UTS))
		return err_new(ERR_INVALID, "hostname: needs a uts namespace in linux.namespaces");
	if (spec->domainname && !has_own(spec, NS_UTS))
		return err_new(ERR_INVALID,
			       "domainname: needs a uts namespace in linux.namespaces");
	if (needs_mount_ns(&spec->root) && !has_own(spec, NS_MOUNT))
		return err_new(ERR_INVALID,
			       "linux.namespaces: mounts, masked or read-only paths, a "
			       "read-only root and rootfsPropagation need a mount namespace");
	if (spec->net_device_count && !has_own(spec, NS_NET))
		return err_new(ERR_INVALID,
			       "linux.netDevices: needs a network namespace in linux.namespaces");
	return NULL;
}

static struct err *check_sysctls(const struct spec *spec)
{
	for (size_t i = 0; i < spec->sysctls.count; i++) {
		struct err *err =
			sysctl_check(spec->sysctls.items[i], &spec->ns, spec->hostname != NULL);

		if (err)
			return err_wrap(err, "linux.sysctl");
	}
	return NULL;
}

/* pids.limit 0 became a real limit in 1.3; before, callers meant none by it. */
static bool is_before_1_3(const char *version)
{
	return strtoul(version + strlen("1."), NULL, 10) < 3;
}

static bool is_writable_cgroup_mount(const struct mount_spec *mount)
{
	return mount->source && str_eq(mount->source, "cgroup") &&
	       str_eq(mount->destination, "/sys/fs/cgroup") && !(mount->flags & MS_RDONLY);
}

/* Who gets the cgroup's delegated files: config-linux.md, "Cgroup ownership". */
static void decide_delegation(struct spec *spec)
{
	const struct id_maps *maps = &spec->ns.maps;
	uid_t uid = spec->process.uid;
	gid_t gid = spec->process.gid;
	bool writable = false;

	for (size_t i = 0; i < spec->root.mount_count; i++)
		writable |= is_writable_cgroup_mount(&spec->root.mounts[i]);
	if (!writable || !spec->ns.is_new[NS_CGROUP])
		return;
	if (has_own(spec, NS_USER) && (!id_map_out(maps->uids, maps->uid_count, uid, &uid) ||
				       !id_map_out(maps->gids, maps->gid_count, gid, &gid)))
		return; /* nobody outside stands for that user */
	spec->cgroup.delegate = true;
	spec->cgroup.owner_uid = uid;
	spec->cgroup.owner_gid = gid;
}

struct err *spec_complete(struct spec *spec, const char *bundle)
{
	TRY(make_absolute(bundle, &spec->root.path));
	TRY(annotations_apply(spec));
	TRY(err_wrap(ns_spec_check(&spec->ns), "linux"));
	TRY(check_namespaces(spec));
	TRY(complete_mounts(spec, bundle));
	TRY(check_sysctls(spec));
	TRY(err_wrap(cgroup_limits_check(&spec->cgroup.limits), "linux.resources"));
	if (spec->cgroup.limits.pids_max == 0 && is_before_1_3(spec->oci_version))
		spec->cgroup.limits.pids_max = CGROUP_MAX;
	decide_delegation(spec);
	spec->bring_loopback_up = spec->ns.is_new[NS_NET];
	return NULL;
}
