/* The errand: cella, run every now and then for what needs knowledge; see monitor.h. */
#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/monitor/monitor.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void errand_init(struct errand *errand, const char *cella, char *name, int64_t every_s)
{
	*errand = (struct errand){ .cella = cella,
				   .name = name,
				   .every_ms = every_s * 1000,
				   .next_ms = now_ms() + every_s * 1000 };
}

/* Nobody's child: we have one child that we wait for, init. */
static void run(const struct errand *errand)
{
	char program[] = "cella", verb[] = MONITOR_LOOK_VERB;
	char *const words[] = { program, verb, errand->name, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			execv(errand->cella, words);
		_exit(0); /* without cella, or room for it, the next one does more */
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int errand_run(struct errand *errand)
{
	int64_t left;

	if (errand->every_ms == 0)
		return -1;
	left = errand->next_ms - now_ms();
	if (left <= 0) {
		run(errand);
		left = errand->every_ms;
		errand->next_ms = now_ms() + left;
	}
	return (int)left;
}
