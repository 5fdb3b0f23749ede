/* Tables and chains as nftables messages; see nft.h. */
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
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

static void chain_message(struct nft *nft, const struct nft_table *table,
			  const struct nft_chain *row, const char *device, uint16_t type)
{
	struct nlmsghdr *message =
		nft_message(nft, type, table->family, type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0);
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
	}
	if (row->type && type == NFT_MSG_NEWCHAIN)
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	if (device)
		nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, device);
	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
	nft_end_message(nft, message);
}

void nft_add_chain(struct nft *nft, const struct nft_table *table, const struct nft_chain *chain,
		   const char *device)
{
	chain_message(nft, table, chain, device, NFT_MSG_NEWCHAIN);
}

void nft_leave_chain(struct nft *nft, const struct nft_table *table, const struct nft_chain *chain,
		     const char *device)
{
	chain_message(nft, table, chain, device, NFT_MSG_DELCHAIN);
}

void nft_flush_chain(struct nft *nft, const struct nft_table *table, const char *chain)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_DELRULE, table->family, 0);

	if (!message)
		return;
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain);
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

struct rule_counter {
	struct nft_reader reader;
	size_t count;
};

static struct err *count_rule(struct nft_reader *reader, const struct nlmsghdr *message)
{
	(void)message;
	((struct rule_counter *)reader)->count++;
	return NULL;
}

struct err *nft_has_rules(struct nft *nft, const struct nft_table *table, const char *chain,
			  bool *ret_has)
{
	struct rule_counter counter = { .reader.read = count_rule };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message =
		nft_query_header(nft, room, NFT_MSG_GETRULE, table->family, NLM_F_DUMP);

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain);
	TRY(nft_query(nft, message, &counter.reader));
	*ret_has = counter.count > 0;
	return NULL;
}
