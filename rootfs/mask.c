/*
 * Masked and read-only paths. A masked file is covered by /dev/null, a directory by an empty
 * read-only tmpfs; neither comes from the image (CVE-2025-31133). Most of these paths lie in places
 * of our own (places.c) and are used as text from there. What does not exist is not looked for
 * first: the mount says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "rootfs/build.h"

/* A path of the spec, found. */
struct place {
	const char *path; /* for error texts */
	struct target at;
	bool is_ours; /* at is text below one of places.c */
	int fd;	      /* else the descriptor that at borrows; owned */
};

/* What one mask or read-only path leaves for the next. */
struct masking {
	int cwd_fd;		 /* the place that is the working directory; -1: none */
	struct target empty_dir; /* a directory mask to bind again in its place; fd -1: none */
};

static bool is_missing(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR;
}

/* False when there is nothing to protect. */
static struct err *find_place(const struct build *build, const char *path, bool *ret_found,
			      struct place *ret_place)
{
	struct place place = { .path = path, .fd = -1, .at.name = "" };
	struct err *err;

	place.at.fd = places_find(build, path, &place.at.name);
	place.is_ours = place.at.fd >= 0;
	*ret_found = true;
	if (!place.is_ours) {
		place.at.name = "";
		err = path_find_in(build->root_fd, path, O_PATH, &place.fd);
		if (err && err_errno(err) != ENOTDIR)
			return err;
		err_drop(err); /* below a file there is nothing */
		place.at.fd = place.fd;
		*ret_found = place.fd >= 0;
	}
	*ret_place = place;
	return NULL;
}

/* Cover the place with itself; the clone is made read-only before anybody sees it. */
static struct err *make_place_readonly(struct masking *masking, const struct place *place)
{
	const struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	OWN(fd) int tree_fd = -1;

	(void)masking;
	TRY(tree_find(&place->at, AT_RECURSIVE, &tree_fd));
	if (tree_fd < 0)
		return NULL;
	TRY(tree_set(tree_fd, 0, &readonly, place->path));
	return tree_attach(tree_fd, &place->at, place->path);
}

/* mount(2) on a place; 0 or an errno value. */
static int mount_on(struct masking *masking, const struct place *place, const struct fs *fs)
{
	const char *path = place->at.name;
	struct path_fd by_fd;

	if (!place->is_ours) {
		by_fd = path_of_fd(place->fd);
		path = by_fd.text;
	} else if (masking->cwd_fd != place->at.fd) {
		if (fchdir(place->at.fd) < 0)
			return errno;
		masking->cwd_fd = place->at.fd;
	}
	return mount(fs->source, path, fs->type, fs->flags, fs->data) < 0 ? errno : 0;
}

/* 0 or an errno value. */
static int hide_dir(struct masking *masking, const struct place *place)
{
	static const struct fs tmpfs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		/* room for the directory itself and nothing else */
		.data = "nr_blocks=1,nr_inodes=1",
	};
	const struct target *empty = &masking->empty_dir;
	int errnum;

	/* a file system of its own for each would cost more than twice as much */
	if (place->is_ours && empty->fd == place->at.fd)
		return mount_on(masking, place,
				&(struct fs){ .source = empty->name, .flags = MS_BIND });
	errnum = mount_on(masking, place, &tmpfs);
	if (errnum == 0 && place->is_ours)
		masking->empty_dir = place->at;
	return errnum;
}

/* Those of the usual masked paths that are directories: tried as such first, which is only faster.
 */
static bool is_usual_dir(const char *path)
{
	static const char *const dirs[] = { "/proc/acpi", "/proc/asound", "/proc/scsi",
					    "/sys/firmware", "/sys/devices/virtual/powercap" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (str_eq(path, dirs[i]))
			return true;
	return false;
}

static struct err *hide_place(struct masking *masking, const struct place *place)
{
	static const struct fs null_device = { .source = "/dev/null", .flags = MS_BIND };
	int errnum = ENOTDIR;

	/* ENOTDIR: one of the two is a directory and the other is not, or there is a file on the
	 * way and neither fits. The null device is the host's, checked by mask_hide(). */
	if (is_usual_dir(place->path))
		errnum = hide_dir(masking, place);
	if (errnum == ENOTDIR)
		errnum = mount_on(masking, place, &null_device);
	if (errnum == ENOTDIR)
		errnum = hide_dir(masking, place);
	if (errnum != 0 && !is_missing(errnum))
		return err_sys(errnum, "mask %s", place->path);
	return NULL;
}

static struct err *for_each_place(struct build *build, const struct strlist *paths,
				  struct err *(*act)(struct masking *masking,
						     const struct place *place))
{
	struct masking masking = { .empty_dir.fd = -1, .cwd_fd = -1 };

	for (size_t i = 0; i < paths->count; i++) {
		struct place place;
		struct err *err;
		bool found;

		TRY(find_place(build, paths->items[i], &found, &place));
		if (!found)
			continue;
		err = act(&masking, &place);
		own_fd(&place.fd);
		if (err)
			return err;
	}
	return NULL;
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
