/*
 * From ranges to a program for seccomp(2): the architecture is looked up one by one, the number by
 * a binary search, conditions in order. The kernel runs the filter once for every number when it is
 * loaded and often per call later, so depth is what counts. Opcodes: linux/filter.h and the
 * kernel's Documentation/networking/filter.rst.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "runtime/process/filter.h"

#define JUMP_MAX 255 /* of a conditional jump; JA goes anywhere */

/* Targets that are known only at the end of a condition or of a rule. */
#define TO_NEXT 254
#define TO_FAIL 255

struct program {
	struct sock_filter *insns; /* BPF_MAXINSNS of them */
	size_t count;
	bool is_full;
};

static void emit(struct program *p, struct sock_filter insn)
{
	if (p->count < BPF_MAXINSNS)
		p->insns[p->count++] = insn;
	else
		p->is_full = true;
}

static void emit_return(struct program *p, uint32_t action)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void emit_load(struct program *p, size_t offset)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/*
 * The jump at place goes to the instruction after it when it holds (or does not, for when_true
 * false) and else behind everything emitted since. Beyond the reach of a conditional jump a JA is
 * put in between.
 */
static void jump_over(struct program *p, size_t place, bool when_true)
{
	size_t distance = p->count - place - 1;
	struct sock_filter *jump = &p->insns[place];

	if (p->is_full)
		return;
	if (distance <= JUMP_MAX) {
		*(when_true ? &jump->jt : &jump->jf) = (uint8_t)distance;
		return;
	}
	emit(p, (struct sock_filter){ 0 });
	if (p->is_full)
		return;
	/* what lies between moves as a whole, and its jumps are relative */
	memmove(jump + 2, jump + 1, distance * sizeof(*jump));
	jump[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance);
	*(when_true ? &jump->jf : &jump->jt) = 1;
}

/* --- conditions --- */

static void emit_compare(struct program *p, uint16_t op, uint32_t value, unsigned int if_true,
			 unsigned int if_false)
{
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, value, (uint8_t)if_true,
					     (uint8_t)if_false));
}

/* What decides on the upper half of an argument; falls through when the lower half must. */
static void emit_upper(struct program *p, const struct seccomp_arg *arg)
{
	const uint32_t value = (uint32_t)(arg->value >> 32),
		       value_two = (uint32_t)(arg->value_two >> 32);

	switch ((enum scmp_compare)arg->op) {
	case SCMP_CMP_NE:
		emit_compare(p, BPF_JEQ, value, 0, TO_NEXT);
		break;
	case SCMP_CMP_GT:
	case SCMP_CMP_GE:
		emit_compare(p, BPF_JGT, value, TO_NEXT, 0);
		emit_compare(p, BPF_JEQ, value, 0, TO_FAIL);
		break;
	case SCMP_CMP_LT:
	case SCMP_CMP_LE:
		emit_compare(p, BPF_JGT, value, TO_FAIL, 0);
		emit_compare(p, BPF_JEQ, value, 0, TO_NEXT);
		break;
	case SCMP_CMP_MASKED_EQ:
		emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, value));
		emit_compare(p, BPF_JEQ, value_two, 0, TO_FAIL);
		break;
	default: /* SCMP_CMP_EQ */
		emit_compare(p, BPF_JEQ, value, 0, TO_FAIL);
	}
}

static void emit_lower(struct program *p, const struct seccomp_arg *arg)
{
	const uint32_t value = (uint32_t)arg->value, value_two = (uint32_t)arg->value_two;

	switch ((enum scmp_compare)arg->op) {
	case SCMP_CMP_NE:
		emit_compare(p, BPF_JEQ, value, TO_FAIL, 0);
		break;
	case SCMP_CMP_GT:
		emit_compare(p, BPF_JGT, value, 0, TO_FAIL);
		break;
	case SCMP_CMP_GE:
		emit_compare(p, BPF_JGE, value, 0, TO_FAIL);
		break;
	case SCMP_CMP_LT:
		emit_compare(p, BPF_JGE, value, TO_FAIL, 0);
		break;
	case SCMP_CMP_LE:
		emit_compare(p, BPF_JGT, value, TO_FAIL, 0);
		break;
	case SCMP_CMP_MASKED_EQ:
		emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, value));
		emit_compare(p, BPF_JEQ, value_two, 0, TO_FAIL);
		break;
	default: /* SCMP_CMP_EQ */
		emit_compare(p, BPF_JEQ, value, 0, TO_FAIL);
	}
}

