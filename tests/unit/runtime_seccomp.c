/* seccomp.c and seccomp_names.c: from a profile to a filter that works in the kernel, through the
 * cache or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "runtime/process/filter.h"
#include "tests/unit/bpf.h"

/* --- what the default means for calls newer than the profile --- */

static uint32_t answer(const struct seccomp_filter *filter, uint32_t arch, uint32_t number)
{
	const struct seccomp_data data = { .nr = (int)number, .arch = arch };

	return run_filter(filter, &data);
}

static void newer_calls_seem_to_be_missing(void **state)
{
	const struct filter_target target = { .native = SCMP_ARCH_X86_64, .answer_newer = true };
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	OWN(spec) struct spec spec;

	(void)state;
	read_profile("docker", &spec);
	assert_true(went_well(filter_generate(&spec.seccomp, &target, &filter)));
	assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 0), SCMP_ACT_ALLOW);
	assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 246),
			 SCMP_ACT_ERRNO(EPERM)); /* kexec_load */
	assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 1000), SCMP_ACT_ERRNO(ENOSYS));
	assert_int_equal(answer(&filter, AUDIT_ARCH_I386, 1000), SCMP_ACT_ERRNO(ENOSYS));
	assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 0x40000000 + 1000),
			 SCMP_ACT_ERRNO(ENOSYS));
	assert_int_equal(answer(&filter, AUDIT_ARCH_AARCH64, 0), SCMP_ACT_KILL_PROCESS);
}

static void some_defaults_stay_for_newer_calls(void **state)
{
	static const struct {
		uint32_t action, newer;
	} cases[] = {
		{ SCMP_ACT_ERRNO(EPERM), SCMP_ACT_ERRNO(ENOSYS) },
		{ SCMP_ACT_KILL, SCMP_ACT_ERRNO(ENOSYS) },
		{ SCMP_ACT_KILL_PROCESS, SCMP_ACT_ERRNO(ENOSYS) },
		{ SCMP_ACT_TRAP, SCMP_ACT_ERRNO(ENOSYS) },
		{ SCMP_ACT_ALLOW, SCMP_ACT_ALLOW },
		{ SCMP_ACT_LOG, SCMP_ACT_LOG },
		{ SCMP_ACT_TRACE(3), SCMP_ACT_TRACE(3) },
	};
	const struct filter_target target = { .native = SCMP_ARCH_X86_64, .answer_newer = true };
	char *names[] = { (char[]){ "read" }, (char[]){ "close" } },
	     *last[] = { (char[]){ "ioctl" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
		/* a rule that repeats the default still tells that the profile knows the call */
		struct seccomp_rule rules[] = {
			{ .names = { names, 2 }, .action = SCMP_ACT_ERRNO(7) },
			{ .names = { last, 1 }, .action = cases[i].action }
		};
		const struct seccomp_spec spec = { .default_action = cases[i].action,
						   .rules = rules,
						   .rule_count = 2 };

		assert_true(went_well(filter_generate(&spec, &target, &filter)));
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 0), SCMP_ACT_ERRNO(7));
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 2), cases[i].action);
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 16), cases[i].action);
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 17), cases[i].newer);
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 0x40000000),
				 SCMP_ACT_KILL_PROCESS);
		assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, UINT32_MAX), cases[i].action);
		assert_int_equal(answer(&filter, AUDIT_ARCH_I386, 3), SCMP_ACT_KILL_PROCESS);
	}
}

/* --- preparing and installing --- */

static char *one_name[1];
static struct seccomp_rule one_rule;

/* Everything is allowed but one call. */
static struct seccomp_spec profile_against(const char *name, uint32_t action, char *source)
{
	memcpy(&one_name[0], &name, sizeof(name)); /* borrowed, and nobody writes to it */
	one_rule = (struct seccomp_rule){ .names = { one_name, 1 }, .action = action };
	return (struct seccomp_spec){ .is_set = true,
				      .default_action = SCMP_ACT_ALLOW,
				      .rules = &one_rule,
				      .rule_count = 1,
				      .source = source };
}

