/* A VPS's private tree from a template's: a copy that shares blocks where it can; see template.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <search.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "rootfs/disk.h"

#define DEPTH_MAX 512
#define ID_MAX 65535
#define XATTR_LIST_MAX 65536

/* A file with several names that was copied already. */
struct seen {
	dev_t device;
	ino_t inode;
	char *path; /* of its copy, below to_fd; owned */
};

struct copy {
	const struct template_copy *request;
	struct template_counts counts;
	uint64_t reported_bytes;
	void *seen_tree; /* tsearch(3) of struct seen */
	unsigned int depth;
};

static int compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

static void free_seen(void *node)
{
	struct seen *seen = node;

	free(seen->path);
	free(seen);
}

static void report(struct copy *copy)
{
	struct template_progress *progress = copy->request->progress;

	if (!progress || copy->counts.bytes < copy->reported_bytes + ((uint64_t)4 << 20))
		return;
	copy->reported_bytes = copy->counts.bytes;
	progress->report(progress, copy->counts.bytes, copy->request->total_bytes);
}

/* Data only where the source has data: a sparse file stays sparse. */
struct err *copy_data(int from_fd, int to_fd, off_t size, const char *path)
{
	off_t data = 0;

	if (ioctl(to_fd, FICLONE, from_fd) == 0)
		return NULL;
	if (ftruncate(to_fd, size) < 0)
		return err_sys(errno, "size %s", path);
	while (data < size) {
		off_t hole;

		data = lseek(from_fd, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return NULL;
		hole = data < 0 ? -1 : lseek(from_fd, data, SEEK_HOLE);
		if (hole < 0)
			return err_sys(errno, "look for holes in %s", path);
		TRY(fd_copy_range(from_fd, to_fd, path, data, hole));
		data = hole;
	}
	return NULL;
}

static struct err *copy_xattrs(int from_fd, int to_fd, const char *path)
{
	char names[XATTR_LIST_MAX], value[XATTR_LIST_MAX];
	ssize_t len = flistxattr(from_fd, names, sizeof(names));

	if (len < 0 && errno == EOPNOTSUPP)
		return NULL;
	if (len < 0)
		return err_sys(errno, "list attributes of %s", path);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from_fd, name, value, sizeof(value));

		if (size < 0)
			return err_sys(errno, "read attribute %s of %s", name, path);
		if (fsetxattr(to_fd, name, value, (size_t)size, 0) < 0)
			return err_sys(errno, "write attribute %s of %s", name, path);
	}
	return NULL;
}

/* Owner before mode: chown clears set-uid bits. Attributes after the owner: chown clears file
 * capabilities. */
static struct err *copy_metadata(int from_fd, int to_fd, const struct stat *st, const char *path)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to_fd, st->st_uid, st->st_gid) < 0)
		return err_sys(errno, "give %s its owner", path);
	if (fchmod(to_fd, st->st_mode & 07777) < 0)
		return err_sys(errno, "give %s its mode", path);
	TRY(copy_xattrs(from_fd, to_fd, path));
	if (futimens(to_fd, times) < 0)
		return err_sys(errno, "give %s its times", path);
	return NULL;
}

static struct err *copy_file(struct copy *copy, int from_dir, int to_dir, const char *name,
			     const struct stat *st, const char *path)
{
	OWN(fd)
	int from_fd = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	OWN(fd)
	int to_fd =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (from_fd < 0)
		return err_sys(errno, "open %s", path);
	if (to_fd < 0)
		return err_sys(errno, "create %s", path);
	TRY(copy_data(from_fd, to_fd, st->st_size, path));
	copy->counts.bytes += (uint64_t)st->st_size;
	report(copy);
	return copy_metadata(from_fd, to_fd, st, path);
}

/* "This name is not there", whatever the layer below has: of our overlay, or of a container's
 * inside a VPS. Source: overlayfs.rst, "whiteouts". */
static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Links, fifos and whiteouts have no descriptor to work through: *at calls that do not follow. */
static struct err *copy_special(int from_dir, int to_dir, const char *name, const struct stat *st,
				const char *path)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (S_ISLNK(st->st_mode)) {
		char target[4097];
		ssize_t len = readlinkat(from_dir, name, target, sizeof(target) - 1);

		if (len < 0)
			return err_sys(errno, "read link %s", path);
		target[len] = '\0';
		if (symlinkat(target, to_dir, name) < 0)
			return err_sys(errno, "make link %s", path);
	} else if (mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, 0) < 0 ||
		   fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0) {
		return err_sys(errno, "make %s", path);
	}
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "give %s its owner and times", path);
	return NULL;
}

