/* Mounts of a spec on the real kernel: binds, tmpfs and other file systems, and their options. */
#include "tests/unit/rootfs_scene.h"

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

static void act_overlay(struct scene *scene)
{
	char data[8192];
	size_t len = 0;
	struct stat st;

	/* more layers than a page of mount(2) data can name */
	len += (size_t)snprintf(data + len, sizeof(data) - len, "lowerdir=");
	for (int i = 0; i < 120; i++)
		len += (size_t)snprintf(data + len, sizeof(data) - len, "%s%s/layers/%03d-%s",
					i ? ":" : "", top, i, "abcdefghijklmnopqrstuvwxyz");
	add_mount(scene, "overlay", "overlay", "/long", "ro");
	CHECK(len > 4096 && !scene->spec.mounts[0].data);
	scene->spec.mounts[0].data = strdup(data);
	snprintf(data, sizeof(data), "lowerdir=%s/layers/000-%s:%s/vol", top,
		 "abcdefghijklmnopqrstuvwxyz", top);
	add_mount(scene, "overlay", "overlay", "/short", "ro");
	scene->spec.mounts[1].data = strdup(data);
	add_mount(scene, "proc", "proc", "/proc", "");
	build_and_enter(scene);
	CHECK(mounted("/long", " - overlay overlay") && mounted("/long", " ro"));
	CHECK(stat("/long/000", &st) == 0 && stat("/long/119", &st) == 0);
	CHECK(mounted("/short", "lowerdir=") && stat("/short/file", &st) == 0);
}

static void test_overlay(void **state)
{
	char name[64];

	(void)state;
	CHECK(mkdir(in_top("layers"), 0755) == 0);
	for (int i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "layers/%03d-abcdefghijklmnopqrstuvwxyz", i);
		CHECK(mkdir(in_top(name), 0755) == 0);
		snprintf(name, sizeof(name), "layers/%03d-abcdefghijklmnopqrstuvwxyz/%03d", i, i);
		put_file(name, "", 0644);
	}
	play(AS_ROOT, act_overlay);
}

static void act_remount(struct scene *scene)
{
	add_default_mounts(scene);
	add_mount(scene, "bind", in_top("vol"), "/data", "bind");
	add_mount(scene, NULL, NULL, "/data", "remount,bind,ro,nosuid");
	add_mount(scene, "tmpfs", "tmpfs", "/t", "size=64k");
	add_mount(scene, "tmpfs", NULL, "/t", "remount,size=128k,noexec");
	build_and_enter(scene);
	CHECK(mounted("/data", " ro,nosuid"));
	CHECK(mounted("/t", "noexec") && mounted("/t", "size=128k"));
}

static void test_remount(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_remount);
}

static void act_notify(struct scene *scene)
{
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "tmpfs", "tmpfs", "/run", "mode=755");
	scene->env.notify_dir = strdup(in_top("secret/notify"));
	build_and_enter(scene);
	CHECK(access("/run/notify/socket", F_OK) == 0);
}

/* A directory that only host root may pass: the parent has to open it. */
static void test_notify(void **state)
{
	(void)state;
	CHECK(mkdir(in_top("secret"), 0700) == 0 && mkdir(in_top("secret/notify"), 0755) == 0);
	put_file("secret/notify/socket", "", 0666);
	play(AS_ROOT, act_notify);
	play(ROOT_WITH_USER_NS, act_notify);
	play(SMALL_NS, act_notify);
}

static void act_locked_kept(struct scene *scene)
{
	/* read-only and nodev when our user namespace got it */
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("tmpfs", in_top("vol/sub"), "tmpfs", MS_RDONLY | MS_NODEV, NULL) == 0);
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "bind", in_top("vol/sub"), "/data", "bind,nosuid");
	build_and_enter(scene);
	CHECK(mounted("/data", "ro,nosuid,nodev"));
}

static void act_locked_cleared(struct scene *scene)
{
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("tmpfs", in_top("vol/sub"), "tmpfs", MS_RDONLY | MS_NODEV, NULL) == 0);
	add_mount(scene, "bind", in_top("vol/sub"), "/data", "bind,rw");
	unshare_with_maps(CLONE_NEWNS, "0 0 65536");
	scene->env.user_ns = scene->env.own_mount_ns = true;
	/* a refusal of the parent's may be of rootless's kind: init tries again */
	must(rootfs_open(&scene->spec, &scene->env, &scene->handles));
	CHECK(unshare(CLONE_NEWNS) == 0);
	must_fail(rootfs_build(&scene->spec, &scene->env, &scene->handles, &scene->root_fd),
		  "not permitted");
}

static void test_locked_flags(void **state)
{
	(void)state;
	play(NESTED, act_locked_kept);
	play(AS_ROOT, act_locked_kept);
	play(AS_ROOT, act_locked_cleared);
}

