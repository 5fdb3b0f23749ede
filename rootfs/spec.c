/*
 * The plan as data: release, and the rules between its fields that need no kernel. What the image
 * makes of the paths is not known here; the builder checks that again on descriptors.
 */
#include "rootfs/rootfs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "rootfs/build.h"

/* What may be mounted over below /proc: files that tell of resources, as lxcfs serves them. Other
 * files are read or written by runtimes, or guard the kernel (CVE-2019-16884). */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

void mount_spec_release(struct mount_spec *mount)
{
	free(mount->destination);
	free(mount->source);
	free(mount->type);
	free(mount->data);
	id_maps_release(&mount->maps);
	*mount = (struct mount_spec){ 0 };
}

void rootfs_spec_release(struct rootfs_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		mount_spec_release(&spec->mounts[i]);
	for (size_t i = 0; i < spec->device_count; i++)
		free(spec->devices[i].path);
	free(spec->path);
	free(spec->mounts);
	free(spec->devices);
	strlist_release(&spec->masked_paths);
	strlist_release(&spec->readonly_paths);
	free(spec->mount_label);
	id_maps_release(&spec->root_maps);
	*spec = (struct rootfs_spec){ 0 };
}

bool mount_spec_is_bind(const struct mount_spec *mount)
{
	return (mount->flags & MS_BIND) || str_eq(mount->type, "bind") ||
	       str_eq(mount->type, "rbind");
}

bool mount_may_cover_proc(const char *destination)
{
	for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++)
		if (str_eq(destination, proc_files[i]))
			return true;
	return false;
}

static struct err *check_proc(const struct mount_spec *mount, const char *destination)
{
	bool is_proc = str_eq(mount->type, "proc") || mount_spec_is_bind(mount);

	/* a bind on /proc itself is looked at once more by the builder: it must be a procfs */
	if (str_eq(destination, "/proc") && !is_proc)
		return err_new(ERR_INVALID, "mount on /proc: type %s is not proc",
			       mount->type ? mount->type : "none");
	if (str_has_prefix(destination, "/proc/") && !mount_may_cover_proc(destination))
		return err_new(ERR_INVALID, "mount on %s: it would cover a part of procfs",
			       destination);
	return NULL;
}

static struct err *check_idmap(const struct mount_spec *mount, bool user_ns)
{
	if (mount->idmap == MOUNT_NO_IDMAP) {
		if (mount->maps.uid_count > 0 || mount->maps.gid_count > 0)
			return err_new(ERR_INVALID, "mount on %s: id mappings without idmap",
				       mount->destination);
		return NULL;
	}
	if (!mount_spec_is_bind(mount))
		return err_new(ERR_INVALID, "mount on %s: idmap works on bind mounts only",
			       mount->destination);
	if ((mount->maps.uid_count > 0) != (mount->maps.gid_count > 0))
		return err_new(ERR_INVALID, "mount on %s: uid and gid mappings go together",
			       mount->destination);
	if (mount->maps.uid_count == 0 && !user_ns)
		return err_new(ERR_INVALID,
			       "mount on %s: idmap without mappings needs a user namespace",
			       mount->destination);
	return NULL;
}

struct err *mount_spec_check(const struct mount_spec *mount, bool user_ns)
{
	OWN(str) char *clean = NULL;
	bool bind = mount_spec_is_bind(mount);

	if (!mount->destination || !*mount->destination)
		return err_new(ERR_INVALID, "a mount without a destination");
	if (strlen(mount->destination) >= PATH_MAX)
		return err_new(ERR_INVALID, "a mount destination of %zu bytes",
			       strlen(mount->destination));
	if (bind && !(mount->flags & MS_REMOUNT) && (!mount->source || mount->source[0] != '/'))
		return err_new(ERR_INVALID, "bind mount on %s: source '%s' is not absolute",
			       mount->destination, mount->source ? mount->source : "");
	if (bind && mount->data)
		return err_new(ERR_INVALID,
			       "bind mount on %s: '%s' is not an option of bind mounts",
			       mount->destination, mount->data);
	if (!bind && (!mount->type || !*mount->type) && !(mount->flags & MS_REMOUNT))
		return err_new(ERR_INVALID, "mount on %s: neither a type nor a bind mount",
			       mount->destination);
	if (mount->copy_up && !str_eq(mount->type, "tmpfs"))
		return err_new(ERR_INVALID, "mount on %s: tmpcopyup works on tmpfs only",
			       mount->destination);
	TRY(path_clean(mount->destination, &clean));
	TRY(check_proc(mount, clean));
	return check_idmap(mount, user_ns);
}

static struct err *check_device(const struct device_node *device)
{
	const bool numbered = device->type != 'p';

	if (!device->path || device->path[0] != '/')
		return err_new(ERR_INVALID, "device path '%s' is not absolute",
			       device->path ? device->path : "");
	if (!device->type || !strchr("cbup", device->type))
		return err_new(ERR_INVALID, "device %s: type '%c' is none of c, b, u, p",
			       device->path, device->type ? device->type : '?');
	/* 12 and 20 bits: MKDEV(), include/linux/kdev_t.h */
	if (numbered && (device->major < 0 || device->major > 0xfff || device->minor < 0 ||
			 device->minor > 0xfffff))
		return err_new(ERR_INVALID, "device %s: %jd:%jd is no device number", device->path,
			       (intmax_t)device->major, (intmax_t)device->minor);
	if (device->mode & ~(mode_t)07777)
		return err_new(ERR_INVALID, "device %s: mode %o has more than permission bits",
			       device->path, device->mode);
	return NULL;
}

static struct err *check_paths(const struct strlist *paths, const char *what)
{
	for (size_t i = 0; i < paths->count; i++)
		if (paths->items[i][0] != '/')
			return err_new(ERR_INVALID, "%s '%s' is not absolute", what,
				       paths->items[i]);
	return NULL;
}

struct err *rootfs_spec_check(const struct rootfs_spec *spec, bool user_ns, bool mount_ns)
{
	bool mounts = spec->mount_count > 0 || spec->masked_paths.count > 0 ||
		      spec->readonly_paths.count > 0 || spec->readonly || spec->propagation ||
		      spec->root_maps.uid_count > 0;

	if (!spec->path || spec->path[0] != '/')
		return err_new(ERR_INVALID, "root path '%s' is not absolute",
			       spec->path ? spec->path : "");
	/* they would land in the caller's own tree and stay there */
	if (mounts && !mount_ns)
		return err_new(ERR_INVALID,
			       "mounts, masked or read-only paths, a read-only root and root "
			       "propagation need a mount namespace");
	for (size_t i = 0; i < spec->mount_count; i++)
		TRY(mount_spec_check(&spec->mounts[i], user_ns));
	for (size_t i = 0; i < spec->device_count; i++)
		TRY(check_device(&spec->devices[i]));
	TRY(check_paths(&spec->masked_paths, "masked path"));
	return check_paths(&spec->readonly_paths, "read-only path");
}
