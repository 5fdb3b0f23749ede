/* A seccomp section from the spec to the kernel: seccomp(2). Compiling and caching are in
 * seccomp_*.c. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/process/filter.h"

#define TSYNC_ESRCH (1U << 4)	     /* SECCOMP_FILTER_FLAG_TSYNC_ESRCH, Linux 5.7 */
#define WAIT_KILLABLE_RECV (1U << 5) /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19 */

/*
 * Calls which cannot be handed to an agent: become.c passes the listener with sendmsg(2), after the
 * filter is in force, and would wait for an answer of an agent that has no listener yet. write(2)
 * is refused by every runtime, so no profile may count on it. What follows (close, prctl, capset,
 * execve) an agent can answer.
 */
static const char *const never_notified[] = { "sendmsg", "write" };

static struct err *check_notify_names(const struct name_block *names)
{
	for (size_t i = 0; i < names->count; i++)
		for (size_t n = 0; n < ARRAY_SIZE(never_notified); n++)
			if (str_eq(names->items[i], never_notified[n]))
				return err_new(ERR_INVALID,
					       "seccomp: SCMP_ACT_NOTIFY cannot be used for %s",
					       never_notified[n]);
	return NULL;
}

static struct err *check_notify(const struct seccomp_spec *spec)
{
	if (spec->default_action == SCMP_ACT_NOTIFY)
		return err_new(ERR_INVALID,
			       "seccomp: SCMP_ACT_NOTIFY cannot be the default action");
	for (size_t i = 0; i < spec->rule_count; i++)
		if (spec->rules[i].action == SCMP_ACT_NOTIFY)
			TRY(check_notify_names(&spec->rules[i].names));
	return NULL;
}

bool filter_is_alternative(const struct seccomp_rule *rule)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < rule->arg_count; i++) {
		if (seen >> rule->args[i].index & 1)
			return true;
		seen |= 1U << rule->args[i].index;
	}
	return false;
}

static bool has_notify(const struct seccomp_spec *spec)
{
	for (size_t i = 0; i < spec->rule_count; i++)
		if (spec->rules[i].action == SCMP_ACT_NOTIFY)
			return true;
	return false;
}

static struct err *compile(const struct seccomp_spec *spec, struct seccomp_filter *ret_filter)
{
	const struct filter_target target = { .native = seccomp_arch_native(),
					      .answer_newer = true };
	struct err *err = filter_generate(spec, &target, ret_filter);

	if (!err || err_kind(err) != ERR_UNSUPPORTED)
		return err;
	log_debug("seccomp: by libseccomp, as %s", err_text(err));
	err_drop(err); /* rare: see filter_calls_merge() */
	return filter_from_library(spec, ret_filter);
}

struct err *seccomp_prepare(const struct seccomp_spec *spec, int cache_dir_fd,
			    struct seccomp_filter *ret_filter)
{
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	OWN(str) char *key = NULL;
	struct err *err;

	TRY(check_notify(spec));
	if (cache_dir_fd >= 0 && spec->source) {
		TRY(filter_cache_key(spec, &key));
		err = filter_cache_load(cache_dir_fd, key, &filter);
		err_drop(err); /* no good entry: made below */
	}
	if (!filter.insns) {
		TRY(compile(spec, &filter));
		/* a cache that cannot be written makes the next start slower, no more */
		err = key ? filter_cache_store(cache_dir_fd, key, &filter) : NULL;
		if (err)
			log_debug("seccomp cache: %s", err_text(err));
		err_drop(err);
	}
	filter.flags = spec->flags;
	filter.needs_listener = has_notify(spec);
	*ret_filter = filter;
	filter = (struct seccomp_filter){ 0 };
	return NULL;
}

struct err *seccomp_install(const struct seccomp_filter *filter, int *ret_listener_fd)
{
	const struct sock_fprog program = { .len = (unsigned short)filter->count,
					    .filter = filter->insns };
	unsigned int flags = filter->flags;
	long result;

	if (filter->count == 0 || filter->count > BPF_MAXINSNS)
		return err_new(ERR_INVALID, "seccomp filter of %zu instructions", filter->count);
	if (filter->needs_listener)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else
		flags &= ~WAIT_KILLABLE_RECV; /* about a listener that is not there: EINVAL
						 otherwise */
	if (filter->needs_listener && flags & SECCOMP_FILTER_FLAG_TSYNC)
		flags |= TSYNC_ESRCH; /* both return a number of their own otherwise */
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		return err_sys(errno, "install the seccomp filter (%zu instructions, flags 0x%x)",
			       filter->count, flags);
	if (!filter->needs_listener && result > 0)
		return err_new(ERR_STATE, "install the seccomp filter: thread %ld has another one",
			       result);
	*ret_listener_fd = filter->needs_listener ? (int)result : -1;
	return NULL;
}

void seccomp_filter_release(struct seccomp_filter *filter)
{
	free(filter->insns);
	*filter = (struct seccomp_filter){ 0 };
}
