/*
 * The processes of a cgroup and all cgroups below: listing, signalling, killing. A pid read from
 * cgroup.procs may be reused before it is signalled, so each one is pinned by a pidfd and asked for
 * its cgroup once more. Source: cgroup-v2.rst, "cgroup.kill"; pidfd_open(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "cgroups/cgroups.h"
#include "cgroups/events.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"
#include "cgroups/walk.h"

/* 4 million pids of 7 digits: more than the kernel's PID_MAX_LIMIT. */
#define PROCS_TEXT_MAX ((size_t)32 << 20)
/* Rounds of the kill without cgroup.kill; a fork bomb is stopped in its first frozen round. */
#define KILL_ROUNDS 20
#define FREEZE_MS 2000

struct pid_list {
	pid_t *items;
	size_t count, room;
};

static void own_pid_list(struct pid_list *list)
{
	free(list->items);
}

static struct err *pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->count == list->room) {
		size_t room = list->room * 2 + 32;
		pid_t *grown = realloc(list->items, room * sizeof(*grown));

		if (!grown)
			return err_sys(ENOMEM, "list %zu processes", room);
		list->items = grown;
		list->room = room;
	}
	list->items[list->count++] = pid;
	return NULL;
}

static struct err *add_procs(int dir_fd, struct pid_list *list)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(dir_fd, "cgroup.procs", PROCS_TEXT_MAX, &text);

	/* removed while we look; or a threaded child, whose processes its domain lists */
	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == ENODEV ||
		    err_errno(err) == EOPNOTSUPP)) {
		err_drop(err);
		return NULL;
	}
	if (err)
		return err;
	for (char *at = text.data, *end; *at; at = end + (*end == '\n')) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			return err_new(ERR_INVALID, "cgroup.procs holds '%.16s'", at);
		if (pid > 0) /* 0: a process outside of our pid namespace */
			TRY(pid_list_add(list, (pid_t)pid));
	}
	return NULL;
}

static struct err *list_all(int dir_fd, struct pid_list *list)
{
	OWN(walk) struct walk walk = { 0 };
	int at_fd;

	TRY(walk_begin(dir_fd, &walk));
	for (;;) {
		TRY(walk_next(&walk, &at_fd));
		if (at_fd < 0)
			return NULL;
		TRY(add_procs(at_fd, list));
	}
}

struct err *cgroup_pids(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_count)
{
	OWN(pid_list) struct pid_list list = { 0 };
	struct err *err = NULL;

	if (cg->dir_fd >= 0)
		err = list_all(cg->dir_fd, &list);
	if (err)
		return err_wrap(err, "list the processes of cgroup %s", cg->path);
	*ret_pids = TAKE(list.items);
	*ret_count = list.count;
	return NULL;
}

static bool is_in(pid_t pid, const char *cgroup_path)
{
	OWN(str) char *path = NULL;
	size_t len = strlen(cgroup_path);
	struct err *err = hierarchy_path_of(pid, &path);

	if (err) {
		err_drop(err); /* it ended: then it is nowhere */
		return false;
	}
	return str_has_prefix(path, cgroup_path) && (path[len] == '/' || path[len] == '\0');
}

/* A process that is gone or has left is no failure. */
static struct err *signal_one(const struct cgroup *cg, pid_t pid, int signum)
{
	OWN(fd) int pidfd = -1;
	struct err *err = proc_open_any(pid, &pidfd);

	if (!err && !is_in(pid, cg->path))
		return NULL;
	if (!err)
		err = err_wrap(proc_signal(pidfd, signum), "process %d", (int)pid);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err);
		return NULL;
	}
	return err;
}

struct err *cgroup_signal(const struct cgroup *cg, int signum)
{
	OWN(pid_list) struct pid_list list = { 0 };
	struct err *first = NULL;

	if (cg->dir_fd < 0)
		return NULL;
	/* what SIGKILL shall reach must not be able to fork away from it */
	if (signum == SIGKILL)
		return cgroup_kill(cg);
	TRY(list_all(cg->dir_fd, &list));
	for (size_t i = 0; i < list.count; i++)
		first = err_first(first, signal_one(cg, list.items[i], signum));
	return first;
}

/* Before Linux 5.14: hold the tree still, so that nothing forks away, and kill it one by one. */
static struct err *kill_round(const struct cgroup *cg, size_t *ret_count)
{
	OWN(pid_list) struct pid_list list = { 0 };
	struct err *first = NULL;
	bool frozen;

	TRY(file_write_text(cg->dir_fd, "cgroup.freeze", "1"));
	TRY(events_wait(cg->dir_fd, "frozen", 1, clock_ms() + FREEZE_MS, &frozen));
	first = list_all(cg->dir_fd, &list);
	for (size_t i = 0; i < list.count; i++)
		first = err_first(first, signal_one(cg, list.items[i], SIGKILL));
	first = err_first(first, file_write_text(cg->dir_fd, "cgroup.freeze", "0"));
	if (!first)
		*ret_count = list.count;
	return first;
}

static struct err *kill_slowly(const struct cgroup *cg)
{
	size_t count = 1;

	for (int round = 0; count && round < KILL_ROUNDS; round++) {
		bool empty;

		TRY(kill_round(cg, &count));
		if (count)
			TRY(events_wait(cg->dir_fd, "populated", 0, clock_ms() + 100, &empty));
	}
	return NULL;
}

struct err *cgroup_kill(const struct cgroup *cg)
{
	struct err *err;

	if (cg->dir_fd < 0)
		return NULL;
	err = file_write_text(cg->dir_fd, "cgroup.kill", "1");
	if (!err)
		return NULL;
	if (err_errno(err) == ENODEV) {
		err_drop(err); /* removed: nobody is left */
		return NULL;
	}
	if (err_kind(err) != ERR_UNSUPPORTED)
		return err_wrap(err, "kill cgroup %s", cg->path);
	err_drop(err);
	if (!file_exists(cg->dir_fd, "cgroup.procs"))
		return NULL; /* removed: nobody is left */
	err = kill_slowly(cg);
	return err_wrap(err, "kill cgroup %s", cg->path);
}
