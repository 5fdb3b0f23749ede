/*
 * What of a container comes from outside and must be named to CRIU: at the dump by the place where
 * it is, at the restore by what it is now. A bind mount's label is its destination in config.json.
 * Source: criu(8), --external mnt[], --external net[], --inherit-fd, --join-ns.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/path.h"
#include "migrate-criu/place.h"

#define NULL_DEVICE "/dev/null" /* source, and label, of every masked file */

/* Namespaces that CRIU takes as given, and as a descriptor at the restore. */
static const struct given {
	enum ns_kind kind;
	const char *label;
} given[] = {
	{ NS_NET, "extRootNetNS" },
	{ NS_PID, "extRootPidNS" },
};
/* Those that it restores and, where there is a path, enters first. */
static const enum ns_kind entered[] = { NS_IPC, NS_UTS, NS_TIME };

struct err *cr_check_spec(const struct spec *spec)
{
	const struct {
		bool is_so;
		const char *why;
	} reasons[] = {
		{ spec->ns.join_path[NS_USER] != NULL,
		  "linux.namespaces: a container in a given user namespace" },
		{ !spec->ns.is_new[NS_MOUNT],
		  "linux.namespaces: a container without a mount namespace of its own" },
		{ spec->ns.join_path[NS_CGROUP] != NULL,
		  "linux.namespaces: a container in a given cgroup namespace" },
		{ spec->seccomp.listener_path != NULL,
		  "linux.seccomp.listenerPath: a container with a seccomp agent" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].is_so)
			return err_new(ERR_UNSUPPORTED, "%s cannot be checkpointed",
				       reasons[i].why);
	for (size_t i = 0; i < spec->root.mount_count; i++) {
		const struct mount_spec *mount = &spec->root.mounts[i];

		if (mount->idmap != MOUNT_NO_IDMAP || mount->copy_symlink || mount->source_nofollow)
			return err_new(ERR_UNSUPPORTED,
				       "mounts: %s is id-mapped or a link: such a container cannot "
				       "be checkpointed",
				       mount->destination);
	}
	return NULL;
}

/* --- dump --- */

/* The path that an open place has in its own mount namespace, links resolved. */
static struct err *name_place(int fd, char *name, size_t room)
{
	struct path_fd link = path_of_fd(fd);
	ssize_t len = readlink(link.text, name, room - 1);

	if (len < 0)
		return err_sys(errno, "read %s", link.text);
	name[len] = '\0';
	return NULL;
}

static struct err *name_mount(int root_fd, const char *path, const char *label,
			      struct strlist *external)
{
	OWN(fd) int fd = -1;
	char name[PATH_MAX];

	TRY(path_find_in(root_fd, path, O_PATH, &fd));
	if (fd < 0)
		return NULL; /* covered or unmounted by the container */
	TRY(name_place(fd, name, sizeof(name)));
	return strlist_format(external, "mnt[%s]:%s", name, label);
}

static struct err *name_mask(int root_fd, const char *path, struct strlist *external)
{
	OWN(fd) int fd = -1;
	struct stat st;

	TRY(path_find_in(root_fd, path, O_PATH, &fd));
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at %s", path);
	/* a masked directory has a tmpfs on it, which is the container's own */
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return NULL;
	return strlist_format(external, "mnt[%s]:" NULL_DEVICE, path);
}

/* Where mknod(2) is not allowed a device is the host's node, bound. */
static struct err *name_device(int root_fd, const struct device_node *device,
			       struct strlist *external)
{
	OWN(fd) int fd = -1;
	struct stat st;

	TRY(path_find_in(root_fd, device->path, O_PATH, &fd));
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at %s", device->path);
	/* another file would come from the host at the restore */
	if (st.st_rdev != makedev((unsigned int)device->major, (unsigned int)device->minor))
		return NULL;
	return strlist_format(external, "mnt[%s]:%s", device->path, device->path);
}

static struct err *name_mounts(const struct rootfs_spec *spec, int root_fd,
			       struct strlist *external)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (mount_spec_is_bind(&spec->mounts[i]))
			TRY(name_mount(root_fd, spec->mounts[i].destination,
				       spec->mounts[i].destination, external));
	for (size_t i = 0; i < spec->masked_paths.count; i++)
		TRY(name_mask(root_fd, spec->masked_paths.items[i], external));
	return NULL;
}

static struct err *name_devices(const struct rootfs_spec *spec, int root_fd,
				struct strlist *external)
{
	for (size_t i = 0; rootfs_device(spec, i); i++)
		TRY(name_device(root_fd, rootfs_device(spec, i), external));
	return NULL;
}

