/*
 * What some file systems need in a container beyond mount(2): fall-backs for a user namespace,
 * which may not make a new instance of what it does not own, SELinux labels, cgroup's own
 * directory. Rests on user_namespaces(7), cgroup_namespaces(7), Documentation/filesystems/devpts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/build.h"

/* True when the kernel refused because of who we are, not because of what was asked. */
static bool is_refusal(const struct err *err)
{
	return err && (err_errno(err) == EPERM || err_errno(err) == EBUSY);
}

/*
 * The host's own instance instead of a new one. What is mounted below it comes along, as the kernel
 * will not part them in a user namespace, but read-only: there may be the host's cgroups
 * (CVE-2023-25809).
 */
static struct err *bind_host(const struct mount_spec *mount, const char *path,
			     const struct target *target)
{
	const struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	const struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	const struct tree_defaults defaults = { .userns_fd = -1 };
	OWN(fd) int fd = -1;

	TRY(tree_open(path, AT_RECURSIVE, &fd));
	TRY(tree_set(fd, AT_RECURSIVE, &readonly, path));
	if (!(mount->flags & MS_RDONLY)) {
		struct err *err = tree_set(fd, 0, &writable, path);

		/* read-only on the host and locked: stays so */
		if (err && err_errno(err) != EPERM)
			return err;
		err_drop(err);
	}
	TRY(tree_configure(fd, mount, &defaults));
	return tree_attach(fd, target, mount->destination);
}

static struct err *mount_proc(struct build *build, const struct fs *fs, const struct target *target)
{
	struct err *err = fs_attach(build, fs, target);

	if (!is_refusal(err) || !build->env->user_ns)
		return err;
	/* a new procfs shows the pid namespace, so without an own one the host's is the same */
	if (build->env->own_pid_ns)
		return err_wrap(err,
				"a part of the caller's /proc is covered, so the kernel allows no "
				"new one in a user namespace");
	err_drop(err);
	return bind_host(fs->mount, "/proc", target);
}

static struct err *mount_sysfs(struct build *build, const struct fs *fs,
			       const struct target *target)
{
	struct err *err = NULL;

	/* sysfs belongs to the owner of the network namespace */
	if (!build->env->user_ns || build->env->own_net_ns) {
		err = fs_attach(build, fs, target);
		if (!is_refusal(err) || !build->env->user_ns)
			return err;
	}
	err_drop(err);
	return bind_host(fs->mount, "/sys", target);
}

static struct err *mount_mqueue(struct build *build, const struct fs *fs,
				const struct target *target)
{
	struct err *err = NULL;

	if (!build->env->user_ns || build->env->own_ipc_ns) {
		err = fs_attach(build, fs, target);
		if (!is_refusal(err) || !build->env->user_ns)
			return err;
	}
	err_drop(err);
	return bind_host(fs->mount, "/dev/mqueue", target);
}

/* The data without its gid= option, owned; NULL when there is none. */
static struct err *without_gid(const char *data, char **ret_data)
{
	const char *gid = data;
	size_t len;

	while (gid && !str_has_prefix(gid, "gid=")) {
		gid = strchr(gid, ',');
		gid += gid ? 1 : 0;
	}
	if (!gid)
		return str_dup("", ret_data);
	len = strcspn(gid, ",");
	if (gid[len])
		return str_format(ret_data, "%.*s%s", (int)(gid - data), data, gid + len + 1);
	return str_format(ret_data, "%.*s", (int)(gid > data ? gid - data - 1 : 0), data);
}

static struct err *mount_devpts(struct build *build, const struct fs *fs,
				const struct target *target)
{
	OWN(str) char *data = NULL;
	struct fs retry = *fs;
	struct err *err = fs_attach(build, fs, target);

	/* the usual gid=5 (tty) may have no meaning in this user namespace */
	if (!err || err_errno(err) != EINVAL || !build->env->user_ns || !fs->data ||
	    !strstr(fs->data, "gid="))
		return err;
	err_drop(err);
	TRY(without_gid(fs->data, &data));
	retry.data = data;
	return fs_attach(build, &retry, target);
}

/* Where the host has its cgroup2 tree: pure, or beside version 1. */
static struct err *find_cgroup_mount(const char **ret_path)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
			*ret_path = places[i];
			return NULL;
		}
	return err_new(ERR_UNSUPPORTED, "no cgroup2 on %s: version 1 is not supported", places[0]);
}

/* Our own cgroup as the caller's cgroup namespace names it: the "0::" line. */
static struct err *read_own_cgroup(char **ret_path)
{
	OWN(buf) struct buf text = { 0 };
	const char *line;

