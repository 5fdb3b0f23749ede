/* What is in a table that somebody else may have made, and taking it out; see nft.h. */
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <string.h>

#include "netns/nft.h"

/* A message that names the table and nothing more: of rules, all of them. */
static void flush_rules(struct nft *nft, const struct nft_table *table)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_DELRULE, table->family, 0);

	if (!message)
		return;
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table->name);
	nft_end_message(nft, message);
}

/* --- sets --- */

struct set_names {
	struct nft_reader reader;
	struct strlist *names;
};

static struct err *take_set(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct set_names *want = (void *)reader;
	struct nftnl_set *set = nftnl_set_alloc();
	struct err *err = NULL;

	if (!set)
		return err_sys(ENOMEM, "read an nftables set");
	if (nftnl_set_nlmsg_parse(message, set) == 0)
		err = strlist_add(want->names, nftnl_set_get_str(set, NFTNL_SET_NAME));
	nftnl_set_free(set);
	return err;
}

struct err *nft_empty_table(struct nft *nft, const struct nft_table *table)
{
	OWN(strlist) struct strlist names = { 0 };
	struct set_names reader = { .reader.read = take_set, .names = &names };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message =
		nft_query_header(nft, room, NFT_MSG_GETSET, table->family, NLM_F_DUMP);

	flush_rules(nft, table); /* they name sets */
	mnl_attr_put_strz(message, NFTA_SET_TABLE, table->name);
	TRY(nft_query(nft, message, &reader.reader));
	for (size_t i = 0; i < names.count; i++) {
		message = nft_message(nft, NFT_MSG_DELSET, table->family, 0);
		if (!message)
			return NULL; /* nft_commit() says it */
		mnl_attr_put_strz(message, NFTA_SET_TABLE, table->name);
		mnl_attr_put_strz(message, NFTA_SET_NAME, names.items[i]);
		nft_end_message(nft, message);
	}
	return NULL;
}

/* --- elements --- */

static int take_name(struct nftnl_set_elem *element, void *data)
{
	uint32_t len = 0;
	const char *key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &len);
	char name[IFNAMSIZ + 1] = { 0 };
	struct err *err;

	if (!key || len != IFNAMSIZ)
		return 0;
	memcpy(name, key, IFNAMSIZ);
	err = strlist_add(data, name);
	if (!err)
		return 0;
	err_drop(err); /* no memory, says read_names() */
	return -1;
}

static struct err *read_names(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct set_names *want = (void *)reader;
	struct nftnl_set *set = nftnl_set_alloc();
	int status = set ? nftnl_set_elems_nlmsg_parse(message, set) : -1;

	if (status == 0)
		status = nftnl_set_elem_foreach(set, take_name, want->names);
	if (set)
		nftnl_set_free(set);
	return status < 0 ? err_sys(ENOMEM, "read the names of an nftables set") : NULL;
}

struct err *nft_read_ifnames(struct nft *nft, const struct nft_table *table, const char *set,
			     struct strlist *names)
{
	struct set_names reader = { .reader.read = read_names, .names = names };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message =
		nft_query_header(nft, room, NFT_MSG_GETSETELEM, table->family, NLM_F_DUMP);
	struct err *err;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
	err = nft_query(nft, message, &reader.reader);
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* it has none, then */
		return NULL;
	}
	return err;
}
