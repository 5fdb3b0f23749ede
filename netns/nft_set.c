/* Sets, maps and their elements as nftables messages, and the reading of elements; see nft.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "netns/nft.h"

#define OWNER_MAX 64

static uint32_t type_len(enum nft_type type)
{
	switch (type) {
	case NFT_TYPE_BYTES:
		return NFT_BYTES;
	case NFT_TYPE_IPV4:
	case NFT_TYPE_MARK:
	case NFT_TYPE_IFINDEX:
		return 4;
	case NFT_TYPE_IPV6:
	case NFT_TYPE_IFNAME:
		return 16;
	case NFT_TYPE_ETHER:
		return 6;
	case NFT_TYPE_PROTO:
		return 1;
	case NFT_TYPE_PORT:
		return 2;
	}
	return 0;
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) / 4 * 4;
}

/* A single field is as long as it is; those of a concatenation fill whole registers. */
void nft_key_add(struct nft_key *key, enum nft_type type, const void *value)
{
	uint32_t len = type_len(type);
	bool first = key->len == 0;

	key->len = padded(key->len);
	if (type == NFT_TYPE_IFNAME)
		memcpy(key->bytes + key->len, value, strnlen(value, IFNAMSIZ - 1));
	else
		memcpy(key->bytes + key->len, value, len);
	key->len += first ? len : padded(len);
}

static size_t field_count(const enum nft_type *types)
{
	size_t count = 0;

	while (count < NFT_FIELDS_MAX && types[count])
		count++;
	return count;
}

/* As nft(8) numbers concatenations; *ret_len: a single field is not padded, several are. */
static uint32_t describe(const enum nft_type *types, uint32_t *ret_len)
{
	size_t count = field_count(types);
	uint32_t number = 0, len = 0;

	for (size_t i = 0; i < count; i++) {
		number = number << 6 | types[i];
		len += count == 1 ? type_len(types[i]) : padded(type_len(types[i]));
	}
	*ret_len = len;
	return number;
}

/* Listings read keys as numbers in network order unless they are told; names are none. */
static void put_byte_order(struct nftnl_set *set)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(64);

	if (udata && nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER, 1))
		nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
				   nftnl_udata_buf_len(udata));
	if (udata)
		nftnl_udata_buf_free(udata);
}

void nft_add_set(struct nft *nft, const struct nft_table *table, const struct nft_set *row)
{
	struct nlmsghdr *message = nft_message(nft, NFT_MSG_NEWSET, table->family, NLM_F_CREATE);
	struct nftnl_set *set = nftnl_set_alloc();
	uint32_t flags = 0, len, type;

	if (!message || !set) {
		nft->err = err_first(nft->err, err_sys(ENOMEM, "make an nftables set"));
		return;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, table->name);
	nftnl_set_set_str(set, NFTNL_SET_NAME, row->name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, ++nft->set_id);
	type = describe(row->key, &len);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, len);
	if (row->key[0] == NFT_TYPE_IFNAME && !row->key[1])
		put_byte_order(set);
	if (row->data[0]) {
		flags |= NFT_SET_MAP;
		type = describe(row->data, &len);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, type);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, len);
	}
	if (row->object) {
		flags |= NFT_SET_OBJECT;
		nftnl_set_set_u32(set, NFTNL_SET_OBJ_TYPE, row->object);
	}
	if (row->is_interval)
		flags |= NFT_SET_INTERVAL;
	if (row->timeout_s) {
		flags |= NFT_SET_TIMEOUT | NFT_SET_EVAL;
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, UINT64_C(1000) * row->timeout_s);
	}
	if (row->size)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, row->size);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags);
	nftnl_set_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
	nft_end_message(nft, message);
}

/* --- elements --- */

static struct nlmsghdr *begin_elements(struct nft *nft, const struct nft_table *table,
				       const char *set, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = nft_message(nft, type, table->family, flags);

	if (!message)
		return NULL;
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
	return message;
}

/* Without elements: all of them go. Source: nf_tables_delsetelem() in net/netfilter. */
void nft_flush_set(struct nft *nft, const struct nft_table *table, const char *set)
{
	struct nlmsghdr *message = begin_elements(nft, table, set, NFT_MSG_DELSETELEM, 0);

	if (message)
		nft_end_message(nft, message);
}

static void put_data(struct nlmsghdr *message, uint16_t type, const void *data, uint32_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(message, nest);
}

/* The comment of nft(8): what its listings show, and what tells whose element it is. */
static void put_owner(struct nlmsghdr *message, const char *owner)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(OWNER_MAX + 8);

	if (udata && nftnl_udata_put_strz(udata, NFTNL_UDATA_SET_ELEM_COMMENT, owner))
		mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, nftnl_udata_buf_len(udata),
			     nftnl_udata_buf_data(udata));
	if (udata)
		nftnl_udata_buf_free(udata);
}

