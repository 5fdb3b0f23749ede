/* cella-monitor: waits beside a running VPS; see runtime/monitor/monitor.h. Run by cella alone. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "runtime/monitor/monitor.h"

/* Static, and not on the stack: pages that are never touched cost nothing. */
static struct console console;

static struct err *adopt_fds(void)
{
	for (int fd = MONITOR_FD_LOCK; fd < MONITOR_FD_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && fd != MONITOR_FD_CONSOLE &&
		    fd < MONITOR_FD_VPS_LOCK)
			return err_sys(errno, "descriptor %d", fd);
	return NULL;
}

static struct err *begin(const char *name)
{
	int master_fd = fcntl(MONITOR_FD_CONSOLE, F_GETFD) < 0 ? -1 : MONITOR_FD_CONSOLE;

	console_init(&console, master_fd, MONITOR_FD_LISTEN);
	TRY(adopt_fds());
	TRY(console_log_open(MONITOR_FD_LOG_DIR, name, &console.log));
	console_log_recall(&console.log, &console.ring);
	return NULL;
}

/* The lock goes along. Returns NULL when that is not needed. */
static struct err *become_cella(char **argv)
{
	char ending[MONITOR_ENDING_MAX], verb[] = MONITOR_END_VERB, program[] = "cella";
	char *words[] = { program,
			  verb,
			  argv[MONITOR_ARG_NAME],
			  argv[MONITOR_ARG_PID],
			  argv[MONITOR_ARG_START_TICKS],
			  argv[MONITOR_ARG_RESTARTS],
			  ending,
			  NULL };

	monitor_ending(MONITOR_FD_INIT, ending);
	if (monitor_is_relieved(MONITOR_FD_VPS_LOCK, MONITOR_FD_STATE))
		return NULL;
	if (fcntl(MONITOR_FD_LOCK, F_SETFD, 0) < 0)
		return err_sys(errno, "hand the lock over");
	execv(argv[MONITOR_ARG_CELLA], words);
	return err_sys(errno, "run %s", argv[MONITOR_ARG_CELLA]);
}

/* A number that cella wrote; none is no errand. */
static int64_t look_s(const char *word)
{
	long seconds = strtol(word, NULL, 10);

	return seconds > 0 && seconds <= MONITOR_LOOK_MAX_S ? seconds : 0;
}

int main(int argc, char **argv)
{
	struct errand errand;
	struct err *err;

	if (argc != MONITOR_ARG_COUNT) {
		printf("cella-monitor is not for the command line: cella runs it\n");
		return 1;
	}
	prctl(PR_SET_NAME, "cella-monitor");
	log_setup(&(struct log_config){
		.fd = STDERR_FILENO, .program = "cella-monitor", .level = LOG_LEVEL_WARNING });
	err = begin(argv[MONITOR_ARG_NAME]);
	/* nobody is there to be told: without a log, or a console, the VPS is still watched */
	log_warn(err);
	errand_init(&errand, argv[MONITOR_ARG_CELLA], argv[MONITOR_ARG_NAME],
		    look_s(argv[MONITOR_ARG_LOOK_S]));
	monitor_watch(MONITOR_FD_INIT, &console, &errand);
	console_close(&console);
	err = become_cella(argv);
	log_warn(err);
	return err ? 1 : 0;
}
