/* Aligned tables and numbers with units; see table.h. */
#include "cli/table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

#define DEFAULT_PADDING 2
#define COLUMNS_MAX 64

void table_release(struct table *table)
{
	strlist_release(&table->cells);
}

size_t table_width(const char *text)
{
	size_t width = 0;

	/* continuation bytes of UTF-8 take no column of their own */
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

struct err *table_add(struct table *table, const char *cell)
{
	OWN(str) char *shown = NULL;

	TRY(str_escape(cell ? cell : "-", &shown));
	return strlist_add(&table->cells, shown);
}

struct err *table_addf(struct table *table, const char *fmt, ...)
{
	OWN(str) char *text = NULL;
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(&text, fmt, args);
	va_end(args);
	TRY(err);
	return table_add(table, text);
}

static size_t padding_of(const struct table *table)
{
	return table->padding ? table->padding : DEFAULT_PADDING;
}

/* Of the text alone, without the padding behind it. */
static void column_widths(const struct table *table, size_t widths[COLUMNS_MAX])
{
	size_t padding = padding_of(table);
	size_t floor = table->min_width > padding ? table->min_width - padding : 0;

	for (size_t i = 0; i < table->column_count; i++) {
		widths[i] = table->no_header ? 0 : table_width(table->columns[i].title);
		if (widths[i] < floor)
			widths[i] = floor;
	}
	for (size_t i = 0; i < table->cells.count; i++) {
		size_t width = table_width(table->cells.items[i]);

		if (width > widths[i % table->column_count])
			widths[i % table->column_count] = width;
	}
}

static struct err *add_cell(const struct table *table, size_t column, size_t width,
			    const char *cell, struct buf *text)
{
	bool last = column + 1 == table->column_count;
	int padding = last ? 0 : (int)padding_of(table);
	int fill = (int)(width - table_width(cell));

	if (table->columns[column].align == TABLE_RIGHT)
		TRY(buf_format(text, "%*s%s%*s", fill, "", cell, padding, ""));
	else
		TRY(buf_format(text, "%s%*s", cell, last ? 0 : fill + padding, ""));
	return last ? buf_add(text, "\n", 1) : NULL;
}

struct err *table_render(const struct table *table, struct buf *text)
{
	size_t widths[COLUMNS_MAX];

	assert(table->column_count && table->column_count <= COLUMNS_MAX);
	assert(table->cells.count % table->column_count == 0);
	column_widths(table, widths);
	for (size_t i = 0; i < table->column_count && !table->no_header; i++)
		TRY(add_cell(table, i, widths[i], table->columns[i].title, text));
	for (size_t i = 0; i < table->cells.count; i++) {
		size_t column = i % table->column_count;

		TRY(add_cell(table, column, widths[column], table->cells.items[i], text));
	}
	return NULL;
}

/* The two words that limits have for "no number". */
static bool unit_word(uint64_t value, struct unit_text *ret_text)
{
	if (value < UINT64_MAX - 1)
		return false;
	snprintf(ret_text->text, sizeof(ret_text->text), "%s", value == UINT64_MAX ? "-" : "max");
	return true;
}

struct unit_text unit_bytes(uint64_t bytes)
{
	static const char suffixes[] = "BKMGTPE";
	struct unit_text out;
	uint64_t tenths = bytes;
	size_t power = 0;

	if (unit_word(bytes, &out))
		return out;
	if (bytes < 1024) {
		snprintf(out.text, sizeof(out.text), "%juB", (uintmax_t)bytes);
		return out;
	}
	/* divide first, so that nothing near 2^64 wraps */
	while (tenths >= UINT64_C(1024) * 1024) {
		tenths >>= 10;
		power++;
	}
	tenths = tenths * 10 / 1024;
	power++;
	if (tenths >= 100 || tenths % 10 == 0)
		snprintf(out.text, sizeof(out.text), "%ju%c", (uintmax_t)(tenths / 10),
			 suffixes[power]);
	else
		snprintf(out.text, sizeof(out.text), "%ju.%ju%c", (uintmax_t)(tenths / 10),
			 (uintmax_t)(tenths % 10), suffixes[power]);
	return out;
}

struct unit_text unit_count(uint64_t count)
{
	struct unit_text out;

	if (!unit_word(count, &out))
		snprintf(out.text, sizeof(out.text), "%ju", (uintmax_t)count);
	return out;
}

struct unit_text unit_duration(uint64_t seconds)
{
	uintmax_t minutes = seconds / 60, hours = minutes / 60;
	struct unit_text out;

	if (seconds < 60)
		snprintf(out.text, sizeof(out.text), "%jus", (uintmax_t)seconds);
	else if (hours == 0)
		snprintf(out.text, sizeof(out.text), "%jum", minutes);
	else if (hours < 24)
		snprintf(out.text, sizeof(out.text), "%juh%02jum", hours, minutes % 60);
	else
		snprintf(out.text, sizeof(out.text), "%jud%02juh", hours / 24, hours % 24);
	return out;
}

struct err *out_text(const char *text, size_t len)
{
	return fd_write_all(STDOUT_FILENO, "standard output", text, len);
}
