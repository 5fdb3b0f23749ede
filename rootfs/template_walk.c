/*
 * A tree whose owner may change it while it is read, into an archive. Libarchive opens by name what
 * it has looked at by name before; who puts a link there in between has it read a file of the host.
 * Here each name is opened in its directory, not through a link, and what was opened is looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "rootfs/template_room.h"

OWN_KIND(disk, struct archive *, archive_read_free)
OWN_KIND(links, struct archive_entry_linkresolver *, archive_entry_linkresolver_free)
OWN_KIND(entry, struct archive_entry *, archive_entry_free)

struct walk {
	struct pack *pack;
	struct archive *disk; /* knows how to ask for attributes; borrowed, like links */
	struct archive_entry_linkresolver *links;
	struct buf path; /* "./etc/x", with a NUL */
};

/* What is there of a name, opened. */
struct found {
	int fd; /* for reading: files and directories; else a place; owned */
	struct stat st;
};

static void own_found(struct found *found)
{
	own_fd(&found->fd);
}

/* An error of a tree that stands still; of another one it means that the name is no more what it
 * was, and the next round sees what it is. */
static struct err *failed(const struct walk *walk, int errnum)
{
	OWN(str) char *safe = NULL;

	if (walk->pack->walk == PACK_LIVE)
		return NULL;
	TRY(str_escape(walk->path.data, &safe));
	return err_sys(errnum, "read %.500s in the tree", safe);
}

/* *ret_found.fd -1: it is not there any more. A FIFO must not be waited for, a device not be
 * opened. */
static struct err *find(const struct walk *walk, int dir_fd, const char *name,
			struct found *ret_found)
{
	OWN(found) struct found found = { .fd = -1 };
	int flags = O_PATH;
	mode_t type;

	if (fstatat(dir_fd, name, &found.st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(walk, errno);
	type = found.st.st_mode & S_IFMT;
	if (type == S_IFREG)
		flags = O_RDONLY | O_NONBLOCK;
	if (type == S_IFDIR)
		flags = O_RDONLY | O_DIRECTORY;
	found.fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (found.fd < 0)
		return failed(walk, errno);
	if (fstat(found.fd, &found.st) < 0)
		return failed(walk, errno);
	if ((found.st.st_mode & S_IFMT) != type)
		return failed(walk, ESTALE);
	*ret_found = found;
	found.fd = -1;
	return NULL;
}

/* --- one entry --- */

static struct err *set_link(const struct walk *walk, const struct found *found,
			    struct archive_entry *entry)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(found->fd, "", target, sizeof(target) - 1);

	if (len < 0)
		return err_sys(errno, "read the link %.500s", walk->path.data);
	target[len] = '\0';
	archive_entry_copy_stat(entry, &found->st);
	archive_entry_set_symlink(entry, target);
	return NULL;
}

/* What can only be asked for by a name has one that leads to what was opened. */
static struct err *set_attributes(const struct walk *walk, const struct found *found,
				  struct archive_entry *entry)
{
	const bool is_open = S_ISREG(found->st.st_mode) || S_ISDIR(found->st.st_mode);
	char source[40];

	snprintf(source, sizeof(source), "/proc/self/fd/%d", found->fd);
	archive_entry_copy_sourcepath(entry, source);
	if (archive_read_disk_entry_from_file(walk->disk, entry, is_open ? found->fd : -1,
					      &found->st) == ARCHIVE_OK)
		return NULL;
	return template_archive_error(walk->disk, "read the tree");
}

static struct err *put(struct walk *walk, const struct found *found)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return err_sys(ENOMEM, "write the archive");
	archive_entry_set_pathname(entry, walk->path.data);
	TRY(S_ISLNK(found->st.st_mode) ? set_link(walk, found, entry) :
					 set_attributes(walk, found, entry));
	return pack_put(walk->pack, walk->links, &entry, &(struct pack_source){ .fd = found->fd });
}

/* --- all of them --- */

static struct err *walk_dir(struct walk *walk, int dir_fd);

static struct err *walk_name(struct walk *walk, int dir_fd, const char *name)
{
	OWN(found) struct found found = { .fd = -1 };

	TRY(find(walk, dir_fd, name, &found));
	if (found.fd < 0)
		return NULL;
	TRY(put(walk, &found));
	return S_ISDIR(found.st.st_mode) ? walk_dir(walk, found.fd) : NULL;
}

/* walk->path becomes that of a name in the directory whose path has len bytes. */
static struct err *set_name(struct walk *walk, size_t len, const char *name)
{
	walk->path.len = len;
	TRY(buf_add(&walk->path, "/", 1));
	return buf_add(&walk->path, name, strlen(name) + 1);
}

static struct err *walk_dir(struct walk *walk, int dir_fd)
{
	const size_t len = strlen(walk->path.data);
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *dirent;

	if (!dir)
		return failed(walk, errno);
	while ((errno = 0, dirent = readdir(dir))) {
		if (str_eq(dirent->d_name, ".") || str_eq(dirent->d_name, ".."))
			continue;
		TRY(set_name(walk, len, dirent->d_name));
		TRY(walk_name(walk, dir_fd, dirent->d_name));
	}
	return errno ? failed(walk, errno) : NULL;
}

static struct err *walk_root(struct walk *walk, int tree_fd)
{
	struct found root = { .fd = tree_fd };

	TRY(buf_add(&walk->path, ".", 2));
	if (fstat(tree_fd, &root.st) < 0)
		return err_sys(errno, "look at the tree");
	TRY(put(walk, &root));
	return walk_dir(walk, tree_fd);
}

struct err *pack_walk(struct pack *pack, int tree_fd)
{
	OWN(disk) struct archive *disk = archive_read_disk_new();
	OWN(links) struct archive_entry_linkresolver *links = archive_entry_linkresolver_new();
	struct walk walk = { .pack = pack, .disk = disk, .links = links };
	struct err *err;

	if (!disk || !links)
		return err_sys(ENOMEM, "write the archive");
	archive_read_disk_set_behavior(disk, ARCHIVE_READDISK_NO_FFLAGS);
	archive_entry_linkresolver_set_strategy(links, archive_format(pack->writer));
	err = walk_root(&walk, tree_fd);
	buf_release(&walk.path);
	return err;
}
