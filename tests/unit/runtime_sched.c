/* sched.c, bit_list.c and limits.c: lists of numbers, and settings read back from the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "runtime/process/bit_list.h"
#include "runtime/process/process.h"
#include "tests/unit/child.h"

static bool has_bit(const struct bit_list *list, unsigned int bit)
{
	const unsigned int width = 8 * sizeof(list->words[0]);

	return list->words[bit / width] >> bit % width & 1;
}

static void lists_become_bits(void **state)
{
	static const struct {
		const char *text, *bits;
	} cases[] = {
		{ "0", "1" },
		{ "3", "0001" },
		{ "0-3,7", "11110001" },
		{ "1,1,0-1", "11" },
		{ " 1 , 3 - 4\t", "01011" },
		{ "8191", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bit_list list;
		unsigned int end =
			cases[i].bits ? (unsigned int)strlen(cases[i].bits) : BIT_LIST_MAX;

		assert_true(went_well(bit_list_parse("test", cases[i].text, BIT_LIST_MAX, &list)));
		assert_int_equal(list.end, end);
		for (unsigned int bit = 0; bit < BIT_LIST_MAX; bit++) {
			bool want = cases[i].bits ? bit < end && cases[i].bits[bit] == '1' :
						    bit == end - 1;

			assert_int_equal(has_bit(&list, bit), want);
		}
	}
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = { "",		",",	 "1,",	",1",
					   "1,,2",	"2-1",	 "1-",	"-1",
					   "a",		"1a",	 "1 2", "0x1",
					   "+1",	"1-2-3", " ",	"8192",
					   "0-8192",	"1, ",	 "1\n", "99999999999999999999999",
					   "4294967296" };
	struct bit_list list = { .end = 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(failed_with(bit_list_parse("test", bad[i], BIT_LIST_MAX, &list),
					ERR_INVALID));
	assert_true(failed_with(bit_list_parse("test", "4", 4, &list), ERR_INVALID));
	assert_int_equal(list.end, 5);
}

static int pin_to_one_cpu(void)
{
	cpu_set_t first, now;
	char text[16];
	int cpu = 0;

	CHECK(sched_getaffinity(0, sizeof(first), &first) == 0);
	while (!CPU_ISSET(cpu, &first))
		cpu++;
	snprintf(text, sizeof(text), "%d", cpu);
	CHECK(went_well(process_set_affinity(text)));
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0);
	CHECK(CPU_COUNT(&now) == 1 && CPU_ISSET(cpu, &now));
	CHECK(went_well(process_set_affinity(NULL)));
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0);
	CHECK(CPU_EQUAL(&now, &first));
	CHECK(failed_with(process_set_affinity("8191"), ERR_SYS));
	CHECK(failed_with(process_set_affinity("x"), ERR_INVALID));
	return 0;
}

static int schedule_as_batch(void)
{
	const struct scheduler_spec batch = { .is_set = true, .policy = SCHED_BATCH, .nice = 7 };
	const struct scheduler_spec wrong = { .is_set = true,
					      .policy = SCHED_BATCH,
					      .priority = 3 };

	CHECK(went_well(process_set_scheduler(&batch)));
	CHECK(sched_getscheduler(0) == SCHED_BATCH);
	CHECK(getpriority(PRIO_PROCESS, 0) == 7);
	CHECK(failed_with(process_set_scheduler(&wrong), ERR_SYS));
	return 0;
}

static int lower_io_priority(void)
{
	int want = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6);

	CHECK(setsid() > 0);
	CHECK(went_well(process_set_io_priority(want)));
	CHECK(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) == want);
	CHECK(failed_with(process_set_io_priority(IOPRIO_PRIO_VALUE(7, 9)), ERR_SYS));
	return 0;
}

static int bind_memory(void)
{
	char zero[] = "0", none[] = "";
	struct memory_policy policy = { .is_set = true, .mode = MPOL_BIND, .nodes = zero };
	unsigned long nodes[1024 / (8 * sizeof(unsigned long))] = { 0 };
	int mode = -1;

	CHECK(went_well(process_set_memory_policy(&policy)));
	CHECK(syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, NULL, 0) == 0);
	CHECK(mode == MPOL_BIND && nodes[0] == 1);
	policy = (struct memory_policy){ .is_set = true, .mode = MPOL_DEFAULT, .nodes = none };
	CHECK(went_well(process_set_memory_policy(&policy)));
	CHECK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) == 0 && mode == MPOL_DEFAULT);
	policy.nodes = zero; /* the default policy has no nodes */
	CHECK(failed_with(process_set_memory_policy(&policy), ERR_SYS));
	return 0;
}

static int wear_a_personality(void)
{
	CHECK(went_well(process_set_personality(PER_LINUX32)));
	CHECK(personality(0xffffffff) == PER_LINUX32);
	return 0;
}

static int limit_files(void)
{
	const struct rlimit_spec limits[] = { { RLIMIT_NOFILE, 100, 200 }, { RLIMIT_CORE, 0, 0 } };
	const struct rlimit_spec reversed = { RLIMIT_NOFILE, 150, 120 };
	struct rlimit now;

	CHECK(went_well(process_set_rlimits(limits, 2)));
	CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 100 && now.rlim_max == 200);
	CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 0);
	CHECK(failed_with(process_set_rlimits(&reversed, 1), ERR_SYS));
	return 0;
}

static int score(int want)
{
	OWN(buf) struct buf text = { 0 };

	CHECK(went_well(file_read(AT_FDCWD, "/proc/self/oom_score_adj", 64, &text)));
	CHECK(strtol(text.data, NULL, 10) == want);
	return 0;
}

static int raise_oom_score(void)
{
	CHECK(went_well(process_set_oom_score(0, 500)));
	CHECK(score(500) == 0);
	CHECK(went_well(process_set_oom_score(getpid(), 700)));
	CHECK(score(700) == 0);
	CHECK(failed_with(process_set_oom_score(0, 5000), ERR_SYS));
	/* without CAP_SYS_RESOURCE outside a lower one stays a wish */
	CHECK(enter_userns(0));
	CHECK(went_well(process_set_oom_score(0, -900)));
	CHECK(score(700) == 0 || score(-900) == 0);
	return 0;
}

#define CHILD_TEST(name, body)                       \
	static void name(void **state)               \
	{                                            \
		(void)state;                         \
		assert_int_equal(in_child(body), 0); \
	}

CHILD_TEST(affinity_is_set_and_reset, pin_to_one_cpu)
CHILD_TEST(scheduler_is_set, schedule_as_batch)
CHILD_TEST(io_priority_is_set, lower_io_priority)
CHILD_TEST(memory_policy_is_set, bind_memory)
CHILD_TEST(personality_is_set, wear_a_personality)
CHILD_TEST(resource_limits_are_set, limit_files)

static void oom_score_is_set(void **state)
{
	(void)state;
	NEED_USERNS();
	assert_int_equal(in_child(raise_oom_score), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_become_bits),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(affinity_is_set_and_reset),
		cmocka_unit_test(scheduler_is_set),
		cmocka_unit_test(io_priority_is_set),
		cmocka_unit_test(memory_policy_is_set),
		cmocka_unit_test(personality_is_set),
		cmocka_unit_test(resource_limits_are_set),
		cmocka_unit_test(oom_score_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
