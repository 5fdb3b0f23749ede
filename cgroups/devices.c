/*
 * Emit the eBPF program for device rules; see devices.h. Registers while it runs:
 * r0 verdict (0 until proven), r2 type, r3 bits of the request that nothing has allowed yet, r4
 * major, r5 minor. The program reads no map and calls no helper, so that it can be shared and its
 * content is its name.
 */
#include "cgroups/devices.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroups/device_rules.h"

struct program {
	struct buf *code;
	struct err *err; /* the first failure; later emits do nothing */
	bool ended;	 /* the last instruction cannot fall through */
};

static size_t here(const struct program *program)
{
	return program->code->len / sizeof(struct bpf_insn);
}

static void emit(struct program *program, struct bpf_insn insn)
{
	if (!program->err)
		program->err = buf_add(program->code, &insn, sizeof(insn));
	program->ended = insn.code == (BPF_JMP | BPF_EXIT);
}

static void emit_load(struct program *program, uint8_t reg, size_t offset)
{
	emit(program, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
					 .dst_reg = reg,
					 .src_reg = BPF_REG_1,
					 .off = (int16_t)offset });
}

static void emit_alu(struct program *program, uint8_t operation, uint8_t reg, int32_t number)
{
	emit(program, (struct bpf_insn){ .code = (uint8_t)(BPF_ALU | operation | BPF_K),
					 .dst_reg = reg,
					 .imm = number });
}

static void emit_jump(struct program *program, uint8_t condition, uint8_t reg, int32_t number,
		      int16_t skip)
{
	emit(program, (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | condition | BPF_K),
					 .dst_reg = reg,
					 .off = skip,
					 .imm = number });
}

static void emit_exit(struct program *program)
{
	emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static void emit_begin(struct program *program)
{
	emit_load(program, BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(program, (struct bpf_insn){ .code = BPF_ALU | BPF_MOV | BPF_X,
					 .dst_reg = BPF_REG_3,
					 .src_reg = BPF_REG_2 });
	emit_alu(program, BPF_AND, BPF_REG_2, 0xffff);
	emit_alu(program, BPF_RSH, BPF_REG_3, 16);
	emit_load(program, BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(program, BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit_alu(program, BPF_MOV, BPF_REG_0, 0);
}

/* What a matching rule does: take its bits off the request and end when none is left, or deny. */
static void emit_verdict(struct program *program, const struct device_mask *mask)
{
	bool is_whole = mask->access == DEVICE_ALL_ACCESS;

	if (mask->allow) {
		if (!is_whole) {
			emit_alu(program, BPF_AND, BPF_REG_3,
				 (int32_t)(DEVICE_ALL_ACCESS & ~mask->access));
			emit_jump(program, BPF_JNE, BPF_REG_3, 0, 2);
		}
		emit_alu(program, BPF_MOV, BPF_REG_0, 1);
		emit_exit(program);
	} else {
		if (!is_whole) {
			emit_jump(program, BPF_JSET, BPF_REG_3, (int32_t)mask->access, 1);
			emit_jump(program, BPF_JA, 0, 0, 1);
		}
		emit_exit(program);
	}
	program->ended = is_whole;
}

/* "Unless reg is number, skip to the label": returns where the jump stands, for set_label(). */
static size_t emit_unless(struct program *program, uint8_t reg, int32_t number)
{
	emit_jump(program, BPF_JNE, reg, number, 0);
	return here(program) - 1;
}

static void set_label(struct program *program, size_t jump)
{
	size_t distance = here(program) - jump - 1;
	struct bpf_insn *insns = (struct bpf_insn *)(void *)program->code->data;

	if (program->err)
		return;
	if (distance > INT16_MAX) {
		program->err = err_new(ERR_INVALID, "too many device rules for one eBPF program");
		return;
	}
	insns[jump].off = (int16_t)distance;
	program->ended = false;
}

/* A field of a rule as a level of the decision tree: neighbours with one value share one
 * comparison. */
enum level { LEVEL_TYPE, LEVEL_MAJOR, LEVEL_MINOR, LEVEL_COUNT };

static int32_t level_value(const struct device_mask *mask, enum level level)
{
	switch (level) {
	case LEVEL_TYPE:
		return mask->type;
	case LEVEL_MAJOR:
		return mask->major;
	case LEVEL_MINOR:
		return mask->minor;
	case LEVEL_COUNT:
		break;
	}
	return DEVICE_ANY;
}

static void emit_level(struct program *program, const struct device_mask *masks, size_t count,
		       enum level level)
{
	static const uint8_t registers[] = { BPF_REG_2, BPF_REG_4, BPF_REG_5 };

	if (level == LEVEL_COUNT) {
		emit_verdict(program, masks); /* one rule: equals were merged */
		return;
	}
	for (size_t begin = 0, end; begin < count; begin = end) {
		int32_t value = level_value(&masks[begin], level);
		size_t jump = 0;

		for (end = begin; end < count && level_value(&masks[end], level) == value;)
			end++;
		if (value != DEVICE_ANY)
			jump = emit_unless(program, registers[level], value);
		emit_level(program, masks + begin, end - begin, level + 1);
		if (value != DEVICE_ANY)
			set_label(program, jump);
	}
}

static void emit_rules(struct program *program, const struct device_masks *masks)
{
	const struct device_mask *items = masks->items;

	for (size_t begin = 0, end; begin < masks->count; begin = end) {
		for (end = begin; end < masks->count && items[end].allow == items[begin].allow;)
			end++;
		emit_level(program, items + begin, end - begin, LEVEL_TYPE);
	}
}

struct err *devices_compile(const struct device_rule *rules, size_t count, struct buf *ret_code,
			    bool *ret_allows_all)
{
	struct device_masks masks = { 0 };
	OWN(buf) struct buf code = { 0 };
	struct program program = { .code = &code };
	bool allows_all;

	TRY(device_masks_parse(rules, count, &masks));
	device_masks_simplify(&masks);
	allows_all = device_masks_allow_all(&masks);
	if (!allows_all) {
		device_masks_arrange(&masks);
		emit_begin(&program);
		emit_rules(&program, &masks);
		/* the verifier refuses an instruction that nothing reaches */
		if (!program.ended)
			emit_exit(&program);
	}
	device_masks_release(&masks);
	if (program.err)
		return program.err;
	*ret_code = code;
	code = (struct buf){ 0 };
	*ret_allows_all = allows_all;
	return NULL;
}
