/* The two step tables meet: every SEND has its WAIT on the other side, in the same order and under
 * the same condition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/birth.h"
#include "runtime/steps.h"

/* The next row at or behind i that talks to the peer. */
static const struct step *next_talk(const struct step *steps, size_t count, size_t *i)
{
	while (*i < count && steps[*i].kind == STEP_RUN)
		(*i)++;
	return *i < count ? &steps[(*i)++] : NULL;
}

static void rows_pair_up(void **state)
{
	size_t h = 0, i = 0, pairs = 0;

	(void)state;
	for (;;) {
		const struct step *host = next_talk(host_steps, host_step_count, &h);
		const struct step *init = next_talk(init_steps, init_step_count, &i);

		assert_true((host == NULL) == (init == NULL));
		if (!host)
			break;
		assert_int_equal(host->stage, init->stage);
		assert_true(host->kind != init->kind);
		assert_ptr_equal(host->when, init->when);
		pairs++;
	}
	assert_int_equal(pairs, STAGE_COUNT);
}

static void rows_are_whole(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_non_null(steps[i].name);
		assert_true((steps[i].kind == STEP_RUN) == (steps[i].run != NULL));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(steps[i].name, steps[j].name);
	}
}

static void names_are_unique_and_rows_whole(void **state)
{
	(void)state;
	rows_are_whole(host_steps, host_step_count);
	rows_are_whole(init_steps, init_step_count);
}

/* A row that makes something outside our own process says how to take it back. */
static void what_is_made_is_undone(void **state)
{
	static const char *const makers[] = { "state directory", "cgroup",  "init process",
					      "network",	 "resctrl", "state file" };
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < host_step_count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(makers); j++)
			if (!strcmp(host_steps[i].name, makers[j])) {
				assert_non_null(host_steps[i].undo);
				found++;
			}
	assert_int_equal(found, ARRAY_SIZE(makers));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_pair_up),
		cmocka_unit_test(names_are_unique_and_rows_whole),
		cmocka_unit_test(what_is_made_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
