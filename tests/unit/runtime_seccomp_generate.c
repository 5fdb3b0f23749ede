/*
 * seccomp_generate.c against libseccomp: the same answer for every number, architecture and
 * argument that could make a difference, for the engines' profiles and for thousands of random
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "runtime/process/filter.h"
#include "tests/unit/bpf.h"

/* libseccomp 2.5.4 loses nodes when a rule makes others superfluous; under the address sanitizer
 * only. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp";
}

/* --- comparing two filters --- */

static uint64_t random_state = 0x9e3779b97f4a7c15U;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % limit;
}

/* Values on both sides of every boundary that the rules have. */
struct pool {
	uint64_t values[4096];
	size_t count;
};

static void pool_add(struct pool *pool, uint64_t value)
{
	const uint64_t near[] = { value,
				  value - 1,
				  value + 1,
				  value ^ UINT64_C(1) << 32,
				  value & UINT32_MAX,
				  value | UINT64_C(0xffffffff00000000),
				  ~value };

	for (size_t i = 0; i < ARRAY_SIZE(near) && pool->count < ARRAY_SIZE(pool->values); i++)
		pool->values[pool->count++] = near[i];
}

static void pool_fill(struct pool *pool, const struct seccomp_spec *spec)
{
	pool->count = 0;
	pool_add(pool, 0);
	for (size_t i = 0; i < spec->rule_count; i++)
		for (size_t j = 0; j < spec->rules[i].arg_count; j++) {
			pool_add(pool, spec->rules[i].args[j].value);
			pool_add(pool, spec->rules[i].args[j].value_two);
		}
	for (uint64_t k = 1; k <= 24; k++) /* sub-calls of socketcall and ipc */
		pool->values[pool->count++] = k;
}

/* --- what a profile says, read word by word --- */

static bool condition_holds(const struct seccomp_arg *arg, const struct seccomp_data *data,
			    bool is_32bit)
{
	const uint64_t cut = is_32bit ? UINT32_MAX : UINT64_MAX;
	uint64_t given = data->args[arg->index] & cut, value = arg->value & cut;

	switch ((enum scmp_compare)arg->op) {
	case SCMP_CMP_NE:
		return given != value;
	case SCMP_CMP_LT:
		return given < value;
	case SCMP_CMP_LE:
		return given <= value;
	case SCMP_CMP_EQ:
		return given == value;
	case SCMP_CMP_GE:
		return given >= value;
	case SCMP_CMP_GT:
		return given > value;
	default:
		return (given & value) == (arg->value_two & value);
	}
}

/* sub_call: the first argument is not the rule's but this number. */
static bool rule_holds(const struct seccomp_rule *rule, const struct seccomp_data *data,
		       bool is_32bit, unsigned int sub_call)
{
	bool is_alternative = filter_is_alternative(rule);

	if (sub_call && (uint32_t)data->args[0] != sub_call)
		return false;
	for (size_t i = 0; i < rule->arg_count; i++) {
		bool holds = (sub_call && rule->args[i].index == 0) ||
			     condition_holds(&rule->args[i], data, is_32bit);

		if (holds == is_alternative)
			return is_alternative;
	}
	return !is_alternative;
}

/* Is this the call of that name? On i386 perhaps as a sub-call of socketcall(2) or ipc(2). */
static bool names_number(const char *name, uint32_t token, int number, unsigned int *ret_sub_call)
{
	int resolved = seccomp_syscall_resolve_name_arch(token, name);
	bool is_same;
	char *own_name;

	*ret_sub_call = 0;
	if (resolved >= 0 || token != SCMP_ARCH_X86)
		return resolved == number && number != -1;
	if ((number == 102 && resolved < -100 && resolved > -200) ||
	    (number == 117 && resolved < -200 && resolved > -300)) {
		*ret_sub_call = (unsigned int)-resolved % 100;
		return true;
	}
	own_name = seccomp_syscall_resolve_num_arch(token, number);
	is_same = own_name && strcmp(own_name, name) == 0;
	free(own_name);
	return is_same;
}

static bool is_unconditional(const struct seccomp_rule *rule, bool is_32bit)
{
	bool is_alternative = filter_is_alternative(rule);
	size_t empty = 0;

	for (size_t i = 0; i < rule->arg_count; i++)
		empty += rule->args[i].op == SCMP_CMP_MASKED_EQ &&
			 (rule->args[i].value & (is_32bit ? UINT32_MAX : UINT64_MAX)) == 0;
	return is_alternative ? empty > 0 : empty == rule->arg_count;
}

