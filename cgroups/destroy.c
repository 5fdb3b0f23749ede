/*
 * Removing a cgroup. The kernel removes only what has neither live processes nor children; zombies
 * do not count. Source: cgroup-v2.rst, "Organizing Processes and Threads".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <poll.h>
#include <unistd.h>

#include "base/own.h"
#include "base/str.h"
#include "cgroups/cgroups.h"
#include "cgroups/events.h"
#include "cgroups/hierarchy.h"
#include "cgroups/systemd.h"
#include "cgroups/walk.h"

/* How long systemd may take to notice that a scope is empty before it is told to stop it. */
#define SCOPE_COLLECT_MS 300

static struct err *remove_dir(const char *path, bool *ret_busy)
{
	OWN(str) char *whole = NULL;

	TRY(str_format(&whole, CGROUP_MOUNT "%s", path));
	*ret_busy = false;
	if (rmdir(whole) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EBUSY)
		return err_sys(errno, "remove %s", whole);
	*ret_busy = true;
	return NULL;
}

/* ERR_NOT_FOUND is success: someone else, mostly systemd, was faster. */
static struct err *ignore_gone(struct err *err)
{
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err);
		return NULL;
	}
	return err;
}

static struct err *wait_empty(const struct cgroup *cg, int64_t deadline_ms, int timeout_ms)
{
	bool empty = true;

	TRY(ignore_gone(events_wait(cg->dir_fd, "populated", 0, deadline_ms, &empty)));
	if (empty)
		return NULL;
	return err_new(ERR_STATE, "cgroup %s still has processes after %d ms", cg->path,
		       timeout_ms);
}

static struct err *destroy_tree(const struct cgroup *cg, int timeout_ms)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	bool busy;

	TRY(remove_dir(cg->path, &busy));
	while (busy) {
		size_t left = 0;

		TRY(wait_empty(cg, deadline_ms, timeout_ms));
		TRY(ignore_gone(walk_remove(cg->dir_fd, &left)));
		TRY(remove_dir(cg->path, &busy));
		/* empty and still busy: somebody makes cgroups or processes in it as fast as they
		 * go */
		if (busy && clock_ms() >= deadline_ms)
			return err_new(ERR_STATE,
				       "cgroup %s is busy (%zu cgroups below resist) after %d ms",
				       cg->path, left, timeout_ms);
	}
	return NULL;
}

/* Wait until the directory is gone: rmdir(2) by anybody is an inotify event of the parent. */
static struct err *wait_removed(const char *path, int64_t deadline_ms, bool *ret_removed)
{
	OWN(fd) int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	OWN(str) char *whole = NULL, *parent = NULL;

	TRY(str_format(&whole, CGROUP_MOUNT "%s", path));
	TRY(str_dup(whole, &parent));
	*strrchr(parent, '/') = '\0';
	if (watch_fd < 0 || inotify_add_watch(watch_fd, parent, IN_DELETE | IN_ONLYDIR) < 0)
		return err_sys(errno, "watch %s", parent);
	for (;;) {
		struct pollfd watch = { .fd = watch_fd, .events = POLLIN };
		int64_t left_ms = deadline_ms - clock_ms();
		char events[4096];

		*ret_removed = access(whole, F_OK) < 0 && errno == ENOENT;
		if (*ret_removed || left_ms <= 0)
			return NULL;
		if (poll(&watch, 1, (int)left_ms) < 0 && errno != EINTR)
			return err_sys(errno, "watch %s", parent);
		while (read(watch_fd, events, sizeof(events)) > 0)
			continue;
	}
}

/*
 * systemd removes the cgroup of an empty scope itself. To remove it under its hands would hide from
 * it that the scope has ended. If it does not act, as with processes that it may not kill, it is
 * told to stop.
 */
static struct err *destroy_scope(const struct cgroup *cg, int timeout_ms)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	int64_t patience_ms = clock_ms() + SCOPE_COLLECT_MS;
	bool removed = false;

	TRY(wait_empty(cg, deadline_ms, timeout_ms));
	TRY(wait_removed(cg->path, patience_ms < deadline_ms ? patience_ms : deadline_ms,
			 &removed));
	if (removed)
		return NULL;
	TRY(systemd_stop(cg->scope));
	return destroy_tree(cg, timeout_ms);
}

struct err *cgroup_destroy(struct cgroup *cg, int timeout_ms)
{
	struct err *err = NULL;

	if (cg->dir_fd < 0)
		return NULL;
	if (cg->driver == CGROUP_SYSTEMD && cg->scope)
		err = destroy_scope(cg, timeout_ms);
	else
		err = destroy_tree(cg, timeout_ms);
	if (err)
		return err;
	close(fd_take(&cg->dir_fd));
	return NULL;
}
