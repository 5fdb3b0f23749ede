/* Small graphs: heights, the window of the last values, the scale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/graph.h"

static void shows(const double *values, size_t count, double full, const char *wanted)
{
	OWN(buf) struct buf text = { 0 };
	struct graph graph = { 0 };

	for (size_t i = 0; i < count; i++)
		graph_add(&graph, values[i]);
	assert_null(graph_format(&graph, full, &text));
	assert_string_equal(text.data ? text.data : "", wanted);
}

static void heights(void **state)
{
	const double values[] = { 0, 1, 50, 99, 100, 250 };

	(void)state;
	shows(values, 6, 100, " \u2581\u2584\u2587\u2588\u2588");
	shows(values, 0, 100, "");
}

static void own_scale(void **state)
{
	const double values[] = { 0, 2, 4 }, nothing[] = { 0, 0 };

	(void)state;
	shows(values, 3, 0, " \u2584\u2588");
	shows(nothing, 2, 0, "  ");
}

static void keeps_the_last(void **state)
{
	OWN(buf) struct buf text = { 0 };
	struct graph graph = { 0 };

	(void)state;
	graph_add(&graph, 100);
	for (size_t i = 0; i < GRAPH_COLUMNS - 1; i++)
		graph_add(&graph, 0);
	graph_add(&graph, 100);
	assert_null(graph_format(&graph, 100, &text));
	assert_int_equal(text.len, GRAPH_COLUMNS - 1 + 3);
	assert_memory_equal(text.data + GRAPH_COLUMNS - 1, "\u2588", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heights),
		cmocka_unit_test(own_scale),
		cmocka_unit_test(keeps_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
