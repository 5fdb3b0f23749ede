/* Waiting for cgroup.events without polling in a loop. Source: cgroup-v2.rst, "cgroup.events". */
#ifndef CGROUPS_EVENTS_H
#define CGROUPS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A point of CLOCK_MONOTONIC. */
int64_t clock_ms(void);
/*
 * Wait until the line KEY of cgroup.events in dir_fd has the value, at most until deadline_ms (a
 * time of clock_ms(); in the past: just look). *ret_reached says whether it has. A cgroup that is
 * gone is ERR_NOT_FOUND.
 */
MUST_CHECK struct err *events_wait(int dir_fd, const char *key, uint64_t value, int64_t deadline_ms,
				   bool *ret_reached);
/* Its value now; CGROUP_UNSET when there is no such line. */
MUST_CHECK struct err *events_read(int dir_fd, const char *key, uint64_t *ret_value);

#endif
