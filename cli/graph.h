/* A history as one line of block characters, eight heights each. */
#ifndef CLI_GRAPH_H
#define CLI_GRAPH_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define GRAPH_COLUMNS 48

/* The last GRAPH_COLUMNS values. Zero is usable. */
struct graph {
	double values[GRAPH_COLUMNS];
	size_t count; /* ever added */
};
void graph_add(struct graph *graph, double value);
/* Oldest first; full is the value of the highest block, 0: the largest of the values. */
MUST_CHECK struct err *graph_format(const struct graph *graph, double full, struct buf *text);

#endif
