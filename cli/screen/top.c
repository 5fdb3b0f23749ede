/* cella top: what all VPSs use just now, on a screen that follows, or as plain tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/screen.h"
#include "cli/table.h"
#include "cli/vps_top.h"
#include "runtime/vps/watch.h"

struct row {
	char *name; /* owned */
	enum vps_status status;
	pid_t pid;
	struct vps_sample sample;
	struct vps_rates rates;
};

struct rows {
	struct row *items; /* owned */
	size_t count;
};

static void own_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].name);
	free(rows->items);
}

/* --- columns --- */

#define NUMBER(name, expression)                  \
	static double name(const struct row *row) \
	{                                         \
		return (double)(row->expression); \
	}
NUMBER(cpu, rates.cpu_percent)
NUMBER(throttled, rates.throttled_percent)
NUMBER(ram, sample.ram_bytes)
NUMBER(swap, sample.swap_bytes)
NUMBER(processes, sample.processes)
NUMBER(disk_read, rates.read_bytes_s)
NUMBER(disk_write, rates.write_bytes_s)
NUMBER(net_in, rates.received_bytes_s)
NUMBER(net_out, rates.sent_bytes_s)
NUMBER(cpu_wait, sample.cpu_pressure)
NUMBER(memory_wait, sample.memory_pressure)
NUMBER(io_wait, sample.io_pressure)

enum unit { PERCENT, BYTES, COUNT };

/* What --sort calls it, how it is titled; the name's column comes before these. */
static const struct column {
	const char *name;
	struct table_column column;
	enum unit unit;
	double (*value)(const struct row *row);
} columns[] = {
	{ "cpu", { "CPU%", TABLE_RIGHT }, PERCENT, cpu },
	{ "throttled", { "THR%", TABLE_RIGHT }, PERCENT, throttled },
	{ "ram", { "RAM", TABLE_RIGHT }, BYTES, ram },
	{ "swap", { "SWAP", TABLE_RIGHT }, BYTES, swap },
	{ "nproc", { "NPROC", TABLE_RIGHT }, COUNT, processes },
	{ "read", { "READ/S", TABLE_RIGHT }, BYTES, disk_read },
	{ "write", { "WRITE/S", TABLE_RIGHT }, BYTES, disk_write },
	{ "in", { "IN/S", TABLE_RIGHT }, BYTES, net_in },
	{ "out", { "OUT/S", TABLE_RIGHT }, BYTES, net_out },
	{ "cpuwait", { "PSI-CPU", TABLE_RIGHT }, PERCENT, cpu_wait },
	{ "ramwait", { "PSI-MEM", TABLE_RIGHT }, PERCENT, memory_wait },
	{ "iowait", { "PSI-IO", TABLE_RIGHT }, PERCENT, io_wait },
};
#define COLUMN_COUNT ARRAY_SIZE(columns)
#define BY_NAME COLUMN_COUNT

/* What there is to see, and how. */
struct top {
	const struct vps_host *host;
	const struct top_opts *opts;
	size_t sort; /* a column, or BY_NAME */
	bool reverse;
	struct rows rows;
	struct row total;
};

static struct err *find_column(const char *name, size_t *ret_column)
{
	OWN(buf) struct buf known = { 0 };

	if (str_eq(name, "name")) {
		*ret_column = BY_NAME;
		return NULL;
	}
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (str_eq(columns[i].name, name)) {
			*ret_column = i;
			return NULL;
		}
		TRY(buf_format(&known, " %s", columns[i].name));
	}
	return err_new(ERR_INVALID, "--sort: '%.40s' is not a column; there are: name%s", name,
		       known.data);
}

/* --- looking --- */

static const struct row *find_row(const struct rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->count; i++)
		if (str_eq(rows->items[i].name, name))
			return &rows->items[i];
	return NULL;
}

static struct err *look_at(const struct top *top, const char *name, struct rows *rows)
{
	OWN(vps_info) struct vps_info info = { 0 };
	const struct row *before = find_row(&top->rows, name);
	struct row *row = &rows->items[rows->count];
	struct err *err;

	vps_conf_init(&info.conf);
	err = vps_look(top->host, name, VPS_WITH_STATS, &info);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* destroyed meanwhile */
		return NULL;
	}
	if (err)
		return err;
	if (!info.pid && !top->opts->all)
		return NULL;
	*row = (struct row){ .status = info.status, .pid = info.pid };
	TRY(str_dup(name, &row->name));
	rows->count++;
	vps_sample_of(&info, &row->sample);
	if (before && before->pid == row->pid)
		vps_rates_between(&before->sample, &row->sample, &row->rates);
	return NULL;
}

static void add_up(const struct rows *rows, struct row *total)
{
	*total = (struct row){ 0 };
	for (size_t i = 0; i < rows->count; i++) {
		const struct vps_rates *rates = &rows->items[i].rates;

		vps_sample_add(&rows->items[i].sample, &total->sample);
		total->rates.cpu_percent += rates->cpu_percent;
		total->rates.throttled_percent += rates->throttled_percent;
		total->rates.read_bytes_s += rates->read_bytes_s;
		total->rates.write_bytes_s += rates->write_bytes_s;
		total->rates.sent_bytes_s += rates->sent_bytes_s;
		total->rates.received_bytes_s += rates->received_bytes_s;
	}
}

