/* The words of config-linux.md "Seccomp" and libseccomp's and the kernel's numbers for them. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "runtime/process/process.h"

/* Younger than the oldest headers we build with; the values are the kernel's interface. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif
#define ARCH_LOONGARCH64 (EM_LOONGARCH | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)

struct name {
	const char *name;
	uint32_t value;
};

/* clang-format off */
static const struct name actions[] = {
	{ "SCMP_ACT_ALLOW",        SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO",        SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL",         SCMP_ACT_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD",  SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG",          SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY",       SCMP_ACT_NOTIFY },
	{ "SCMP_ACT_TRACE",        SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP",         SCMP_ACT_TRAP },
};

static const struct name ops[] = {
	{ "SCMP_CMP_EQ",        SCMP_CMP_EQ },
	{ "SCMP_CMP_GE",        SCMP_CMP_GE },
	{ "SCMP_CMP_GT",        SCMP_CMP_GT },
	{ "SCMP_CMP_LE",        SCMP_CMP_LE },
	{ "SCMP_CMP_LT",        SCMP_CMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE",        SCMP_CMP_NE },
};

static const struct name archs[] = {
	{ "SCMP_ARCH_AARCH64",     SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM",         SCMP_ARCH_ARM },
	{ "SCMP_ARCH_LOONGARCH64", ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K",        AUDIT_ARCH_M68K },
	{ "SCMP_ARCH_MIPS",        SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64",      SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32",   SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL",      SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64",    SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC",      SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64",    SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC",         SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64",       SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE",     SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64",     SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390",        SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X",       SCMP_ARCH_S390X },
	{ "SCMP_ARCH_SH",          AUDIT_ARCH_SHEL },
	{ "SCMP_ARCH_SHEB",        AUDIT_ARCH_SH },
	{ "SCMP_ARCH_X32",         SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86",         SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64",      SCMP_ARCH_X86_64 },
};

static const struct name flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG",                SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW",         SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC",              SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};
/* clang-format on */

struct names {
	const char *what;
	const struct name *items;
	size_t count;
};
static const struct names action_names = { "action", actions, ARRAY_SIZE(actions) };
static const struct names op_names = { "operator", ops, ARRAY_SIZE(ops) };
static const struct names arch_names = { "architecture", archs, ARRAY_SIZE(archs) };
static const struct names flag_names = { "flag", flags, ARRAY_SIZE(flags) };

static struct err *parse(const struct names *names, const char *name, uint32_t *ret_value)
{
	for (size_t i = 0; i < names->count; i++)
		if (str_eq(names->items[i].name, name)) {
			*ret_value = names->items[i].value;
			return NULL;
		}
	return err_new(ERR_INVALID, "'%.64s' is not a seccomp %s", name, names->what);
}

static const char *name_at(const struct names *names, size_t i)
{
	return i < names->count ? names->items[i].name : NULL;
}

struct err *seccomp_action_parse(const char *name, uint32_t *ret_action)
{
	return parse(&action_names, name, ret_action);
}

struct err *seccomp_op_parse(const char *name, int *ret_op)
{
	uint32_t value;

	TRY(parse(&op_names, name, &value));
	*ret_op = (int)value;
	return NULL;
}

struct err *seccomp_arch_parse(const char *name, uint32_t *ret_arch)
{
	return parse(&arch_names, name, ret_arch);
}

struct err *seccomp_flag_parse(const char *name, unsigned int *ret_flag)
{
	return parse(&flag_names, name, ret_flag);
}

const char *seccomp_action_name(size_t i)
{
	return name_at(&action_names, i);
}

const char *seccomp_op_name(size_t i)
{
	return name_at(&op_names, i);
}

const char *seccomp_arch_name(size_t i)
{
	return name_at(&arch_names, i);
}

const char *seccomp_flag_name(size_t i)
{
	return name_at(&flag_names, i);
}
