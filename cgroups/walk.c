/* Visiting a tree of cgroups; see walk.h. Nobody can rename a cgroup, so ".." always leads where we
 * came from. */
#include "cgroups/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/str.h"

/* More directories than this in one walk is somebody making them as fast as we look. */
#define VISITS_MAX 1000000

static struct err *open_dir(int dir_fd, const char *name, DIR **ret_dir)
{
	OWN(fd) int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir;

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "the cgroup is gone");
	if (fd < 0)
		return err_sys(errno, "open a cgroup");
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read a cgroup's directory");
	fd_take(&fd);
	*ret_dir = dir;
	return NULL;
}

static bool is_child(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* The next child directory's entry, NULL at the end; valid until the next readdir(3). */
static const struct dirent *next_child(DIR *dir)
{
	const struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && !is_child(dir, entry));
	return entry;
}

/* cgroupfs counts children in st_nlink, so a leaf (most containers) need not be listed. */
static bool is_leaf(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && st.st_nlink == 2;
}

struct err *walk_begin(int dir_fd, struct walk *ret_walk)
{
	DIR *dir = NULL;

	TRY(open_dir(dir_fd, ".", &dir));
	*ret_walk = (struct walk){ .dir = dir };
	return NULL;
}

static struct err *push(struct walk *walk, long resume_at)
{
	if (walk->depth == walk->room) {
		size_t room = walk->room * 2 + 16;
		long *grown = realloc(walk->resume_at, room * sizeof(*grown));

		if (!grown)
			return err_sys(ENOMEM, "walk %zu levels of cgroups", room);
		walk->resume_at = grown;
		walk->room = room;
	}
	walk->resume_at[walk->depth++] = resume_at;
	return NULL;
}

static void replace_dir(struct walk *walk, DIR *dir)
{
	closedir(walk->dir);
	walk->dir = dir;
}

static struct err *descend(struct walk *walk, const char *name, bool *ret_entered)
{
	long resume_at = telldir(walk->dir);
	struct err *err;
	DIR *dir = NULL;

	err = open_dir(dirfd(walk->dir), name, &dir);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* removed between the listing and now */
		*ret_entered = false;
		return NULL;
	}
	if (err)
		return err;
	err = push(walk, resume_at);
	if (err) {
		closedir(dir);
		return err;
	}
	replace_dir(walk, dir);
	*ret_entered = true;
	return NULL;
}

static struct err *ascend(struct walk *walk)
{
	DIR *dir = NULL;

	TRY(open_dir(dirfd(walk->dir), "..", &dir));
	replace_dir(walk, dir);
	seekdir(walk->dir, walk->resume_at[--walk->depth]);
	return NULL;
}

struct err *walk_next(struct walk *walk, int *ret_fd)
{
	bool at_leaf;

	if (!walk->started++) {
		*ret_fd = dirfd(walk->dir);
		return NULL;
	}
	if (walk->started > VISITS_MAX)
		return err_new(ERR_STATE, "the tree of cgroups has more than %d directories",
			       VISITS_MAX);
	at_leaf = is_leaf(dirfd(walk->dir));
	for (;;) {
		const struct dirent *child = at_leaf ? NULL : next_child(walk->dir);
		bool entered = false;

		at_leaf = false;
		if (!child && walk->depth == 0) {
			*ret_fd = -1;
			return NULL;
		}
		if (!child) {
			TRY(ascend(walk));
			continue;
		}
		TRY(descend(walk, child->d_name, &entered));
		if (entered) {
			*ret_fd = dirfd(walk->dir);
			return NULL;
		}
	}
}

void walk_end(struct walk *walk)
{
	if (walk->dir)
		closedir(walk->dir);
	free(walk->resume_at);
	*walk = (struct walk){ 0 };
}

/*
 * Depth first; a directory is removed from its parent after its own children, on the way up. The
 * name is found again by reading the parent at the place before it was entered.
 */
struct err *walk_remove(int dir_fd, size_t *ret_left)
{
	OWN(walk) struct walk walk = { 0 };
	bool returned = false;
	size_t left = 0;

	TRY(walk_begin(dir_fd, &walk));
	for (size_t visits = 0; visits < VISITS_MAX; visits++) {
		long before = telldir(walk.dir);
		const struct dirent *child = next_child(walk.dir);
		bool entered = false;

		if (!child && walk.depth == 0)
			break;
		if (!child) {
			TRY(ascend(&walk));
			returned = true;
			continue;
		}
		if (unlinkat(dirfd(walk.dir), child->d_name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT) {
			returned = false;
			continue;
		}
		if (returned) {
			left++; /* its children are gone or resist: not a second time */
			returned = false;
			continue;
		}
		TRY(descend(&walk, child->d_name, &entered));
		if (entered)
			walk.resume_at[walk.depth - 1] = before;
	}
	*ret_left = left;
	return NULL;
}
