/* Shared by the three files of the floor program; see floor.c. */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

#define FLOOR_PATH_ROOM 512

/* What the command line said: one command per process, so one of these. */
struct floor {
	const char *root, *bundle, *id, *arg;
	bool cgroups; /* false: --cgroup-manager=disabled */
	bool force;
	char state[FLOOR_PATH_ROOM], cgroup[FLOOR_PATH_ROOM]; /* directories of this container */
};

/* Report errno and leave with status 1. */
_Noreturn void floor_die(const char *what);
/* result itself, unless it is negative: then floor_die(what). */
int floor_need(int result, const char *what);

/*
 * The container's process from clone3 to execve. sync_fd: one byte comes when ids and devices are
 * set; one goes out when everything is mounted, if fifo_fd is not -1: then fifo_fd is read before
 * the exec.
 */
_Noreturn void floor_contain(const struct floor *f, bool userns, int sync_fd, int fifo_fd);
void floor_drop_privileges(void);

/* Load the default device rules and attach them to a cgroup directory. -1 with errno on failure. */
int floor_attach_devices(int cgroup_fd);

#endif
