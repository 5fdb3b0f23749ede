/*
 * Scenes for the tests of roots: mount namespaces of our own, as root, as root with a user
 * namespace and a bundle nobody else may enter, as a rootless user, as root of a user namespace,
 * and from a small launch namespace. What is inside is judged through mountinfo and the file
 * system, after the pivot. For the programs rootfs_*.c alone.
 */
#ifndef TESTS_UNIT_ROOTFS_SCENE_H
#define TESTS_UNIT_ROOTFS_SCENE_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/rootfs.h"

/* In the child, where cmocka's own assertions cannot work: say what is wrong and end. */
#define CHECK(condition)                                                                   \
	do {                                                                               \
		if (!(condition)) {                                                        \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, \
				strerror(errno));                                          \
			_exit(1);                                                          \
		}                                                                          \
	} while (0)

static inline void must(struct err *err)
{
	if (err) {
		fprintf(stderr, "error: %s\n", err_text(err));
		_exit(1);
	}
}

/* The wanted error has this text in it. */
static inline void must_fail(struct err *err, const char *text)
{
	if (!err || !strstr(err_text(err), text)) {
		fprintf(stderr, "'%s' instead of an error with '%s'\n",
			err ? err_text(err) : "success", text);
		_exit(1);
	}
	err_drop(err);
}

enum how { AS_ROOT, ROOT_WITH_USER_NS, ROOTLESS, NESTED, SMALL_NS, HOW_COUNT };
static const char *const how_names[] = { "root", "root with a user namespace", "rootless", "nested",
					 "small namespace" };

static char top[] = "/tmp/cella-rootfs-XXXXXX";

struct scene {
	enum how how;
	struct rootfs_spec spec;
	struct rootfs_env env;
	struct rootfs_handles handles;
	int root_fd;
};

static inline void add_mount(struct scene *scene, const char *type, const char *source,
			     const char *destination, const char *options)
{
	struct rootfs_spec *spec = &scene->spec;
	struct mount_spec *mount;
	char *copy = strdup(options), *next = copy, *option;

	spec->mounts = realloc(spec->mounts, (spec->mount_count + 1) * sizeof(*spec->mounts));
	mount = &spec->mounts[spec->mount_count++];
	*mount = (struct mount_spec){ .destination = strdup(destination) };
	if (type)
		mount->type = strdup(type);
	if (source)
		mount->source = strdup(source);
	while ((option = strsep(&next, ",")))
		if (*option)
			must(mount_spec_option(mount, option));
	free(copy);
}

