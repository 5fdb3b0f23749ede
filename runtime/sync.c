/* Messages between host and init; see sync.h. */
#include "runtime/sync.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define NO_ERROR (-1)

/* Only the used part of text is sent. */
struct message {
	int32_t stage;
	int32_t kind; /* enum err_kind, or NO_ERROR */
	int32_t errnum;
	char text[1000];
};
#define MESSAGE_HEAD offsetof(struct message, text)

const char *const stage_names[STAGE_COUNT] = {
	[STAGE_MAPS] = "maps",	   [STAGE_NAMESPACES] = "namespaces", [STAGE_WIRED] = "wired",
	[STAGE_MOUNTS] = "mounts", [STAGE_HOOKED] = "hooked",	      [STAGE_READY] = "ready",
	[STAGE_SAVED] = "saved",
};

struct err *sync_pair(int *ret_host_fd, int *ret_init_fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(errno, "make a socket pair");
	*ret_host_fd = pair[0];
	*ret_init_fd = pair[1];
	return NULL;
}

static struct err *receive(int socket_fd, const char *before, struct message *ret_msg, int *ret_fd)
{
	size_t len = 0;
	struct err *err = fd_recv(socket_fd, ret_msg, sizeof(*ret_msg) - 1, &len, ret_fd);

	if (err && err_errno(err) == ECONNRESET) {
		err_drop(err); /* the same as end of file */
		err = NULL;
		len = 0;
	}
	if (err)
		return err;
	if (len == 0) {
		ret_msg->stage = -1;
		return before ? err_new(ERR_PEER, "the peer died before %s", before) : NULL;
	}
	if (len < MESSAGE_HEAD)
		return err_new(ERR_PEER, "the peer sent %zu bytes", len);
	((char *)ret_msg)[len] = '\0';
	if (ret_msg->kind == NO_ERROR)
		return NULL;
	if (ret_msg->kind < 0 || ret_msg->kind >= ERR_KIND_COUNT)
		return err_new(ERR_PEER, "the peer sent error kind %d", ret_msg->kind);
	return err_new((enum err_kind)ret_msg->kind, "%s", ret_msg->text);
}

struct err *sync_send(int socket_fd, enum stage stage, int fd)
{
	struct message msg = { .stage = (int32_t)stage, .kind = NO_ERROR };
	struct err *err = fd_send(socket_fd, &msg, MESSAGE_HEAD, fd);
	OWN(fd) int dropped_fd = -1;

	if (!err || (err_errno(err) != EPIPE && err_errno(err) != ECONNRESET))
		return err;
	err_drop(err); /* the peer is gone; what it said last still lies in our queue */
	TRY(receive(socket_fd, stage_names[stage], &msg, &dropped_fd));
	return err_new(ERR_PEER, "the peer died before %s", stage_names[stage]);
}

struct err *sync_wait(int socket_fd, enum stage stage, int *ret_fd)
{
	OWN(fd) int fd = -1;
	struct message msg;

	TRY(receive(socket_fd, stage_names[stage], &msg, &fd));
	if (msg.stage != (int32_t)stage)
		return err_new(ERR_PEER, "the peer is at stage %d, not %s", msg.stage,
			       stage_names[stage]);
	if (ret_fd)
		*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *sync_wait_exec(int socket_fd)
{
	OWN(fd) int fd = -1;
	struct message msg;

	TRY(receive(socket_fd, NULL, &msg, &fd));
	if (msg.stage >= 0)
		return err_new(ERR_PEER, "the peer sent stage %d instead of running the program",
			       msg.stage);
	return NULL;
}

void sync_fail(int socket_fd, struct err *err)
{
	struct message msg = { .stage = -2,
			       .kind = (int32_t)err_kind(err),
			       .errnum = err_errno(err) };

	snprintf(msg.text, sizeof(msg.text), "%s", err_text(err));
	err_drop(err);
	/* nobody is left to hear when this fails too; the peer sees end of file */
	err_drop(fd_send(socket_fd, &msg, MESSAGE_HEAD + strlen(msg.text), -1));
}
