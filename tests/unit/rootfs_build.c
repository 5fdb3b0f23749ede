/*
 * Roots built on the real kernel, in mount namespaces of our own: as root, as root with a user
 * namespace and a bundle nobody else may enter, as a rootless user, and as root of a user
 * namespace. What is inside is judged through mountinfo and the file system, after the pivot.
 */
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

static void must(struct err *err)
{
	if (err) {
		fprintf(stderr, "error: %s\n", err_text(err));
		_exit(1);
	}
}

/* The wanted error has this text in it. */
static void must_fail(struct err *err, const char *text)
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

static void add_mount(struct scene *scene, const char *type, const char *source,
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

static char *in_top(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_top(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* What `spec` of every runtime gives a container. */
static void add_default_mounts(struct scene *scene)
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

static void add_default_paths(struct scene *scene)
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

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static struct id_map some_ids = { 0, 200000, 1000 };
static const struct id_maps some_maps = { &some_ids, &some_ids, 1, 1 };

/* Unshare as asked and become root inside; the maps are written by a child left outside. */
static void unshare_with_maps(int flags, const char *map)
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
static void enter_small_ns(void)
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
static void enter_namespaces(struct scene *scene)
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
static void play(enum how how, void (*act)(struct scene *scene))
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

		signal(SIGSEGV, SIG_DFL); /* cmocka would go on with its tests here */
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
static void become_init(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		return;
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

static void build(struct scene *scene)
{
	enter_namespaces(scene);
	become_init();
	must(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd));
	rootfs_handles_release(&scene->handles);
}

static void build_and_enter(struct scene *scene)
{
	build(scene);
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
}

/* The mountinfo line of the last mount on path, "" when there is none. */
static const char *mount_line(const char *path)
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

static bool mounted(const char *path, const char *text)
{
	const char *line = mount_line(path);

	if (strstr(line, text))
		return true;
	fprintf(stderr, "%s: '%s' is not in: %s\n", path, text, line);
	return false;
}

static bool is_node(const char *path, unsigned int major, unsigned int minor)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

static bool reads_empty(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, &byte, 1);

	if (fd >= 0)
		close(fd);
	return got == 0;
}

static void act_default(struct scene *scene)
{
	struct statfs fs;

	add_default_mounts(scene);
	add_default_paths(scene);
	scene->spec.readonly = true;
	build_and_enter(scene);

	CHECK(mounted("/", " ro"));
	CHECK(mounted("/proc", " - proc proc"));
	CHECK(mounted("/proc", "nosuid,nodev,noexec"));
	CHECK(mounted("/dev", " - tmpfs tmpfs"));
	CHECK(mounted("/dev", "size=65536k,mode=755"));
	CHECK(mounted("/dev/pts", " - devpts "));
	CHECK(mounted("/dev/shm", " - tmpfs shm"));
	CHECK(mounted("/dev/mqueue", " - mqueue "));
	CHECK(mounted("/sys", " ro,nosuid,nodev,noexec"));
	CHECK(mounted("/sys/fs/cgroup", " - cgroup2 "));
	CHECK(is_node("/dev/null", 1, 3) && is_node("/dev/tty", 5, 0));
	CHECK(is_node("/dev/zero", 1, 5) && is_node("/dev/full", 1, 7));
	CHECK(is_node("/dev/random", 1, 8) && is_node("/dev/urandom", 1, 9));
	CHECK(access("/dev/ptmx", R_OK | W_OK) == 0 && access("/dev/fd/0", F_OK) == 0);
	CHECK(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
	/* masks */
	CHECK(reads_empty("/proc/version") && reads_empty("/masked/file"));
	CHECK(access("/masked/dir/secret", F_OK) < 0 && errno == ENOENT);
	CHECK(mounted("/sys/firmware", "ro,nosuid,nodev,noexec") &&
	      mounted("/sys/firmware", "tmpfs"));
	CHECK(mounted("/proc/sys", " ro,"));
	CHECK(mkdir("/sys/firmware/x", 0755) < 0 && errno == EROFS);
	CHECK(mkdir("/x", 0755) < 0 && errno == EROFS);
	/* nothing of the host is left: the first mount is the root, and ".." leads nowhere */
	CHECK(access(top, F_OK) < 0 && errno == ENOENT);
	CHECK(strstr(mount_line("/"), "bundle/root"));
	CHECK(statfs("/..", &fs) == 0 && access("/../bin/marker", F_OK) == 0);
	CHECK(access("/proc/1/root/bin/marker", F_OK) == 0);
}

static void test_default(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_default);
}

static void act_volumes(struct scene *scene)
{
	char text[16] = "";
	struct stat st;
	int fd;

	add_default_mounts(scene);
	add_mount(scene, "bind", in_top("vol"), "/data", "rbind,ro,nosuid,noexec,rprivate");
	add_mount(scene, "bind", in_top("vol/file"), "/etc/made/file", "bind,rw");
	add_mount(scene, NULL, in_top("vol"), "/deep/er/vol", "rbind,rro,nodev,nosymfollow,rslave");
	add_mount(scene, "tmpfs", "tmpfs", "/run", "ro,nosuid,size=100k");
	add_mount(scene, "bind", in_top("vol/file"), "/run/secret", "bind");
	add_mount(scene, "bind", in_top("vol/file"), "/dangle", "bind");
	add_mount(scene, "tmpfs", "tmpfs", "/copied", "tmpcopyup,ro,size=1m");
	add_mount(scene, "bind", in_top("vol/link"), "/link", "bind,copy-symlink");
	build_and_enter(scene);

	CHECK(mounted("/data", " ro,nosuid,") && mounted("/data", "noexec") &&
	      !strstr(mount_line("/data"), "shared:"));
	fd = open("/data/file", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == 5 && memcmp(text, "hello", 5) == 0);
	CHECK(open("/data/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	CHECK(open("/etc/made/file", O_WRONLY | O_CLOEXEC) >= 0);
	CHECK(mounted("/deep/er/vol", " ro,") && mounted("/deep/er/vol", "nodev"));
	CHECK(mounted("/run", " ro,nosuid"));
	CHECK(stat("/run", &st) == 0 && (st.st_mode & 07777) == 0711);
	CHECK(access("/run/secret", R_OK) == 0);
	CHECK(mkdir("/run/x", 0755) < 0 && errno == EROFS);
	/* the image's link into nowhere got its target made, inside */
	CHECK(stat("/some/where", &st) == 0 && st.st_size == 5);
	CHECK(mounted("/copied", " ro,") && stat("/copied/d/f", &st) == 0 && st.st_size == 3);
	CHECK((st.st_mode & 07777) == 0604);
	CHECK(lstat("/copied/l", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(readlink("/link", text, sizeof(text)) == 4 && memcmp(text, "file", 4) == 0);
	CHECK(!strstr(mount_line("/deep/er/vol"), "shared:"));
}

static void test_volumes(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_volumes);
}

/* Image links must not lead mounts onto the host, into procfs, or /proc, /sys, /dev away. */
static void expect_refusal(struct scene *scene, const char *text)
{
	enter_namespaces(scene);
	become_init();
	must_fail(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd), text);
}

static void act_proc_link(struct scene *scene)
{
	scene->spec.path = strdup(in_top("hostile"));
	add_mount(scene, "proc", "proc", "/proc", "");
	expect_refusal(scene, "/proc");
}

static void act_dev_link(struct scene *scene)
{
	scene->spec.path = strdup(in_top("hostile"));
	expect_refusal(scene, "/dev");
}

static void act_volume_over_proc(struct scene *scene)
{
	scene->spec.path = strdup(in_top("hostile2"));
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "bind", in_top("vol"), "/data/sys", "rbind");
	expect_refusal(scene, "procfs");
}

static void act_escape(struct scene *scene)
{
	struct stat st;

	scene->spec.path = strdup(in_top("hostile2"));
	add_mount(scene, "tmpfs", "tmpfs", "/dev", "mode=755");
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "tmpfs", "tmpfs", "/escape", "size=64k");
	add_mount(scene, "bind", in_top("vol/file"), "/escape2", "bind");
	build_and_enter(scene);
	CHECK(mounted("/tmp/out", "tmpfs")); /* inside, where the link leads in the root */
	CHECK(stat("/out2", &st) == 0 && st.st_size == 5);
}

static void test_hostile_image(void **state)
{
	struct stat st;

	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++) {
		play(how, act_proc_link);
		play(how, act_dev_link);
		play(how, act_volume_over_proc);
		play(how, act_escape);
	}
	assert_int_equal(stat("/tmp/out", &st), -1);
	assert_int_equal(stat("/out2", &st), -1);
}

static void act_console(struct scene *scene)
{
	int master_fd, slave_fd;
	char name[64];
	struct stat console, slave;

	add_default_mounts(scene);
	scene->spec.readonly = true;
	scene->env.terminal = true;
	build(scene);
	must(rootfs_open_console(scene->root_fd, &scene->env, &master_fd, &slave_fd));
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
	CHECK(ttyname_r(slave_fd, name, sizeof(name)) == 0);
	CHECK(strcmp(name, "/dev/pts/0") == 0 || strcmp(name, "/dev/console") == 0);
	CHECK(fstat(slave_fd, &slave) == 0 && stat("/dev/console", &console) == 0);
	CHECK(slave.st_rdev == console.st_rdev && slave.st_ino == console.st_ino);
	CHECK(mounted("/dev/console", " - devpts "));
	CHECK(write(master_fd, "x", 1) == 1);
}

static void test_console(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_console);
}

