/*
 * Messages between host and init over one SOCK_SEQPACKET pair: a stage with at most one descriptor,
 * or an error that travels word for word. End of file, or another stage than the expected one, is
 * always a failure.
 */
#ifndef RUNTIME_SYNC_H
#define RUNTIME_SYNC_H

#include "base/err.h"
#include "runtime/steps.h"

MUST_CHECK struct err *sync_pair(int *ret_host_fd, int *ret_init_fd);
/* fd: passed along, -1 for none; borrowed. */
MUST_CHECK struct err *sync_send(int socket_fd, enum stage stage, int fd);
/* *ret_fd: -1 when none came; owned by the caller. NULL ret_fd: one that comes is closed. */
MUST_CHECK struct err *sync_wait(int socket_fd, enum stage stage, int *ret_fd);
/* Tell the peer what stopped us; consumed. */
void sync_fail(int socket_fd, struct err *err);
/* Wait for the peer's end of file (its execve closed the socket): success. An error message: that
 * error. */
MUST_CHECK struct err *sync_wait_exec(int socket_fd);

#endif