static uint32_t read_word_by_word(const struct seccomp_spec *spec, uint32_t token,
				  const struct seccomp_data *data)
{
	const struct seccomp_rule *first = NULL, *plain = NULL;
	bool is_32bit = token != SCMP_ARCH_X86_64;

	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct seccomp_rule *rule = &spec->rules[i];

		if (rule->action == spec->default_action)
			continue;
		for (size_t n = 0; n < rule->names.count; n++) {
			unsigned int sub_call;

			if (!names_number(rule->names.items[n], token, data->nr, &sub_call))
				continue;
			if (!plain && !sub_call && is_unconditional(rule, is_32bit))
				plain = rule;
			if (!first && rule_holds(rule, data, is_32bit, sub_call))
				first = rule;
		}
	}
	return plain ? plain->action : first ? first->action : spec->default_action;
}

/* --- comparing the two --- */

struct comparison {
	const struct seccomp_spec *spec;
	const struct seccomp_filter *ours, *theirs;
	struct pool pool;
	size_t cases, library_bugs;
};

static void show_case(const struct comparison *c, const struct seccomp_data *data)
{
	print_error("default %x arch %x nr %u args %jx %jx %jx %jx\n", c->spec->default_action,
		    data->arch, (unsigned int)data->nr, (uintmax_t)data->args[0],
		    (uintmax_t)data->args[1], (uintmax_t)data->args[2], (uintmax_t)data->args[3]);
	for (size_t i = 0; i < c->spec->rule_count; i++) {
		const struct seccomp_rule *rule = &c->spec->rules[i];

		for (size_t n = 0; n < rule->names.count; n++)
			print_error(" %s", rule->names.items[n]);
		print_error(" action %x", rule->action);
		for (size_t j = 0; j < rule->arg_count; j++)
			print_error(" (%u op %d %jx %jx)", rule->args[j].index, rule->args[j].op,
				    (uintmax_t)rule->args[j].value,
				    (uintmax_t)rule->args[j].value_two);
		print_error("\n");
	}
}

static uint32_t token_of(const struct seccomp_data *data)
{
	if (data->arch != AUDIT_ARCH_X86_64) /* libseccomp's numbers are the kernel's */
		return data->arch;
	return data->nr & 0x40000000 ? SCMP_ARCH_X32 : SCMP_ARCH_X86_64;
}

static void compare_one(struct comparison *c, const struct seccomp_data *data)
{
	uint32_t ours = run_filter(c->ours, data), theirs = run_filter(c->theirs, data);

	c->cases++;
	if (ours == theirs)
		return;
	/* libseccomp 2.5 mixes up 64-bit conditions such as "above 2^32 or at most 1" in one tree:
	 * then the profile itself decides */
	if (ours == read_word_by_word(c->spec, token_of(data), data)) {
		c->library_bugs++;
		return;
	}
	show_case(c, data);
	fail_msg("ours %x, libseccomp's %x", ours, theirs);
}

static void compare_number(struct comparison *c, uint32_t arch, uint32_t number, int tries)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch };

	compare_one(c, &data);
	for (int i = 0; i < tries; i++) {
		for (size_t arg = 0; arg < 6; arg++)
			data.args[arg] = c->pool.values[random_below((uint32_t)c->pool.count)];
		compare_one(c, &data);
	}
}

static const uint32_t x86_archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };
static const uint32_t arm_archs[] = { AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM };

static void compare_edges(struct comparison *c, uint32_t arch)
{
	static const uint32_t edges[] = { 511,	      512,	  1000,	      0x3fffffff,
					  0x40000000, 0x40000200, 0x40000223, 0x7fffffff,
					  0x80000000, 0xf0000,	  0xf0001,    0xf0005,
					  0xfffffffe };

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		compare_number(c, arch, edges[i], 5);
}

/* Every number there is, each with many arguments. */
static void compare_all(struct comparison *c, const uint32_t *archs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (uint32_t number = 0; number < 480; number++)
			compare_number(c, archs[i], number, 40);
		for (uint32_t number = 0x40000000; number < 0x40000000 + 560; number++)
			compare_number(c, archs[i], number, 10);
		compare_edges(c, archs[i]);
	}
}

/* --- the engines' profiles --- */

static bool on_x86(void)
{
	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		return true;
	print_message("libseccomp compiles for x86-64 only there\n");
	return false;
}