static void act_no_pivot(struct scene *scene)
{
	add_default_mounts(scene);
	scene->env.no_pivot = true;
	build_and_enter(scene);
	CHECK(mounted("/proc", " - proc proc"));
	CHECK(access(top, F_OK) < 0 && access("/bin/marker", F_OK) == 0);
	/* the classic way out of a chroot ends in our root again */
	CHECK((mkdir("/tmp/jail", 0755) == 0 || errno == EEXIST) && chroot("/tmp/jail") == 0);
	for (int i = 0; i < 16; i++)
		CHECK(chdir("..") == 0);
	CHECK(chroot(".") == 0 && access("/bin/marker", F_OK) == 0);
}

static void test_no_pivot(void **state)
{
	(void)state;
	play(AS_ROOT, act_no_pivot);
	play(ROOT_WITH_USER_NS, act_no_pivot);
}

static void act_shared(struct scene *scene)
{
	/* a host whose tree is shared, in a namespace of our own */
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	CHECK(mount("tmpfs", in_top("vol/sub"), "tmpfs", 0, NULL) == 0);
	add_default_mounts(scene);
	add_mount(scene, "bind", in_top("vol/sub"), "/shared", "rbind,rshared");
	add_mount(scene, "bind", in_top("vol/sub"), "/slave", "rbind,rslave");
	scene->spec.propagation = MS_SHARED | MS_REC;
	enter_namespaces(scene);
	if (fork() == 0) {
		must(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd));
		must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
		CHECK(mounted("/shared", "shared:") && mounted("/slave", "master:"));
		CHECK(mounted("/", "shared:"));
		CHECK(mkdir("/shared/in", 0755) == 0);
		CHECK(mount("tmpfs", "/shared/in", "tmpfs", 0, NULL) == 0);
		CHECK(mounted("/slave/in", " - tmpfs"));
		_exit(0);
	}
}

