/*
 * Roots built on the real kernel: the usual mounts, hostile images, consoles, chroot, propagation,
 * idmaps and devices.
 */
#include "tests/unit/rootfs_scene.h"

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

/* Image links must not lead mounts onto the host, into procfs, or /proc, /sys, /dev away. */
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

/* Without a devpts of its own a container gets a pty of the caller's, if that is one. */
static void act_console_of_caller(struct scene *scene)
{
	int master_fd, slave_fd;
	struct stat console, slave;

	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "tmpfs", "tmpfs", "/dev", "mode=755");
	scene->env.terminal = true;
	build(scene);
	must(rootfs_open_console(scene->root_fd, &scene->env, &master_fd, &slave_fd));
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
	CHECK(fstat(slave_fd, &slave) == 0 && stat("/dev/console", &console) == 0);
	CHECK(isatty(slave_fd) && slave.st_rdev == console.st_rdev);
	/* from inside, as exec does it, the file may be the tenant's */
	CHECK(unlink("/dev/ptmx") == 0 && symlink("/bin/marker", "/dev/ptmx") == 0);
	must_fail(rootfs_open_pty(scene->root_fd, &master_fd, &slave_fd),
		  "not the pty multiplexer");
}

static void test_console(void **state)
{
	(void)state;
	play(AS_ROOT, act_console_of_caller);
	play(ROOT_WITH_USER_NS, act_console_of_caller);
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

/* The covered root must not help a nested user namespace to a procfs without masks. */
static void act_no_pivot_nested(struct scene *scene)
{
	pid_t pid;
	int status;

	add_default_mounts(scene);
	add_default_paths(scene);
	scene->env.no_pivot = true;
	build_and_enter(scene);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(mount("proc", "/tmp", "proc", 0, NULL) < 0 && errno == EPERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void test_no_pivot(void **state)
{
	(void)state;
	play(AS_ROOT, act_no_pivot);
	play(ROOT_WITH_USER_NS, act_no_pivot);
	play(AS_ROOT, act_no_pivot_nested);
	play(ROOT_WITH_USER_NS, act_no_pivot_nested);
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

static void act_propagation(struct scene *scene)
{
	static const struct {
		unsigned long flags;
		const char *text;
	} rows[] = { { MS_SHARED | MS_REC, "shared:" },
		     { MS_SHARED, "shared:" },
		     { MS_SLAVE | MS_REC, "rw" },
		     { MS_PRIVATE, "rw" },
		     { MS_UNBINDABLE | MS_REC, "unbindable" } };

	if (scene->how != ROOTLESS) { /* who finds the host as it is */
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	}
	add_default_mounts(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scene copy = *scene;
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			copy.spec.propagation = rows[i].flags;
			build_and_enter(&copy);
			CHECK(mounted("/", rows[i].text));
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

static void test_propagation(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_propagation);
	play(AS_ROOT, act_shared_host);
}

/* By default nothing that is mounted in the container reaches even a host that shares all. */
static void act_isolated(struct scene *scene)
{
	int status, before = 0, after = 0;
	char *line = NULL;
	size_t room = 0;
	pid_t pid;

	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	CHECK(mount("tmpfs", in_top("vol/sub"), "tmpfs", 0, NULL) == 0);
	CHECK(mkdir(in_top("vol/sub/in"), 0755) == 0);
	for (FILE *f = fopen("/proc/self/mounts", "re"); f && getline(&line, &room, f) > 0;)
		before++;
	pid = fork();
	if (pid == 0) {
		add_default_mounts(scene);
		add_mount(scene, "bind", in_top("vol/sub"), "/data", "bind");
		add_mount(scene, "bind", in_top("vol"), "/all", "rbind");
		build_and_enter(scene);
		CHECK(mount("tmpfs", "/data/in", "tmpfs", 0, NULL) == 0);
		CHECK(mount("tmpfs", "/all/sub/in", "tmpfs", 0, NULL) == 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	for (FILE *f = fopen("/proc/self/mounts", "re"); f && getline(&line, &room, f) > 0;)
		after++;
	CHECK(after == before);
}

static void test_isolation(void **state)
{
	(void)state;
	play(AS_ROOT, act_isolated);
	play(ROOT_WITH_USER_NS, act_isolated);
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

/* The host's node of that name is another device: bound it must not be. */
static void act_misnamed_device(struct scene *scene)
{
	struct device_node node = { 'c', (char[]){ "/dev/zero" }, 1, 3, 0640, 0, 0 };
	struct err *err;

	add_mount(scene, "tmpfs", "tmpfs", "/dev", "mode=755");
	scene->spec.devices = &node;
	scene->spec.device_count = 1;
	enter_namespaces(scene);
	become_init();
	err = rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd);
	if (err) { /* a host without udev's list has it under no other name */
		must_fail(err, "/dev/char/1:3");
		return;
	}
	must(rootfs_enter(&scene->spec, &scene->env, scene->root_fd));
	CHECK(is_node("/dev/zero", 1, 3));
}

static void act_false_null(struct scene *scene)
{
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount(in_top("vol/file"), "/dev/null", NULL, MS_BIND, NULL) == 0);
	add_default_mounts(scene);
	add_default_paths(scene);
	expect_refusal(scene, "null device");
}

/* A foreign tree on /sys has foreign links: masks through them stay inside the root. */
static void act_false_sys(struct scene *scene)
{
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "bind", in_top("hostile-sys"), "/sys", "bind");
	must(strlist_add(&scene->spec.masked_paths, "/sys/evil"));
	build_and_enter(scene);
	CHECK(reads_empty("/masked/file"));
}

static void test_devices(void **state)
{
	(void)state;
	play(ROOT_WITH_USER_NS, act_misnamed_device);
	play(AS_ROOT, act_false_null);
	play(AS_ROOT, act_false_sys);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),	    cmocka_unit_test(test_hostile_image),
		cmocka_unit_test(test_console),	    cmocka_unit_test(test_no_pivot),
		cmocka_unit_test(test_propagation), cmocka_unit_test(test_overmounted_root),
		cmocka_unit_test(test_isolation),   cmocka_unit_test(test_idmap),
		cmocka_unit_test(test_devices),	    cmocka_unit_test(test_chroot_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
