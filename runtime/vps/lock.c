/* Locks: one per VPS, one for the pool of ids and addresses, one that each monitor holds while it
 * lives. All are flock(2) on files below /run, so that death releases them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/parse.h"
#include "runtime/vps/moving.h"

#define PATIENCE_MS 10000
#define RETRY_MS 20

static struct err *open_lock(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(errno, "open lock %s", path);
	*ret_fd = fd;
	return NULL;
}

/* A file that was removed while we waited for it locks nothing. */
static bool is_current(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

/* *ret_fd -1: somebody else has it. */
static struct err *try_once(const char *path, int *ret_fd)
{
	for (;;) {
		OWN(fd) int fd = -1;

		TRY(open_lock(path, &fd));
		*ret_fd = -1;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? NULL : err_sys(errno, "lock %s", path);
		if (!is_current(fd, path))
			continue;
		*ret_fd = fd_take(&fd);
		return NULL;
	}
}

static struct err *wait_for(const char *path, int *ret_fd)
{
	for (;;) {
		OWN(fd) int fd = -1;

		TRY(open_lock(path, &fd));
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return err_sys(errno, "lock %s", path);
		if (!is_current(fd, path))
			continue;
		*ret_fd = fd_take(&fd);
		return NULL;
	}
}

static struct err *lock_path(const struct vps_host *host, const char *name, const char *suffix,
			     char **ret_path)
{
	TRY(parse_container_id(name));
	return str_format(ret_path, "%s/%s.%s", host->monitor_dir, name, suffix);
}

/* Whoever had it before us may have been killed in the middle of something. */
static struct err *recover(const struct vps_host *host, const char *name, struct vps_lock *lock)
{
	struct err *err = vps_recover(host, name);

	if (!err)
		err = moving_recover(host, name);
	if (err)
		vps_unlock(lock);
	return err;
}

static struct err *is_locked(const char *name, const char *path)
{
	OWN(fd) int fd = -1;
	OWN(str) char *holder = NULL;

	TRY(open_lock(path, &fd));
	lock_holder(fd, &holder);
	return err_sys(EBUSY, "VPS %s is locked by %s", name, holder ? holder : "another command");
}

struct err *vps_lock(const struct vps_host *host, const char *name, enum vps_lock_wait wait,
		     struct vps_lock *ret_lock)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int tries = wait == VPS_LOCK_PATIENT ? PATIENCE_MS / RETRY_MS : 1;
	OWN(str) char *path = NULL;

	TRY(lock_path(host, name, "lock", &path));
	if (wait == VPS_LOCK_FOREVER) {
		TRY(wait_for(path, &ret_lock->fd));
		return recover(host, name, ret_lock);
	}
	for (int i = 0; i < tries; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		TRY(try_once(path, &ret_lock->fd));
		if (ret_lock->fd >= 0)
			return recover(host, name, ret_lock);
	}
	return is_locked(name, path);
}

void vps_unlock(struct vps_lock *lock)
{
	own_fd(&lock->fd);
	lock->fd = -1;
}

void vps_lock_forget(const struct vps_host *host, const char *name)
{
	static const char *const suffixes[] = { "console", "last", "monitor", "lock" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		OWN(str) char *path = NULL;
		struct err *err = lock_path(host, name, suffixes[i], &path);

		if (err)
			err_drop(err); /* a lock file that stays costs nothing */
		else
			unlink(path);
	}
}

struct err *pool_lock(const struct vps_host *host, struct vps_lock *ret_lock)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, "%s/.pool", host->monitor_dir));
	return wait_for(path, &ret_lock->fd);
}

struct err *host_net_lock(const struct vps_host *host, struct vps_lock *ret_lock)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, "%s/.network", host->monitor_dir));
	return wait_for(path, &ret_lock->fd);
}

struct err *monitor_lock(const struct vps_host *host, const char *name, int *ret_fd)
{
	OWN(str) char *path = NULL;

	TRY(lock_path(host, name, "monitor", &path));
	return try_once(path, ret_fd);
}

struct err *monitor_lock_sign(int fd)
{
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return err_sys(errno, "sign the monitor's lock");
	return NULL;
}

struct err *guarantee_lock(const struct vps_host *host, struct vps_lock *ret_lock)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, "%s/.guarantee", host->monitor_dir));
	return wait_for(path, &ret_lock->fd);
}
