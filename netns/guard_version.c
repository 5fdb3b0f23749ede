/*
 * Whose rules a table has: the set "version" has one element, which the Makefile makes of the
 * sources that the tables are made by. Another number: another cella made them, before an upgrade.
 * Chains stay then, so one that gets another hook or priority must get another name, too.
 */
#include "netns/guard_port.h"

static const struct nft_set version_set = { .name = "version", .key = { NFT_TYPE_MARK } };

static struct nft_key version_key(void)
{
	const uint32_t version = CELLA_GUARD_VERSION;
	struct nft_key key = { 0 };

	nft_key_add(&key, NFT_TYPE_MARK, &version);
	return key;
}

void guard_version_add(struct nft *nft, const struct nft_table *table)
{
	const struct nft_element element = { .key = version_key() };

	nft_add_set(nft, table, &version_set);
	nft_add_element(nft, table, version_set.name, &element);
}

struct err *guard_version_check(struct nft *nft, const struct nft_table *table, bool *ret_same)
{
	const struct nft_key key = version_key();
	uint64_t handle;

	TRY(nft_has_element(nft, table, version_set.name, &key, ret_same));
	if (*ret_same)
		return NULL;
	TRY(nft_find_table(nft, table, &handle));
	*ret_same = handle == 0;
	return NULL;
}
