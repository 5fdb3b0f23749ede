/* The nftables socket and its transactions; see nft.h. Rests on netlink(7), libmnl and
 * net/netfilter/nfnetlink.c: a batch is begin, messages, end, in one datagram. */
#include "netns/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netns/rtnl.h"

#define ROOM_STEP ((size_t)64 << 10)
#define MESSAGE_MAX ((size_t)16 << 10) /* the largest one that we make: 64 elements */
#define ANSWER_ROOM 65536
#define SOCKET_ROOM (1 << 20)

void nft_close(struct nft *nft)
{
	if (nft->socket)
		mnl_socket_close(nft->socket);
	free(nft->data);
	err_drop(nft->err);
	*nft = (struct nft){ 0 };
}

struct err *nft_open(struct nft *ret_nft)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int on = 1, room = SOCKET_ROOM;

	if (!socket)
		return err_sys(errno, "open an nftables socket");
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		struct err *err = err_sys(errno, "bind an nftables socket");

		mnl_socket_close(socket);
		return err;
	}
	/* all of these only make answers better, shorter or surer to fit */
	(void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &room,
			 sizeof(room));
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &room,
			 sizeof(room));
	*ret_nft = (struct nft){ .socket = socket };
	return NULL;
}

/* --- queries --- */

struct nlmsghdr *nft_query_header(struct nft *nft, char *room, uint16_t type, uint32_t family,
				  uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(room, type, (uint16_t)family, flags, ++nft->sequence);
}

static struct err *query_error(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(*error))
		return err_new(ERR_SYS, "ask nftables: the kernel's answer is too short");
	return error->error ? rtnl_answer_error(answer, "ask nftables") : NULL;
}

struct err *nft_query(struct nft *nft, struct nlmsghdr *message, struct nft_reader *reader)
{
	_Alignas(struct nlmsghdr) char room[ANSWER_ROOM];
	uint32_t sequence = message->nlmsg_seq;
	bool done = false;
	size_t len;

	if (mnl_socket_sendto(nft->socket, message, message->nlmsg_len) < 0)
		return err_sys(errno, "ask nftables");
	while (!done) {
		const struct nlmsghdr *answer = (void *)room;
		int left;

		TRY(rtnl_receive(nft->socket, room, sizeof(room), &len));
		for (left = (int)len; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			if (answer->nlmsg_seq != sequence)
				continue;
			if (answer->nlmsg_type == NLMSG_ERROR)
				TRY(query_error(answer));
			done = !(answer->nlmsg_flags & NLM_F_MULTI) ||
			       answer->nlmsg_type == NLMSG_DONE;
			if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
				return err_sys(EAGAIN, "ask nftables");
			if (answer->nlmsg_type >= NLMSG_MIN_TYPE)
				TRY(reader->read(reader, answer));
		}
	}
	return NULL;
}

struct generation_reader {
	struct nft_reader reader;
	uint32_t generation;
};

static struct err *read_generation(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct generation_reader *want = (void *)reader;
	struct nftnl_gen *gen = nftnl_gen_alloc();

	if (!gen)
		return err_sys(ENOMEM, "read nftables' generation");
	if (nftnl_gen_nlmsg_parse(message, gen) == 0)
		want->generation = nftnl_gen_get_u32(gen, NFTNL_GEN_ID);
	nftnl_gen_free(gen);
	return NULL;
}

/* --- the batch --- */

/* Where the next message goes, with MESSAGE_MAX bytes of room, all zero. */
static char *next_place(struct nft *nft)
{
	if (nft->used + MESSAGE_MAX > nft->room) {
		char *data = realloc(nft->data, nft->room + ROOM_STEP);

		if (!data) {
			nft->err = err_first(nft->err, err_sys(ENOMEM, "make nftables messages"));
			return NULL;
		}
		nft->data = data;
		memset(nft->data + nft->room, 0, ROOM_STEP);
		nft->room += ROOM_STEP;
	}
	return nft->data + nft->used;
}

struct nlmsghdr *nft_message(struct nft *nft, uint16_t type, uint32_t family, uint16_t flags)
{
	char *place = next_place(nft);

	if (!place)
		return NULL;
	return nftnl_nlmsg_build_hdr(place, type, (uint16_t)family, flags, ++nft->sequence);
}

void nft_end_message(struct nft *nft, const struct nlmsghdr *message)
{
	nft->last = nft->used;
	nft->used += MNL_ALIGN(message->nlmsg_len);
	nft->count++;
}

/* Begin and end belong to nfnetlink, which every subsystem of netfilter shares. */
static void add_bracket(struct nft *nft, uint16_t type)
{
	char *place = next_place(nft);
	struct nlmsghdr *message;
	struct nfgenmsg *body;

	if (!place)
		return;
	message = mnl_nlmsg_put_header(place);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++nft->sequence;
	body = mnl_nlmsg_put_extra_header(message, sizeof(*body));
	body->version = NFNETLINK_V0;
	body->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (type == NFNL_MSG_BATCH_BEGIN)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(nft->generation));
	nft->used += MNL_ALIGN(message->nlmsg_len);
}