static void element_message(struct nft *nft, const struct nft_table *table, const char *set,
			    uint16_t type, const struct nft_element *element)
{
	struct nlmsghdr *message = begin_elements(nft, table, set, type,
						  type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	struct nlattr *list, *item;

	if (!message)
		return;
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	put_data(message, NFTA_SET_ELEM_KEY, element->key.bytes, element->key.len);
	if (element->is_end)
		mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	if (element->data.len)
		put_data(message, NFTA_SET_ELEM_DATA, element->data.bytes, element->data.len);
	if (element->object)
		mnl_attr_put_strz(message, NFTA_SET_ELEM_OBJREF, element->object);
	if (element->owner)
		put_owner(message, element->owner);
	mnl_attr_nest_end(message, item);
	mnl_attr_nest_end(message, list);
	nft_end_message(nft, message);
}

void nft_add_element(struct nft *nft, const struct nft_table *table, const char *set,
		     const struct nft_element *element)
{
	element_message(nft, table, set, NFT_MSG_NEWSETELEM, element);
}

static struct err *ignore(struct nft_reader *reader, const struct nlmsghdr *message)
{
	(void)reader;
	(void)message;
	return NULL;
}

struct err *nft_has_element(struct nft *nft, const struct nft_table *table, const char *set,
			    const struct nft_key *key, bool *ret_has)
{
	struct nft_reader reader = { .read = ignore };
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message =
		nft_query_header(nft, room, NFT_MSG_GETSETELEM, table->family, 0);
	struct nlattr *list, *item;
	struct err *err;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	put_data(message, NFTA_SET_ELEM_KEY, key->bytes, key->len);
	mnl_attr_nest_end(message, item);
	mnl_attr_nest_end(message, list);
	err = nft_query(nft, message, &reader);
	*ret_has = !err;
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* the answer */
		return NULL;
	}
	return err;
}

struct err *nft_delete_element(struct nft *nft, const struct nft_table *table, const char *set,
			       const struct nft_key *key)
{
	bool has;

	TRY(nft_has_element(nft, table, set, key, &has));
	if (has)
		element_message(nft, table, set, NFT_MSG_DELSETELEM,
				&(struct nft_element){ .key = *key });
	return NULL;
}

/* --- whose elements --- */

struct owned_reader {
	struct nft_reader reader;
	struct nft *nft;
	const struct nft_table *table;
	const struct nft_set *set;
	const char *owner;
	struct nft_key *keys; /* of those to delete; owned by nft_delete_owned() */
	size_t count, left;
};

static int find_comment(const struct nftnl_udata *attr, void *data)
{
	const char **comment = data;

	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_ELEM_COMMENT && nftnl_udata_len(attr) > 0 &&
	    ((const char *)nftnl_udata_get(attr))[nftnl_udata_len(attr) - 1] == '\0')
		*comment = nftnl_udata_get(attr);
	return 0;
}

static bool is_owned(const struct owned_reader *want, struct nftnl_set_elem *element,
		     const uint8_t *key, uint32_t key_len)
{
	const char *comment = NULL;
	uint32_t len = 0, at = 0;
	const void *udata = nftnl_set_elem_get(element, NFTNL_SET_ELEM_USERDATA, &len);

	if (udata && nftnl_udata_parse(udata, len, find_comment, &comment) == 0 &&
	    str_eq(comment, want->owner))
		return true;
	for (size_t i = 0; i < field_count(want->set->key); i++) {
		enum nft_type type = want->set->key[i];

		if (type == NFT_TYPE_IFNAME && at + IFNAMSIZ <= key_len &&
		    strncmp((const char *)key + at, want->owner, IFNAMSIZ) == 0)
			return true;
		at += padded(type_len(type));
	}
	return false;
}

static int take_element(struct nftnl_set_elem *element, void *data)
{
	struct owned_reader *want = data;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &len);
	struct nft_key *keys;

	if (!key || len > NFT_KEY_MAX || !is_owned(want, element, key, len)) {
		want->left++;
		return 0;
	}
	keys = reallocarray(want->keys, want->count + 1, sizeof(*keys));
	if (!keys)
		return -1;
	want->keys = keys;
	keys[want->count] = (struct nft_key){ .len = len };
	memcpy(keys[want->count++].bytes, key, len);
	return 0;
}

static struct err *read_elements(struct nft_reader *reader, const struct nlmsghdr *message)
{
	struct owned_reader *want = (void *)reader;
	struct nftnl_set *set = nftnl_set_alloc();
	int status = set ? nftnl_set_elems_nlmsg_parse(message, set) : -1;

	if (status == 0)
		status = nftnl_set_elem_foreach(set, take_element, want);
	if (set)
		nftnl_set_free(set);
	return status < 0 ? err_sys(ENOMEM, "read the elements of an nftables set") : NULL;
}

struct err *nft_delete_owned(struct nft *nft, const struct nft_table *table,
			     const struct nft_set *set, const char *owner, size_t *ret_left)
{
	struct owned_reader reader = {
		.reader.read = read_elements, .nft = nft, .table = table, .set = set, .owner = owner
	};
	_Alignas(struct nlmsghdr) char room[1024];
	struct nlmsghdr *message =
		nft_query_header(nft, room, NFT_MSG_GETSETELEM, table->family, NLM_F_DUMP);
	struct err *err;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set->name);
	err = nft_query(nft, message, &reader.reader);
	if (err && err_errno(err) == ENOENT) {
		err_drop(err); /* nothing is there, then */
		err = NULL;
	}
	for (size_t i = 0; i < reader.count && !err; i++)
		element_message(nft, table, set->name, NFT_MSG_DELSETELEM,
				&(struct nft_element){ .key = reader.keys[i] });
	free(reader.keys);
	if (!err)
		*ret_left = reader.left;
	return err;
}
