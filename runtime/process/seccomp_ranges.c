/*
 * From rules to ranges of system call numbers with one answer, per architecture. On i386 the calls
 * behind socketcall(2) and ipc(2) are meant along with the direct ones, as libseccomp has it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "runtime/process/filter.h"

#define X32_BIT 0x40000000U /* __X32_SYSCALL_BIT */

static const struct arch {
	uint32_t native; /* the machine that runs it */
	uint32_t token;	 /* SCMP_ARCH_* */
	uint32_t audit;	 /* seccomp_data.arch */
	bool is_32bit;
	uint32_t first; /* lowest number */
} archs[] = {
	/* those of one machine together, the machine's own first, numbers rising within one audit
	   architecture */
	{ SCMP_ARCH_X86_64, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, false, 0 },
	{ SCMP_ARCH_X86_64, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true, X32_BIT },
	{ SCMP_ARCH_X86_64, SCMP_ARCH_X86, AUDIT_ARCH_I386, true, 0 },
	{ SCMP_ARCH_AARCH64, SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, false, 0 },
	{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, AUDIT_ARCH_ARM, true, 0 },
	{ SCMP_ARCH_RISCV64, SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, false, 0 },
};

/* libseccomp's numbers for calls that i386 has behind another one: -100 - N is socketcall(2) with
 * N, -200 - N ipc(2). */
#define SOCKETCALL 102
#define IPC 117
static const struct sub_call {
	int pseudo;
	unsigned int direct; /* the number of its own that newer kernels have; 0: none */
} sub_calls[] = {
	{ -101, 359 }, { -102, 361 }, { -103, 362 }, { -104, 363 }, { -105, 0 },   { -106, 367 },
	{ -107, 368 }, { -108, 360 }, { -109, 0 },   { -110, 0 },   { -111, 369 }, { -112, 371 },
	{ -113, 373 }, { -114, 366 }, { -115, 365 }, { -116, 370 }, { -117, 372 }, { -118, 364 },
	{ -119, 337 }, { -120, 345 }, { -201, 0 },   { -202, 393 }, { -203, 394 }, { -204, 0 },
	{ -211, 400 }, { -212, 401 }, { -213, 399 }, { -214, 402 }, { -221, 397 }, { -222, 398 },
	{ -223, 395 }, { -224, 396 },
};

/* --- collecting: every name of every rule as a call of this architecture --- */

struct collector {
	struct filter_call *calls; /* room for all */
	size_t count;
	uint32_t highest; /* number in the profile, with an effect or not */
	bool has_any;
};

static void note_number(struct collector *c, uint32_t number)
{
	if (!c->has_any || number > c->highest)
		c->highest = number;
	c->has_any = true;
}

static void add_call(struct collector *c, struct filter_call call)
{
	bool split = call.alternative >= 0;

	note_number(c, call.number);
	for (size_t i = 0; i < (split ? call.rule->arg_count : 1); i++) {
		call.alternative = split ? (int)i : -1;
		call.order = (uint32_t)c->count;
		c->calls[c->count++] = call;
	}
}

/* A number below zero: the call is behind another one here, or not there at all. */
static void add_sub_call(struct collector *c, const struct arch *arch, int pseudo,
			 struct filter_call call)
{
	if (arch->token != SCMP_ARCH_X86)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sub_calls); i++) {
		if (sub_calls[i].pseudo != pseudo)
			continue;
		if (sub_calls[i].direct) {
			call.number = sub_calls[i].direct;
			add_call(c, call);
		}
		call.number = pseudo > -200 ? SOCKETCALL : IPC;
		call.sub_call = (unsigned int)-pseudo % 100;
		add_call(c, call);
	}
}

static void collect(struct collector *c, const struct seccomp_spec *spec, const struct arch *arch)
{
	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct seccomp_rule *rule = &spec->rules[i];
		struct filter_call call = { .rule = rule,
					    .alternative = filter_is_alternative(rule) ? 0 : -1 };

		for (size_t n = 0; n < rule->names.count; n++) {
			int number = seccomp_syscall_resolve_name_arch(arch->token,
								       rule->names.items[n]);

			call.number = (uint32_t)number;
			if (rule->action == spec->default_action) {
				if (number >= 0)
					note_number(c, call.number); /* changes nothing else */
			} else if (number >= 0) {
				add_call(c, call);
			} else if (number != __NR_SCMP_ERROR) {
				add_sub_call(c, arch, number, call);
			}
		}
	}
}

/* --- ranges --- */

/* Numbers from range.start on get another answer; a range that would be empty goes, one that
 * changes nothing does not come. */
static void add_range(struct filter_ranges *ranges, struct filter_range range)
{
	struct filter_range *last;

	if (ranges->count && ranges->items[ranges->count - 1].start == range.start)
		ranges->count--;
	last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
	if (!last || last->action != range.action || last->call_count || range.call_count)
		ranges->items[ranges->count++] = range;
}

/* runc's rule: a call that is newer than the profile was never refused on purpose, and programs
 * have a way around it only when it seems to be missing. Not where the default lets calls pass or
 * leaves them to a tracer. */
