/* Tables, chains and named counters as nftables messages; see nft.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>

#include "netns/nft.h"

static void table_message(struct nft *nft, const struct nft_table *table, uint16_t type,
			  uint16_t flags)
{
	struct nlmsghdr *message = nft_message(nft, type, table->family, flags);

	if (!message)
		return;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, table->name);
	nft_end_message(nft, message);
}

void nft_add_table(struct nft *nft, const struct nft_table *table)
{
	table_message(nft, table, NFT_MSG_NEWTABLE, NLM_F_CREATE);
}

void nft_delete_table(struct nft *nft, const struct nft_table *table)
{
	table_message(nft, table, NFT_MSG_DELTABLE, 0);
}

struct handle_reader {
	struct nft_reader reader;
	uint64_t handle;
};

static struct err *read_handle(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct handle_reader *want = (void *)reader;
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table)
		return err_sys(ENOMEM, "read an nftables table");
	if (nftnl_table_nlmsg_parse(message, table) == 0)
		want->handle = nftnl_table_get_u64(table, NFTNL_TABLE_HANDLE);
	nftnl_table_free(table);
	return NULL;
}

struct err *nft_find_table(struct nft *nft, const struct nft_table *table, uint64_t *ret_handle)
{
	struct handle_reader reader = { .reader.read = read_handle };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message = nft_query_header(nft, room, NFT_MSG_GETTABLE, table->family, 0);
	struct err *err;

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, table->name);
	err = nft_query(nft, message, &reader.reader);
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* an answer too */
		err = NULL;
	}
	TRY(err);
	*ret_handle = reader.handle;
	return NULL;
}

void nft_add_chain(struct nft *nft, const struct nft_table *table, const struct nft_chain *row,
		   const char *device)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_NEWCHAIN, table->family, NLM_F_CREATE);
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!message || !chain) {
		nft->err = err_first(nft->err, err_sys(ENOMEM, "make an nftables chain"));
		return;
	}
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, table->name);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, row->name);
	if (row->type) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, row->type);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, row->hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, row->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	if (device)
		nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, device);
	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
	nft_end_message(nft, message);
}

void nft_flush_rules(struct nft *nft, const struct nft_table *table)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_DELRULE, table->family, 0);

	if (!message)
		return;
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table->name);
	nft_end_message(nft, message);
}

static struct err *ignore(struct nft_reader *reader, const struct nlmsghdr *message)
{
	(void)reader;
	(void)message;
	return NULL;
}

struct err *nft_has_chain(struct nft *nft, const struct nft_table *table, const char *chain,
			  bool *ret_has)
{
	struct nft_reader reader = { .read = ignore };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message = nft_query_header(nft, room, NFT_MSG_GETCHAIN, table->family, 0);
	struct err *err;

	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, chain);
	err = nft_query(nft, message, &reader);
	*ret_has = !err;
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* the answer */
		return NULL;
	}
	return err;
}

void nft_add_counter(struct nft *nft, const struct nft_table *table, const char *name)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_NEWOBJ, table->family, NLM_F_CREATE);
	struct nftnl_obj *object = nftnl_obj_alloc();

	if (!message || !object) {
		nft->err = err_first(nft->err, err_sys(ENOMEM, "make an nftables counter"));
		return;
	}
	nftnl_obj_set_str(object, NFTNL_OBJ_TABLE, table->name);
	nftnl_obj_set_str(object, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(object, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_set_u64(object, NFTNL_OBJ_CTR_BYTES, 0);
	nftnl_obj_set_u64(object, NFTNL_OBJ_CTR_PKTS, 0);
	nftnl_obj_nlmsg_build_payload(message, object);
	nftnl_obj_free(object);
	nft_end_message(nft, message);
}

struct counter_reader {
	struct nft_reader reader;
	uint64_t bytes, packets;
};

static struct err *read_counter(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct counter_reader *want = (void *)reader;
	struct nftnl_obj *object = nftnl_obj_alloc();

	if (!object)
		return err_sys(ENOMEM, "read an nftables counter");
	if (nftnl_obj_nlmsg_parse(message, object) == 0) {
		want->bytes = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_BYTES);
		want->packets = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_PKTS);
	}
	nftnl_obj_free(object);
	return NULL;
}

struct err *nft_read_counter(struct nft *nft, const struct nft_table *table, const char *name,
			     uint64_t *ret_bytes, uint64_t *ret_packets)
{
	struct counter_reader reader = { .reader.read = read_counter };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message = nft_query_header(nft, room, NFT_MSG_GETOBJ, table->family, 0);
	struct err *err;

	mnl_attr_put_strz(message, NFTA_OBJ_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	err = nft_query(nft, message, &reader.reader);
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* said in our words */
		return err_new(ERR_NOT_FOUND, "there is no counter %s in table %s", name,
			       table->name);
	}
	TRY(err);
	*ret_bytes = reader.bytes;
	*ret_packets = reader.packets;
	return NULL;
}