static void the_engines_profiles_mean_the_same(void **state)
{
	static const char *const names[] = { "docker", "podman", "everything" };
	const struct filter_target target = { .native = SCMP_ARCH_X86_64 };

	(void)state;
	if (!on_x86())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		OWN(seccomp_filter) struct seccomp_filter ours = { 0 }, theirs = { 0 };
		OWN(spec) struct spec spec;
		struct comparison c = { .spec = &spec.seccomp, .ours = &ours, .theirs = &theirs };

		read_profile(names[i], &spec);
		assert_true(went_well(filter_generate(&spec.seccomp, &target, &ours)));
		assert_true(went_well(filter_from_library(&spec.seccomp, &theirs)));
		pool_fill(&c.pool, &spec.seccomp);
		compare_all(&c, x86_archs, ARRAY_SIZE(x86_archs));
		assert_int_equal(c.library_bugs, 0);
		/* nor is it longer than it must be, where there are many numbers */
		assert_true(theirs.count < 1000 || ours.count * 3 < theirs.count);
		print_message("%s: %zu cases, %zu instructions instead of %zu\n", names[i], c.cases,
			      ours.count, theirs.count);
	}
}

static void arm_is_compiled_as_well(void **state)
{
	const struct filter_target target = { .native = SCMP_ARCH_AARCH64 };
	uint32_t archs[] = { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };
	OWN(seccomp_filter) struct seccomp_filter ours = { 0 }, theirs = { 0 };
	OWN(spec) struct spec spec;
	struct seccomp_spec profile;
	struct comparison c = { .spec = &profile, .ours = &ours, .theirs = &theirs };

	(void)state;
	read_profile("docker", &spec);
	profile = spec.seccomp;
	profile.archs = archs;
	profile.arch_count = 2;
	assert_true(went_well(filter_generate(&profile, &target, &ours)));
	assert_true(went_well(filter_from_library(&profile, &theirs)));
	pool_fill(&c.pool, &profile);
	compare_all(&c, arm_archs, ARRAY_SIZE(arm_archs));
}

/* --- random profiles --- */

#define RULES_MAX 320
#define RULES_USUAL 12
static struct seccomp_rule random_rules[RULES_MAX];
static char *random_names[RULES_MAX][3];

static void make_rule(size_t at)
{
	static const char *const names[] = { "read",	"write",       "socket",       "socket",
					     "bind",	"accept",      "recvmmsg",     "semop",
					     "shmat",	"msgget",      "_llseek",      "ioctl",
					     "openat2", "clone",       "socketcall",   "ipc",
					     "prctl",	"personality", "no_such_call", "mmap2" };
	static const uint32_t actions[] = { SCMP_ACT_ALLOW,	   SCMP_ACT_ALLOW,
					    SCMP_ACT_ALLOW,	   SCMP_ACT_ERRNO(1),
					    SCMP_ACT_ERRNO(22),	   SCMP_ACT_LOG,
					    SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRACE(7) };
	static const uint64_t values[] = { 0,		1,	     2,		 5,
					   16,		0x7fffffff,  0x80000000, 0xffffffff,
					   0x100000001, 0x700000000, UINT64_MAX };
	struct seccomp_rule *rule = &random_rules[at];
	uint32_t name_count = 1 + random_below(3);

	*rule = (struct seccomp_rule){ .action = actions[random_below(ARRAY_SIZE(actions))],
				       .names = { random_names[at], name_count },
				       .arg_count = random_below(3) ? random_below(3) : 0 };
	for (uint32_t i = 0; i < name_count; i++)
		/* the library's rules borrow: nobody writes to them */
		memcpy(&random_names[at][i], &names[random_below(ARRAY_SIZE(names))],
		       sizeof(char *));
	for (size_t i = 0; i < rule->arg_count; i++) {
		uint64_t mask = values[random_below(ARRAY_SIZE(values))];
		int op = (int)random_below(7) + SCMP_CMP_NE;

		rule->args[i] =
			(struct seccomp_arg){ .index = random_below(4), .op = op, .value = mask };
		if (op == SCMP_CMP_MASKED_EQ) /* a value outside of the mask can never be met */
			rule->args[i].value_two = values[random_below(ARRAY_SIZE(values))] & mask;
	}
}

static bool failed(struct err *err)
{
	bool has_failed = err != NULL;

	err_drop(err);
	return has_failed;
}

/* 1: compared, 0: our compiler left it to the library. */
static int compare_random(struct comparison *c, const struct seccomp_spec *spec)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X32, SCMP_ARCH_X86 };
	const struct filter_target target = { .native = SCMP_ARCH_X86_64 };
	OWN(seccomp_filter) struct seccomp_filter ours = { 0 }, theirs = { 0 };
	struct err *err = filter_generate(spec, &target, &ours);

	if (err) {
		assert_int_equal(err_kind(err), ERR_UNSUPPORTED);
		err_drop(err);
		return 0;
	}
	if (failed(filter_from_library(spec, &theirs)))
		return 0; /* it says that rules contradict each other */
	c->spec = spec;
	c->ours = &ours;
	c->theirs = &theirs;
	pool_fill(&c->pool, spec);
	for (size_t i = 0; i < spec->rule_count; i++)
		for (size_t n = 0; n < spec->rules[i].names.count; n++)
			for (size_t t = 0; t < ARRAY_SIZE(tokens); t++) {
				int number = seccomp_syscall_resolve_name_arch(
					tokens[t], spec->rules[i].names.items[n]);
				uint32_t arch = tokens[t] == SCMP_ARCH_X86 ? AUDIT_ARCH_I386 :
									     AUDIT_ARCH_X86_64;

				compare_number(c, arch, (uint32_t)number, 60);
				compare_number(c, arch, (uint32_t)number + 1, 1);
			}
	for (uint32_t number = 355; number < 405;
	     number++) /* direct calls behind socketcall and ipc */
		compare_number(c, AUDIT_ARCH_I386, number, 10);
	compare_number(c, AUDIT_ARCH_I386, 102, 200);
	compare_number(c, AUDIT_ARCH_I386, 117, 200);
	compare_edges(c, AUDIT_ARCH_X86_64);
	return 1;
}

