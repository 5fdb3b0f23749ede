/* What is measured: the commands of one round, in rotated order of the runtimes. */
#include "tests/bench/bench.h"

#define EXTRA_MOUNTS 1000
#define ID "box"

const struct row_info row_info[ROW_COUNT] = {
	[ROW_RUN] = { "run", "run", 0.45 },
	[ROW_RUN_SECCOMP_COLD] = { "run-seccomp-cold", "run, seccomp, cold", 1.0 },
	[ROW_RUN_SECCOMP] = { "run-seccomp", "run, seccomp, warm", 0.50 },
	[ROW_RUN_USERNS] = { "run-userns", "run, user namespace", 0 },
	[ROW_RUN_MOUNTS] = { "run-1000-mounts", "run, 1000 mounts", 0 },
	[ROW_CREATE] = { "create", "create", 0.45 },
	[ROW_STATE] = { "state", "state", 0.20 },
	[ROW_START] = { "start", "start", 0.20 },
	[ROW_EXEC] = { "exec", "exec", 0.30 },
	[ROW_KILL] = { "kill", "kill", 0.20 },
	[ROW_DELETE] = { "delete", "delete, stopped", 0.20 },
	[ROW_DELETE_LIVE] = { "delete-live", "delete -f, live", 0 },
	[ROW_VERSION] = { "version", "--version", 0 },
};

/* One round of one runtime: where each row's sample goes. */
struct place {
	const struct bench *bench;
	const struct runtime *runtime;
	struct sample *row[ROW_COUNT];
};

static struct place place_of(const struct bench *bench, size_t round, size_t runtime)
{
	struct place p = { .bench = bench, .runtime = &bench->runtimes[runtime] };

	for (enum row r = 0; r < ROW_COUNT; r++)
		p.row[r] = &bench->samples[round][r][runtime];
	return p;
}

static struct err *measure(const struct place *p, enum row row, const char *const *words)
{
	return err_wrap(count_command(p->bench, p->runtime, words, p->row[row]), "%s: %s",
			p->runtime->name, row_info[row].title);
}

static struct err *run_bundle(const struct place *p, enum row row, enum bundle bundle)
{
	const char *const words[] = { "run", "-b", p->bench->bundles[bundle], ID, NULL };

	return measure(p, row, words);
}

static struct err *verb(const struct place *p, enum row row, const char *name, const char *arg)
{
	const char *const words[] = { name, ID, arg, NULL };

	return measure(p, row, words);
}

static struct err *create(const struct place *p)
{
	const char *const words[] = { "create", "-b", p->bench->bundles[BUNDLE_SLEEP], ID, NULL };

	TRY(measure(p, ROW_CREATE, words));
	/* the bench and the container's first process are no part of it */
	p->row[ROW_CREATE]->resident = count_processes() - 2;
	return NULL;
}

/* --- the groups: what has to be measured in one go -----------------------------------------------
 */

static struct err *run_plain(const struct place *p)
{
	return run_bundle(p, ROW_RUN, BUNDLE_PLAIN);
}

static struct err *run_seccomp(const struct place *p)
{
	bed_drop_cache(p->runtime);
	TRY(run_bundle(p, ROW_RUN_SECCOMP_COLD, BUNDLE_SECCOMP));
	return run_bundle(p, ROW_RUN_SECCOMP, BUNDLE_SECCOMP);
}

static struct err *run_userns(const struct place *p)
{
	return run_bundle(p, ROW_RUN_USERNS, BUNDLE_USERNS);
}

static struct err *life(const struct place *p)
{
	TRY(create(p));
	TRY(verb(p, ROW_START, "start", NULL));
	TRY(verb(p, ROW_STATE, "state", NULL));
	TRY(verb(p, ROW_EXEC, "exec", "/payload"));
	TRY(verb(p, ROW_KILL, "kill", "KILL"));
	count_reap_all();
	return verb(p, ROW_DELETE, "delete", NULL);
}

/* Only the end is of interest; the samples of create and start are those of life(). */
static struct err *delete_live(const struct place *p)
{
	const char *const words[] = { "delete", "-f", ID, NULL };
	struct sample create_sample = *p->row[ROW_CREATE], start_sample = *p->row[ROW_START];

	TRY(create(p));
	TRY(verb(p, ROW_START, "start", NULL));
	TRY(measure(p, ROW_DELETE_LIVE, words));
	count_reap_all();
	*p->row[ROW_CREATE] = create_sample;
	*p->row[ROW_START] = start_sample;
	return NULL;
}

static struct err *version(const struct place *p)
{
	const char *const words[] = { "--version", NULL };

	return measure(p, ROW_VERSION, words);
}

static struct err *run_mounts(const struct place *p)
{
	return run_bundle(p, ROW_RUN_MOUNTS, BUNDLE_PLAIN);
}

static const struct {
	struct err *(*measure)(const struct place *p);
	unsigned int mounts; /* present on the host meanwhile, beside its own */
} groups[] = {
	{ run_plain, 0 },
	{ run_seccomp, 0 },
	{ run_userns, 0 },
	{ life, 0 },
	{ delete_live, 0 },
	{ version, 0 },
	{ run_mounts, EXTRA_MOUNTS },
};

/* Who comes first changes with each group and round, so that nobody always follows the same. */
static struct err *measure_group(const struct bench *bench, size_t round, size_t group)
{
	for (size_t i = 0; i < bench->runtime_count; i++) {
		size_t turn = (i + round + group) % bench->runtime_count;
		struct place p = place_of(bench, round, turn);

		TRY(groups[group].measure(&p));
	}
	return NULL;
}

struct err *rows_measure(const struct bench *bench, size_t round)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		if (groups[g].mounts)
			TRY(bed_set_mounts(groups[g].mounts));
		TRY(measure_group(bench, round, g));
		if (groups[g].mounts)
			TRY(bed_set_mounts(0));
	}
	return NULL;
}

struct err *rows_try(const struct bench *bench, const struct runtime *runtime)
{
	const char *const words[] = { "run", "-b", bench->bundles[BUNDLE_PLAIN], ID, NULL };
	struct sample sample;

	return count_command(bench, runtime, words, &sample);
}