struct err *cr_outside_dump(const struct spec *spec, pid_t pid, struct criu_request *request)
{
	OWN(str) char *root_path = NULL;
	OWN(fd) int root_fd = -1;

	TRY(str_format(&root_path, "/proc/%d/root", (int)pid));
	root_fd = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open %s", root_path);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		const char *name = ns_infos[given[i].kind].proc_name;
		OWN(str) char *path = NULL;
		struct stat st;

		if (!spec->ns.join_path[given[i].kind])
			continue;
		TRY(str_format(&path, "/proc/%d/ns/%s", (int)pid, name));
		if (stat(path, &st) < 0)
			return err_sys(errno, "look at %s", path);
		TRY(strlist_format(&request->external, "%s[%ju]:%s", name, (uintmax_t)st.st_ino,
				   given[i].label));
	}
	if (request->verb == CRIU_PRE_DUMP)
		return NULL; /* memory only */
	if (spec->ns.is_new[NS_USER])
		TRY(name_devices(&spec->root, root_fd, &request->external));
	return name_mounts(&spec->root, root_fd, &request->external);
}

/* --- restore --- */

static struct err *name_sources(const struct rootfs_spec *spec, struct strlist *external)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (mount_spec_is_bind(&spec->mounts[i]))
			TRY(strlist_format(external, "mnt[%s]:%s", spec->mounts[i].destination,
					   spec->mounts[i].source));
	if (spec->masked_paths.count)
		TRY(strlist_add(external, "mnt[" NULL_DEVICE "]:" NULL_DEVICE));
	return NULL;
}

/* The host's nodes. Found as at the creation: by path, if that is the device, or by number. */
static struct err *name_nodes(const struct rootfs_spec *spec, struct strlist *external)
{
	const struct device_node *device;

	for (size_t i = 0; (device = rootfs_device(spec, i)); i++) {
		const dev_t number =
			makedev((unsigned int)device->major, (unsigned int)device->minor);
		char listed[ROOTFS_DEVICE_PATH_MAX];
		const char *source = device->path;
		struct stat st;

		if (device->type == 'p')
			continue;
		rootfs_device_listed(device, listed);
		if (stat(source, &st) < 0 || st.st_rdev != number)
			source = listed;
		TRY(strlist_format(external, "mnt[%s]:%s", device->path, source));
	}
	return NULL;
}

struct err *cr_outside_restore(const struct spec *spec, struct ns_fds *fds,
			       struct criu_start *start, struct criu_request *request)
{
	TRY(ns_open_joined(&spec->ns, fds));
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		int fd = fds->fd[given[i].kind], number;

		if (fd < 0)
			continue;
		TRY(criu_pass_fd(start, fd, &number));
		TRY(criu_request_inherit(request, given[i].label, number));
	}
	for (size_t i = 0; i < ARRAY_SIZE(entered); i++)
		if (spec->ns.join_path[entered[i]])
			request->joined[request->joined_count++] = (struct criu_joined){
				.kind = ns_infos[entered[i]].proc_name,
				.path = spec->ns.join_path[entered[i]],
			};
	if (spec->ns.is_new[NS_USER])
		TRY(name_nodes(&spec->root, &request->external));
	return name_sources(&spec->root, &request->external);
}

/* On a mount other than the root: CRIU brings back a tmpfs with all that is in it, and a volume has
 * what it had. */
static bool is_below_mount(const struct rootfs_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const char *above = spec->mounts[i].destination;
		size_t len = strlen(above);

		if (str_has_prefix(path, above) && path[len] == '/')
			return true;
	}
	return false;
}

struct err *cr_make_mount_points(const struct rootfs_spec *spec, int root_fd)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct mount_spec *mount = &spec->mounts[i];
		OWN(fd) int fd = -1;
		struct stat st;
		bool is_file = false;

		if (is_below_mount(spec, mount->destination))
			continue;
		if (mount_spec_is_bind(mount)) {
			if (stat(mount->source, &st) < 0)
				return err_sys(errno, "mounts: %s: look at %s", mount->destination,
					       mount->source);
			is_file = !S_ISDIR(st.st_mode);
		}
		TRY(err_wrap(is_file ? path_make_file_in(root_fd, mount->destination, 0644, &fd) :
				       path_make_dir_in(root_fd, mount->destination, 0755, &fd),
			     "mounts: %s", mount->destination));
	}
	return NULL;
}