static int refuse_uname(void)
{
	char source[] = "x";
	struct seccomp_spec spec = profile_against("uname", SCMP_ACT_ERRNO(ENOTTY), source);
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	char names[400];
	int listener_fd = 0;

	CHECK(went_well(seccomp_prepare(&spec, -1, &filter)));
	CHECK(!filter.needs_listener);
	filter.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
		       1 << 5; /* WAIT_KILLABLE_RECV */
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(went_well(seccomp_install(&filter, &listener_fd)));
	CHECK(listener_fd == -1);
	CHECK(syscall(SYS_uname, names) < 0 && errno == ENOTTY);
	filter.flags = 1U << 30;
	CHECK(failed_with(seccomp_install(&filter, &listener_fd), ERR_SYS));
	return 0;
}

/* The listener really hears of the call. */
static int listen_to_uname(void)
{
	char source[] = "x", names[400];
	struct seccomp_spec spec = profile_against("uname", SCMP_ACT_NOTIFY, source);
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	struct seccomp_notif heard = { 0 };
	struct seccomp_notif_resp answered = { .error = -EXDEV };
	int listener_fd = -1, status;
	pid_t pid;

	CHECK(went_well(seccomp_prepare(&spec, -1, &filter)));
	CHECK(filter.needs_listener);
	filter.flags = SECCOMP_FILTER_FLAG_TSYNC; /* needs TSYNC_ESRCH beside a listener */
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(went_well(seccomp_install(&filter, &listener_fd)));
	CHECK(listener_fd >= 0 && fcntl(listener_fd, F_GETFD) & FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		_exit(syscall(SYS_uname, names) < 0 && errno == EXDEV ? 0 : 1);
	CHECK(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &heard) == 0);
	CHECK(heard.data.nr == SYS_uname);
	answered.id = heard.id;
	CHECK(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answered) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void filters_work_in_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(in_child(refuse_uname), 0);
	assert_int_equal(in_child(listen_to_uname), 0);
}

static void calls_that_we_need_are_not_notified(void **state)
{
	static const char *const names[] = { "write", "sendmsg" };
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	char source[] = "x";
	struct seccomp_spec spec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		spec = profile_against(names[i], SCMP_ACT_NOTIFY, source);
		assert_true(failed_with(seccomp_prepare(&spec, -1, &filter), ERR_INVALID));
	}
	spec = profile_against("uname", SCMP_ACT_ERRNO(1), source);
	spec.default_action = SCMP_ACT_NOTIFY;
	assert_true(failed_with(seccomp_prepare(&spec, -1, &filter), ERR_INVALID));
}

/* What the cache holds is used: a marked entry comes back with its mark. */
static void the_cache_is_filled_and_used(void **state)
{
	char dir[] = "/tmp/cella-seccomp-XXXXXX", source[] = "{\"a\":1}", other[] = "{\"a\":2}";
	struct seccomp_spec spec = profile_against("uname", SCMP_ACT_NOTIFY, source);
	OWN(seccomp_filter)
	struct seccomp_filter first = { 0 }, second = { 0 }, third = { 0 }, marked = { 0 };
	struct sock_filter insn = { .code = BPF_RET | BPF_K, .k = 42 };
	OWN(str) char *key = NULL;
	int dir_fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(went_well(seccomp_prepare(&spec, dir_fd, &first)));
	assert_true(first.count > 1);
	assert_true(went_well(filter_cache_key(&spec, &key)));
	assert_true(went_well(filter_cache_load(dir_fd, key, &marked)));
	assert_int_equal(marked.count, first.count);
	seccomp_filter_release(&marked);
	marked = (struct seccomp_filter){ .insns = &insn, .count = 1 };
	assert_true(went_well(filter_cache_store(dir_fd, key, &marked)));
	marked = (struct seccomp_filter){ 0 };
	spec.flags = SECCOMP_FILTER_FLAG_LOG;
	assert_true(went_well(seccomp_prepare(&spec, dir_fd, &second)));
	assert_true(second.count == 1 && second.insns[0].k == 42);
	/* what is not in the file is the profile's */
	assert_true(second.needs_listener && second.flags == SECCOMP_FILTER_FLAG_LOG);
	spec.source = other;
	assert_true(went_well(seccomp_prepare(&spec, dir_fd, &third)));
	assert_int_equal(third.count, first.count);
	close(dir_fd);
	assert_null(path_remove_tree(AT_FDCWD, dir));
}

