/* The rtnetlink socket: open, batch, send, read answers; see rtnl.h. Rests on netlink(7) and
 * libmnl. */
#include "netns/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#define ANSWER_ROOM 32768

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

struct err *rtnl_open(struct rtnl *ret_rtnl)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int on = 1;

	if (!socket)
		return err_sys(errno, "open an rtnetlink socket");
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		struct err *err = err_sys(errno, "bind an rtnetlink socket");

		mnl_socket_close(socket);
		return err;
	}
	/* Both only make answers better or shorter: an old kernel without them is good enough. */
	(void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret_rtnl = (struct rtnl){ .socket = socket };
	return NULL;
}

/* Open something in another namespace; it stays there, and we come back. */
struct opener {
	struct err *(*open)(const struct opener *opener);
	struct rtnl *ret_rtnl;
	int family, type, *ret_fd;
};

static struct err *open_in(int netns_fd, const struct opener *opener)
{
	OWN(fd) int own_ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct err *err;

	if (own_ns_fd < 0)
		return err_sys(errno, "open /proc/self/ns/net");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_sys(errno, "enter the container's network namespace");
	err = opener->open(opener);
	if (setns(own_ns_fd, CLONE_NEWNET) < 0)
		return err_first(err, err_sys(errno, "return to the host's network namespace"));
	return err;
}

static struct err *open_rtnl(const struct opener *opener)
{
	return rtnl_open(opener->ret_rtnl);
}

struct err *rtnl_open_in(int netns_fd, struct rtnl *ret_rtnl)
{
	const struct opener opener = { .open = open_rtnl, .ret_rtnl = ret_rtnl };

	return open_in(netns_fd, &opener);
}

static struct err *open_socket(const struct opener *opener)
{
	*opener->ret_fd = socket(opener->family, opener->type | SOCK_CLOEXEC, 0);
	return *opener->ret_fd < 0 ? err_sys(errno, "make a socket") : NULL;
}

struct err *rtnl_socket_in(int netns_fd, int family, int type, int *ret_fd)
{
	const struct opener opener = {
		.open = open_socket, .family = family, .type = type, .ret_fd = ret_fd
	};

	return netns_fd < 0 ? open_socket(&opener) : open_in(netns_fd, &opener);
}

struct err *rtnl_index(const struct rtnl *rtnl, const char *name, int *ret_index)
{
	struct ifreq request = { 0 };

	if (strlen(name) >= sizeof(request.ifr_name))
		return err_new(ERR_INVALID, "interface name %.20s... is too long", name);
	memcpy(request.ifr_name, name, strlen(name) + 1);
	/* the ioctl works on a socket of any family, in that socket's namespace: netdevice(7) */
	if (ioctl(mnl_socket_get_fd(rtnl->socket), SIOCGIFINDEX, &request) == 0) {
		*ret_index = request.ifr_ifindex;
		return NULL;
	}
	if (errno == ENODEV)
		return err_new(ERR_NOT_FOUND, "interface %s does not exist", name);
	return err_sys(errno, "look for interface %s", name);
}

struct nlmsghdr *rtnl_add(struct rtnl_batch *batch, uint16_t type, uint16_t flags, const char *what,
			  ...)
{
	struct nlmsghdr *request;
	va_list args;

	if (batch->count >= RTNL_BATCH_REQUESTS || batch->used + 320 > sizeof(batch->data))
		return NULL;
	va_start(args, what);
	vsnprintf(batch->what[batch->count], RTNL_WHAT_MAX, what, args);
	va_end(args);
	batch->allowed[batch->count] = 0;
	request = mnl_nlmsg_put_header(batch->data + batch->used);
	request->nlmsg_type = type;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return request;
}

void rtnl_end(struct rtnl_batch *batch, const struct nlmsghdr *request)
{
	batch->used += MNL_ALIGN(request->nlmsg_len);
	batch->count++;
}

void rtnl_allow(struct rtnl_batch *batch, int errnum)
{
	if (batch->count)
		batch->allowed[batch->count - 1] = errnum;
}

struct err *rtnl_make_room(struct rtnl *rtnl, struct rtnl_batch *batch, size_t count)
{
	return batch->count + count > RTNL_BATCH_REQUESTS ? rtnl_run(rtnl, batch) : NULL;
}

