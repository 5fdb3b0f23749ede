/* What a VPS wrote on its console, bounded; see monitor.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "runtime/monitor/monitor.h"

static struct err *open_file(struct console_log *log)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	struct stat st;

	log->fd = openat(log->dir_fd, log->name, flags, 0600);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_sys(errno, "open the console's log %s", log->name);
	log->len_bytes = (uint64_t)st.st_size;
	return NULL;
}

struct err *console_log_open(int dir_fd, const char *vps, struct console_log *ret_log)
{
	struct console_log log = { .dir_fd = dir_fd, .fd = -1 };
	int len = snprintf(log.name, sizeof(log.name), "%s.console", vps);

	if (len < 0 || (size_t)len + sizeof(".1") > sizeof(log.old_name))
		return err_new(ERR_INVALID, "the name %s is too long for a log", vps);
	snprintf(log.old_name, sizeof(log.old_name), "%s.console.1", vps);
	TRY(open_file(&log));
	*ret_log = log;
	return NULL;
}

void console_log_close(struct console_log *log)
{
	own_fd(&log->fd);
	log->fd = -1;
}

void console_log_add(struct console_log *log, const char *data, size_t len)
{
	if (log->fd >= 0 && log->len_bytes + len > CONSOLE_LOG_BYTES) {
		console_log_close(log);
		renameat(log->dir_fd, log->name, log->dir_fd, log->old_name);
		err_drop(open_file(log)); /* without a log the VPS still runs */
	}
	if (log->fd < 0)
		return;
	if (write(log->fd, data, len) > 0)
		log->len_bytes += len;
}

void console_log_recall(const struct console_log *log, struct ring *ring)
{
	OWN(fd)
	int fd = openat(log->dir_fd, log->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	off_t at = log->len_bytes > RING_BYTES ? (off_t)(log->len_bytes - RING_BYTES) : 0;
	char data[4096];
	ssize_t got;

	while (fd >= 0 && (got = pread(fd, data, sizeof(data), at)) > 0) {
		ring_add(ring, data, (size_t)got);
		at += got;
	}
}
