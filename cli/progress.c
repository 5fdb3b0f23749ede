/* The bar; see progress.h. It goes to standard error, so that output can be piped. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/table.h"

#define FIRST_AFTER_MS 300
#define EVERY_MS 100
#define BAR_WIDTH 30

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ", 12M/s, 45s left", of the work so far. */
static void show_rate(const struct progress *progress, int64_t now, uint64_t total_bytes)
{
	int64_t spent_ms = now - progress->started_ms;
	uint64_t per_s = spent_ms > 0 ? progress->done_bytes * 1000 / (uint64_t)spent_ms : 0;

	if (per_s == 0)
		return;
	fprintf(stderr, ", %s/s", unit_bytes(per_s).text);
	if (total_bytes > progress->done_bytes)
		fprintf(stderr, ", %s left",
			unit_duration((total_bytes - progress->done_bytes) / per_s + 1).text);
}

static void show_bar(const struct progress *progress, unsigned int percent)
{
	unsigned int filled = percent * BAR_WIDTH / 100;
	char bar[BAR_WIDTH + 1];

	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', filled);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r\033[K%s [%s] %3u%% %s", progress->what, bar, percent,
		unit_bytes(progress->done_bytes).text);
}

static void report(struct template_progress *base, uint64_t done_bytes, uint64_t total_bytes)
{
	struct progress *progress = (struct progress *)base;
	int64_t now = now_ms();
	unsigned int percent = 0;

	if (progress->quiet || now < progress->next_ms)
		return;
	if (total_bytes)
		percent = done_bytes >= total_bytes ?
				  100 :
				  (unsigned int)(done_bytes * 100 / total_bytes);
	progress->next_ms = now + EVERY_MS;
	progress->done_bytes = done_bytes;
	progress->shown = true;
	if (progress->terminal) {
		show_bar(progress, percent);
		show_rate(progress, now, total_bytes);
	} else if (percent / 10 > progress->last_tenth) {
		progress->last_tenth = percent / 10;
		fprintf(stderr, "%s: %u%%\n", progress->what, percent);
	}
}

void progress_init(struct progress *progress, const char *what, enum progress_kind kind)
{
	*progress = (struct progress){ .base.report = report,
				       .what = what,
				       .terminal = isatty(STDERR_FILENO),
				       .quiet = kind == PROGRESS_QUIET,
				       .started_ms = now_ms() };
	progress->next_ms = progress->started_ms + FIRST_AFTER_MS;
}

void progress_end(struct progress *progress)
{
	if (progress->shown && progress->terminal)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}
