/*
 * Several rules for one system call: which of them have an effect. The meaning is libseccomp's,
 * which every profile was written for: a rule without conditions beats those with, the first of two
 * without counts, and conditions that are an earlier rule's and more add nothing. What libseccomp
 * decides by the shape of its trees, or refuses, is ERR_UNSUPPORTED here.
 */
#include <seccomp.h>

#include "runtime/process/filter.h"

size_t filter_call_args(const struct filter_call *call, bool is_32bit, struct seccomp_arg *args)
{
	const struct seccomp_rule *rule = call->rule;
	const uint64_t mask = is_32bit ? UINT32_MAX : UINT64_MAX;
	size_t count = 0;

	if (call->sub_call)
		args[count++] = (struct seccomp_arg){ .index = 0,
						      .value = call->sub_call,
						      .op = SCMP_CMP_EQ };
	for (size_t i = 0; i < rule->arg_count; i++) {
		struct seccomp_arg arg = rule->args[i];
		size_t at = count;

		if (call->alternative >= 0 && (size_t)call->alternative != i)
			continue;
		if (call->sub_call && arg.index == 0)
			continue; /* its place is taken: the caller's first argument lies in memory
				   */
		arg.value &= mask;
		if (arg.op == SCMP_CMP_MASKED_EQ && arg.value == 0)
			continue; /* nothing is compared, whatever it is compared with: as
				     libseccomp has it */
		arg.value_two = arg.op == SCMP_CMP_MASKED_EQ ? arg.value_two & arg.value : 0;
		for (; at > 0 && args[at - 1].index > arg.index; at--)
			args[at] = args[at - 1];
		args[at] = arg;
		count++;
	}
	return count;
}

static bool is_same_arg(const struct seccomp_arg *a, const struct seccomp_arg *b)
{
	return a->index == b->index && a->op == b->op && a->value == b->value &&
	       a->value_two == b->value_two;
}

/* No value of the argument meets both; false when that takes more than a look. */
static bool are_opposite(const struct seccomp_arg *a, const struct seccomp_arg *b)
{
	if (a->index != b->index)
		return false;
	if (a->op == SCMP_CMP_EQ && b->op == SCMP_CMP_EQ)
		return a->value != b->value;
	if ((a->op == SCMP_CMP_EQ && b->op == SCMP_CMP_NE) ||
	    (a->op == SCMP_CMP_NE && b->op == SCMP_CMP_EQ))
		return a->value == b->value;
	if (a->op == SCMP_CMP_MASKED_EQ && b->op == SCMP_CMP_MASKED_EQ)
		return (a->value & b->value & (a->value_two ^ b->value_two)) != 0;
	return false;
}

/* Which of two calls of one number may stay. */
enum verdict { KEEP_BOTH, DROP_FIRST, DROP_SECOND, TOO_HARD };

static enum verdict compare(const struct filter_call *first, const struct filter_call *second,
			    bool is_32bit)
{
	struct seccomp_arg a[FILTER_ARGS_MAX], b[FILTER_ARGS_MAX];
	size_t a_count = filter_call_args(first, is_32bit, a);
	size_t b_count = filter_call_args(second, is_32bit, b), same = 0;
	bool is_same_action = first->rule->action == second->rule->action;

	while (same < a_count && same < b_count && is_same_arg(&a[same], &b[same]))
		same++;
	if (same == a_count && (a_count < b_count || a_count == 0 || is_same_action))
		return DROP_SECOND; /* its conditions are the first's and more */
	if (same == b_count && (b_count == 0 || is_same_action))
		return DROP_FIRST;
	if (same == a_count || same == b_count)
		return TOO_HARD; /* libseccomp calls it a contradiction */
	if (is_same_action)
		return KEEP_BOTH;
	for (size_t i = 0; i < a_count; i++)
		for (size_t j = 0; j < b_count; j++)
			if (are_opposite(&a[i], &b[j]))
				return KEEP_BOTH;
	return TOO_HARD; /* both may apply, and with different answers */
}

/* Leave of the calls of one number those that have an effect. */
struct err *filter_calls_merge(struct filter_call *calls, size_t *count, bool is_32bit)
{
	/* no program could hold them, and each is compared with each */
	if (*count > BPF_MAXINSNS)
		return err_new(ERR_INVALID, "seccomp: %zu rules for system call %u", *count,
			       calls->number);
	for (size_t i = 0; i < *count; i++)
		for (size_t j = i + 1; j < *count;) {
			enum verdict verdict = compare(&calls[i], &calls[j], is_32bit);
			size_t gone = verdict == DROP_FIRST ? i : j;

			if (verdict == TOO_HARD)
				return err_new(ERR_UNSUPPORTED, "rules for system call %u overlap",
					       calls[i].number);
			if (verdict == KEEP_BOTH) {
				j++;
				continue;
			}
			for (size_t k = gone + 1; k < *count; k++)
				calls[k - 1] = calls[k];
			(*count)--;
			if (verdict == DROP_FIRST)
				j = i + 1; /* another one stands in its place */
		}
	return NULL;
}