	TRY(file_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text));
	line = str_has_prefix(text.data, "0::") ? text.data : strstr(text.data, "\n0::");
	if (!line)
		return err_new(ERR_UNSUPPORTED, "this process is in no cgroup2 group");
	line += line[0] == '\n' ? 4 : 3;
	return str_format(ret_path, "%.*s", (int)strcspn(line, "\n"), line);
}

/* Without a cgroup namespace: the container's own directory, never the host's tree. */
static struct err *bind_cgroup(struct build *build, const struct mount_spec *mount,
			       const struct target *target)
{
	const struct tree_defaults defaults = { .userns_fd = -1 };
	OWN(str) char *own = NULL, *path = NULL;
	OWN(fd) int fd = -1;
	const char *top;

	TRY(find_cgroup_mount(&top));
	if (build->env->cgroup_path)
		TRY(str_dup(build->env->cgroup_path, &own));
	else
		TRY(read_own_cgroup(&own));
	if (str_has_prefix(own, top)) /* given as a path of the host */
		TRY(str_dup(own, &path));
	else
		TRY(str_format(&path, "%s/%s", top, own));
	TRY(tree_open(path, 0, &fd));
	TRY(tree_configure(fd, mount, &defaults));
	return tree_attach(fd, target, mount->destination);
}

static struct err *mount_cgroup(struct build *build, const struct fs *fs,
				const struct target *target)
{
	struct fs v2 = *fs;
	struct err *err;

	v2.type = "cgroup2";
	/* options of the type "cgroup" are those of version 1 */
	if (str_eq(fs->type, "cgroup"))
		v2.data = NULL;
	if (!build->env->own_cgroup_ns)
		return bind_cgroup(build, fs->mount, target);
	err = fs_attach(build, &v2, target);
	if (!is_refusal(err) || !build->env->user_ns)
		return err;
	err_drop(err); /* the cgroup namespace belongs to somebody else */
	return bind_cgroup(build, fs->mount, target);
}

static bool has_option(const char *data, const char *prefix)
{
	while (data && !str_has_prefix(data, prefix)) {
		data = strchr(data, ',');
		data += data ? 1 : 0;
	}
	return data != NULL;
}

static struct err *mount_tmpfs(struct build *build, const struct fs *fs,
			       const struct target *target)
{
	OWN(str) char *data = NULL;
	struct fs writable = *fs;
	struct stat st;

	writable.flags &= ~(unsigned long)MS_RDONLY; /* see mount_is_late_readonly() */
	if (!has_option(fs->data, "mode=")) {
		/* what covers a directory should be as accessible as it was */
		if (fstatat(target->fd, target->name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(errno, "look at %s", fs->mount->destination);
		TRY(str_format(&data, "%s%smode=%04o", fs->data ? fs->data : "",
			       fs->data ? "," : "", st.st_mode & 07777));
		writable.data = data;
	}
	return fs_attach(build, &writable, target);
}

static const struct fs_kind {
	const char *type;
	struct err *(*mount)(struct build *build, const struct fs *fs, const struct target *target);
	bool labelled; /* takes SELinux's context= */
} fs_kinds[] = {
	{ "proc", mount_proc, false },	   { "sysfs", mount_sysfs, false },
	{ "mqueue", mount_mqueue, true },  { "devpts", mount_devpts, true },
	{ "cgroup", mount_cgroup, false }, { "cgroup2", mount_cgroup, false },
	{ "tmpfs", mount_tmpfs, true },
};

static const struct fs_kind *find_kind(const char *type)
{
	static const struct fs_kind other = { NULL, fs_attach, true };

	for (size_t i = 0; i < ARRAY_SIZE(fs_kinds); i++)
		if (str_eq(type, fs_kinds[i].type))
			return &fs_kinds[i];
	return &other;
}

/* Kernels without SELinux refuse context= on most file systems. */
static bool has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

struct err *fs_mount(struct build *build, const struct mount_spec *mount,
		     const struct target *target)
{
	const struct fs_kind *kind = find_kind(mount->type);
	const char *label = build->spec->mount_label;
	OWN(str) char *data = NULL;
	struct fs fs = {
		.mount = mount,
		.type = mount->type,
		.source = mount->source ? mount->source : mount->type,
		.data = mount->data,
		.flags = mount->flags,
	};

	if (label && *label && kind->labelled && !has_option(mount->data, "context=") &&
	    has_selinux()) {
		TRY(str_format(&data, "%s%scontext=\"%s\"", fs.data ? fs.data : "",
			       fs.data ? "," : "", label));
		fs.data = data;
	}
	return kind->mount(build, &fs, target);
}
