/*
 * Disks without a definition whose create or destroy has not ended. ".NAME~creating" beside them
 * says so: while it is there and NAME.conf is not, the disk is nobody's and may be removed; without
 * it a disk is somebody's data. "~" stands in no VPS's name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/moving.h"

struct err *vps_open_private(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->private_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->private_dir) : NULL;
}

/* It is hidden first, so that a killed removal never leaves half a disk under the good name. */
struct err *unfinished_remove_disk(const struct vps_host *host, const char *name)
{
	OWN(fd) int private_fd = -1;
	OWN(str) char *hidden = NULL;
	struct disk disk = { .parent = host->private_dir, .template_dir = host->template_dir };

	TRY(vps_open_private(host, &private_fd));
	TRY(str_format(&hidden, ".%s", name));
	disk.name = hidden;
	TRY(disk_remove(&disk));
	if (renameat(private_fd, name, private_fd, hidden) < 0)
		return errno == ENOENT ? NULL :
					 err_sys(errno, "move %s/%s away", host->private_dir, name);
	return disk_remove(&disk);
}

static struct err *marker_of(const char *name, char **ret_marker)
{
	return str_format(ret_marker, ".%s" CREATING_SUFFIX, name);
}

struct err *unfinished_is(const struct vps_host *host, const char *name, bool *ret_is)
{
	OWN(str) char *marker = NULL;
	OWN(fd) int private_fd = -1;
	struct stat st;

	TRY(vps_open_private(host, &private_fd));
	TRY(marker_of(name, &marker));
	*ret_is = fstatat(private_fd, marker, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return NULL;
}

struct err *unfinished_mark(const struct vps_host *host, const char *name, uint64_t id_first)
{
	OWN(str) char *marker = NULL, *text = NULL;
	OWN(fd) int private_fd = -1, fd = -1;

	TRY(vps_open_private(host, &private_fd));
	TRY(marker_of(name, &marker));
	TRY(str_format(&text, "%" PRIu64 "\n", id_first));
	/* in place: an unfinished one is a dead command's, whose ids are free */
	fd = openat(private_fd, marker, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return err_sys(errno, "create %s/%s", host->private_dir, marker);
	TRY(fd_write_all(fd, marker, text, strlen(text)));
	/* before the disk is there, or the definition is not */
	return fsync(fd) < 0 ? err_sys(errno, "sync %s/%s", host->private_dir, marker) : NULL;
}

struct err *unfinished_unmark(const struct vps_host *host, const char *name)
{
	OWN(str) char *marker = NULL;
	OWN(fd) int private_fd = -1;

	TRY(vps_open_private(host, &private_fd));
	TRY(marker_of(name, &marker));
	if (unlinkat(private_fd, marker, 0) < 0)
		return errno == ENOENT ? NULL :
					 err_sys(errno, "remove %s/%s", host->private_dir, marker);
	/* who takes the definition away later must find none */
	return fsync(private_fd) < 0 ? err_sys(errno, "sync %s", host->private_dir) : NULL;
}

/* ".NAME~creating" to "NAME". */
static bool is_marker(const char *file, char *name, size_t room)
{
	size_t len = strlen(file), suffix = strlen(CREATING_SUFFIX);
	struct err *err;

	if (file[0] != '.' || len <= suffix + 1 || len - suffix - 1 >= room ||
	    !str_eq(file + len - suffix, CREATING_SUFFIX))
		return false;
	snprintf(name, room, "%.*s", (int)(len - suffix - 1), file + 1);
	err = parse_container_id(name);
	err_drop(err); /* only whether, not why */
	return !err;
}

static struct err *sweep_one(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	struct moving moving;
	bool exists, unfinished;
	struct err *err = vps_lock(host, name, VPS_LOCK_TRY, &lock);

	if (err && err_errno(err) == EBUSY) {
		err_drop(err); /* it is at work */
		return NULL;
	}
	if (err)
		return err;
	TRY(store_exists(host, name, &exists));
	TRY(unfinished_is(host, name, &unfinished));
	TRY(moving_read(host, name, &moving));
	if (!unfinished || moving.state != MOVING_NONE)
		return NULL;
	if (!exists) {
		TRY(vps_snapshots_remove(host, name));
		TRY(unfinished_remove_disk(host, name));
		vps_lock_forget(host, name);
	}
	return unfinished_unmark(host, name);
}

struct err *unfinished_sweep(const struct vps_host *host, const char *but)
{
	OWN(dir) DIR *dir = opendir(host->private_dir);
	struct dirent *entry;
	char name[256];

	if (!dir)
		return err_sys(errno, "read %s", host->private_dir);
	while ((errno = 0, entry = readdir(dir)))
		if (is_marker(entry->d_name, name, sizeof(name)) && !str_eq(name, but))
			log_warn(err_wrap(sweep_one(host, name), "what is left of VPS %s", name));
	return errno ? err_sys(errno, "read %s", host->private_dir) : NULL;
}
