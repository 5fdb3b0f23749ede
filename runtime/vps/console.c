/* What a VPS wrote on its console, bounded; see console.h. */
#include "runtime/vps/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *open_log(struct console_log *log)
{
	struct stat st;

	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
		       0600);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_sys(errno, "open %s", log->path);
	log->len_bytes = (uint64_t)st.st_size;
	return NULL;
}

struct err *console_log_open(const struct vps_host *host, const char *name,
			     struct console_log *ret_log)
{
	struct console_log log = CONSOLE_LOG_INIT;
	struct err *err = str_format(&log.path, "%s/%s.console", host->log_dir, name);

	if (!err)
		err = str_format(&log.old_path, "%s.1", log.path);
	if (!err)
		err = open_log(&log);
	if (err) {
		console_log_release(&log);
		return err;
	}
	*ret_log = log;
	return NULL;
}

void console_log_release(struct console_log *log)
{
	own_fd(&log->fd);
	free(log->path);
	free(log->old_path);
	*log = (struct console_log)CONSOLE_LOG_INIT;
}

void console_log_add(struct console_log *log, const char *data, size_t len)
{
	if (log->fd >= 0 && log->len_bytes + len > CONSOLE_LOG_BYTES) {
		close(fd_take(&log->fd));
		rename(log->path, log->old_path);
		err_drop(open_log(log)); /* without a log the VPS still runs */
	}
	if (log->fd < 0)
		return;
	if (write(log->fd, data, len) > 0)
		log->len_bytes += len;
}
