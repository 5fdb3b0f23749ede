/*
 * Visiting a cgroup and everything below it, however deep a tenant made it: one open directory at a
 * time, eight bytes of memory a level, no recursion.
 */
#ifndef CGROUPS_WALK_H
#define CGROUPS_WALK_H

#include <dirent.h>
#include <stddef.h>

#include "base/err.h"

struct walk {
	DIR *dir;	 /* where we are */
	long *resume_at; /* per level above: where to go on reading; owned */
	size_t depth, room;
	int started;
};

/* The walk begins at dir_fd, which stays the caller's. */
MUST_CHECK struct err *walk_begin(int dir_fd, struct walk *ret_walk);
/* The next directory, parents before children; *ret_fd is borrowed until the next call, -1 at the
 * end. */
MUST_CHECK struct err *walk_next(struct walk *walk, int *ret_fd);
void walk_end(struct walk *walk);

static inline __attribute__((unused)) void own_walk(struct walk *walk)
{
	walk_end(walk);
}

/* Remove all cgroups below dir_fd, bottom up. What is in use, or appears meanwhile, is left;
 * *ret_left counts cgroups that resisted. */
MUST_CHECK struct err *walk_remove(int dir_fd, size_t *ret_left);

#endif
