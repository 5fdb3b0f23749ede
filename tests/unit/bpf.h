/* Seccomp filters without a kernel: an interpreter of what they consist of, and the profiles to
 * try. */
#ifndef TESTS_UNIT_BPF_H
#define TESTS_UNIT_BPF_H

#include <fcntl.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <cmocka.h>

#include "base/fd.h"
#include "runtime/process/filter.h"
#include "tests/unit/child.h"

static inline uint32_t run_filter(const struct seccomp_filter *filter,
				  const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < filter->count; pc++) {
		const struct sock_filter *insn = &filter->insns[pc];
		bool jump = false;

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(insn->k % 4 == 0 && insn->k < sizeof(*data));
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			continue;
		case BPF_RET | BPF_K:
			return insn->k;
		case BPF_JMP | BPF_JA:
			pc += insn->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == insn->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = a > insn->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= insn->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = (a & insn->k) != 0;
			break;
		default:
			fail_msg("instruction %zu has code %x", pc, insn->code);
		}
		pc += jump ? insn->jt : insn->jf;
	}
	fail_msg("fell off the end of the filter");
	return 0;
}

/* The seccomp section of a recorded config.json. */
static inline void read_profile(const char *name, struct spec *ret_spec)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL;

	assert_null(str_format(&path, "tests/data/config/%s.json", name));
	assert_true(went_well(file_read(AT_FDCWD, path, 1 << 20, &text)));
	spec_init(ret_spec);
	assert_true(went_well(spec_parse(text.data, text.len, "/tmp", ret_spec)));
	assert_true(ret_spec->seccomp.is_set);
}

/* From here on a system call does nothing and returns this errno, 0 for success. For children. */
static inline bool fake_call(long number, int errnum)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(insns), insns };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#endif
