/* Waiting for cgroup.events; see events.h. */
#include "cgroups/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct err *gone(void)
{
	return err_new(ERR_NOT_FOUND, "the cgroup is gone");
}

static struct err *read_value(int fd, const char *key, uint64_t *ret_value)
{
	char text[256];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got < 0)
		return errno == ENODEV ? gone() : err_sys(errno, "read cgroup.events");
	text[got] = '\0';
	*ret_value = flat_value(text, key);
	return NULL;
}

static struct err *open_events(int dir_fd, int *ret_fd)
{
	int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && (errno == ENOENT || errno == ENODEV))
		return gone();
	if (fd < 0)
		return err_sys(errno, "open cgroup.events");
	*ret_fd = fd;
	return NULL;
}

struct err *events_read(int dir_fd, const char *key, uint64_t *ret_value)
{
	OWN(fd) int fd = -1;

	TRY(open_events(dir_fd, &fd));
	return read_value(fd, key, ret_value);
}

struct err *events_wait(int dir_fd, const char *key, uint64_t value, int64_t deadline_ms,
			bool *ret_reached)
{
	OWN(fd) int fd = -1;

	TRY(open_events(dir_fd, &fd));
	for (;;) {
		struct pollfd watch = { .fd = fd, .events = POLLPRI };
		int64_t left_ms = deadline_ms - clock_ms();
		uint64_t now;

		/* reading arms the poll: a change between the two is not lost */
		TRY(read_value(fd, key, &now));
		if (now == value || left_ms <= 0) {
			*ret_reached = now == value;
			return NULL;
		}
		if (poll(&watch, 1, (int)left_ms) < 0 && errno != EINTR)
			return err_sys(errno, "wait for cgroup.events");
	}
}
