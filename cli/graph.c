/* See graph.h. */
#include "cli/graph.h"

static const char *const blocks[] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588",
};

void graph_add(struct graph *graph, double value)
{
	graph->values[graph->count++ % GRAPH_COLUMNS] = value;
}

static double largest(const struct graph *graph, size_t shown)
{
	double max = 0;

	for (size_t i = 0; i < shown; i++)
		max = graph->values[i] > max ? graph->values[i] : max;
	return max;
}

/* Anything above zero is seen: a block of height 1 at least. */
static size_t height(double value, double full)
{
	const size_t top = ARRAY_SIZE(blocks) - 1;

	if (value <= 0 || full <= 0)
		return 0;
	return value >= full ? top : 1 + (size_t)(value / full * (double)(top - 1));
}

struct err *graph_format(const struct graph *graph, double full, struct buf *text)
{
	size_t shown = graph->count < GRAPH_COLUMNS ? graph->count : GRAPH_COLUMNS;

	if (full <= 0)
		full = largest(graph, shown);
	for (size_t i = graph->count - shown; i < graph->count; i++)
		TRY(buf_format(text, "%s", blocks[height(graph->values[i % GRAPH_COLUMNS], full)]));
	return NULL;
}