/* Overlapping rules with different answers are libseccomp's to judge; contradictions are an error.
 */
static void hard_cases_go_to_the_library(void **state)
{
	char *names[] = { (char[]){ "ioctl" } };
	struct seccomp_rule rules[] = {
		{ { names, 1 }, SCMP_ACT_ALLOW, { { 0, 5, 0, SCMP_CMP_GT } }, 1 },
		{ { names, 1 }, SCMP_ACT_LOG, { { 1, 7, 0, SCMP_CMP_EQ } }, 1 },
	};
	const struct filter_target target = { .native = seccomp_arch_native() };
	struct seccomp_spec spec = { .default_action = SCMP_ACT_ERRNO(1),
				     .rules = rules,
				     .rule_count = 2 };
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };

	(void)state;
	assert_true(failed_with(filter_generate(&spec, &target, &filter), ERR_UNSUPPORTED));
	assert_true(went_well(seccomp_prepare(&spec, -1, &filter)));
	rules[1] = rules[0];
	rules[1].action = SCMP_ACT_LOG;
	seccomp_filter_release(&filter);
	assert_true(failed_with(seccomp_prepare(&spec, -1, &filter), ERR_INVALID));
	rules[1].action = SCMP_ACT_ALLOW;
	assert_true(went_well(filter_generate(&spec, &target, &filter)));
	seccomp_filter_release(&filter);
	assert_true(failed_with(
		filter_generate(&spec, &(struct filter_target){ .native = SCMP_ARCH_S390X },
				&filter),
		ERR_UNSUPPORTED));
}

