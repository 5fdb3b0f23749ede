/* Rows of struct nft_rule as nftables' expressions; see nft.h. Each term loads into the registers
 * from NFT_REG32_00 on and tests what is there. */
#include "netns/nft.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_nat.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"

#define MARK_LEN 4
#define IPV4_CHECKSUM 10 /* its offset in the header */

struct builder {
	struct nftnl_rule *rule;
	bool failed;
};

/* The rule owns it. A NULL is remembered in failed; libnftnl's setters are not called then. */
static struct nftnl_expr *expr(struct builder *builder, const char *name)
{
	struct nftnl_expr *made = nftnl_expr_alloc(name);

	if (made)
		nftnl_rule_add_expr(builder->rule, made);
	else
		builder->failed = true;
	return made;
}

static uint32_t slots(uint32_t len)
{
	return (len + 3) / 4;
}

static void add_payload(struct builder *builder, const struct nft_load *load, uint32_t base,
			uint32_t reg)
{
	struct nftnl_expr *made = expr(builder, "payload");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_OFFSET, load->at);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_LEN, load->len);
}

static void add_meta(struct builder *builder, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *made = expr(builder, "meta");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(made, NFTNL_EXPR_META_DREG, reg);
}

static void add_fragment(struct builder *builder, const struct nft_load *load, uint32_t reg)
{
	struct nftnl_expr *made = expr(builder, "exthdr");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_EXTHDR_DREG, reg);
	nftnl_expr_set_u32(made, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	nftnl_expr_set_u8(made, NFTNL_EXPR_EXTHDR_TYPE, IPPROTO_FRAGMENT);
	nftnl_expr_set_u32(made, NFTNL_EXPR_EXTHDR_OFFSET, load->at);
	nftnl_expr_set_u32(made, NFTNL_EXPR_EXTHDR_LEN, load->len);
}