static int attr_message(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel's own words about a failure, or NULL. */
static const char *ext_ack(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	size_t skip = sizeof(*error);
	const char *text = NULL;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(answer->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	if (answer->nlmsg_len > NLMSG_HDRLEN + MNL_ALIGN(skip))
		mnl_attr_parse(answer, (unsigned int)skip, attr_message, &text);
	return text;
}

struct err *rtnl_answer_error(const struct nlmsghdr *answer, const char *what)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	const char *words = NULL;
	int errnum;

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(*error))
		return err_new(ERR_SYS, "%s: the kernel's answer is too short", what);
	if (error->error == 0)
		return NULL;
	errnum = -error->error;
	words = ext_ack(answer);
	if (errnum == EEXIST)
		return err_new(ERR_EXISTS, "%s: it exists already", what);
	if (errnum == ENODEV)
		return err_new(ERR_NOT_FOUND, "%s: no such interface", what);
	return err_sys(errnum, "%s%s%s%s", what, words ? " (" : "", words ? words : "",
		       words ? ")" : "");
}

struct err *rtnl_receive(const struct mnl_socket *socket, char *room, size_t len, size_t *ret_len)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = room, .iov_len = len };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t got = recvmsg(mnl_socket_get_fd(socket), &msg, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(errno, "read netlink's answer");
		if (from.nl_pid != 0 || msg.msg_namelen != sizeof(from))
			continue;
		if (msg.msg_flags & MSG_TRUNC)
			return err_new(ERR_SYS, "netlink's answer is larger than %zu bytes", len);
		*ret_len = (size_t)got;
		return NULL;
	}
}

static struct err *send_batch(struct rtnl *rtnl, struct rtnl_batch *batch, uint16_t extra_flags,
			      uint32_t *ret_first)
{
	char *at = batch->data;

	*ret_first = rtnl->sequence + 1;
	for (size_t i = 0; i < batch->count; i++) {
		struct nlmsghdr *request = (void *)at;

		request->nlmsg_seq = ++rtnl->sequence;
		request->nlmsg_flags |= extra_flags;
		at += MNL_ALIGN(request->nlmsg_len);
	}
	if (mnl_socket_sendto(rtnl->socket, batch->data, batch->used) < 0)
		return err_sys(errno, "send %zu rtnetlink requests", batch->count);
	return NULL;
}

static bool is_allowed(const struct nlmsghdr *answer, int errnum)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

	return errnum && mnl_nlmsg_get_payload_len(answer) >= sizeof(*error) &&
	       error->error == -errnum;
}

struct err *rtnl_run(struct rtnl *rtnl, struct rtnl_batch *batch)
{
	_Alignas(struct nlmsghdr) char room[ANSWER_ROOM];
	OWN(err) struct err *first = NULL;
	uint32_t first_seq;
	size_t answered = 0, len = 0;

	if (batch->count == 0)
		return NULL;
	TRY(send_batch(rtnl, batch, NLM_F_ACK, &first_seq));
	while (answered < batch->count) {
		const struct nlmsghdr *answer = (void *)room;
		int left;

		TRY(rtnl_receive(rtnl->socket, room, sizeof(room), &len));
		for (left = (int)len; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			uint32_t i = answer->nlmsg_seq - first_seq;

			if (i >= batch->count || answer->nlmsg_type != NLMSG_ERROR)
				continue;
			if (!is_allowed(answer, batch->allowed[i]))
				first = err_first(TAKE(first),
						  rtnl_answer_error(answer, batch->what[i]));
			answered++;
		}
	}
	batch->count = batch->used = 0;
	return TAKE(first);
}

struct err *rtnl_query(struct rtnl *rtnl, struct rtnl_batch *batch, struct rtnl_reader *reader)
{
	_Alignas(struct nlmsghdr) char room[ANSWER_ROOM];
	uint32_t sequence;
	bool multi = false, done = false;
	size_t len = 0;

	TRY(send_batch(rtnl, batch, 0, &sequence));
	do {
		const struct nlmsghdr *answer = (void *)room;
		int left;

		TRY(rtnl_receive(rtnl->socket, room, sizeof(room), &len));
		for (left = (int)len; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			if (answer->nlmsg_seq != sequence)
				continue;
			if (answer->nlmsg_type == NLMSG_ERROR)
				TRY(rtnl_answer_error(answer, batch->what[0]));
			multi = answer->nlmsg_flags & NLM_F_MULTI;
			done = !multi || answer->nlmsg_type == NLMSG_DONE;
			if (answer->nlmsg_type >= NLMSG_MIN_TYPE)
				TRY(reader->read(reader, answer));
		}
	} while (!done);
	batch->count = batch->used = 0;
	return NULL;
}
