/* Named counters and limits as nftables messages; see nft.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>

#include "netns/nft.h"

/* NULL: no memory, which nft_commit() will report. */
static struct nftnl_obj *begin(struct nft *nft, const struct nft_table *table, uint32_t type,
			       const char *name)
{
	struct nftnl_obj *object = nftnl_obj_alloc();

	if (!object) {
		nft->err = err_first(nft->err, err_sys(ENOMEM, "make an nftables object"));
		return NULL;
	}
	nftnl_obj_set_str(object, NFTNL_OBJ_TABLE, table->name);
	nftnl_obj_set_str(object, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(object, NFTNL_OBJ_TYPE, type);
	return object;
}

static void end(struct nft *nft, const struct nft_table *table, struct nftnl_obj *object)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_NEWOBJ, table->family, NLM_F_CREATE);

	if (message) {
		nftnl_obj_nlmsg_build_payload(message, object);
		nft_end_message(nft, message);
	}
	nftnl_obj_free(object);
}

void nft_add_counter(struct nft *nft, const struct nft_table *table, const char *name)
{
	struct nftnl_obj *object = begin(nft, table, NFT_OBJECT_COUNTER, name);

	if (!object)
		return;
	nftnl_obj_set_u64(object, NFTNL_OBJ_CTR_BYTES, 0);
	nftnl_obj_set_u64(object, NFTNL_OBJ_CTR_PKTS, 0);
	end(nft, table, object);
}

void nft_add_limit(struct nft *nft, const struct nft_table *table, const char *name,
		   uint32_t packets_per_s, uint32_t burst)
{
	struct nftnl_obj *object = begin(nft, table, NFT_OBJECT_LIMIT, name);

	if (!object)
		return;
	nftnl_obj_set_u64(object, NFTNL_OBJ_LIMIT_RATE, packets_per_s);
	nftnl_obj_set_u64(object, NFTNL_OBJ_LIMIT_UNIT, 1);
	nftnl_obj_set_u32(object, NFTNL_OBJ_LIMIT_BURST, burst);
	nftnl_obj_set_u32(object, NFTNL_OBJ_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_obj_set_u32(object, NFTNL_OBJ_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	end(nft, table, object);
}

struct counter_reader {
	struct nft_reader reader;
	struct nft_counter counter;
};

static struct err *read_counter(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct nft_counter *counter = &((struct counter_reader *)reader)->counter;
	struct nftnl_obj *object = nftnl_obj_alloc();

	if (!object)
		return err_sys(ENOMEM, "read an nftables object");
	if (nftnl_obj_nlmsg_parse(message, object) == 0) {
		counter->handle = nftnl_obj_get_u64(object, NFTNL_OBJ_HANDLE);
		if (nftnl_obj_get_u32(object, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER) {
			counter->bytes = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_BYTES);
			counter->packets = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_PKTS);
		}
	}
	nftnl_obj_free(object);
	return NULL;
}

static void put_object(struct nlmsghdr *message, const struct nft_table *table, uint32_t type,
		       const char *name)
{
	mnl_attr_put_strz(message, NFTA_OBJ_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(type));
}

/* Missing has handle 0. */
static struct err *find(struct nft *nft, const struct nft_table *table, uint32_t type,
			const char *name, struct nft_counter *ret_counter)
{
	struct counter_reader reader = { .reader.read = read_counter };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message = nft_query_header(nft, room, NFT_MSG_GETOBJ, table->family, 0);
	struct err *err;

	put_object(message, table, type, name);
	err = nft_query(nft, message, &reader.reader);
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* an answer too */
		err = NULL;
	}
	TRY(err);
	*ret_counter = reader.counter;
	return NULL;
}

struct err *nft_delete_object(struct nft *nft, const struct nft_table *table, uint32_t type,
			      const char *name)
{
	struct nft_counter found;
	struct nlmsghdr *message;

	TRY(find(nft, table, type, name, &found));
	if (!found.handle)
		return NULL;
	message = nft_message(nft, NFT_MSG_DELOBJ, table->family, 0);
	if (!message)
		return NULL; /* nft_commit() says it */
	put_object(message, table, type, name);
	nft_end_message(nft, message);
	return NULL;
}

struct err *nft_read_counter(struct nft *nft, const struct nft_table *table, const char *name,
			     struct nft_counter *ret_counter)
{
	struct nft_counter counter;

	TRY(find(nft, table, NFT_OBJECT_COUNTER, name, &counter));
	if (!counter.handle)
		return err_new(ERR_NOT_FOUND, "there is no counter %s in table %s", name,
			       table->name);
	*ret_counter = counter;
	return NULL;
}
