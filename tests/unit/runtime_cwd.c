/* cwd.c and exec.c: the directory and the program are the container's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "runtime/process/process.h"
#include "tests/unit/bpf.h"

static char root[] = "/tmp/cella-cwd-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	return 0;
}

static int drop_root(void **state)
{
	(void)state;
	err_drop(path_remove_tree(AT_FDCWD, root));
	return 0;
}

static bool make_program(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool good = fd >= 0 && fchmod(fd, mode) == 0;

	close(fd);
	return good;
}

/* A root with nothing but what a case needs; a descriptor of the host's root stays open, as
 * CVE-2024-21626 has it. */
static int enter_root(int *ret_host_fd)
{
	int host_fd = open("/", O_RDONLY | O_DIRECTORY); /* without close-on-exec, as a leak is */

	CHECK(host_fd >= 0);
	CHECK(enter_userns(CLONE_NEWNS));
	CHECK(mount("none", root, "tmpfs", 0, NULL) == 0);
	CHECK(chdir(root) == 0 && mkdir("proc", 0755) == 0 && mkdir("old", 0755) == 0);
	CHECK(mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(syscall(SYS_pivot_root, ".", "old") == 0);
	CHECK(chdir("/") == 0);
	CHECK(umount2("/old", MNT_DETACH) == 0);
	*ret_host_fd = host_fd;
	return 0;
}

static int go_places(void)
{
	char here[256];
	struct stat st;
	int host_fd;

	CHECK(enter_root(&host_fd) == 0);
	umask(077);
	CHECK(went_well(process_enter_cwd("/made/on/the/way")));
	CHECK(getcwd(here, sizeof(here)) && strcmp(here, "/made/on/the/way") == 0);
	CHECK(stat("/made/on", &st) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(umask(0) == 077);
	CHECK(symlink("/made/on", "/link") == 0);
	CHECK(went_well(process_enter_cwd("/link/the")));
	CHECK(getcwd(here, sizeof(here)) && strcmp(here, "/made/on/the") == 0);
	CHECK(went_well(process_enter_cwd("/../..")));
	CHECK(getcwd(here, sizeof(here)) && strcmp(here, "/") == 0);
	CHECK(failed_with(process_enter_cwd("made"), ERR_INVALID));
	CHECK(failed_with(process_enter_cwd(""), ERR_INVALID));
	CHECK(make_program("/file", 0600));
	CHECK(failed_with(process_enter_cwd("/file"), ERR_SYS));
	CHECK(failed_with(process_enter_cwd("/file/below"), ERR_SYS));
	return 0;
}

static int try_to_leave(void)
{
	char path[64], here[256];
	int host_fd;

	CHECK(enter_root(&host_fd) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", host_fd);
	/* the attack works without the defence, or the test shows nothing */
	CHECK(chdir(path) == 0);
	CHECK(syscall(SYS_getcwd, here, sizeof(here)) > 0 && here[0] == '(');
	CHECK(chdir("/") == 0);
	CHECK(failed_with(process_enter_cwd(path), ERR_SYS));
	CHECK(symlink(path, "/out") == 0);
	CHECK(failed_with(process_enter_cwd("/out"), ERR_SYS));
	CHECK(failed_with(process_enter_cwd("/out/etc"), ERR_SYS));
	CHECK(getcwd(here, sizeof(here)) && strcmp(here, "/") == 0);
	return 0;
}

/* The last line of defence: a place that has no name below the root. */
static int be_nowhere(void)
{
	int host_fd;

	CHECK(enter_root(&host_fd) == 0);
	CHECK(fake_call(SYS_getcwd, 0));
	CHECK(failed_with(process_enter_cwd("/proc"), ERR_INVALID));
	return 0;
}

static bool finds(const struct process_spec *process, const char *want)
{
	OWN(str) char *path = NULL;

	if (!went_well(process_find_program(process, &path)))
		return false;
	if (strcmp(path, want) != 0)
		fprintf(stderr, "# found %s\n", path);
	return strcmp(path, want) == 0;
}

/* podman turns exactly these words into exit statuses 126 and 127. */
static bool fails_with(const struct process_spec *process, const char *words)
{
	OWN(str) char *path = NULL;
	struct err *err = process_find_program(process, &path);
	bool good = err && strcasestr(err_text(err), words);

	if (!good)
		fprintf(stderr, "# instead: %s\n", err ? err_text(err) : path);
	err_drop(err);
	return good;
}

static int search_programs(void)
{
	char path[] = "PATH=/none:/a::/file:/b", name[] = "prog";
	char *env[] = { path, NULL }, *args[] = { name, NULL };
	struct process_spec process = { .args = { args, 1 }, .env = { env, 1 } };
	int host_fd;

	CHECK(enter_root(&host_fd) == 0);
	CHECK(mkdir("/a", 0755) == 0 && mkdir("/b", 0755) == 0 && mkdir("/here", 0755) == 0 &&
	      chdir("/here") == 0);
	CHECK(make_program("/file", 0755));
	CHECK(fails_with(&process, "executable file not found in $PATH"));
	CHECK(make_program("/b/prog", 0644));
	CHECK(fails_with(&process, "permission denied"));
	CHECK(chmod("/b/prog", 0755) == 0);
	CHECK(finds(&process, "/b/prog"));
	CHECK(make_program("/here/prog", 0755));
	CHECK(finds(&process, "./prog"));
	CHECK(mkdir("/a/prog", 0755) == 0); /* a directory is none */
	CHECK(finds(&process, "./prog"));
	CHECK(rmdir("/a/prog") == 0 && make_program("/a/prog", 0711));
	CHECK(finds(&process, "/a/prog"));
	return 0;
}

static int name_programs(void)
{
	char *args[] = { NULL, NULL };
	struct process_spec process = { .args = { args, 1 } };
	int host_fd;

	CHECK(enter_root(&host_fd) == 0);
	CHECK(make_program("/plain", 0644) && make_program("/good", 0755) &&
	      mkdir("/bin", 0755) == 0);
	CHECK(make_program("/bin/tool", 0755));
	args[0] = (char[]){ "/nowhere" };
	CHECK(fails_with(&process, "no such file or directory"));
	args[0] = (char[]){ "/plain" };
	CHECK(fails_with(&process, "permission denied"));
	args[0] = (char[]){ "/bin" };
	CHECK(fails_with(&process, "permission denied"));
	args[0] = (char[]){ "./good" };
	CHECK(finds(&process, "./good"));
	args[0] = (char[]){ "" };
	CHECK(fails_with(&process, "executable file not found in $PATH"));
	args[0] = (char[]){ "tool" }; /* no PATH at all */
	CHECK(finds(&process, "/bin/tool"));
	process.args.count = 0;
	CHECK(fails_with(&process, "process.args"));
	return 0;
}

#define ROOT_TEST(name, body)                        \
	static void name(void **state)               \
	{                                            \
		(void)state;                         \
		NEED_USERNS();                       \
		assert_int_equal(in_child(body), 0); \
	}

ROOT_TEST(directory_is_entered_and_made, go_places)
ROOT_TEST(descriptors_of_the_host_lead_nowhere, try_to_leave)
ROOT_TEST(an_unreachable_directory_is_refused, be_nowhere)
ROOT_TEST(programs_are_searched_along_path, search_programs)
ROOT_TEST(programs_are_taken_by_name, name_programs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directory_is_entered_and_made),
		cmocka_unit_test(descriptors_of_the_host_lead_nowhere),
		cmocka_unit_test(an_unreachable_directory_is_refused),
		cmocka_unit_test(programs_are_searched_along_path),
		cmocka_unit_test(programs_are_taken_by_name),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
