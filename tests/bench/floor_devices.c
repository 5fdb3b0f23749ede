/*
 * floor: the device program of the default rules, assembled by hand and attached to the cgroup.
 * Source: Documentation/admin-guide/cgroup-v2.rst "Device controller"; linux/bpf.h.
 */
#include "tests/bench/floor.h"

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY (-1)

/* What runc and crun add to every container: mknod of anything, and the default nodes. */
static const struct rule {
	uint32_t type, access;
	int32_t major, minor;
} rules[] = {
	{ BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_MKNOD, ANY, ANY },
	{ BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_MKNOD, ANY, ANY },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 3 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 8 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 7 },
	{ BPF_DEVCG_DEV_CHAR, 7, 5, 0 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 5 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 9 },
	{ BPF_DEVCG_DEV_CHAR, 7, 5, 1 },
	{ BPF_DEVCG_DEV_CHAR, 7, 136, ANY },
	{ BPF_DEVCG_DEV_CHAR, 7, 5, 2 },
};

struct program {
	struct bpf_insn insn[128];
	uint32_t count;
};

static void emit(struct program *p, uint8_t code, unsigned int dst, unsigned int src, int32_t imm)
{
	p->insn[p->count++] = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .imm = imm
	};
}

/* r2 = type, r3 = access, r4 = major, r5 = minor, from struct bpf_cgroup_dev_ctx in r1. */
static void emit_load(struct program *p)
{
	for (unsigned int reg = 3; reg <= 5; reg++) {
		emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, 0);
		p->insn[p->count - 1].off = (int16_t)((reg - 3) * sizeof(uint32_t));
	}
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 16);
}

static void emit_rule(struct program *p, const struct rule *rule)
{
	uint32_t first = p->count;

	emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, (int32_t)rule->type);
	if (rule->access != 7) {
		/* Every access that is asked for has to be in the rule: access & ~rule must be 0.
		 */
		emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0);
		emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, (int32_t)~rule->access);
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0);
	}
	if (rule->major != ANY)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, rule->major);
	if (rule->minor != ANY)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, rule->minor);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0);
	for (uint32_t i = first; i < p->count; i++)
		if (p->insn[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			p->insn[i].off = (int16_t)(p->count - i - 1);
}

int floor_attach_devices(int cgroup_fd)
{
	static const char license[] = "GPL";
	struct program p = { .count = 0 };
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE }, attach = { 0 };
	int prog_fd;

	emit_load(&p);
	for (size_t i = 0; i < COUNT(rules); i++)
		emit_rule(&p, &rules[i]);
	emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0);
	emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0);
	load.insns = (uint64_t)(uintptr_t)p.insn;
	load.insn_cnt = p.count;
	load.license = (uint64_t)(uintptr_t)license;
	prog_fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog_fd < 0)
		return -1;
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)prog_fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach));
}
