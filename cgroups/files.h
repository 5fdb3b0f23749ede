/*
 * Small kernel files in a cgroup directory, and their three shapes: one number or "max", lines of
 * "KEY VALUE", and lists. All calls are relative to a directory descriptor, so that a directory of
 * plain files is a fake kernel for the unit tests. Source: cgroup-v2.rst, "Conventions", "Format".
 */
#ifndef CGROUPS_FILES_H
#define CGROUPS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Large enough for every flat file except memory.stat and io.stat. */
#define FILE_TEXT_MAX 4096

struct file_text {
	char text[FILE_TEXT_MAX];
};

/* One open, one read, one close. ERR_NOT_FOUND: no such file (or the cgroup was removed, ENODEV).
 */
MUST_CHECK struct err *file_text_read(int dir_fd, const char *name, struct file_text *ret_file);
/* A number, CGROUP_MAX for "max", CGROUP_UNSET when there is no such file. */
MUST_CHECK struct err *file_read_u64(int dir_fd, const char *name, uint64_t *ret_value);
/* ERR_UNSUPPORTED when there is no such file; CGROUP_MAX is written as "max". */
MUST_CHECK struct err *file_write_u64(int dir_fd, const char *name, uint64_t value);
MUST_CHECK struct err *file_write_text(int dir_fd, const char *name, const char *text);
bool file_exists(int dir_fd, const char *name);

/* The value of the line "KEY VALUE" (cgroup.events, cpu.stat) or of "KEY=VALUE" in one line
 * (io.stat, pressure); CGROUP_UNSET when there is none. */
uint64_t flat_value(const char *text, const char *key);
uint64_t nested_value(const char *line, const char *key);

/* A limit as text: "max" or digits. */
#define LIMIT_TEXT_MAX 24
struct limit_text {
	char text[LIMIT_TEXT_MAX];
};
struct limit_text limit_text(uint64_t value);
/* The other direction: the whole text is "max" or a number. */
MUST_CHECK struct err *limit_parse(const char *what, const char *text, uint64_t *ret_value);

#endif