static void add_target(struct builder *builder, uint32_t reg)
{
	struct nftnl_expr *made = expr(builder, "fib");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_FIB_DREG, reg);
	nftnl_expr_set_u32(made, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(made, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
}

static void add_load(struct builder *builder, const struct nft_load *load, uint32_t reg)
{
	switch (load->from) {
	case NFT_NOTHING:
		break;
	case NFT_META:
		add_meta(builder, load->at, reg);
		break;
	case NFT_LINK:
		add_payload(builder, load, NFT_PAYLOAD_LL_HEADER, reg);
		break;
	case NFT_NETWORK:
		add_payload(builder, load, NFT_PAYLOAD_NETWORK_HEADER, reg);
		break;
	case NFT_TRANSPORT:
		add_payload(builder, load, NFT_PAYLOAD_TRANSPORT_HEADER, reg);
		break;
	case NFT_FRAGMENT:
		add_fragment(builder, load, reg);
		break;
	case NFT_TARGET:
		add_target(builder, reg);
		break;
	}
}

static void add_mask(struct builder *builder, const struct nft_term *term, uint32_t len)
{
	static const uint8_t zero[sizeof(term->mask)];
	struct nftnl_expr *made;

	if (memcmp(term->mask, zero, sizeof(zero)) == 0)
		return;
	made = expr(builder, "bitwise");
	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_BITWISE_SREG, NFT_REG32_00);
	nftnl_expr_set_u32(made, NFTNL_EXPR_BITWISE_DREG, NFT_REG32_00);
	nftnl_expr_set_u32(made, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(made, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(made, NFTNL_EXPR_BITWISE_MASK, term->mask, len);
	nftnl_expr_set(made, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

/* What the map has, in the key's place. */
static void add_map(struct builder *builder, const char *map, uint32_t reg)
{
	struct nftnl_expr *made = expr(builder, "lookup");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_LOOKUP_SREG, reg);
	nftnl_expr_set_u32(made, NFTNL_EXPR_LOOKUP_DREG, reg);
	nftnl_expr_set_str(made, NFTNL_EXPR_LOOKUP_SET, map);
}

static void add_lookup(struct builder *builder, const char *set, enum nft_test test)
{
	struct nftnl_expr *made = expr(builder, "lookup");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_LOOKUP_SREG, NFT_REG32_00);
	nftnl_expr_set_str(made, NFTNL_EXPR_LOOKUP_SET, set);
	if (test == NFT_NOT_IN)
		nftnl_expr_set_u32(made, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	if (test == NFT_IN_MAP)
		nftnl_expr_set_u32(made, NFTNL_EXPR_LOOKUP_DREG, NFT_REG32_00);
}

static const uint32_t operators[] = {
	[NFT_IS] = NFT_CMP_EQ, [NFT_IS_NOT] = NFT_CMP_NEQ, [NFT_IS_ABOVE] = NFT_CMP_GT
};

static void add_compare(struct builder *builder, const struct nft_term *term, uint32_t len)
{
	struct nftnl_expr *made = expr(builder, "cmp");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_CMP_SREG, NFT_REG32_00);
	nftnl_expr_set_u32(made, NFTNL_EXPR_CMP_OP, operators[term->test]);
	nftnl_expr_set(made, NFTNL_EXPR_CMP_DATA, term->value, len);
}

/* Behind each other from the first register on. */
static void add_loads(struct builder *builder, const struct nft_load loads[3])
{
	uint32_t reg = NFT_REG32_00;

	for (size_t i = 0; i < 3 && loads[i].from != NFT_NOTHING; i++) {
		add_load(builder, &loads[i], reg);
		if (loads[i].map)
			add_map(builder, loads[i].map, reg);
		reg += slots(loads[i].map ? MARK_LEN : loads[i].len);
	}
}

static void add_term(struct builder *builder, const struct nft_term *term)
{
	uint32_t len = term->load[0].len;

	add_loads(builder, term->load);
	add_mask(builder, term, len);
	if (!term->set)
		add_compare(builder, term, len);
	else
		add_lookup(builder, term->set, term->test);
}

static void add_objects(struct builder *builder, const struct nft_rule *row)
{
	struct nftnl_expr *made;

	add_loads(builder, row->by);
	made = expr(builder, "objref");
	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_OBJREF_SET_SREG, NFT_REG32_00);
	nftnl_expr_set_str(made, NFTNL_EXPR_OBJREF_SET_NAME, row->objects);
}

/* --- writes --- */

static void add_value(struct builder *builder, const struct nft_write *write, uint32_t reg,
		      uint32_t len)
{
	struct nftnl_expr *made = expr(builder, "immediate");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(made, NFTNL_EXPR_IMM_DATA, write->value, len);
}

/* Into the registers; returns the first of them. */
static uint32_t load_what(struct builder *builder, const struct nft_write *write)
{
	if (write->map) {
		add_meta(builder, NFT_META_IIFNAME, NFT_REG32_00);
		add_lookup(builder, write->map, NFT_IN_MAP);
		if (write->end_at)
			add_value(builder, write, NFT_REG32_00 + write->end_at / 4, 1);
		return NFT_REG32_00 + write->map_at / 4;
	}
	if (write->copy.from != NFT_NOTHING)
		add_load(builder, &write->copy, NFT_REG32_00);
	else
		add_value(builder, write, NFT_REG32_00, write->to.len);
	return NFT_REG32_00;
}

static uint32_t base_of(enum nft_from from)
{
	if (from == NFT_LINK)
		return NFT_PAYLOAD_LL_HEADER;
	return from == NFT_NETWORK ? NFT_PAYLOAD_NETWORK_HEADER : NFT_PAYLOAD_TRANSPORT_HEADER;
}

static void add_write(struct builder *builder, const struct nft_write *write)
{
	uint32_t reg = load_what(builder, write);
	struct nftnl_expr *made = expr(builder, "payload");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_SREG, reg);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_BASE, base_of(write->to.from));
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_OFFSET, write->to.at);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_LEN, write->to.len);
	if (write->to.from != NFT_NETWORK)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(made, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, IPV4_CHECKSUM);
}

/* --- verdicts --- */

static void add_plain_verdict(struct builder *builder, int verdict, const char *chain)
{
	struct nftnl_expr *made = expr(builder, "immediate");

	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(made, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(made, NFTNL_EXPR_IMM_CHAIN, chain);
}

/* The map's value: an address and a port, in registers behind each other. */
static void add_dnat(struct builder *builder, const struct nft_rule *row)
{
	struct nft_load proto = { NFT_META, NFT_META_L4PROTO, 1 }, port = { NFT_TRANSPORT, 2, 2 };
	struct nftnl_expr *nat;
	uint32_t addr_len = row->number == NFPROTO_IPV4 ? 4 : 16;

	add_load(builder, &proto, NFT_REG32_00);
	add_load(builder, &port, NFT_REG32_01);
	add_map(builder, row->to, NFT_REG32_00);
	nat = expr(builder, "nat");
	if (!nat)
		return;
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_FAMILY, row->number);
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG32_00);
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG32_00 + slots(addr_len));
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

