/* The criu program at work for us: started, talked to, waited for. Private to migrate-criu/. */
#ifndef MIGRATE_CRIU_SWRK_H
#define MIGRATE_CRIU_SWRK_H

#include "base/fd.h"
#include "migrate-criu/rpc.h"

/* Descriptors given to criu begin here; 0-2 are ours, 3 is the socket. */
#define CRIU_FIRST_FD 4

struct criu {
	int socket_fd, pidfd;
	pid_t pid;
};
#define CRIU_INIT                            \
	{                                    \
		.socket_fd = -1, .pidfd = -1 \
	}

struct criu_start {
	int fds[CRIU_INHERITED_MAX + 2]; /* become CRIU_FIRST_FD and on; borrowed */
	size_t fd_count;
	mode_t umask_bits; /* of the files that criu makes for itself; 0: ours */
};
/* The number that fd will have in criu's process. */
MUST_CHECK struct err *criu_pass_fd(struct criu_start *start, int fd, int *ret_number);

/* ERR_UNSUPPORTED: we are not root. */
MUST_CHECK struct err *criu_check_root(void);
/* ERR_UNSUPPORTED: there is no criu on this host. *ret_path is owned. */
MUST_CHECK struct err *criu_find(char **ret_path);
/* Both. */
MUST_CHECK struct err *criu_check_host(void);
/* Returns when criu waits for a request. */
MUST_CHECK struct err *criu_spawn(const char *path, const struct criu_start *start,
				  struct criu *ret_criu);

/*
 * Send the request and answer notices until the result is there. on_notice: an error from it makes
 * criu give up, and is returned. fd: came with the notice, owned by the callee of the callback no
 * longer than the call; -1: none.
 * Errors: ERR_PEER: criu failed, or ended before its result.
 */
typedef struct err *criu_notice_fn(void *arg, const struct criu_message *notice, int fd);
MUST_CHECK struct err *criu_talk(struct criu *criu, const struct criu_request *request,
				 criu_notice_fn *on_notice, void *arg);

/* No more requests: wait for its end. It is never killed: what it has stopped would stay so. */
void criu_stop(struct criu *criu);
static inline __attribute__((unused)) void own_criu(struct criu *criu)
{
	criu_stop(criu);
}

/* "Error (criu/mount.c:99): mnt: text\n", as CRIU has it in its log, without time and place: one
 * line for a user. *ret_line is owned. */
MUST_CHECK struct err *criu_clean_error(const char *text, char **ret_line);

#endif