static struct err *look(struct top *top)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(rows) struct rows rows = { 0 };
	struct rows old = top->rows;

	TRY(vps_names(top->host, &names));
	rows.items = calloc(names.count + 1, sizeof(*rows.items));
	if (!rows.items)
		return err_sys(ENOMEM, "look at %zu VPSs", names.count);
	for (size_t i = 0; i < names.count; i++)
		TRY(look_at(top, names.items[i], &rows));
	add_up(&rows, &top->total);
	top->rows = rows;
	rows = old;
	return NULL;
}

/* --- showing --- */

static int compare(const void *a, const void *b, void *context)
{
	const struct row *left = a, *right = b;
	const struct top *top = context;
	int order = strcmp(left->name, right->name);

	if (top->sort != BY_NAME) {
		double difference =
			columns[top->sort].value(right) - columns[top->sort].value(left);

		/* the largest first; equal ones by name */
		order = difference > 0 ? 1 : difference < 0 ? -1 : order;
	}
	return top->reverse ? -order : order;
}

static struct err *add_number(const struct column *column, const struct row *row,
			      struct table *table)
{
	double value = column->value(row);

	if (column->unit == BYTES)
		return table_add(table, unit_bytes((uint64_t)value).text);
	return table_addf(table, column->unit == PERCENT ? "%.1f" : "%.0f", value);
}

static struct err *add_rows(const struct top *top, struct table *table)
{
	for (size_t r = 0; r < top->rows.count; r++) {
		TRY(table_add(table, top->rows.items[r].name));
		for (size_t i = 0; i < COLUMN_COUNT; i++)
			TRY(add_number(&columns[i], &top->rows.items[r], table));
	}
	TRY(table_addf(table, "total (%zu)", top->rows.count));
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		/* shares of time do not add up */
		if (columns[i].value == cpu_wait || columns[i].value == memory_wait ||
		    columns[i].value == io_wait)
			TRY(table_add(table, NULL));
		else
			TRY(add_number(&columns[i], &top->total, table));
	return NULL;
}

static struct err *render(struct top *top, struct buf *text)
{
	struct table_column titles[1 + COLUMN_COUNT] = { { "NAME", TABLE_LEFT } };
	OWN(table) struct table table = { .columns = titles, .column_count = 1 + COLUMN_COUNT };

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		titles[1 + i] = columns[i].column;
	if (top->rows.count)
		qsort_r(top->rows.items, top->rows.count, sizeof(*top->rows.items), compare, top);
	TRY(add_rows(top, &table));
	return table_render(&table, text);
}

static struct err *draw(struct top *top)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_format(&text, "sorted by %s%s   < > other column, r reverse, q quit\n",
		       top->sort == BY_NAME ? "name" : columns[top->sort].name,
		       top->reverse ? ", reversed" : ""));
	TRY(render(top, &text));
	screen_draw(text.data, 1);
	return NULL;
}

/* False: leave. */
static bool obey(struct top *top, int key)
{
	if (key == 'q' || key == 'Q')
		return false;
	if (key == 'r')
		top->reverse = !top->reverse;
	if (key == '<' || key == SCREEN_LEFT)
		top->sort = (top->sort + COLUMN_COUNT) % (COLUMN_COUNT + 1);
	if (key == '>' || key == SCREEN_RIGHT)
		top->sort = (top->sort + 1) % (COLUMN_COUNT + 1);
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Keys until the next look is due. *ret_leave: the user has seen enough. */
static struct err *serve(struct top *top, bool *ret_leave)
{
	uint64_t due_ms = now_ms() + top->opts->interval_ms;

	for (uint64_t at_ms = now_ms(); at_ms < due_ms; at_ms = now_ms()) {
		TRY(draw(top));
		*ret_leave = !obey(top, screen_wait(due_ms - at_ms));
		if (*ret_leave)
			return NULL;
	}
	return NULL;
}

static struct err *on_screen(struct top *top)
{
	bool leave = false;
	uint64_t looks = 0;

	while (!leave && (!top->opts->count || looks++ < top->opts->count)) {
		TRY(serve(top, &leave));
		TRY(look(top));
	}
	return NULL;
}

static struct err *as_tables(struct top *top)
{
	uint64_t interval_ms = top->opts->interval_ms;
	uint64_t count = top->opts->count ? top->opts->count : 1;

	for (uint64_t i = 0; i < count; i++) {
		OWN(buf) struct buf text = { 0 };

		nanosleep(&(struct timespec){ .tv_sec = (time_t)(interval_ms / 1000),
					      .tv_nsec = (long)(interval_ms % 1000) * 1000000 },
			  NULL);
		TRY(look(top));
		if (i)
			TRY(buf_format(&text, "\n"));
		TRY(render(top, &text));
		TRY(out_text(text.data, text.len));
	}
	return NULL;
}

static struct err *follow(struct top *top)
{
	struct err *err;

	TRY(look(top));
	if (!screen_open())
		return as_tables(top);
	err = on_screen(top);
	screen_close();
	return err;
}

struct err *vps_top_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct top_opts opts = { .interval_ms = 2000, .sort = "cpu" };
	struct top top = { .host = &host, .opts = &opts };
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_check_interval(opts.interval_ms));
	TRY(find_column(opts.sort, &top.sort));
	TRY(vps_host_open(&host));
	err = follow(&top);
	own_rows(&top.rows);
	return err;
}