static void add_remember(struct builder *builder, const struct nft_rule *row)
{
	bool is_v4 = row->number == NFPROTO_IPV4;
	struct nft_load addr = { NFT_NETWORK, is_v4 ? 16 : 24, is_v4 ? 4 : 16 };
	struct nft_load to = { NFT_TRANSPORT, 2, 2 }, from = { NFT_TRANSPORT, 0, 2 };
	struct nftnl_expr *made;

	add_load(builder, &addr, NFT_REG32_00);
	add_load(builder, &to, NFT_REG32_00 + slots(addr.len));
	add_load(builder, &from, NFT_REG32_01 + slots(addr.len));
	made = expr(builder, "dynset");
	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG32_00);
	nftnl_expr_set_u32(made, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_str(made, NFTNL_EXPR_DYNSET_SET_NAME, row->to);
}

static void add_forward(struct builder *builder, const struct nft_rule *row)
{
	struct nftnl_expr *made;

	add_loads(builder, row->by);
	add_map(builder, row->to, NFT_REG32_00);
	made = expr(builder, "fwd");
	if (!made)
		return;
	nftnl_expr_set_u32(made, NFTNL_EXPR_FWD_SREG_DEV, NFT_REG32_00);
}

static void add_send_back(struct builder *builder)
{
	struct nftnl_expr *made;

	add_meta(builder, NFT_META_IIF, NFT_REG32_00);
	made = expr(builder, "fwd");
	if (made)
		nftnl_expr_set_u32(made, NFTNL_EXPR_FWD_SREG_DEV, NFT_REG32_00);
}

static void add_verdict(struct builder *builder, const struct nft_rule *row)
{
	switch (row->verdict) {
	case NFT_CONTINUE_ON:
		break;
	case NFT_ACCEPT_IT:
		add_plain_verdict(builder, NF_ACCEPT, NULL);
		break;
	case NFT_DROP_IT:
		add_plain_verdict(builder, NF_DROP, NULL);
		break;
	case NFT_JUMP_TO:
		add_plain_verdict(builder, NFT_JUMP, row->to);
		break;
	case NFT_GO_TO:
		add_plain_verdict(builder, NFT_GOTO, row->to);
		break;
	case NFT_RETURN_NOW:
		add_plain_verdict(builder, NFT_RETURN, NULL);
		break;
	case NFT_MASQUERADE:
		(void)expr(builder, "masq");
		break;
	case NFT_DNAT_BY:
		add_dnat(builder, row);
		break;
	case NFT_REMEMBER:
		add_remember(builder, row);
		break;
	case NFT_SEND_BACK:
		add_send_back(builder);
		break;
	case NFT_FORWARD:
		add_forward(builder, row);
		break;
	}
}

void nft_add_rule(struct nft *nft, const struct nft_table *table, const struct nft_rule *row)
{
	struct nlmsghdr *message =
		nft_message(nft, NFT_MSG_NEWRULE, table->family, NLM_F_CREATE | NLM_F_APPEND);
	struct builder builder = { .rule = nftnl_rule_alloc() };

	if (message && builder.rule) {
		nftnl_rule_set_str(builder.rule, NFTNL_RULE_TABLE, table->name);
		nftnl_rule_set_str(builder.rule, NFTNL_RULE_CHAIN, row->chain);
		for (size_t i = 0;
		     i < ARRAY_SIZE(row->terms) && row->terms[i].load[0].from != NFT_NOTHING; i++)
			add_term(&builder, &row->terms[i]);
		if (row->objects)
			add_objects(&builder, row);
		for (size_t i = 0;
		     i < ARRAY_SIZE(row->writes) && row->writes[i].to.from != NFT_NOTHING; i++)
			add_write(&builder, &row->writes[i]);
		add_verdict(&builder, row);
	}
	if (!message || !builder.rule || builder.failed)
		nft->err = err_first(nft->err, err_sys(ENOMEM, "make an nftables rule"));
	if (message && builder.rule) {
		nftnl_rule_nlmsg_build_payload(message, builder.rule);
		nft_end_message(nft, message);
	}
	if (builder.rule)
		nftnl_rule_free(builder.rule);
}
