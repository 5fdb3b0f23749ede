/*
 * CRIU's messages as plain structs: what is asked of it and what it says. The only place that knows
 * how they look on the wire is rpc.c. Private to migrate-criu/.
 *
 *   cella                                   criu swrk
 *   request (dump, pre-dump, restore) ---->
 *        <------------------------------- notice (an event; everything stands still until
 *   notice is answered ------------------>        it is answered)
 *        <------------------------------- result
 */
#ifndef MIGRATE_CRIU_RPC_H
#define MIGRATE_CRIU_RPC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "migrate-criu/migrate-criu.h"

enum criu_verb { CRIU_DUMP, CRIU_PRE_DUMP, CRIU_RESTORE, CRIU_VERB_COUNT };

/* A descriptor that CRIU inherits, and for which of the images' ones it stands. */
struct criu_inherited {
	char *key; /* "pipe:[123]", or a label given at the dump; owned */
	int fd;	   /* its number in CRIU's process */
};

struct criu_joined {
	const char *kind, *path; /* "ipc" and a file; borrowed */
};

#define CRIU_INHERITED_MAX 8
#define CRIU_JOINED_MAX 4

/* Zero and NULL mean CRIU's default, except descriptors, where that is -1. Strings are borrowed. */
struct criu_request {
	enum criu_verb verb;
	const struct cr_options *options; /* what the caller chose */
	int images_fd, work_fd;		  /* in CRIU's process */
	pid_t pid;
	int log_level;
	const char *log_file, *root, *cgroup_root, *freeze_cgroup, *config_file;
	struct strlist external; /* owned */
	struct criu_inherited inherited[CRIU_INHERITED_MAX];
	size_t inherited_count;
	struct criu_joined joined[CRIU_JOINED_MAX];
	size_t joined_count;
};
#define CRIU_REQUEST_INIT                      \
	{                                      \
		.images_fd = -1, .work_fd = -1 \
	}
void criu_request_release(struct criu_request *request);
/* ERR_INVALID: more than CRIU_INHERITED_MAX. */
MUST_CHECK struct err *criu_request_inherit(struct criu_request *request, const char *key, int fd);

struct criu_message {
	bool is_notice;	  /* else the result */
	bool is_success;  /* of the result */
	char event[32];	  /* of a notice: "post-restore" */
	pid_t pid;	  /* the first process: some notices, and the result of a restore; else 0 */
	int error_number; /* of a failed result; 0: not told */
	char error_text[256]; /* its first error, as it stands in the log */
};

/* *ret_bytes: to be sent in one piece; appended. */
MUST_CHECK struct err *criu_request_format(const struct criu_request *request,
					   struct buf *ret_bytes);
/* The answer to a notice: false makes CRIU give up and undo what it has done. */
MUST_CHECK struct err *criu_answer_format(bool success, struct buf *ret_bytes);
/* ERR_PEER: it is no message of CRIU's. */
MUST_CHECK struct err *criu_message_parse(const void *data, size_t len,
					  struct criu_message *ret_message);

#endif