/* *ret_linked: the file was copied under another name before, and is now linked to it. */
static struct err *link_if_seen(struct copy *copy, int to_dir, const char *name,
				const struct stat *st, bool *ret_linked)
{
	struct seen key = { .device = st->st_dev, .inode = st->st_ino };
	struct seen *const *found =
		st->st_nlink > 1 ? tfind(&key, &copy->seen_tree, compare_seen) : NULL;

	*ret_linked = found;
	if (found && linkat(copy->request->to_fd, (*found)->path, to_dir, name, 0) < 0)
		return err_sys(errno, "link %s to %s", name, (*found)->path);
	return NULL;
}

static struct err *remember(struct copy *copy, const struct stat *st, const char *path)
{
	struct seen *seen;

	if (st->st_nlink < 2)
		return NULL;
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return err_sys(ENOMEM, "remember %s", path);
	seen->device = st->st_dev;
	seen->inode = st->st_ino;
	seen->path = strdup(path);
	if (!seen->path || !tsearch(seen, &copy->seen_tree, compare_seen)) {
		free_seen(seen);
		return err_sys(ENOMEM, "remember %s", path);
	}
	return NULL;
}

static struct err *copy_dir(struct copy *copy, int from_dir, int to_dir, const char *path);

static struct err *check_owner(const struct copy *copy, const struct stat *st, const char *path)
{
	OWN(str) char *safe = NULL;

	if (!copy->request->is_foreign || (st->st_uid <= ID_MAX && st->st_gid <= ID_MAX))
		return NULL;
	TRY(str_escape(path, &safe));
	return err_new(ERR_INVALID, "%.200s belongs to an id outside 0..%d", safe, ID_MAX);
}

static struct err *copy_subdir(struct copy *copy, int from_dir, int to_dir, const char *name,
			       const char *path)
{
	OWN(fd)
	int from_fd = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	OWN(fd) int to_fd = -1;

	if (from_fd < 0)
		return err_sys(errno, "open %s", path);
	if (mkdirat(to_dir, name, 0700) < 0)
		return err_sys(errno, "make directory %s", path);
	to_fd = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to_fd < 0)
		return err_sys(errno, "open the new %s", path);
	return copy_dir(copy, from_fd, to_fd, path);
}

static struct err *copy_entry(struct copy *copy, int from_dir, int to_dir, const char *name,
			      const char *path)
{
	struct stat st;
	bool linked;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at %s", path);
	TRY(check_owner(copy, &st, path));
	if (S_ISSOCK(st.st_mode) || S_ISBLK(st.st_mode) ||
	    (S_ISCHR(st.st_mode) && !is_whiteout(&st))) {
		copy->counts.skipped++;
		return NULL;
	}
	copy->counts.entries++;
	if (S_ISDIR(st.st_mode))
		return copy_subdir(copy, from_dir, to_dir, name, path);
	TRY(link_if_seen(copy, to_dir, name, &st, &linked));
	if (linked)
		return NULL;
	if (S_ISREG(st.st_mode))
		TRY(copy_file(copy, from_dir, to_dir, name, &st, path));
	else
		TRY(copy_special(from_dir, to_dir, name, &st, path));
	return remember(copy, &st, path);
}

/* The directory's own metadata comes last: writing into it changes its times and may need its mode.
 */
static struct err *copy_dir(struct copy *copy, int from_dir, int to_dir, const char *path)
{
	int dup_fd = openat(from_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct dirent *entry;
	struct stat st;

	if (!dir || fstat(from_dir, &st) < 0)
		return err_sys(errno, "read directory %s", path);
	if (++copy->depth > DEPTH_MAX)
		return err_new(ERR_INVALID, "%.200s...: more than %d directories deep", path,
			       DEPTH_MAX);
	while ((errno = 0, entry = readdir(dir))) {
		OWN(str) char *below = NULL;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		TRY(str_format(&below, "%s%s%s", path, *path ? "/" : "", entry->d_name));
		TRY(copy_entry(copy, from_dir, to_dir, entry->d_name, below));
	}
	if (errno)
		return err_sys(errno, "read directory %s", path);
	copy->depth--;
	return copy_metadata(from_dir, to_dir, &st, *path ? path : "/");
}

struct err *template_copy(const struct template_copy *request, struct template_counts *ret_counts)
{
	struct copy copy = { .request = request };
	struct err *err = copy_dir(&copy, request->from_fd, request->to_fd, "");

	tdestroy(copy.seen_tree, free_seen);
	if (!err)
		*ret_counts = copy.counts;
	return err;
}