static void act_nofollow(struct scene *scene)
{
	struct stat st;
	char text[64] = "";

	add_mount(scene, "proc", "proc", "/proc", "");
	/* onto the link itself; and the link itself */
	add_mount(scene, "bind", in_top("vol/file"), "/bin/link", "bind,dest-nofollow");
	add_mount(scene, "bind", in_top("vol/link"), "/bin/link2",
		  "bind,src-nofollow,dest-nofollow");
	build_and_enter(scene);
	CHECK(stat("/bin/marker", &st) == 0 && st.st_size == 0);
	CHECK(lstat("/bin/link", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5);
	CHECK(lstat("/bin/link2", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(readlink("/bin/link2", text, sizeof(text)) == 4 && strcmp(text, "file") == 0);
}

static void test_nofollow(void **state)
{
	(void)state;
	CHECK(symlink("marker", in_top("bundle/root/bin/link")) == 0);
	CHECK(symlink("nothing", in_top("bundle/root/bin/link2")) == 0);
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_nofollow);
}

static void act_no_source(struct scene *scene)
{
	add_mount(scene, "bind", "/no/such/source", "/data", "bind");
	if (scene->how == ROOT_WITH_USER_NS) {
		scene->env.user_ns = true;
		must_fail(rootfs_open(&scene->spec, &scene->env, &scene->handles),
			  "/no/such/source");
	} else {
		expect_refusal(scene, "/no/such/source");
	}
}

static void act_file_on_dir(struct scene *scene)
{
	add_mount(scene, "bind", in_top("vol/file"), "/bin", "bind");
	expect_refusal(scene, "/bin");
}

static void act_bad_option(struct scene *scene)
{
	add_mount(scene, "tmpfs", "tmpfs", "/t", "size=64k,nonsense=1");
	expect_refusal(scene, "nonsense=1");
}

static void act_bad_long_option(struct scene *scene)
{
	add_mount(scene, "tmpfs", "tmpfs", "/t", "tmpcopyup,nonsense=1");
	expect_refusal(scene, "nonsense");
}

static void act_tmpfs_on_proc_file(struct scene *scene)
{
	add_mount(scene, "bind", in_top("vol"), "/proc", "bind");
	expect_refusal(scene, "not a procfs");
}

static void test_refusals(void **state)
{
	(void)state;
	play(AS_ROOT, act_no_source);
	play(ROOT_WITH_USER_NS, act_no_source);
	play(AS_ROOT, act_file_on_dir);
	play(AS_ROOT, act_bad_option);
	play(AS_ROOT, act_bad_long_option);
	play(AS_ROOT, act_tmpfs_on_proc_file);
}

static void act_recursive(struct scene *scene)
{
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("tmpfs", in_top("vol/sub"), "tmpfs", 0, NULL) == 0);
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "bind", in_top("vol"), "/top", "rbind,ro");
	add_mount(scene, "bind", in_top("vol"), "/all", "rbind,rro,rnoexec,rnosuid");
	add_mount(scene, "tmpfs", "tmpfs", "/t", "rro,rnodev");
	build_and_enter(scene);
	CHECK(mounted("/top", " ro") && mounted("/top/sub", " rw"));
	CHECK(mounted("/all", " ro,nosuid") && mounted("/all/sub", " ro,nosuid"));
	CHECK(mounted("/all/sub", "noexec") && mounted("/t", " ro,nodev"));
}

static void test_recursive(void **state)
{
	(void)state;
	play(AS_ROOT, act_recursive);
	play(ROOT_WITH_USER_NS, act_recursive);
	play(NESTED, act_recursive);
}

/* No file system on /dev: nodes and links go into the image's own directory. */
static void act_image_dev(struct scene *scene)
{
	add_mount(scene, "proc", "proc", "/proc", "");
	build_and_enter(scene);
	CHECK(is_node("/dev/null", 1, 3) && is_node("/dev/urandom", 1, 9));
	CHECK(access("/dev/stdin", F_OK) == 0 || errno == ENOENT);
}

/* The host's /dev: neither nodes nor links are made in it. */
static void act_host_dev(struct scene *scene)
{
	add_mount(scene, "proc", "proc", "/proc", "");
	add_mount(scene, "bind", in_top("vol"), "/dev/", "rbind");
	scene->env.terminal = true;
	build_and_enter(scene);
	CHECK(access("/dev/null", F_OK) < 0 && access("/dev/fd", F_OK) < 0);
	CHECK(access("/dev/console", F_OK) < 0 && access("/dev/file", F_OK) == 0);
}

static void test_other_dev(void **state)
{
	(void)state;
	play(AS_ROOT, act_image_dev);
	play(AS_ROOT, act_image_dev); /* and again, over those of the first time */
	play(AS_ROOT, act_host_dev);
	play(ROOT_WITH_USER_NS, act_host_dev);
}

/* What is mounted later covers what was before, also for our own use of it. */
static void act_twice(struct scene *scene)
{
	add_default_mounts(scene);
	add_mount(scene, "tmpfs", "tmpfs", "/dev", "mode=700,size=32k");
	add_mount(scene, "tmpfs", "tmpfs", "/dev/x", "mode=700,size=32k");
	add_mount(scene, "proc", "proc", "/proc", "nosuid");
	add_default_paths(scene);
	build_and_enter(scene);
	CHECK(mounted("/dev", "size=32k") && is_node("/dev/null", 1, 3));
	CHECK(access("/dev/shm", F_OK) < 0 && access("/dev/x", F_OK) == 0);
	CHECK(reads_empty("/proc/version"));
}

static void test_twice(void **state)
{
	(void)state;
	for (enum how how = 0; how < HOW_COUNT; how++)
		play(how, act_twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volumes),	 cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_remount),	 cmocka_unit_test(test_notify),
		cmocka_unit_test(test_nofollow), cmocka_unit_test(test_locked_flags),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_recursive),
		cmocka_unit_test(test_twice),	 cmocka_unit_test(test_other_dev),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