/* Two rules for one call, with different answers: ours to compile when no argument meets both. */
static void only_clear_cases_are_ours(void **state)
{
	static const struct {
		struct seccomp_arg one[2], two[2];
		bool ours, on_i386;
	} cases[] = {
		{ { { 0, 1, 0, SCMP_CMP_EQ } }, { { 0, 2, 0, SCMP_CMP_EQ } }, true, true },
		{ { { 0, 1, 0, SCMP_CMP_EQ } }, { { 0, 1, 0, SCMP_CMP_NE } }, true, true },
		{ { { 0, 1, 0, SCMP_CMP_EQ } }, { { 0, 2, 0, SCMP_CMP_NE } }, false, false },
		{ { { 0, 1, 0, SCMP_CMP_EQ } }, { { 1, 2, 0, SCMP_CMP_EQ } }, false, false },
		{ { { 0, 1, 0, SCMP_CMP_EQ } },
		  { { 0, 0x100000001, 0, SCMP_CMP_EQ } },
		  true,
		  false },
		{ { { 0, 3, 1, SCMP_CMP_MASKED_EQ } },
		  { { 0, 5, 4, SCMP_CMP_MASKED_EQ } },
		  true,
		  true },
		{ { { 0, 3, 1, SCMP_CMP_MASKED_EQ } },
		  { { 0, 5, 1, SCMP_CMP_MASKED_EQ } },
		  false,
		  false },
		{ { { 0, 3, 0, SCMP_CMP_LT } }, { { 0, 5, 0, SCMP_CMP_GT } }, false, false },
		{ { { 0, 1, 0, SCMP_CMP_EQ }, { 1, 2, 0, SCMP_CMP_EQ } },
		  { { 0, 1, 0, SCMP_CMP_EQ }, { 2, 3, 0, SCMP_CMP_EQ } },
		  false,
		  false },
		{ { { 0, 1, 0, SCMP_CMP_EQ }, { 1, 2, 0, SCMP_CMP_EQ } },
		  { { 0, 1, 0, SCMP_CMP_EQ }, { 1, 3, 0, SCMP_CMP_EQ } },
		  true,
		  true },
	};
	const struct filter_target target = { .native = SCMP_ARCH_X86_64 };
	uint32_t i386 = SCMP_ARCH_X86;
	char *names[] = { (char[]){ "ioctl" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t archs = 0; archs < 2; archs++) {
			OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
			size_t count = cases[i].one[1].op ? 2 : 1;
			struct seccomp_rule rules[] = {
				{ { names, 1 }, SCMP_ACT_ALLOW, .arg_count = count },
				{ { names, 1 }, SCMP_ACT_LOG, .arg_count = count }
			};
			const struct seccomp_spec spec = { .default_action = SCMP_ACT_ERRNO(1),
							   .archs = &i386,
							   .arch_count = archs,
							   .rules = rules,
							   .rule_count = 2 };

			memcpy(rules[0].args, cases[i].one, sizeof(cases[i].one));
			memcpy(rules[1].args, cases[i].two, sizeof(cases[i].two));
			if (archs ? cases[i].on_i386 : cases[i].ours)
				assert_true(went_well(filter_generate(&spec, &target, &filter)));
			else
				assert_true(failed_with(filter_generate(&spec, &target, &filter),
							ERR_UNSUPPORTED));
		}
}

/* Longer than BPF_MAXINSNS: an error here, not a cut program. */
static void endless_profiles_are_refused(void **state)
{
	static struct seccomp_rule rules[BPF_MAXINSNS + 1];
	const struct filter_target target = { .native = SCMP_ARCH_X86_64 };
	struct seccomp_spec spec = { .default_action = SCMP_ACT_ERRNO(1), .rules = rules };
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	char *names[] = { (char[]){ "ioctl" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct seccomp_rule){
			{ names, 1 }, SCMP_ACT_ALLOW, { { 1, i, 0, SCMP_CMP_EQ } }, 1
		};
	spec.rule_count = 1000; /* four instructions each */
	assert_true(went_well(filter_generate(&spec, &target, &filter)));
	assert_true(filter.count > 4000 && filter.count <= BPF_MAXINSNS);
	seccomp_filter_release(&filter);
	spec.rule_count = 1200;
	assert_true(failed_with(filter_generate(&spec, &target, &filter), ERR_UNSUPPORTED));
	spec.rule_count = ARRAY_SIZE(rules);
	assert_true(failed_with(filter_generate(&spec, &target, &filter), ERR_INVALID));
}

static void every_word_is_known(void **state)
{
	uint32_t value;
	unsigned int flag;
	size_t i;
	int op;

	(void)state;
	for (i = 0; seccomp_action_name(i); i++)
		assert_null(seccomp_action_parse(seccomp_action_name(i), &value));
	assert_int_equal(i, 9);
	for (i = 0; seccomp_op_name(i); i++)
		assert_null(seccomp_op_parse(seccomp_op_name(i), &op));
	assert_int_equal(i, 7);
	for (i = 0; seccomp_arch_name(i); i++) {
		assert_null(seccomp_arch_parse(seccomp_arch_name(i), &value));
		assert_true(i == 0 || strcmp(seccomp_arch_name(i - 1), seccomp_arch_name(i)) < 0);
	}
	assert_int_equal(i, 23);
	for (i = 0; seccomp_flag_name(i); i++)
		assert_null(seccomp_flag_parse(seccomp_flag_name(i), &flag));
	assert_int_equal(i, 4);
	assert_null(seccomp_action_parse("SCMP_ACT_KILL", &value));
	assert_int_equal(value, SCMP_ACT_KILL_THREAD);
	assert_null(seccomp_op_parse("SCMP_CMP_MASKED_EQ", &op));
	assert_int_equal(op, SCMP_CMP_MASKED_EQ);
	assert_true(failed_with(seccomp_action_parse("ALLOW", &value), ERR_INVALID));
	assert_true(failed_with(seccomp_arch_parse("", &value), ERR_INVALID));
	assert_true(failed_with(seccomp_flag_parse("SECCOMP_FILTER_FLAG_NEW_LISTENER", &flag),
				ERR_INVALID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newer_calls_seem_to_be_missing),
		cmocka_unit_test(some_defaults_stay_for_newer_calls),
		cmocka_unit_test(filters_work_in_the_kernel),
		cmocka_unit_test(calls_that_we_need_are_not_notified),
		cmocka_unit_test(the_cache_is_filled_and_used),
		cmocka_unit_test(hard_cases_go_to_the_library),
		cmocka_unit_test(only_clear_cases_are_ours),
		cmocka_unit_test(endless_profiles_are_refused),
		cmocka_unit_test(every_word_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
