/*
 * Masked and read-only paths. A masked file is covered by /dev/null, a directory by an empty
 * read-only tmpfs; neither comes from the image (CVE-2025-31133). Most of these paths lie in procfs
 * and sysfs: once those are seen to be what their names say, paths below them cannot lead out and
 * are used as they are, from a working directory, which saves half of the system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "rootfs/build.h"

/* Room for the directory itself and nothing else. */
#define MASK_OPTIONS "nr_blocks=1,nr_inodes=1"

/* A path, ready for calls that are relative to the working directory. */
struct place {
	const char *path;  /* for error texts */
	const char *local; /* below the working directory, or a path_fd */
	struct path_fd by_fd;
	int fd; /* of a place that was resolved; else -1; owned */
	bool missing;
};

/* procfs and sysfs, once found good: their descriptor, else -1. */
struct trusted {
	int proc_fd, sys_fd; /* owned */
	int cwd_fd;	     /* the one of them that is the working directory; borrowed; -1: none */
};

/* Open PATH if it is the root of a file system of this kind and nothing was mounted inside it that
 * could hold links of somebody else's. */
static int open_trusted(const struct build *build, const char *name, long magic)
{
	int fd = -1;
	struct statfs fs;
	struct err *err =
		path_open_in(build->root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, &fd);

	if (err) {
		err_drop(err); /* not there or a link: the careful way finds out */
		return -1;
	}
	if (fstatfs(fd, &fs) == 0 && fs.f_type == magic)
		return fd;
	close(fd);
	return -1;
}

/* A bind mount below sysfs brings a foreign tree in; what may cover procfs are single files. */
static bool has_binds_below_sys(const struct rootfs_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (mount_spec_is_bind(&spec->mounts[i]) &&
		    strstr(spec->mounts[i].destination, "sys/"))
			return true;
	return false;
}

static void trusted_open(const struct build *build, struct trusted *ret_trusted)
{
	*ret_trusted = (struct trusted){
		.proc_fd = open_trusted(build, "proc", PROC_SUPER_MAGIC),
		.sys_fd = has_binds_below_sys(build->spec) ?
				  -1 :
				  open_trusted(build, "sys", SYSFS_MAGIC),
		.cwd_fd = -1,
	};
}

static void trusted_close(struct trusted *trusted)
{
	own_fd(&trusted->proc_fd);
	own_fd(&trusted->sys_fd);
}

/* The way below /proc or /sys, when it passes no magic link ("self/root", "1/cwd") and no "..". */
static int trusted_base(const struct trusted *trusted, const char *path, const char **ret_rest)
{
	const char *rest = path + strlen("/sys/");

	if (strstr(path, ".."))
		return -1;
	if (str_has_prefix(path, "/sys/") && *rest && *rest != '/') {
		*ret_rest = rest;
		return trusted->sys_fd;
	}
	rest = path + strlen("/proc/");
	if (!str_has_prefix(path, "/proc/") || !*rest || strchr("/0123456789", *rest) ||
	    str_has_prefix(rest, "self") || str_has_prefix(rest, "thread-self"))
		return -1;
	*ret_rest = rest;
	return trusted->proc_fd;
}

static struct err *find_place(const struct build *build, struct trusted *trusted, const char *path,
			      struct place *ret_place)
{
	int base_fd = trusted_base(trusted, path, &ret_place->local);
	struct err *err;

	ret_place->path = path;
	ret_place->fd = -1;
	ret_place->missing = false;
	if (base_fd >= 0) {
		if (base_fd != trusted->cwd_fd && fchdir(base_fd) < 0)
			return err_sys(errno, "change directory for %s", path);
		trusted->cwd_fd = base_fd;
		return NULL;
	}
	err = path_open_in(build->root_fd, path, O_PATH, &ret_place->fd);
	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == ENOTDIR)) {
		err_drop(err); /* nothing to protect */
		ret_place->missing = true;
		return NULL;
	}
	if (err)
		return err;
	ret_place->by_fd = path_of_fd(ret_place->fd);
	ret_place->local = ret_place->by_fd.text;
	return NULL;
}

static bool is_missing(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR;
}

/* Bind the place on itself; the clone is made read-only before anybody sees it. */
static struct err *make_place_readonly(const struct place *place)
{
	const struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_attr attr = readonly;
	OWN(fd) int tree_fd = -1;

	if (place->fd >= 0) {
		TRY(tree_open_fd(place->fd, AT_RECURSIVE, &tree_fd));
		TRY(tree_set(tree_fd, 0, &readonly, place->path));
		return tree_attach(tree_fd, place->fd, place->path);
	}
	/* no look first whether it is there: most of the paths in use are */
	if (mount(place->local, place->local, NULL, MS_BIND | MS_REC, NULL) < 0) {
		if (is_missing(errno))
			return NULL;
		return err_sys(errno, "bind %s", place->path);
	}
	if (mount_setattr(AT_FDCWD, place->local, 0, &attr, sizeof(attr)) < 0)
		return err_sys(errno, "make %s read-only", place->path);
	return NULL;
}

static struct err *hide_place(const struct place *place)
{
	const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	/* the host's null device, checked by mask_hide(); files first, most of them are */
	if (mount("/dev/null", place->local, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
		return NULL;
	/* a directory, or a path through a file */
	if (errno == ENOTDIR &&
	    (mount("tmpfs", place->local, "tmpfs", flags, MASK_OPTIONS) == 0 || is_missing(errno)))
		return NULL;
	return err_sys(errno, "mask %s", place->path);
}

static struct err *for_each_place(struct build *build, const struct strlist *paths,
				  struct err *(*act)(const struct place *place))
{
	struct trusted trusted;
	struct err *err = NULL;

	if (paths->count == 0)
		return NULL;
	trusted_open(build, &trusted);
	for (size_t i = 0; i < paths->count && !err; i++) {
		struct place place;

		err = find_place(build, &trusted, paths->items[i], &place);
		if (err)
			break;
		if (!place.missing)
			err = act(&place);
		own_fd(&place.fd);
	}
	trusted_close(&trusted);
	return err;
}

struct err *mask_make_readonly(struct build *build)
{
	return for_each_place(build, &build->spec->readonly_paths, make_place_readonly);
}

struct err *mask_hide(struct build *build)
{
	struct stat st;

	if (build->spec->masked_paths.count == 0)
		return NULL;
	if (stat("/dev/null", &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_new(ERR_STATE, "the host's /dev/null is not the null device");
	return for_each_place(build, &build->spec->masked_paths, hide_place);
}