/* The host's side: what the container mounted on the shared volume, and nothing else, is seen. */
static void act_shared_host(struct scene *scene)
{
	int status, before, after;
	pid_t pid;
	char *line = NULL;
	size_t room = 0;

	CHECK(unshare(CLONE_NEWNS) == 0);
	/* private first: no longer a peer of the real host's */
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	before = after = 0;
	for (FILE *f = fopen("/proc/self/mounts", "re"); f && getline(&line, &room, f) > 0;)
		before++;
	pid = fork();
	if (pid == 0) {
		act_shared(scene);
		CHECK(wait(&status) > 0);
		_exit(status != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	for (FILE *f = fopen("/proc/self/mounts", "re"); f && getline(&line, &room, f) > 0;)
		after++;
	/* vol/sub itself, and what was mounted in it */
	CHECK(mounted(in_top("vol/sub/in"), " - tmpfs"));
	if (after != before + 2)
		fprintf(stderr, "%d mounts before, %d after\n", before, after);
	CHECK(after == before + 2);
}

static void test_propagation(void **state)
{
	(void)state;
	play(AS_ROOT, act_shared_host);
}

static void act_overmounted_root(struct scene *scene)
{
	add_mount(scene, "tmpfs", "tmpfs", "/", "mode=755,size=1m");
	add_default_mounts(scene);
	build_and_enter(scene);
	CHECK(mounted("/", " - tmpfs"));
	CHECK(access("/bin/marker", F_OK) < 0 && is_node("/dev/null", 1, 3));
}

static void test_overmounted_root(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_overmounted_root);
}

static void act_idmap(struct scene *scene)
{
	struct stat st;

	add_default_mounts(scene);
	scene->env.maps = &some_maps;
	add_mount(scene, "bind", in_top("vol"), "/data", "rbind,idmap");
	add_mount(scene, "bind", in_top("vol"), "/data2",
		  "rbind,ridmap=uids=0-200007-1;gids=0-200008-1");
	add_mount(scene, "bind", in_top("vol"), "/data3", "rbind,idmap=uids=@0-7-1;gids=@0-8-1");
	must(id_maps_copy(&some_maps, &scene->spec.root_maps));
	build_and_enter(scene);
	CHECK(stat("/data/file", &st) == 0 && st.st_uid == 0 && st.st_gid == 0);
	CHECK(stat("/data2/file", &st) == 0 && st.st_uid == 7 && st.st_gid == 8);
	CHECK(stat("/data3/file", &st) == 0 && st.st_uid == 7 && st.st_gid == 8);
	CHECK(stat("/bin/marker", &st) == 0 && st.st_uid == 0);
	CHECK(mounted("/", "idmapped"));
}

static void test_idmap(void **state)
{
	(void)state;
	play(ROOT_WITH_USER_NS, act_idmap);
}

static void act_devices(struct scene *scene)
{
	struct device_node nodes[] = {
		{ 'c', (char[]){ "/dev/mine" }, 1, 7, 0640, 3, 4 },
		{ 'p', (char[]){ "/var/fifo" }, 0, 0, 0600, 0, 0 },
		{ 'c', (char[]){ "/dev/null" }, 1, 3, 0600, 0, 0 },
	};
	struct stat st;

	add_default_mounts(scene);
	scene->spec.devices = nodes;
	scene->spec.device_count = ARRAY_SIZE(nodes);
	build_and_enter(scene);
	CHECK(is_node("/dev/mine", 1, 7) && stat("/dev/mine", &st) == 0);
	CHECK(st.st_uid == 3 && st.st_gid == 4 && (st.st_mode & 07777) == 0640);
	CHECK(stat("/var/fifo", &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0600);
	CHECK(stat("/dev/null", &st) == 0 && (st.st_mode & 07777) == 0600);
}

static void act_wrong_device(struct scene *scene)
{
	struct device_node node = { 'c', (char[]){ "/bin/marker" }, 1, 7, 0640, 0, 0 };

	scene->spec.devices = &node;
	scene->spec.device_count = 1;
	expect_refusal(scene, "different file");
}

static void test_devices(void **state)
{
	(void)state;
	play(AS_ROOT, act_devices);
	play(AS_ROOT, act_wrong_device);
}

static void act_chroot_only(struct scene *scene)
{
	scene->env.own_mount_ns = false;
	must(rootfs_spec_check(&scene->spec, false, false));
	must(rootfs_open(&scene->spec, &scene->env, &scene->handles));
	must(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd));
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
	CHECK(access("/bin/marker", F_OK) == 0);
}

static void test_chroot_only(void **state)
{
	(void)state;
	play(AS_ROOT, act_chroot_only);
}

static int set_up(void **state)
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
	CHECK(symlink("/etc", in_top("hostile/dev")) == 0);
	CHECK(symlink("/proc", in_top("hostile2/data")) == 0);
	CHECK(symlink("../../../../../../tmp/out", in_top("hostile2/escape")) == 0);
	CHECK(symlink("/../../out2", in_top("hostile2/escape2")) == 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	must(path_remove_tree(AT_FDCWD, top));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),		 cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_hostile_image),	 cmocka_unit_test(test_console),
		cmocka_unit_test(test_no_pivot),	 cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_overmounted_root), cmocka_unit_test(test_idmap),
		cmocka_unit_test(test_devices),		 cmocka_unit_test(test_chroot_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