struct err *nft_begin(struct nft *nft)
{
	struct generation_reader reader = { .reader.read = read_generation };
	_Alignas(struct nlmsghdr) char room[256];

	if (nft->used)
		memset(nft->data, 0, nft->used);
	nft->used = nft->count = 0;
	nft->set_id = 0;
	err_drop(TAKE(nft->err));
	TRY(nft_query(nft, nft_query_header(nft, room, NFT_MSG_GETGEN, AF_UNSPEC, 0),
		      &reader.reader));
	nft->generation = reader.generation;
	add_bracket(nft, NFNL_MSG_BATCH_BEGIN);
	nft->first = nft->sequence + 1;
	return NULL;
}

static const char *const message_names[NFT_MSG_MAX] = {
	[NFT_MSG_NEWTABLE] = "make a table", [NFT_MSG_DELTABLE] = "delete a table",
	[NFT_MSG_NEWCHAIN] = "make a chain", [NFT_MSG_DELCHAIN] = "delete a chain",
	[NFT_MSG_NEWRULE] = "make a rule",   [NFT_MSG_DELRULE] = "delete rules",
	[NFT_MSG_NEWSET] = "make a set",     [NFT_MSG_DELSET] = "delete a set",
	[NFT_MSG_NEWSETELEM] = "fill a set", [NFT_MSG_DELSETELEM] = "empty a set",
	[NFT_MSG_NEWOBJ] = "make an object", [NFT_MSG_DELOBJ] = "delete an object",
};

/* The error that answers message number sequence, in words. */
static struct err *commit_error(const struct nft *nft, const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	const char *what = NULL, *at = nft->data;
	char text[64];

	for (; at < nft->data + nft->used && !what;
	     at += MNL_ALIGN(((const struct nlmsghdr *)(const void *)at)->nlmsg_len)) {
		const struct nlmsghdr *sent = (const void *)at;

		if (sent->nlmsg_seq == answer->nlmsg_seq &&
		    NFNL_MSG_TYPE(sent->nlmsg_type) < NFT_MSG_MAX)
			what = message_names[NFNL_MSG_TYPE(sent->nlmsg_type)];
	}
	snprintf(text, sizeof(text), "nftables: %s (message %u)", what ? what : "transaction",
		 answer->nlmsg_seq - nft->first + 1);
	if (error->error == -ENOENT)
		return err_new(ERR_NOT_FOUND, "%s: something it names does not exist", text);
	if (error->error == -ERESTART || error->error == -EAGAIN)
		return err_sys(EAGAIN, "%s", text);
	if (error->error == -EOPNOTSUPP)
		return err_new(ERR_UNSUPPORTED, "%s: this kernel cannot do it", text);
	return rtnl_answer_error(answer, text);
}

/* Errors come unasked. nfnetlink works while sendmsg(2) runs: when that returns, all answers are
 * there. */
static struct err *read_answers(struct nft *nft, bool *ret_acked)
{
	_Alignas(struct nlmsghdr) char room[ANSWER_ROOM];
	struct err *first = NULL;

	for (;;) {
		const struct nlmsghdr *answer = (void *)room;
		ssize_t len =
			recv(mnl_socket_get_fd(nft->socket), room, sizeof(room), MSG_DONTWAIT);
		int left = (int)len;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN ?
				       first :
				       err_first(first, err_sys(errno, "read nftables' answer"));
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

			if (answer->nlmsg_type != NLMSG_ERROR ||
			    mnl_nlmsg_get_payload_len(answer) < sizeof(*error))
				continue;
			if (error->error)
				first = err_first(first, commit_error(nft, answer));
			else
				*ret_acked = true;
		}
	}
}

/* The batch is one datagram, and what it occupies is charged to the socket. */
static void make_room(const struct nft *nft)
{
	int room = (int)nft->used + (int)ROOM_STEP;

	if (room > SOCKET_ROOM) /* what does not fit will be said by sendmsg(2) */
		(void)setsockopt(mnl_socket_get_fd(nft->socket), SOL_SOCKET, SO_SNDBUFFORCE, &room,
				 sizeof(room));
}

/* The last message is acknowledged for all of them: each answer takes time, and of the many of a
 * large batch the socket would lose some. */
struct err *nft_commit(struct nft *nft)
{
	bool acked = false;

	add_bracket(nft, NFNL_MSG_BATCH_END);
	if (nft->err)
		return TAKE(nft->err);
	if (nft->count == 0)
		return NULL;
	((struct nlmsghdr *)(void *)(nft->data + nft->last))->nlmsg_flags |= NLM_F_ACK;
	make_room(nft);
	if (mnl_socket_sendto(nft->socket, nft->data, nft->used) < 0)
		return err_sys(errno, "send %zu messages to nftables", nft->count);
	TRY(read_answers(nft, &acked));
	if (!acked)
		return err_new(ERR_SYS, "nftables: no answer to %zu messages", nft->count);
	return NULL;
}
