/* Who cleans up: mostly the stop that ended init, and then nothing is left for cella to be run for.
 * See monitor.h. */
#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/monitor/monitor.h"

#define PAUSE_NS 20000000L

/* A directory that was removed has no link left. */
static bool is_gone(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && st.st_nlink == 0;
}

/* It looks again rather than block: whoever has the lock may wait for ours in turn. */
bool monitor_is_relieved(int vps_lock_fd, int state_fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	while (!is_gone(state_fd)) {
		if (flock(vps_lock_fd, LOCK_EX | LOCK_NB) == 0) {
			(void)flock(vps_lock_fd, LOCK_UN); /* cella takes it again */
			return false;
		}
		if (errno != EWOULDBLOCK)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
