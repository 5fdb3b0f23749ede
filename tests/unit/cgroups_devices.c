/*
 * The device compiler against a naive evaluator: random rule lists, every interesting request,
 * decided by an interpreter of the emitted instructions, by the simplified rules, and by the
 * definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroups/device_rules.h"
#include "cgroups/devices.h"
#include "cgroups/ebpf.h"

struct request {
	uint32_t type, major, minor, access;
};

/* --- the definition: the last rule that matches and names the bit decides, default deny --- */

static bool matches(const struct device_rule *rule, const struct request *request)
{
	char type = request->type == BPF_DEVCG_DEV_CHAR ? 'c' : 'b';

	return (rule->type == 'a' || rule->type == type) &&
	       (rule->major == -1 || rule->major == request->major) &&
	       (rule->minor == -1 || rule->minor == request->minor);
}

static bool names(const struct device_rule *rule, uint32_t bit)
{
	return (bit == BPF_DEVCG_ACC_MKNOD && rule->may_mknod) ||
	       (bit == BPF_DEVCG_ACC_READ && rule->may_read) ||
	       (bit == BPF_DEVCG_ACC_WRITE && rule->may_write);
}

static bool naive_bit(const struct device_rule *rules, size_t count, const struct request *request,
		      uint32_t bit)
{
	bool allowed = false;

	for (size_t i = 0; i < count + default_device_count; i++) {
		const struct device_rule *rule =
			i < count ? &rules[i] : &default_devices[i - count];

		if (matches(rule, request) && names(rule, bit))
			allowed = rule->allow;
	}
	return allowed;
}

static bool naive(const struct device_rule *rules, size_t count, const struct request *request)
{
	for (uint32_t bit = 1; bit <= 4; bit <<= 1)
		if ((request->access & bit) && !naive_bit(rules, count, request, bit))
			return false;
	return true;
}

/* --- an interpreter of what the compiler emits, and of nothing else --- */

static int64_t run(const struct buf *code, const struct request *request)
{
	const struct bpf_insn *insns = (const struct bpf_insn *)(const void *)code->data;
	size_t count = code->len / sizeof(*insns);
	struct bpf_cgroup_dev_ctx ctx = { request->access << 16 | request->type, request->major,
					  request->minor };
	uint64_t reg[11] = { 0 };

	for (size_t at = 0; at < count; at++) {
		const struct bpf_insn *insn = &insns[at];
		uint64_t *dst = &reg[insn->dst_reg];
		uint64_t imm = (uint64_t)(int64_t)insn->imm;
		uint32_t word;

		switch (insn->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_int_equal(insn->src_reg, BPF_REG_1);
			assert_in_range(insn->off, 0, sizeof(ctx) - 4);
			memcpy(&word, (const char *)&ctx + insn->off, 4);
			*dst = word;
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*dst = (uint32_t)reg[insn->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*dst = (uint32_t)imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*dst = (uint32_t)(*dst & imm);
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*dst = (uint32_t)*dst >> imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			at += *dst != imm ? (size_t)insn->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += *dst & imm ? (size_t)insn->off : 0;
			break;
		case BPF_JMP | BPF_JA | BPF_K:
			at += (size_t)insn->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int64_t)reg[0];
		default:
			fail_msg("instruction %zu has the unknown code 0x%x", at, insn->code);
		}
	}
	fail_msg("ran past the last instruction");
	return -1;
}

/* --- random rules over few numbers, so that they meet often --- */

static const int numbers[] = { -1, -1, 1, 5, 136, 8, 0, 3 };

static int pick(int count)
{
	return rand() % count;
}

static struct device_rule random_rule(void)
{
	int access = 1 + pick(7);

	return (struct device_rule){
		.allow = pick(2),
		.type = "acb"[pick(3)],
		.major = numbers[pick(8)],
		.minor = numbers[pick(8)],
		.may_read = access & 1,
		.may_write = access & 2,
		.may_mknod = access & 4,
	};
}

static void print_rules(const struct device_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_error("%s %c %lld:%lld %s%s%s\n", rules[i].allow ? "allow" : "deny",
			    rules[i].type, (long long)rules[i].major, (long long)rules[i].minor,
			    rules[i].may_read ? "r" : "", rules[i].may_write ? "w" : "",
			    rules[i].may_mknod ? "m" : "");
}

static void compare_all_requests(const struct device_rule *rules, size_t count)
{
	static const uint32_t majors[] = { 1, 5, 136, 8, 0, 3, 77 },
			      minors[] = { 0, 1, 3, 5, 8, 136, 99 };
	OWN(buf) struct buf code = { 0 };
	bool all;

	assert_null(devices_compile(rules, count, &code, &all));
	for (size_t i = 0; i < 2 * ARRAY_SIZE(majors) * ARRAY_SIZE(minors) * 7; i++) {
		struct request request = {
			.type = i % 2 ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK,
			.access = (uint32_t)(i / 2 % 7 + 1),
			.major = majors[i / 14 % ARRAY_SIZE(majors)],
			.minor = minors[i / 14 / ARRAY_SIZE(majors)],
		};
		bool want = naive(rules, count, &request);
		bool got = all || run(&code, &request) == 1;

		if (want == got)
			continue;
		print_rules(rules, count);
		fail_msg("%c %u:%u access %u: %d instead of %d", i % 2 ? 'c' : 'b', request.major,
			 request.minor, request.access, got, want);
	}
}

