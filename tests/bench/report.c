/*
 * What the rounds came to. A figure of a runtime is the median of its rounds; a ratio is the median
 * of the ratios of each round, and its spread half the distance of their quartiles, so that what
 * disturbs a whole round disturbs no ratio.
 */
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const struct figure_info {
	const char *name, *title;
	double divisor;
	int decimals;
} figure_info[FIGURE_COUNT] = {
	[FIGURE_INSN] = { "instructions", "instructions, thousands, user + kernel", 1e3, 0 },
	[FIGURE_CPU] = { "cpu_us", "CPU time, us", 1, 0 },
	[FIGURE_WALL] = { "wall_us", "wall time, us", 1, 0 },
	[FIGURE_RSS] = { "rss_kib", "peak memory of the largest process, KiB", 1, 0 },
};

struct ratio {
	double middle, spread;
};

static double figure_of(const struct sample *s, enum figure figure)
{
	switch (figure) {
	case FIGURE_INSN:
		return s->insn;
	case FIGURE_CPU:
		return s->cpu_us;
	case FIGURE_WALL:
		return s->wall_us;
	case FIGURE_RSS:
		return s->rss_kib;
	case FIGURE_COUNT:
		break;
	}
	return NAN;
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The quantile q of count values, sorted here. NAN when any is missing. */
static double quantile(double *values, size_t count, double q)
{
	double place = q * (double)(count - 1);
	size_t low = (size_t)place;

	for (size_t i = 0; i < count; i++)
		if (isnan(values[i]))
			return NAN;
	qsort(values, count, sizeof(*values), compare_doubles);
	if (low + 1 >= count)
		return values[count - 1];
	return values[low] + (place - (double)low) * (values[low + 1] - values[low]);
}

static double median_of(const struct bench *bench, enum row row, size_t runtime, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (size_t i = 0; i < bench->rounds; i++)
		values[i] = figure_of(&bench->samples[i][row][runtime], figure);
	return quantile(values, bench->rounds, 0.5);
}

/* One runtime's row to another's row, usually the same. */
struct pairing {
	enum row row, other_row;
	size_t runtime, other;
};

static struct ratio ratio_of(const struct bench *bench, const struct pairing *pair,
			     enum figure figure)
{
	double values[ROUNDS_MAX];

	for (size_t i = 0; i < bench->rounds; i++)
		values[i] = figure_of(&bench->samples[i][pair->row][pair->runtime], figure) /
			    figure_of(&bench->samples[i][pair->other_row][pair->other], figure);
	return (struct ratio){
		.middle = quantile(values, bench->rounds, 0.5),
		.spread = (quantile(values, bench->rounds, 0.75) -
			   quantile(values, bench->rounds, 0.25)) /
			  2,
	};
}

/* The most that any round saw. */
static double most_resident(const struct bench *bench, size_t runtime)
{
	double most = 0;

	for (size_t i = 0; i < bench->rounds; i++) {
		double resident = bench->samples[i][ROW_CREATE][runtime].resident;

		if (!(resident <= most)) /* also when it cannot be told */
			most = resident;
	}
	return most;
}

/* What the 1,000 mounts add to a run, paired by round. */
static double mounts_cost(const struct bench *bench, size_t runtime)
{
	double values[ROUNDS_MAX];

	for (size_t i = 0; i < bench->rounds; i++)
		values[i] = bench->samples[i][ROW_RUN_MOUNTS][runtime].insn -
			    bench->samples[i][ROW_RUN][runtime].insn;
	return quantile(values, bench->rounds, 0.5);
}

/* --- the table -------------------------------------------------------------------------------- */

static void print_value(double value, int decimals)
{
	if (isnan(value))
		printf(" %11s", "-");
	else
		printf(" %11.*f", decimals, value);
}

static void print_ratio(struct ratio ratio)
{
	if (isnan(ratio.middle))
		printf(" %15s", "-");
	else
		printf("  %6.3f +-%5.3f", ratio.middle, ratio.spread);
}

static void print_figure_row(const struct bench *bench, enum row row, enum figure figure)
{
	const struct figure_info *info = &figure_info[figure];

	printf("%-20s", row_info[row].title);
	for (size_t i = 0; i < bench->runtime_count; i++)
		print_value(median_of(bench, row, i, figure) / info->divisor, info->decimals);
	for (size_t i = 1; i < bench->runtime_count; i++) {
		struct pairing pair = { row, row, 0, i };

		print_ratio(ratio_of(bench, &pair, figure));
	}
	putchar('\n');
}

static void print_head(const struct bench *bench, enum figure figure)
{
	char over[32];

	printf("\n%s: median; then %s as a part of each other (median of the rounds' ratios, "
	       "spread)\n",
	       figure_info[figure].title, bench->runtimes[0].name);
	printf("%-20s", "");
	for (size_t i = 0; i < bench->runtime_count; i++)
		printf(" %11.11s", bench->runtimes[i].name);
	for (size_t i = 1; i < bench->runtime_count; i++) {
		snprintf(over, sizeof(over), "/ %s", bench->runtimes[i].name);
		printf(" %15.15s", over);
	}
	putchar('\n');
}

static void print_split(const struct bench *bench)
{
	printf("\nof which in user space, thousands\n");
	for (enum row r = 0; r < ROW_COUNT; r++) {
		printf("%-20s", row_info[r].title);
		for (size_t i = 0; i < bench->runtime_count; i++) {
			double values[ROUNDS_MAX];

			for (size_t n = 0; n < bench->rounds; n++)
				values[n] = bench->samples[n][r][i].user_insn;
			print_value(quantile(values, bench->rounds, 0.5) / 1e3, 0);
		}
		putchar('\n');
	}
}

static const char *count_source(const struct bench *bench)
{
	if (bench->clock_insn)
		return "One CPU whose clock counts instructions: CPU time of the cgroup is the "
		       "count; "
		       "wall time is instructions plus waiting.";
	if (isnan(bench->samples[0][ROW_RUN][0].insn))
		return "No PMU here: instructions cannot be told.";
	return "Instructions by the PMU, over the whole process tree of each command.";
}

static void print_preface(const struct bench *bench)
{
	printf("%zu rounds, interleaved and rotated. ", bench->rounds);
	printf(bench->cgroups ?
		       "Containers in cgroups of their own, with a device program.\n" :
		       "NO cgroups: --cgroup-manager=disabled for all, no cgroup mount.\n");
	puts(count_source(bench));
	printf("seccomp profile: %s\n",
	       bench->profile ? bench->profile : "the bench's own, 3 architectures");
}

/* --- acceptance ------------------------------------------------------------------------------- */

static const char *mark(double value, double limit)
{
	return value <= limit ? "met" : "OVER";
}

/* One limit against every peer; whether the first one, which is the judge, finds it broken. */
static bool print_limit(const struct bench *bench, const char *title, enum row row, enum row other)
{
	const double limit = row_info[row].insn_limit;
	bool over = false, first = true;

	printf("%-26s %5.2f", title, limit);
	for (size_t i = 0; i < bench->runtime_count; i++) {
		struct pairing pair = { row, other, 0, i };
		double ratio;

		if (bench->runtimes[i].role != ROLE_PEER)
			continue;
		ratio = ratio_of(bench, &pair, FIGURE_INSN).middle;
		if (isnan(ratio))
			printf(" %15s", "not told here");
		else
			printf(" %10.3f %-4s", ratio, mark(ratio, limit));
		over |= first && ratio > limit;
		first = false;
	}
	putchar('\n');
	return over;
}

static bool print_absolute(const char *what, double value, double limit)
{
	if (isnan(value)) {
		printf("%-45s not told here\n", what);
		return false;
	}
	printf("%-45s %8.3f, limit %3.1f  %s\n", what, value, limit, mark(value, limit));
	return value > limit;
}

static size_t print_acceptance(const struct bench *bench)
{
	size_t over = 0, judges = 0;

	if (bench->runtimes[0].role != ROLE_SUBJECT)
		return 0;
	printf("\nacceptance: %s's instructions as a part of each peer's; the first peer is the "
	       "judge\n",
	       bench->runtimes[0].name);
	printf("%-26s %5s", "", "limit");
	for (size_t i = 0; i < bench->runtime_count; i++) {
		if (bench->runtimes[i].role != ROLE_PEER)
			continue;
		printf(" %15.15s", bench->runtimes[i].name);
		judges++;
	}
	putchar('\n');
	for (enum row r = 0; r < ROW_COUNT && judges; r++)
		if (row_info[r].insn_limit > 0)
			over += print_limit(bench, row_info[r].title, r, r);
	/* performance.md 8 asks for this one: no start may cost more than a peer's warm one */
	if (judges)
		over += print_limit(bench, "run, seccomp, cold / warm", ROW_RUN_SECCOMP_COLD,
				    ROW_RUN_SECCOMP);
	over += print_absolute("delete -f of a live container, wall, ms",
			       median_of(bench, ROW_DELETE_LIVE, 0, FIGURE_WALL) / 1e3, 3);
	over += print_absolute("peak memory of run, MiB",
			       median_of(bench, ROW_RUN, 0, FIGURE_RSS) / 1024, 2);
	over += print_absolute("1000 more mounts, million instructions more",
			       mounts_cost(bench, 0) / 1e6, 5);
	over += print_absolute("processes left behind by create", most_resident(bench, 0), 0);
	return over;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_figure(const struct bench *bench, struct json_out *out, enum row row,
			enum figure figure)
{
	json_out_object(out);
	for (size_t i = 0; i < bench->runtime_count; i++) {
		struct pairing pair = { row, row, 0, i };
		struct ratio ratio = ratio_of(bench, &pair, figure);
		double middle = median_of(bench, row, i, figure);

		if (isnan(middle))
			continue;
		json_out_key(out, bench->runtimes[i].name);
		json_out_object(out);
		json_out_key(out, "median");
		json_out_double(out, middle);
		json_out_key(out, "ratio");
		json_out_double(out, ratio.middle);
		json_out_key(out, "spread");
		json_out_double(out, ratio.spread);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

static struct err *print_json(const struct bench *bench)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "rounds");
	json_out_u64(out, bench->rounds);
	json_out_key(out, "cgroups");
	json_out_bool(out, bench->cgroups);
	json_out_key(out, "counted_by");
	json_out_string(out, bench->clock_insn ? "guest clock" : "pmu");
	json_out_key(out, "rows");
	json_out_object(out);
	for (enum row r = 0; r < ROW_COUNT; r++) {
		json_out_key(out, row_info[r].name);
		json_out_object(out);
		for (enum figure f = 0; f < FIGURE_COUNT; f++) {
			json_out_key(out, figure_info[f].name);
			json_figure(bench, out, r, f);
		}
		json_out_end_object(out);
	}
	json_out_end_object(out);
	json_out_end_object(out);
	TRY(json_out_take(out, &text));
	fputs(text, stdout);
	return NULL;
}

struct err *report_print(const struct bench *bench, size_t *ret_over)
{
	*ret_over = 0;
	if (bench->json)
		return print_json(bench);
	print_preface(bench);
	for (enum figure f = 0; f < FIGURE_COUNT; f++) {
		print_head(bench, f);
		for (enum row r = 0; r < ROW_COUNT; r++)
			print_figure_row(bench, r, f);
		if (f == FIGURE_INSN && !bench->clock_insn)
			print_split(bench);
	}
	*ret_over = print_acceptance(bench);
	return NULL;
}