static uint32_t newer_action(const struct seccomp_spec *spec, const struct filter_target *target)
{
	uint32_t kind = spec->default_action & 0xffff0000U; /* SECCOMP_RET_ACTION_FULL */
	bool passes = kind == SCMP_ACT_ALLOW || kind == SCMP_ACT_LOG || kind == SCMP_ACT_TRACE(0);

	return target->answer_newer && !passes ? SCMP_ACT_ERRNO(ENOSYS) : spec->default_action;
}

static int compare_calls(const void *left, const void *right)
{
	const struct filter_call *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* All calls of one number, count of them. */
static struct err *add_number(struct filter_ranges *ranges, struct filter_call *calls, size_t count,
			      const struct filter_range *rest, bool is_32bit)
{
	struct filter_range range = { .start = calls->number, .action = rest->action };
	struct seccomp_arg args[FILTER_ARGS_MAX];

	TRY(filter_calls_merge(calls, &count, is_32bit));
	if (filter_call_args(calls, is_32bit, args) == 0) {
		range.action = calls->rule->action;
	} else {
		range.calls = calls;
		range.call_count = count;
		range.is_32bit = is_32bit;
	}
	add_range(ranges, range);
	range = *rest;
	range.start = calls->number + 1;
	add_range(ranges, range);
	return NULL;
}

static struct err *add_arch(const struct seccomp_spec *spec, const struct filter_target *target,
			    const struct arch *arch, struct filter_ranges *ranges)
{
	struct collector c = { .calls = ranges->calls + ranges->call_count };
	struct filter_range rest = { .start = arch->first, .action = spec->default_action };

	collect(&c, spec, arch);
	ranges->call_count += c.count;
	qsort(c.calls, c.count, sizeof(*c.calls), compare_calls);
	add_range(ranges, rest);
	for (size_t i = 0, next; i < c.count; i = next) {
		for (next = i + 1; next < c.count && c.calls[next].number == c.calls[i].number;
		     next++)
			;
		TRY(add_number(ranges, &c.calls[i], next - i, &rest, arch->is_32bit));
	}
	if (c.has_any) {
		rest = (struct filter_range){ .start = c.highest + 1,
					      .action = newer_action(spec, target) };
		add_range(ranges, rest);
	}
	return NULL;
}

/* --- groups --- */

static bool is_wanted(const struct seccomp_spec *spec, const struct arch *arch)
{
	/* other runtimes, too, cover the machine's own whatever the profile lists */
	for (size_t i = 0; i < spec->arch_count; i++)
		if (spec->archs[i] == arch->token)
			return true;
	return arch->token == arch->native;
}

/* Room for every name of every rule, once by itself and once behind another call. */
static size_t count_calls(const struct seccomp_spec *spec)
{
	size_t count = 0;

	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct seccomp_rule *rule = &spec->rules[i];

		count += rule->names.count * (filter_is_alternative(rule) ? rule->arg_count : 1);
	}
	return 2 * count;
}

static struct err *make_ranges(const struct seccomp_spec *spec, const struct filter_target *target,
			       uint32_t audit, struct filter_ranges *ranges)
{
	const struct filter_range no_x32 = { .start = X32_BIT, .action = SCMP_ACT_KILL_PROCESS };
	const struct filter_range none = { .start = UINT32_MAX, .action = spec->default_action };
	size_t room = count_calls(spec);
	struct err *err = NULL;

	/* x86-64 and x32 share a group: at most two architectures */
	ranges->calls = calloc(2 * room + 1, sizeof(*ranges->calls));
	ranges->items = calloc(2 * (2 * room + 3), sizeof(*ranges->items));
	if (!ranges->calls || !ranges->items)
		return err_sys(ENOMEM, "compile a seccomp profile of %zu names", room / 2);
	for (size_t i = 0; !err && i < ARRAY_SIZE(archs); i++) {
		if (archs[i].native != target->native || archs[i].audit != audit)
			continue;
		if (is_wanted(spec, &archs[i])) {
			err = add_arch(spec, target, &archs[i], ranges);
		} else if (archs[i].token == SCMP_ARCH_X32) {
			/* or x86-64's last range would reach over its numbers; -1 is none of them
			 */
			add_range(ranges, no_x32);
			add_range(ranges, none);
		}
	}
	return err;
}

bool filter_next_group(const struct filter_target *target, uint32_t *audit)
{
	bool is_seen = *audit == 0;

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i].native != target->native)
			continue;
		if (is_seen && archs[i].audit != *audit) {
			*audit = archs[i].audit;
			return true;
		}
		is_seen |= archs[i].audit == *audit;
	}
	return false;
}

struct err *filter_make_ranges(const struct seccomp_spec *spec, const struct filter_target *target,
			       uint32_t audit, struct filter_ranges *ret_ranges)
{
	OWN(filter_ranges) struct filter_ranges ranges = { 0 };

	TRY(make_ranges(spec, target, audit, &ranges));
	*ret_ranges = ranges;
	ranges = (struct filter_ranges){ 0 };
	return NULL;
}

void filter_ranges_release(struct filter_ranges *ranges)
{
	free(ranges->items);
	free(ranges->calls);
	*ranges = (struct filter_ranges){ 0 };
}