static void random_lists_decide_like_the_definition(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 3000; round++) {
		struct device_rule rules[12];
		size_t count = (size_t)pick(13);

		for (size_t i = 0; i < count; i++)
			rules[i] = random_rule();
		compare_all_requests(rules, count);
	}
}

/* --- fixed cases --- */

#define ALLOW(t, maj, min)                          \
	{                                           \
		true, t, maj, min, true, true, true \
	}
#define DENY(t, maj, min)                            \
	{                                            \
		false, t, maj, min, true, true, true \
	}

static size_t insn_count(const struct device_rule *rules, size_t count, bool *ret_all)
{
	OWN(buf) struct buf code = { 0 };

	assert_null(devices_compile(rules, count, &code, ret_all));
	return code.len / sizeof(struct bpf_insn);
}

static void a_denied_write_does_not_hide_in_a_read_write_open(void **state)
{
	static const struct device_rule rules[] = {
		ALLOW('c', 10, 7),
		{ .allow = false, .type = 'c', .major = 10, .minor = 7, .may_write = true },
	};
	static const struct request both = { BPF_DEVCG_DEV_CHAR, 10, 7,
					     BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE };
	static const struct request reading = { BPF_DEVCG_DEV_CHAR, 10, 7, BPF_DEVCG_ACC_READ };
	OWN(buf) struct buf code = { 0 };
	bool all;

	(void)state;
	assert_null(devices_compile(rules, 2, &code, &all));
	assert_false(all);
	assert_int_equal(run(&code, &both), 0);
	assert_int_equal(run(&code, &reading), 1);
}

static void allow_all_needs_no_program(void **state)
{
	static const struct device_rule rules[] = { DENY('a', -1, -1), ALLOW('c', 10, 7),
						    ALLOW('a', -1, -1) };
	bool all = false;

	(void)state;
	assert_int_equal(insn_count(rules, 3, &all), 0);
	assert_true(all);
}

static void what_decides_nothing_costs_nothing(void **state)
{
	static const struct device_rule noise[] = {
		ALLOW('c', 10, 7),		    /* overruled by the next */
		DENY('a', -1, -1), DENY('b', 8, 0), /* denied anyway */
		ALLOW('c', 1, 3),		    /* a default device */
	};
	bool all;

	(void)state;
	assert_int_equal(insn_count(noise, 4, &all), insn_count(NULL, 0, &all));
	assert_false(all);
	/* nine default devices: 7 to begin, 1 type, 3 majors, 8 minors, 9 verdicts of 2, 1 end;
	 * mknod for all: 1 verdict of 4 */
	assert_int_equal(insn_count(NULL, 0, &all), 42);
}

static void impossible_rules_are_refused(void **state)
{
	static const struct device_rule bad[] = {
		{ true, 'x', 1, 1, true, true, true },
		{ true, '\0', 1, 1, true, true, true },
		{ true, 'c', -2, 1, true, true, true },
		{ true, 'c', 1, (int64_t)INT32_MAX + 1, true, true, true },
	};
	OWN(buf) struct buf code = { 0 };
	bool all;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err *err = devices_compile(&bad[i], 1, &code, &all);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
	assert_null(code.data);
}

/* The verifier is the judge of the code where it can be asked; interpreters forgive. */
static void the_verifier_accepts_random_programs(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 100; round++) {
		struct device_rule rules[40];
		size_t count = (size_t)pick(41);
		OWN(buf) struct buf code = { 0 };
		OWN(fd) int fd = -1;
		struct err *err;
		bool all;

		for (size_t i = 0; i < count; i++)
			rules[i] = random_rule();
		assert_null(devices_compile(rules, count, &code, &all));
		if (all)
			continue;
		err = ebpf_device_program(&code, "/nonexistent/cella", &fd);
		if (err && (err_errno(err) == EPERM || err_errno(err) == ENOSYS)) {
			print_message("no bpf(2) here: %s\n", err_text(err));
			err_drop(err);
			skip();
		}
		if (err) {
			print_rules(rules, count);
			fail_msg("%s", err_text(err));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lists_decide_like_the_definition),
		cmocka_unit_test(a_denied_write_does_not_hide_in_a_read_write_open),
		cmocka_unit_test(allow_all_needs_no_program),
		cmocka_unit_test(what_decides_nothing_costs_nothing),
		cmocka_unit_test(impossible_rules_are_refused),
		cmocka_unit_test(the_verifier_accepts_random_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
