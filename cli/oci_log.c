/*
 * Where cella-oci's warnings and errors go: a file, systemd's journal or syslog. The two services
 * are spoken to through their sockets, so that a log is a descriptor whatever stands behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/oci.h"

#define JOURNAL_SOCKET "/run/systemd/journal/stdout"
#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_USER_ERROR 11 /* facility user, severity error: RFC 3164, 4.1.1 */

static struct err *open_file(const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return *ret_fd < 0 ? err_sys(errno, "open log %s", path) : NULL;
}

/* A stream whose lines the journal keeps under the name. Source: sd_journal_stream_fd(3). */
static struct err *open_journal(const char *name, int *ret_fd)
{
	OWN(str) char *header = NULL;
	OWN(fd) int fd = -1;

	TRY(fd_connect_unix(JOURNAL_SOCKET, &fd));
	/* identifier, unit, priority, level prefix, forward to syslog, kmsg, console */
	TRY(str_format(&header, "%s\n\n%d\n0\n0\n0\n0\n", name, SYSLOG_USER_ERROR & 7));
	TRY(fd_write_all(fd, "journal", header, strlen(header)));
	*ret_fd = fd_take(&fd);
	return NULL;
}

/* A datagram a line; log_config.prefix brings priority and name. */
static struct err *open_syslog(const char *name, int *ret_fd, const char **ret_prefix)
{
	static char prefix[80];
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET };
	OWN(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const void *)&address, sizeof(address)) < 0)
		return err_sys(errno, "connect to %s", SYSLOG_SOCKET);
	snprintf(prefix, sizeof(prefix), "<%d>%.60s: ", SYSLOG_USER_ERROR, name);
	*ret_prefix = prefix;
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *oci_log_setup(const struct oci_globals *globals)
{
	struct log_config config = {
		.fd = -1,
		.format = (enum log_format)globals->log_format,
		.level = globals->debug ? LOG_LEVEL_DEBUG : (enum log_level)globals->log_level,
		.copy_stderr = true,
		.program = oci_program.name,
	};
	const char *log = globals->log;
	struct err *err = NULL;

	if (log && str_has_prefix(log, "journald:"))
		err = open_journal(log + strlen("journald:"), &config.fd);
	else if (log && str_has_prefix(log, "syslog:"))
		err = open_syslog(log + strlen("syslog:"), &config.fd, &config.prefix);
	else if (log && str_has_prefix(log, "file:"))
		err = open_file(log + strlen("file:"), &config.fd);
	else if (log)
		err = open_file(log, &config.fd);
	log_setup(&config);
	return err;
}
