/*
 * Trying out what changes a process for good: the body runs in a forked child, in namespaces of its
 * own where it asks for that. It returns 0 or the line that went wrong; CHECK() does both.
 */
#ifndef TESTS_UNIT_CHILD_H
#define TESTS_UNIT_CHILD_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/proc.h"

#define CHECK(condition)                                                          \
	do {                                                                      \
		if (!(condition)) {                                               \
			fprintf(stderr, "# line %d: %s\n", __LINE__, #condition); \
			return __LINE__;                                          \
		}                                                                 \
	} while (0)

/* A step that must succeed; its error is shown. */
static inline bool went_well(struct err *err)
{
	if (err)
		fprintf(stderr, "# %s\n", err_text(err));
	err_drop(err);
	return !err;
}

static inline bool failed_with(struct err *err, enum err_kind kind)
{
	bool good = err && err_kind(err) == kind;

	if (!good)
		fprintf(stderr, "# instead: %s\n", err ? err_text(err) : "no error");
	err_drop(err);
	return good;
}

static inline int in_child(int (*body)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		proc_exit(body() ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* The maps of the process pid: ids 0 to 65535 when real root writes them, else id 0 alone. */
static inline bool write_maps(pid_t pid, uid_t uid, gid_t gid)
{
	char path[40], map[32];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	if (uid != 0 && !put_file(path, "deny"))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	snprintf(map, sizeof(map), "0 %u %d", uid, uid ? 1 : 65536);
	if (!put_file(path, map))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	snprintf(map, sizeof(map), "0 %u %d", gid, uid ? 1 : 65536);
	return put_file(path, map);
}

/* Become root of a new user namespace; more: further CLONE_NEW* flags. Several ids must be mapped
 * from outside. */
static inline bool enter_userns(int more)
{
	pid_t self = getpid(), writer;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int ready[2], status;
	char byte;

	if (pipe(ready) < 0)
		return false;
	writer = fork();
	if (writer == 0) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 && write_maps(self, uid, gid) ? 0 : 1);
	}
	close(ready[0]);
	if (unshare(CLONE_NEWUSER | more) == 0 && write(ready[1], "", 1) != 1)
		return false;
	close(ready[1]);
	return waitpid(writer, &status, 0) == writer && status == 0;
}

static inline int try_userns(void)
{
	return enter_userns(CLONE_NEWNS) ? 0 : 1;
}

/* Tests that need one say so and skip where the kernel forbids it. */
#define NEED_USERNS()                                                      \
	do {                                                               \
		if (in_child(try_userns) != 0) {                           \
			print_message("no user namespaces for us here\n"); \
			skip();                                            \
		}                                                          \
	} while (0)

#endif
