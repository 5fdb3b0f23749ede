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

/*
 * Our own compiler: libseccomp takes 35 million instructions for podman's profile and makes a
 * filter that costs the kernel seven times as much to load. Here the rules of each architecture
 * become ranges of numbers with one answer (seccomp_ranges.c), and those a binary search
 * (seccomp_generate.c). Names are still resolved by libseccomp, and whatever needs more thought,
 * ERR_UNSUPPORTED, is left to it.
 */
struct filter_target {
	uint32_t native;   /* SCMP_ARCH_* of the machine: always covered */
	bool answer_newer; /* ENOSYS for calls newer than every one in the profile, where the
			      default refuses */
};

/* One name of one rule, for one architecture. */
struct filter_call {
	uint32_t number; /* as the kernel sees it */
	uint32_t order;	 /* place in the profile, to keep first things first */
	const struct seccomp_rule *rule;
	int alternative;       /* the one argument that counts (filter_is_alternative()), -1: all */
	unsigned int sub_call; /* socketcall(2), ipc(2): what its first argument must be; 0: none */
};

/* Numbers from start up to the next range's. */
struct filter_range {
	uint32_t start, action;		 /* the action when no rule applies, or there is none */
	const struct filter_call *calls; /* whose conditions are tried in order */
	size_t call_count;
	bool is_32bit; /* arguments have 32 bits */
};

struct filter_ranges {
	struct filter_range *items; /* owned */
	size_t count;
	struct filter_call *calls; /* owned; what the ranges point to */
	size_t call_count;
};
void filter_ranges_release(struct filter_ranges *ranges);
static inline __attribute__((unused)) void own_filter_ranges(struct filter_ranges *ranges)
{
	filter_ranges_release(ranges);
}

#define FILTER_ARGS_MAX 7 /* six of a rule, and the number of a sub-call */
/* The conditions of a call, sorted by argument, values cut to the size of an argument; gives their
 * number. */
size_t filter_call_args(const struct filter_call *call, bool is_32bit, struct seccomp_arg *args);
/* Leave of the calls of one number those that have an effect, in an order in which the first that
 * fits decides. */
MUST_CHECK struct err *filter_calls_merge(struct filter_call *calls, size_t *count, bool is_32bit);

/* The next value of seccomp_data.arch on that machine, after *audit (0: the first); false past the
 * last. A machine of which this compiler knows nothing has none. */
bool filter_next_group(const struct filter_target *target, uint32_t *audit);
/* The ranges of that one, from 0 on; count 0 when the profile does not cover it. */
MUST_CHECK struct err *filter_make_ranges(const struct seccomp_spec *spec,
					  const struct filter_target *target, uint32_t audit,
					  struct filter_ranges *ret_ranges);
/* ERR_UNSUPPORTED: take filter_from_library(). */
MUST_CHECK struct err *filter_generate(const struct seccomp_spec *spec,
				       const struct filter_target *target,
				       struct seccomp_filter *ret_filter);

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
