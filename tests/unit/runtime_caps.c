/* caps.c: the sets of a process, read back from the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/process/process.h"
#include "tests/unit/child.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* A hexadecimal line of /proc/self/status. */
static uint64_t status_line(const char *name)
{
	OWN(buf) struct buf text = { 0 };
	const char *at;

	if (!went_well(file_read(AT_FDCWD, "/proc/self/status", 65536, &text)))
		return ~UINT64_C(0);
	at = strstr(text.data, name);
	return at ? strtoull(at + strlen(name), NULL, 16) : ~UINT64_C(0);
}

static int drop_some(void)
{
	const struct cap_sets sets = {
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_RAW),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.effective = BIT(CAP_CHOWN),
		.inheritable = BIT(CAP_KILL),
		.ambient = BIT(CAP_KILL),
		.is_set = true,
	};

	CHECK(enter_userns(0));
	CHECK(went_well(process_drop_bounding(&sets)));
	CHECK(status_line("CapBnd:") == sets.bounding);
	CHECK(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
	CHECK(went_well(process_set_caps(&sets)));
	CHECK(status_line("CapPrm:") == sets.permitted);
	CHECK(status_line("CapEff:") == sets.effective);
	CHECK(status_line("CapInh:") == sets.inheritable);
	CHECK(status_line("CapAmb:") == sets.ambient);
	return 0;
}

static int keep_none(void)
{
	const struct cap_sets sets = { .bounding = ~UINT64_C(0), .permitted = ~UINT64_C(0) };

	CHECK(enter_userns(0));
	CHECK(went_well(process_drop_bounding(&sets)));
	CHECK(went_well(process_set_caps(&sets)));
	CHECK(status_line("CapBnd:") == 0);
	CHECK(status_line("CapPrm:") == 0);
	CHECK(status_line("CapEff:") == 0);
	CHECK(status_line("CapInh:") == 0);
	CHECK(status_line("CapAmb:") == 0);
	return 0;
}

static int survive_the_user(void)
{
	const struct cap_sets sets = { .bounding = BIT(CAP_CHOWN),
				       .permitted = BIT(CAP_CHOWN),
				       .effective = BIT(CAP_CHOWN),
				       .is_set = true };
	const struct process_spec process = { .uid = 1000, .gid = 1000 };

	CHECK(enter_userns(0));
	CHECK(went_well(process_drop_bounding(&sets)));
	CHECK(went_well(process_set_user(&process)));
	CHECK(went_well(process_set_caps(&sets)));
	CHECK(status_line("CapEff:") == BIT(CAP_CHOWN));
	return 0;
}

/* What cannot be had is a warning with its name; the rest is granted. */
static int ask_too_much(void)
{
	struct cap_sets sets = { .bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL),
				 .permitted = BIT(CAP_CHOWN),
				 .effective = BIT(CAP_CHOWN),
				 .is_set = true };
	struct log_config config = { .level = LOG_LEVEL_WARNING, .program = "test" };
	char text[512] = "";
	int pair[2];

	CHECK(enter_userns(0));
	CHECK(pipe(pair) == 0);
	config.fd = pair[1];
	log_setup(&config);
	CHECK(went_well(process_set_caps(&sets)));
	sets.permitted |= BIT(CAP_KILL);
	sets.effective |= BIT(CAP_NET_RAW);
	sets.ambient = BIT(CAP_SYS_TIME);
	CHECK(went_well(process_set_caps(&sets)));
	CHECK(status_line("CapPrm:") == BIT(CAP_CHOWN));
	CHECK(status_line("CapEff:") == BIT(CAP_CHOWN));
	CHECK(read(pair[0], text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, "cap_kill") && strstr(text, "cap_net_raw"));
	CHECK(!strstr(text, "cap_chown"));
	CHECK(strstr(text, "cap_sys_time"));
	return 0;
}

/* Without CAP_SETPCAP a set that is already small enough is fine, any other is an error. */
static int drop_without_right(void)
{
	const struct cap_sets none = { 0 }, one = { .bounding = BIT(CAP_CHOWN), .is_set = true };

	CHECK(enter_userns(0));
	CHECK(went_well(process_drop_bounding(&one)));
	CHECK(went_well(process_set_caps(&none)));
	CHECK(went_well(process_drop_bounding(&one)));
	CHECK(failed_with(process_drop_bounding(&none), ERR_SYS));
	return 0;
}

static void run(int (*body)(void))
{
	NEED_USERNS();
	assert_int_equal(in_child(body), 0);
}

static void all_five_sets_are_as_asked(void **state)
{
	(void)state;
	run(drop_some);
}

static void no_sets_mean_no_capabilities(void **state)
{
	(void)state;
	run(keep_none);
}

static void capabilities_survive_the_change_of_user(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("needs several ids: run as root\n");
		skip();
	}
	run(survive_the_user);
}

static void refused_ones_are_named(void **state)
{
	(void)state;
	run(ask_too_much);
}

static void bounding_needs_the_right(void **state)
{
	(void)state;
	run(drop_without_right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_five_sets_are_as_asked),
		cmocka_unit_test(no_sets_mean_no_capabilities),
		cmocka_unit_test(capabilities_survive_the_change_of_user),
		cmocka_unit_test(refused_ones_are_named),
		cmocka_unit_test(bounding_needs_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
