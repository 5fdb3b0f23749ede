/* Reading, writing and passing descriptors. Every descriptor made here is close-on-exec. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Read to the end into buf (appended); more than max bytes is ERR_INVALID. what: for the error
 * text. */
MUST_CHECK struct err *fd_read_all(int fd, const char *what, size_t max, struct buf *buf);
/* All of it, however many write(2) calls that takes. */
MUST_CHECK struct err *fd_write_all(int fd, const char *what, const void *data, size_t len);
/* Exactly one write(2), as kernel files want it. */
MUST_CHECK struct err *fd_write_once(int fd, const char *what, const char *text);
/* Bytes start to end of a file to the same place in another, without a way through this process.
 * Moves to_fd's position. ERR_STATE: the file is shorter. */
MUST_CHECK struct err *fd_copy_range(int from_fd, int to_fd, const char *what, off_t start,
				     off_t end);
MUST_CHECK struct err *fd_dup(int fd, int *ret_fd);

/* Whole small file below dir_fd (or AT_FDCWD), opened with O_NOFOLLOW | O_NONBLOCK and checked to
 * be regular unless it lies on procfs, sysfs or cgroupfs. */
MUST_CHECK struct err *file_read(int dir_fd, const char *name, size_t max, struct buf *buf);
/* Write a kernel file below dir_fd in one write(2). */
MUST_CHECK struct err *file_write_once(int dir_fd, const char *name, const char *text);
/* Replace a file so that a reader, or a crash at any instant, sees the old or the new contents,
 * with its owner: temporary file, fsync, rename, fsync of the directory. The syncs are skipped on
 * tmpfs.
 */
struct file_new {
	const char *name; /* or path */
	mode_t mode;
	const struct stat *owner; /* of whose user and group it is; NULL: ours */
	const void *data;
	size_t len;
};
MUST_CHECK struct err *file_put(int dir_fd, const struct file_new *file);
MUST_CHECK struct err *file_replace(int dir_fd, const char *name, mode_t mode, const void *data,
				    size_t len);
/* Remove what file_replace() was writing of this file in dir_fd when it was killed. Whoever may
 * write it waits for a lock that the caller has. */
MUST_CHECK struct err *file_sweep(int dir_fd, const char *name);

/* Send one message with at most one descriptor (fd -1: none; borrowed) over a UNIX socket. */
MUST_CHECK struct err *fd_send(int socket_fd, const void *data, size_t len, int fd);
/* Receive one message; *ret_len is 0 at end of file; *ret_fd is -1 when none came. */
MUST_CHECK struct err *fd_recv(int socket_fd, void *data, size_t room, size_t *ret_len,
			       int *ret_fd);
/* Connect to a UNIX stream socket by path, of any length. */
MUST_CHECK struct err *fd_connect_unix(const char *path, int *ret_fd);

#endif