static inline char *in_top(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static inline void put_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_top(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* What `spec` of every runtime gives a container. */
static inline void add_default_mounts(struct scene *scene)
{
	add_mount(scene, "proc", "proc", "/proc", "nosuid,noexec,nodev");
	add_mount(scene, "tmpfs", "tmpfs", "/dev", "nosuid,strictatime,mode=755,size=65536k");
	add_mount(scene, "devpts", "devpts", "/dev/pts",
		  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	add_mount(scene, "tmpfs", "shm", "/dev/shm", "nosuid,noexec,nodev,mode=1777,size=65536k");
	add_mount(scene, "mqueue", "mqueue", "/dev/mqueue", "nosuid,noexec,nodev");
	add_mount(scene, "sysfs", "sysfs", "/sys", "nosuid,noexec,nodev,ro");
	add_mount(scene, "cgroup", "cgroup", "/sys/fs/cgroup", "nosuid,noexec,nodev,relatime,ro");
}

static inline void add_default_paths(struct scene *scene)
{
	static const char *const masked[] = {
		"/proc/acpi",	       "/proc/asound",	   "/proc/kcore",	"/proc/keys",
		"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/sys/firmware",       "/proc/scsi",	   "/not/there",	"/proc/version",
		"/masked/file",	       "/masked/dir",	   "/bin/marker/below"
	};
	static const char *const readonly[] = { "/proc/bus", "/proc/fs",  "/proc/irq",
						"/proc/sys", "/not/here", "/proc/sysrq-trigger",
						"/masked" };

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++)
		must(strlist_add(&scene->spec.masked_paths, masked[i]));
	for (size_t i = 0; i < ARRAY_SIZE(readonly); i++)
		must(strlist_add(&scene->spec.readonly_paths, readonly[i]));
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static struct id_map some_ids = { 0, 200000, 1000 };
static const struct id_maps some_maps = { &some_ids, &some_ids, 1, 1 };

/* Unshare as asked and become root inside; the maps are written by a child left outside. */
static inline void unshare_with_maps(int flags, const char *map)
{
	char path[64];
	int ready[2], done[2], status;
	char byte = 0;
	pid_t self = getpid(), helper;

	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
	helper = fork();
	CHECK(helper >= 0);
	if (helper == 0) {
		CHECK(read(ready[0], &byte, 1) == 1);
		snprintf(path, sizeof(path), "/proc/%d/setgroups", self);
		if (geteuid() != 0)
			write_text(path, "deny");
		snprintf(path, sizeof(path), "/proc/%d/uid_map", self);
		write_text(path, map);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", self);
		write_text(path, map);
		_exit(0);
	}
	CHECK(unshare(flags | CLONE_NEWUSER) == 0);
	CHECK(write(ready[1], "x", 1) == 1);
	CHECK(waitpid(helper, &status, 0) == helper && status == 0);
	CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
	close(ready[0]);
	close(ready[1]);
	close(done[0]);
	close(done[1]);
}

/* As ns_launch_enter() leaves the caller: nothing but kernel file systems in sight. */
static inline void enter_small_ns(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("small", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0);
	CHECK(mkdir("proc", 0755) == 0 && mount("/proc", "proc", NULL, MS_BIND, NULL) == 0);
	CHECK(mkdir("sys", 0755) == 0 && mount("/sys", "sys", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(mkdir("dev", 0755) == 0 && mount("/dev", "dev", NULL, MS_BIND, NULL) == 0);
	CHECK(syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0);
}

static const int all_ns =
	CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP;

/* Go where the container's init is: rootfs_open() outside, the rest of the caller inside. */
static inline void enter_namespaces(struct scene *scene)
{
	scene->env.own_pid_ns = scene->env.own_net_ns = scene->env.own_ipc_ns = true;
	scene->env.own_cgroup_ns = scene->env.own_mount_ns = true;
	scene->env.user_ns =
		scene->how == ROOT_WITH_USER_NS || scene->how == ROOTLESS || scene->how == NESTED;
	scene->env.new_user_ns = scene->env.user_ns && scene->how != NESTED;
	scene->env.no_host_files = scene->how == SMALL_NS;
	if (scene->how == NESTED)
		unshare_with_maps(CLONE_NEWNS, "0 0 65536");
	must(rootfs_spec_check(&scene->spec, scene->env.user_ns, true));
	must(rootfs_open(&scene->spec, &scene->env, &scene->handles));
	if (scene->how == SMALL_NS)
		enter_small_ns();
	if (scene->how == AS_ROOT || scene->how == NESTED || scene->how == SMALL_NS) {
		CHECK(unshare(all_ns) == 0);
	} else if (scene->how == ROOT_WITH_USER_NS) {
		scene->env.maps = &some_maps;
		unshare_with_maps(all_ns, "0 200000 1000");
	} else {
		unshare_with_maps(all_ns, "0 65534 1");
	}
}

/* Run act as pid 1 of a scene; its exit status is the verdict. */
static inline void play(enum how how, void (*act)(struct scene *scene))
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct scene scene = { .how = how,
				       .spec.path = strdup(in_top("bundle/root")),
				       .handles = ROOTFS_HANDLES_INIT,
				       .root_fd = -1 };

		signal(SIGSEGV, SIG_DFL);	/* cmocka would go on with its tests here */
		CHECK(setgroups(0, NULL) == 0); /* they would outlive a user namespace */
		if (how == ROOTLESS) {
			CHECK(setresgid(65534, 65534, 65534) == 0);
			CHECK(setresuid(65534, 65534, 65534) == 0);
			CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* our own /proc files */
		}
		act(&scene);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		print_message("  %s: status %#x\n", how_names[how], status);
	assert_int_equal(status, 0);
}

/* The rest of act runs in the container's pid namespace. */
static inline void become_init(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		return;
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

static inline void build(struct scene *scene)
{
	enter_namespaces(scene);
	become_init();
	must(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd));
	rootfs_handles_release(&scene->handles);
}

static inline void build_and_enter(struct scene *scene)
{
	build(scene);
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
}

/* The spec must be refused by the parent or by init, with this text. */
static inline void expect_refusal(struct scene *scene, const char *text)
{
	enter_namespaces(scene);
	become_init();
	must_fail(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd), text);
}

/* The mountinfo line of the last mount on path, "" when there is none. */
static inline const char *mount_line(const char *path)
{
	static char found[4096];
	char line[4096], at[4096];
	FILE *file = fopen("/proc/self/mountinfo", "re");

	CHECK(file);
	found[0] = '\0';
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1 && strcmp(at, path) == 0)
			memcpy(found, line, sizeof(found));
	fclose(file);
	return found;
}

static inline bool mounted(const char *path, const char *text)
{
	const char *line = mount_line(path);

	if (strstr(line, text))
		return true;
	fprintf(stderr, "%s: '%s' is not in: %s\n", path, text, line);
	return false;
}

static inline bool is_node(const char *path, unsigned int major, unsigned int minor)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

static inline bool reads_empty(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, &byte, 1);

	if (fd >= 0)
		close(fd);
	return got == 0;
}

static inline int set_up(void **state)
{
	static const char *const dirs[] = { "bundle",
					    "bundle/root",
					    "bundle/root/bin",
					    "bundle/root/run",
					    "bundle/root/copied",
					    "bundle/root/copied/d",
					    "bundle/root/tmp",
					    "bundle/root/masked",
					    "bundle/root/masked/dir",
					    "vol",
					    "vol/sub",
					    "hostile",
					    "hostile2",
					    "hostile2/proc",
					    "hostile-sys",
					    "hostile2/dev" };

	(void)state;
	umask(0);
	if (geteuid() != 0) {
		print_message("skipped: building roots needs to be root here\n");
		exit(0);
	}
	CHECK(mkdtemp(top));
	CHECK(chmod(top, 0755) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK(mkdir(in_top(dirs[i]), 0755) == 0);
	CHECK(chmod(in_top("bundle/root/run"), 0711) == 0);
	put_file("bundle/root/bin/marker", "", 0755);
	put_file("bundle/root/copied/d/f", "abc", 0604);
	CHECK(symlink("/etc/passwd", in_top("bundle/root/copied/l")) == 0);
	CHECK(symlink("some/where", in_top("bundle/root/dangle")) == 0);
	put_file("bundle/root/masked/file", "secret", 0644);
	put_file("bundle/root/masked/dir/secret", "secret", 0644);
	put_file("vol/file", "hello", 0666);
	CHECK(symlink("file", in_top("vol/link")) == 0);
	CHECK(symlink("/bin", in_top("hostile/proc")) == 0);
	CHECK(symlink("/masked/file", in_top("hostile-sys/evil")) == 0);
	CHECK(symlink("/etc", in_top("hostile/dev")) == 0);
	CHECK(symlink("/proc", in_top("hostile2/data")) == 0);
	CHECK(symlink("../../../../../../tmp/out", in_top("hostile2/escape")) == 0);
	CHECK(symlink("/../../out2", in_top("hostile2/escape2")) == 0);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	must(path_remove_tree(AT_FDCWD, top));
	return 0;
}

#endif
