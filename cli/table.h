/* Output for people: aligned tables and numbers with units. Machines get JSON instead. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title;
	enum table_align align;
};

/* Zero value plus columns is usable. Cells are added row by row, left to right. */
struct table {
	const struct table_column *columns;
	size_t column_count;
	size_t min_width; /* of a column with its padding; 0: as narrow as its cells */
	size_t padding;	  /* blanks between columns; 0 means 2 */
	bool no_header;
	struct strlist cells; /* owned */
};

void table_release(struct table *table);
static inline __attribute__((unused)) void own_table(struct table *table)
{
	table_release(table);
}

/* NULL is shown as "-". Control bytes are escaped, so that a container's text cannot drive the
 * terminal. */
MUST_CHECK struct err *table_add(struct table *table, const char *cell);
MUST_CHECK PRINTF(2, 3) struct err *table_addf(struct table *table, const char *fmt, ...);
/* Append the whole table; the last column is not padded. An unfinished row is an error of the
 * program (assert). */
MUST_CHECK struct err *table_render(const struct table *table, struct buf *text);

/* Width on a terminal: characters, not bytes (UTF-8; wide and combining ones are counted as one).
 */
size_t table_width(const char *text);

/* "0B", "512B", "1.5K", "20M", "3.2G": powers of 1024; UINT64_MAX and
 * UINT64_MAX-1 are "-" and "max". */
#define UNIT_TEXT_MAX 24
struct unit_text {
	char text[UNIT_TEXT_MAX];
};
struct unit_text unit_bytes(uint64_t bytes);
struct unit_text unit_count(uint64_t count);	  /* plain, with the same two words */
struct unit_text unit_duration(uint64_t seconds); /* "45s", "12m", "3h05m", "2d04h" */
/* Write text to standard output. ERR_SYS. */
MUST_CHECK struct err *out_text(const char *text, size_t len);

#endif
