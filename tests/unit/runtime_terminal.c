/* terminal.c, fds.c, keyring.c, lsm.c: what a program inherits besides its ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "runtime/process/process.h"
#include "runtime/process/procfs.h"
#include "tests/unit/bpf.h"

static int attach(void)
{
	const struct process_spec process = { .terminal = true,
					      .console_rows = 31,
					      .console_columns = 97 };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct winsize size;
	char typed[8];

	CHECK(master >= 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(slave >= 0);
	CHECK(went_well(process_size_terminal(slave, &process)));
	CHECK(went_well(process_attach_terminal(slave)));
	for (int fd = 0; fd < 3; fd++) {
		CHECK(isatty(fd));
		CHECK(!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
	}
	CHECK(getsid(0) == getpid());
	CHECK(tcgetpgrp(0) == getpid()); /* only a controlling terminal answers */
	CHECK(open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
	CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row == 31 && size.ws_col == 97);
	CHECK(write(master, "hi\n", 3) == 3 && read(0, typed, sizeof(typed)) == 3 &&
	      typed[0] == 'h');
	return 0;
}

static int give_pty(void)
{
	struct process_spec process = { .terminal = true, .uid = 1000, .gid = 1000 };
	struct stat st;
	int master, slave;

	CHECK(enter_userns(CLONE_NEWNS));
	CHECK(mount("none", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0);
	master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(master >= 0 && unlockpt(master) == 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(slave >= 0);
	CHECK(went_well(process_attach_terminal(slave)));
	process.terminal = false; /* then it would be somebody else's terminal */
	CHECK(went_well(process_own_stdio(&process)));
	CHECK(fstat(0, &st) == 0 && st.st_uid == 0);
	process.terminal = true;
	CHECK(went_well(process_own_stdio(&process)));
	CHECK(fstat(0, &st) == 0 && st.st_uid == 1000);
	return 0;
}

/* No terminal at all is an error, not a silent program without one. */
static int attach_a_file(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK(failed_with(process_attach_terminal(fd), ERR_SYS));
	return 0;
}

static int seal(void)
{
	int high = fcntl(0, F_DUPFD, 700), mid = fcntl(0, F_DUPFD, 5);

	CHECK(mid == 5 || mid > 5);
	CHECK(dup2(0, 3) == 3 && dup2(0, 4) == 4 && dup2(0, 5) == 5);
	CHECK(went_well(process_seal_fds(2)));
	for (int fd = 0; fd < 5; fd++)
		CHECK(!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
	CHECK(fcntl(5, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(high, F_GETFD) & FD_CLOEXEC);
	CHECK(went_well(process_seal_fds(0)));
	CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
	CHECK(failed_with(process_seal_fds(~0U), ERR_INVALID));
	return 0;
}

static int seal_on_old_kernel(void)
{
	CHECK(fake_call(SYS_close_range, ENOSYS)); /* a kernel before 5.9 */
	CHECK(syscall(SYS_close_range, 9, 9, 0) < 0 && errno == ENOSYS);
	return seal();
}

static long describe_session(char *text, size_t room)
{
	long len = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, room, 0);

	text[len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1] = '\0';
	return len;
}

static int join_ring(void)
{
	char first[256], second[256];
	const char *name;
	long ring;

	CHECK(went_well(process_join_keyring("box", NULL)));
	CHECK(describe_session(first, sizeof(first)) > 0);
	name = strrchr(first, ';');
	CHECK(name && strcmp(name + 1, "_ses.box") == 0);
	/* its user may search it: bit 0x080000 of the permissions */
	CHECK(strtoul(strrchr(first, ';') - 8, NULL, 16) & 0x080000);
	ring = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	CHECK(went_well(process_join_keyring("other", "")));
	CHECK(describe_session(second, sizeof(second)) > 0 && strstr(second, "_ses.other"));
	CHECK(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) != ring);
	return 0;
}

static void terminal_controls_the_session(void **state)
{
	(void)state;
	assert_int_equal(in_child(attach), 0);
}

static void pty_belongs_to_its_user(void **state)
{
	(void)state;
	NEED_USERNS();
	if (geteuid() != 0) {
		print_message("needs several ids: run as root\n");
		skip();
	}
	assert_int_equal(in_child(give_pty), 0);
}

static void what_is_no_terminal_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(attach_a_file), 0);
}

static void descriptors_close_at_exec(void **state)
{
	(void)state;
	assert_int_equal(in_child(seal), 0);
	assert_int_equal(in_child(seal_on_old_kernel), 0);
}

static void session_keyring_is_fresh(void **state)
{
	(void)state;
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) < 0 &&
	    errno == ENOSYS) {
		print_message("this kernel has no keys\n");
		skip();
	}
	assert_int_equal(in_child(join_ring), 0);
}

static void labels_need_their_module(void **state)
{
	(void)state;
	assert_null(process_set_apparmor(""));
	assert_null(process_set_selinux(""));
	if (access("/sys/module/apparmor/parameters/enabled", F_OK) < 0)
		assert_true(failed_with(process_set_apparmor("cella-test"), ERR_UNSUPPORTED));
	if (access("/sys/fs/selinux/enforce", F_OK) < 0)
		assert_true(failed_with(process_set_selinux("a:b:c:s0"), ERR_UNSUPPORTED));
}

static int look_through_fakes(void)
{
	char target[64];
	int fd = -1;

	CHECK(went_well(procfs_open("self/status", O_RDONLY, &fd)));
	close(fd);
	CHECK(failed_with(procfs_open("self/no-such-file", O_RDONLY, &fd), ERR_NOT_FOUND));
	CHECK(failed_with(procfs_open("self/root/etc/passwd", O_RDONLY, &fd),
			  ERR_SYS)); /* a magic link */
	CHECK(failed_with(procfs_open("../etc/passwd", O_RDONLY, &fd), ERR_INVALID));
	CHECK(enter_userns(CLONE_NEWNS));
	snprintf(target, sizeof(target), "/proc/%d/status", (int)getpid());
	CHECK(mount("/dev/null", target, NULL, MS_BIND, NULL) == 0);
	CHECK(failed_with(procfs_open("self/status", O_RDONLY, &fd), ERR_INVALID));
	/* a directory of a real procfs is not its root */
	CHECK(mount("/proc/sys", "/proc", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(failed_with(procfs_open("kernel/hostname", O_RDONLY, &fd), ERR_INVALID));
	return 0;
}

static void only_the_real_procfs_counts(void **state)
{
	(void)state;
	NEED_USERNS();
	assert_int_equal(in_child(look_through_fakes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_controls_the_session),
		cmocka_unit_test(pty_belongs_to_its_user),
		cmocka_unit_test(what_is_no_terminal_is_refused),
		cmocka_unit_test(descriptors_close_at_exec),
		cmocka_unit_test(session_keyring_is_fresh),
		cmocka_unit_test(labels_need_their_module),
		cmocka_unit_test(only_the_real_procfs_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
