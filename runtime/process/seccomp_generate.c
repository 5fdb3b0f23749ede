/*
 * From ranges to a program for seccomp(2): the architecture is looked up one by one, the number by
 * a binary search, conditions in order. The kernel translates the program and runs it once for
 * every number when it is loaded, so its length and its depth are what counts. Opcodes:
 * linux/filter.h and the kernel's Documentation/networking/filter.rst.
 *
 * Jumps lead forwards only, so the program is made from its end: every target is there before the
 * jump to it, and answers given before are shared.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "runtime/process/filter.h"

#define JUMP_MAX 255 /* of a conditional jump; JA goes anywhere */
#define GROUPS_MAX 4 /* values of seccomp_data.arch on one machine */

/* A place in the program: how many instructions it has from there to its end. */
typedef size_t place;

struct program {
	struct sock_filter *insns; /* BPF_MAXINSNS of them, the last one first */
	size_t count;
	bool is_full; /* what follows is thrown away */
	struct {
		uint32_t action;
		place at;
	} answers[16]; /* RETs to share */
	size_t answer_count;
};

static place emit(struct program *p, struct sock_filter insn)
{
	if (p->count < BPF_MAXINSNS)
		p->insns[p->count++] = insn;
	else
		p->is_full = true;
	return p->count;
}

static place emit_load(struct program *p, size_t offset)
{
	return emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Give this answer: by a RET that can be reached from here, or a new one. */
static place emit_answer(struct program *p, uint32_t action)
{
	size_t i = 0;

	while (i < p->answer_count && p->answers[i].action != action)
		i++;
	if (i < p->answer_count && p->count - p->answers[i].at < JUMP_MAX)
		return p->answers[i].at;
	emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
	if (i == ARRAY_SIZE(p->answers))
		return p->count;
	p->answers[i].action = action;
	p->answers[i].at = p->count;
	p->answer_count += i == p->answer_count;
	return p->count;
}

/* The same place, or one nearer that leads there; room: how many more instructions come before the
 * jump. */
static place bring_near(struct program *p, place target, size_t room)
{
	const struct sock_filter *insn = &p->insns[target - 1];

	if (p->is_full || p->count + room - target <= JUMP_MAX)
		return target;
	if (BPF_CLASS(insn->code) == BPF_RET)
		return emit_answer(p, insn->k); /* no longer than the way to it */
	return emit(p,
		    (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(p->count - target)));
}

/* Compare the accumulator. */
static place emit_jump(struct program *p, uint16_t op, uint32_t value, place if_true,
		       place if_false)
{
	if_true = bring_near(p, if_true, 1);
	if_false = bring_near(p, if_false, 0);
	return emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, value,
						    (uint8_t)(p->count - if_true),
						    (uint8_t)(p->count - if_false)));
}

/* --- conditions --- */