/* Point every jump from first on that has this target to the end of the program. */
static void resolve(struct program *p, size_t first, uint8_t target)
{
	for (size_t i = first; i < p->count; i++) {
		struct sock_filter *insn = &p->insns[i];

		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		if (insn->jt == target)
			insn->jt = (uint8_t)(p->count - i - 1);
		if (insn->jf == target)
			insn->jf = (uint8_t)(p->count - i - 1);
	}
}

/* One call: its action when all conditions hold, else what comes behind. At most 7 * 6 + 1
 * instructions, so that no real distance is taken for TO_NEXT or TO_FAIL. */
static void emit_call(struct program *p, const struct filter_call *call, bool is_32bit)
{
	struct seccomp_arg args[FILTER_ARGS_MAX];
	size_t count = filter_call_args(call, is_32bit, args), first = p->count;

	for (size_t i = 0; i < count; i++) {
		size_t lower =
			offsetof(struct seccomp_data, args) + args[i].index * sizeof(uint64_t);
		size_t start = p->count;

		/* little-endian, like every machine in seccomp_ranges.c */
		if (!is_32bit) {
			emit_load(p, lower + sizeof(uint32_t));
			emit_upper(p, &args[i]);
		}
		emit_load(p, lower);
		emit_lower(p, &args[i]);
		resolve(p, start, TO_NEXT);
	}
	emit_return(p, call->rule->action);
	resolve(p, first, TO_FAIL);
}

/* --- numbers and architectures --- */

static void emit_range(struct program *p, const struct filter_range *range)
{
	for (size_t i = 0; i < range->call_count; i++)
		emit_call(p, &range->calls[i], range->is_32bit);
	emit_return(p, range->action);
}

/* The answer for the number in the accumulator, which lies in one of these ranges. Depth: the
 * logarithm of their count. */
static void emit_search(struct program *p, const struct filter_range *ranges, size_t count)
{
	size_t half = count / 2, place = p->count;

	if (count == 1) {
		emit_range(p, ranges);
		return;
	}
	emit_compare(p, BPF_JGE, ranges[half].start, 0, 0);
	emit_search(p, ranges, half);
	jump_over(p, place, true);
	emit_search(p, ranges + half, count - half);
}

static struct err *emit_group(struct program *p, const struct seccomp_spec *spec,
			      const struct filter_target *target, uint32_t audit)
{
	OWN(filter_ranges) struct filter_ranges ranges = { 0 };
	size_t place = p->count;

	TRY(filter_make_ranges(spec, target, audit, &ranges));
	if (ranges.count == 0)
		return NULL;
	emit_compare(p, BPF_JEQ, audit, 0, 0);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_search(p, ranges.items, ranges.count);
	jump_over(p, place, false);
	return NULL;
}

static struct err *emit_all(struct program *p, const struct seccomp_spec *spec,
			    const struct filter_target *target)
{
	uint32_t audit = 0;

	emit_load(p, offsetof(struct seccomp_data, arch));
	while (filter_next_group(target, &audit))
		TRY(emit_group(p, spec, target, audit));
	if (!audit)
		return err_new(ERR_UNSUPPORTED, "machine %x is left to libseccomp", target->native);
	/* an architecture that the profile does not name */
	emit_return(p, SCMP_ACT_KILL_PROCESS);
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
	filter.count = program.count;
	*ret_filter = filter;
	filter = (struct seccomp_filter){ 0 };
	return NULL;
}