static void random_profiles_mean_the_same(void **state)
{
	static const uint32_t defaults[] = { SCMP_ACT_ERRNO(1), SCMP_ACT_ERRNO(38), SCMP_ACT_ALLOW,
					     SCMP_ACT_KILL };
	uint32_t archs[] = { SCMP_ARCH_X86, SCMP_ARCH_X32 };
	struct comparison c = { 0 };
	int compared = 0, total = 3000;

	(void)state;
	if (!on_x86())
		skip();
	for (int i = 0; i < total; i++) {
		struct seccomp_spec spec = { .is_set = true,
					     .default_action =
						     defaults[random_below(ARRAY_SIZE(defaults))],
					     .archs = archs,
					     .arch_count = random_below(3),
					     .rules = random_rules,
					     .rule_count = 1 + random_below(RULES_USUAL) };

		for (size_t rule = 0; rule < spec.rule_count; rule++)
			make_rule(rule);
		compared += compare_random(&c, &spec);
	}
	print_message("%d of %d profiles, %zu cases, %zu wrong in libseccomp\n", compared, total,
		      c.cases, c.library_bugs);
	assert_true(compared > total / 4);
	assert_true(c.cases > 100000);
	assert_true(c.library_bugs < c.cases / 1000);
}

/* Programs with jumps farther than 255 instructions in all places. */
static void long_profiles_mean_the_same(void **state)
{
	static char *names[RULES_MAX];
	struct comparison c = { 0 };
	int compared = 0;

	(void)state;
	if (!on_x86())
		skip();
	for (int i = 0; i < RULES_MAX; i++)
		names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, i);
	for (size_t size = 20; size <= RULES_MAX; size += 60) {
		const struct seccomp_spec spec = { .default_action = SCMP_ACT_ERRNO(1),
						   .rules = random_rules,
						   .rule_count = size };

		for (size_t rule = 0; rule < size; rule++) {
			make_rule(rule);
			random_names[rule][0] = names[rule];
			random_rules[rule].names.count = 1;
		}
		compared += compare_random(&c, &spec);
	}
	print_message("%d profiles, %zu cases, %zu wrong in libseccomp\n", compared, c.cases,
		      c.library_bugs);
	assert_int_equal(compared, 6);
	for (int i = 0; i < RULES_MAX; i++)
		free(names[i]);
}

/* An answer of its own for each number: whatever the distance to it, the jump arrives. */
static void jumps_of_every_length_arrive(void **state)
{
	static char *names[RULES_MAX];
	const struct filter_target target = { .native = SCMP_ARCH_X86_64 };

	(void)state;
	for (int i = 0; i < RULES_MAX; i++)
		names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, i);
	for (size_t size = 1; size <= RULES_MAX; size++) {
		OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
		const struct seccomp_spec spec = { .default_action = SCMP_ACT_ERRNO(4000),
						   .rules = random_rules,
						   .rule_count = size };

		for (uint32_t i = 0; i < size; i++)
			random_rules[i] = (struct seccomp_rule){ .names = { &names[i], 1 },
								 .action = SCMP_ACT_ERRNO(i) };
		assert_true(went_well(filter_generate(&spec, &target, &filter)));
		for (uint32_t i = 0; i <= size; i++) {
			const struct seccomp_data data = { .nr = (int)i,
							   .arch = AUDIT_ARCH_X86_64 };

			assert_int_equal(run_filter(&filter, &data),
					 SCMP_ACT_ERRNO(i < size ? i : 4000));
		}
	}
	for (int i = 0; i < RULES_MAX; i++)
		free(names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_engines_profiles_mean_the_same),
		cmocka_unit_test(arm_is_compiled_as_well),
		cmocka_unit_test(random_profiles_mean_the_same),
		cmocka_unit_test(long_profiles_mean_the_same),
		cmocka_unit_test(jumps_of_every_length_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