static place emit_masked(struct program *p, uint32_t mask, uint32_t value, place if_true,
			 place if_false)
{
	emit_jump(p, BPF_JEQ, value, if_true, if_false);
	return emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

/* What the lower half of an argument decides. */
static place emit_lower(struct program *p, const struct seccomp_arg *arg, place if_true,
			place if_false)
{
	const uint32_t value = (uint32_t)arg->value;

	switch ((enum scmp_compare)arg->op) {
	case SCMP_CMP_NE:
		return emit_jump(p, BPF_JEQ, value, if_false, if_true);
	case SCMP_CMP_GT:
		return emit_jump(p, BPF_JGT, value, if_true, if_false);
	case SCMP_CMP_GE:
		return emit_jump(p, BPF_JGE, value, if_true, if_false);
	case SCMP_CMP_LT:
		return emit_jump(p, BPF_JGE, value, if_false, if_true);
	case SCMP_CMP_LE:
		return emit_jump(p, BPF_JGT, value, if_false, if_true);
	case SCMP_CMP_MASKED_EQ:
		return emit_masked(p, value, (uint32_t)arg->value_two, if_true, if_false);
	default: /* SCMP_CMP_EQ */
		return emit_jump(p, BPF_JEQ, value, if_true, if_false);
	}
}

/* What the upper half decides, or else the lower one. */
static place emit_upper(struct program *p, const struct seccomp_arg *arg, place lower,
			place if_true, place if_false)
{
	const uint32_t value = (uint32_t)(arg->value >> 32);

	switch ((enum scmp_compare)arg->op) {
	case SCMP_CMP_NE:
		return emit_jump(p, BPF_JEQ, value, lower, if_true);
	case SCMP_CMP_GT:
	case SCMP_CMP_GE:
		return emit_jump(p, BPF_JGT, value, if_true,
				 emit_jump(p, BPF_JEQ, value, lower, if_false));
	case SCMP_CMP_LT:
	case SCMP_CMP_LE:
		return emit_jump(p, BPF_JGT, value, if_false,
				 emit_jump(p, BPF_JEQ, value, lower, if_true));
	case SCMP_CMP_MASKED_EQ:
		return emit_masked(p, value, (uint32_t)(arg->value_two >> 32), lower, if_false);
	default: /* SCMP_CMP_EQ */
		return emit_jump(p, BPF_JEQ, value, lower, if_false);
	}
}

/* One call: its answer when all conditions hold, else on to another place. */
static place emit_call(struct program *p, const struct filter_call *call, bool is_32bit,
		       place otherwise)
{
	struct seccomp_arg args[FILTER_ARGS_MAX];
	size_t count = filter_call_args(call, is_32bit, args);
	place next = emit_answer(p, call->rule->action);

	while (count-- > 0) {
		const struct seccomp_arg *arg = &args[count];
		size_t lower = offsetof(struct seccomp_data, args) + arg->index * sizeof(uint64_t);
		place at;

		/* little-endian, like every machine in seccomp_ranges.c */
		emit_lower(p, arg, next, otherwise);
		at = emit_load(p, lower);
		if (!is_32bit) {
			emit_upper(p, arg, at, next, otherwise);
			at = emit_load(p, lower + sizeof(uint32_t));
		}
		next = at;
	}
	return next;
}

/* --- numbers and architectures --- */

static place emit_range(struct program *p, const struct filter_range *range)
{
	place at = emit_answer(p, range->action);

	for (size_t i = range->call_count; i-- > 0;)
		at = emit_call(p, &range->calls[i], range->is_32bit, at);
	return at;
}

/* The answer for the number in the accumulator, which lies in one of these ranges. Depth: the
 * logarithm of their count. */
static place emit_search(struct program *p, const struct filter_range *ranges, size_t count)
{
	size_t half = count / 2;
	place below, above;

	if (count == 1)
		return emit_range(p, ranges);
	above = emit_search(p, ranges + half, count - half);
	below = emit_search(p, ranges, half);
	return emit_jump(p, BPF_JGE, ranges[half].start, above, below);
}

static struct err *emit_group(struct program *p, const struct seccomp_spec *spec,
			      const struct filter_target *target, uint32_t audit, place *otherwise)
{
	OWN(filter_ranges) struct filter_ranges ranges = { 0 };
	place search;

	TRY(filter_make_ranges(spec, target, audit, &ranges));
	if (ranges.count == 0)
		return NULL;
	search = emit_search(p, ranges.items, ranges.count);
	if (search != p->count) /* one answer for all, given before: the load below falls through */
		emit(p, p->insns[search - 1]);
	search = emit_load(p, offsetof(struct seccomp_data, nr));
	*otherwise = emit_jump(p, BPF_JEQ, audit, search, *otherwise);
	return NULL;
}

static struct err *emit_all(struct program *p, const struct seccomp_spec *spec,
			    const struct filter_target *target)
{
	uint32_t groups[GROUPS_MAX], audit = 0;
	size_t count = 0;
	place at;

	while (count < GROUPS_MAX && filter_next_group(target, &audit))
		groups[count++] = audit;
	if (count == 0)
		return err_new(ERR_UNSUPPORTED, "machine %x is left to libseccomp", target->native);
	/* an architecture that the profile does not name */
	at = emit_answer(p, SCMP_ACT_KILL_PROCESS);
	while (count-- > 0) /* the machine's own comes first in the program, so last here */
		TRY(emit_group(p, spec, target, groups[count], &at));
	emit_load(p, offsetof(struct seccomp_data, arch));
	if (p->is_full)
		return err_new(ERR_UNSUPPORTED, "more than %d instructions", BPF_MAXINSNS);
	return NULL;
}

struct err *filter_generate(const struct seccomp_spec *spec, const struct filter_target *target,
			    struct seccomp_filter *ret_filter)
{
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	struct program program = { 0 };

	filter.insns = malloc(BPF_MAXINSNS * sizeof(*filter.insns));
	if (!filter.insns)
		return err_sys(ENOMEM, "compile a seccomp profile");
	program.insns = filter.insns;
	TRY(emit_all(&program, spec, target));
	for (size_t i = 0, j = program.count - 1; i < j; i++, j--) {
		struct sock_filter insn = filter.insns[i];

		filter.insns[i] = filter.insns[j];
		filter.insns[j] = insn;
	}
	filter.count = program.count;
	*ret_filter = filter;
	filter = (struct seccomp_filter){ 0 };
	return NULL;
}
