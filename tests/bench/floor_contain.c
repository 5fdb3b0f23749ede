/*
 * floor: what happens inside the container. The mounts, nodes, masks and capabilities are those of
 * `runc spec`; paths are relative to the root file system and trusted, which no runtime may do.
 */
#include "tests/bench/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HARDENED (MS_NOSUID | MS_NOEXEC | MS_NODEV)

static const struct {
	const char *target, *type, *data;
	unsigned long flags;
} default_mounts[] = {
	{ "proc", "proc", NULL, 0 },
	{ "dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME },
	{ "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC },
	{ "dev/shm", "tmpfs", "mode=1777,size=65536k", HARDENED },
	{ "dev/mqueue", "mqueue", NULL, HARDENED },
	{ "sys", "sysfs", NULL, HARDENED | MS_RDONLY },
	{ "sys/fs/cgroup", "cgroup2", NULL, HARDENED | MS_RELATIME | MS_RDONLY },
};

static const struct {
	const char *path, *host;
	unsigned int major, minor;
} nodes[] = {
	{ "dev/null", "/dev/null", 1, 3 },	 { "dev/zero", "/dev/zero", 1, 5 },
	{ "dev/full", "/dev/full", 1, 7 },	 { "dev/random", "/dev/random", 1, 8 },
	{ "dev/urandom", "/dev/urandom", 1, 9 }, { "dev/tty", "/dev/tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "/proc/kcore", "dev/core" },	     { "pts/ptmx", "dev/ptmx" },
};

static const char *const masked[] = {
	"proc/acpi",	      "proc/asound",	 "proc/kcore",	     "proc/keys",
	"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug",
	"sys/firmware",	      "proc/scsi",
};

static const char *const read_only[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static void make_nodes(bool userns)
{
	mode_t old = umask(0);

	for (size_t i = 0; i < COUNT(nodes); i++) {
		const char *path = nodes[i].path;

		if (!userns) {
			dev_t number = makedev(nodes[i].major, nodes[i].minor);

			floor_need(mknod(path, S_IFCHR | 0666, number), path);
			continue;
		}
		/* A user namespace may not make nodes: an empty file, and a bind of the host's. */
		close(floor_need(open(path, O_CREAT | O_CLOEXEC | O_WRONLY, 0666), path));
		floor_need(mount(nodes[i].host, path, NULL, MS_BIND, NULL), path);
	}
	for (size_t i = 0; i < COUNT(links); i++)
		floor_need(symlink(links[i][0], links[i][1]), links[i][1]);
	umask(old);
}

static void make_mounts(bool cgroups)
{
	for (size_t i = 0; i < COUNT(default_mounts); i++) {
		const char *target = default_mounts[i].target, *type = default_mounts[i].type;

		if (!cgroups && !strcmp(type, "cgroup2"))
			continue;
		floor_need(
			mount(type, target, type, default_mounts[i].flags, default_mounts[i].data),
			target);
		if (strcmp(target, "dev"))
			continue;
		floor_need(mkdir("dev/pts", 0755), "dev/pts");
		floor_need(mkdir("dev/shm", 0755), "dev/shm");
		floor_need(mkdir("dev/mqueue", 0755), "dev/mqueue");
	}
}

static void hide_paths(void)
{
	for (size_t i = 0; i < COUNT(masked); i++) {
		if (!mount("dev/null", masked[i], NULL, MS_BIND, NULL) || errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			floor_die(masked[i]);
		floor_need(mount("tmpfs", masked[i], "tmpfs", HARDENED | MS_RDONLY, "size=0k"),
			   masked[i]);
	}
	for (size_t i = 0; i < COUNT(read_only); i++) {
		const char *path = read_only[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL)) {
			if (errno != ENOENT)
				floor_die(path);
			continue;
		}
		floor_need(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), path);
	}
}

void floor_drop_privileges(void)
{
	const uint32_t keep = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };

	for (unsigned int cap = 0; cap < 64; cap++) {
		if (cap < 32 && keep & 1U << cap)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			break; /* past the kernel's last one */
	}
	floor_need((int)syscall(SYS_capset, &head, data), "capset");
	floor_need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

/* BUNDLE/floor.bpf: struct sock_filter[], as libseccomp emits it; without the file, no filter. */
static size_t read_filter(const struct floor *f, void *room, size_t size)
{
	char path[FLOOR_PATH_ROOM * 2];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/floor.bpf", f->bundle);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, room, size);
	close(fd);
	return (size_t)floor_need((int)got, path);
}

static void install_filter(void *filter, size_t size)
{
	struct sock_fprog program = { .len = (unsigned short)(size / sizeof(struct sock_filter)),
				      .filter = filter };

	if (size)
		floor_need((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program),
			   "seccomp");
}

static void expect_byte(int fd, const char *what)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		floor_die(what);
}

static void build_root(const struct floor *f, bool userns)
{
	char path[FLOOR_PATH_ROOM * 2];

	floor_need(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "make / a slave");
	snprintf(path, sizeof(path), "%s/rootfs", f->bundle);
	floor_need(mount(path, path, NULL, MS_BIND | MS_REC, NULL), path);
	floor_need(chdir(path), path);
	make_mounts(f->cgroups);
	make_nodes(userns);
	hide_paths();
	floor_need((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	floor_need(umount2(".", MNT_DETACH), "leave the old root");
	floor_need(chdir("/"), "chdir");
	floor_need(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
		   "read-only root");
}

_Noreturn void floor_contain(const struct floor *f, bool userns, int sync_fd, int fifo_fd)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	char payload[] = "/payload", sleep_arg[] = "sleep", path_env[] = "PATH=/bin";
	char *const argv[] = { payload, fifo_fd >= 0 ? sleep_arg : NULL, NULL };
	char *const envp[] = { path_env, NULL };
	const struct rlimit files = { 1024, 1024 };
	size_t filter_size = read_filter(f, filter, sizeof(filter));

	if (userns)
		expect_byte(sync_fd, "id maps");
	if (userns && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		floor_die("become root");
	if (f->cgroups)
		floor_need(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	build_root(f, userns);
	floor_need(sethostname("floor", 5), "hostname");
	floor_need(setrlimit(RLIMIT_NOFILE, &files), "rlimit");
	if (!userns)
		expect_byte(sync_fd, "go");
	if (fifo_fd >= 0) {
		floor_need((int)write(sync_fd, "r", 1), "say ready");
		expect_byte(fifo_fd, "start");
	}
	floor_drop_privileges();
	install_filter(filter, filter_size);
	floor_need((int)syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
	execve(argv[0], argv, envp);
	floor_die("exec /payload");
}
