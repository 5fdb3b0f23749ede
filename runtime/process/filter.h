/*
 * How a seccomp section becomes a program, in parts that tests and fuzzers reach. seccomp_prepare()
 * in seccomp.c is what the engine calls. Private to runtime/process.
 */
#ifndef RUNTIME_PROCESS_FILTER_H
#define RUNTIME_PROCESS_FILTER_H

#include <linux/filter.h>

#include "runtime/process/process.h"

/* Two conditions on one argument cannot both be meant: engines read them as alternatives, each a
 * rule of its own. */
bool filter_is_alternative(const struct seccomp_rule *rule);

/* seccomp_library.c: compile with libseccomp, for the architecture it runs on. */
MUST_CHECK struct err *filter_from_library(const struct seccomp_spec *spec,
					   struct seccomp_filter *ret_filter);

/*
 * seccomp_cache.c: a directory of compiled filters. The key is everything that the program depends
 * on; a file holds the whole key, so neither a hash collision nor an update of the library can hand
 * out another filter.
 */
/* Owned. */
MUST_CHECK struct err *filter_cache_key(const struct seccomp_spec *spec, char **ret_key);
/* ERR_NOT_FOUND when there is no good entry; never trusts what it reads. */
MUST_CHECK struct err *filter_cache_load(int dir_fd, const char *key,
					 struct seccomp_filter *ret_filter);
MUST_CHECK struct err *filter_cache_store(int dir_fd, const char *key,
					  const struct seccomp_filter *filter);
/* The bytes of one file. ERR_INVALID: damaged, foreign, or of another key. */
MUST_CHECK struct err *filter_cache_parse(const char *data, size_t len, const char *key,
					  struct seccomp_filter *ret_filter);
MUST_CHECK struct err *filter_cache_format(const char *key, const struct seccomp_filter *filter,
					   struct buf *buf);

#define FILTER_CACHE_FILES_MAX 64

static inline __attribute__((unused)) void own_seccomp_filter(struct seccomp_filter *filter)
{
	seccomp_filter_release(filter);
}

#endif
