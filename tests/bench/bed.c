/*
 * Where the bench lies: private mount and pid namespaces, one tmpfs on /run for everything it
 * writes, bundles for the default spec of `runc spec`. When the namespaces end, by whatever death,
 * everything in them is gone; only cgroups outlive it, and the parent outside removes those.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

#define BED "/run"
#define MANY BED "/many"
#define CGROUPS "/sys/fs/cgroup"
#define CGROUP_PREFIX "cella-bench-"
#define CGROUP2_MAGIC 0x63677270 /* linux/magic.h, CGROUP2_SUPER_MAGIC */

static volatile sig_atomic_t child_pid;

static void pass_on(int signum)
{
	(void)signum;
	kill((pid_t)child_pid, SIGKILL); /* the first of a pid namespace takes all others along */
}

/* --- cgroups ---------------------------------------------------------------------------------- */

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == CGROUP2_MAGIC;
}

static void remove_cgroups(const char *below)
{
	OWN(str) char *path = NULL;
	char child[512];
	DIR *dir;

	err_drop(str_format(&path, CGROUPS "%s", below)); /* then there is nothing to open */
	dir = path ? opendir(path) : NULL;
	if (!dir)
		return;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", below, e->d_name);
		remove_cgroups(child);
	}
	closedir(dir);
	if (rmdir(path))
		fprintf(stderr, "bench: left behind: cgroup %s: %s\n", path, strerror(errno));
}

/* A bench that was killed with SIGKILL could not remove its cgroups: do it for those whose process
 * is gone. */
static void sweep_cgroups(void)
{
	OWN(dir) DIR *dir = opendir(CGROUPS);

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		char path[NAME_MAX + 2];
		pid_t pid;

		if (strncmp(e->d_name, CGROUP_PREFIX, strlen(CGROUP_PREFIX)))
			continue;
		pid = (pid_t)strtol(e->d_name + strlen(CGROUP_PREFIX), NULL, 10);
		if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "/%s", e->d_name);
		remove_cgroups(path);
	}
}

/* /cella-bench-PID with a leaf for the commands; containers get cgroups beside it. */
static struct err *make_cgroups(struct bench *bench)
{
	OWN(str) char *path = NULL, *leaf = NULL;

	if (!bench->cgroups)
		return NULL;
	if (!is_cgroup2(CGROUPS))
		return err_new(ERR_UNSUPPORTED, CGROUPS " is not a cgroup v2 hierarchy");
	sweep_cgroups();
	TRY(str_format(&bench->cgroup, "/" CGROUP_PREFIX "%d", getpid()));
	TRY(str_format(&path, CGROUPS "%s", bench->cgroup));
	TRY(str_format(&leaf, CGROUPS "%s/command", bench->cgroup));
	if (mkdir(path, 0755))
		return err_sys(errno, "make cgroup %s", path);
	if (mkdir(leaf, 0755))
		return err_sys(errno, "make cgroup %s", leaf);
	setenv("FLOOR_CGROUP", bench->cgroup, 1);
	return NULL;
}

/* Without cgroups of our own the runtimes still look at /sys/fs/cgroup and some refuse a hybrid
 * one: show them a read-only view of the v2 hierarchy, in this mount namespace only. */
static struct err *show_cgroups(const struct bench *bench)
{
	if (bench->cgroups || is_cgroup2(CGROUPS))
		return NULL;
	if (!is_cgroup2(CGROUPS "/unified"))
		return NULL;
	if (mount(CGROUPS "/unified", CGROUPS, NULL, MS_BIND, NULL) ||
	    mount(NULL, CGROUPS, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		return err_sys(errno, "read-only view of the v2 hierarchy");
	return NULL;
}

/* --- namespaces ------------------------------------------------------------------------------- */

/* Outside: wait for the bench in its namespaces, then clear up what they do not hold. */
_Noreturn static void keep(const struct bench *bench, pid_t pid)
{
	struct sigaction action = { .sa_handler = pass_on };
	int status = 0;

	child_pid = pid;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (bench->cgroup)
		remove_cgroups(bench->cgroup);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

struct err *bed_enter(struct bench *bench)
{
	pid_t pid;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID))
		return err_sys(errno, "private namespaces (this needs root)");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return err_sys(errno, "private mounts");
	TRY(make_cgroups(bench));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_sys(errno, "fork");
	if (pid > 0)
		keep(bench, pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return err_sys(errno, "mount /proc");
	if (mount("bench", BED, "tmpfs", 0, "mode=755"))
		return err_sys(errno, "mount a tmpfs on " BED);
	return show_cgroups(bench);
}

/* --- bundles ---------------------------------------------------------------------------------- */

/* The default spec of `runc spec`: %s are argv, cgroup mount, extra linux members, namespaces. */
static const char config_format[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},"
	"\"args\":[%s],\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/"
	"bin\","
	"\"TERM=xterm\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
	"\"noNewPrivileges\":true},\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"hostname\":\"bench\",\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}%s],"
	"\"linux\":{%s\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"mount\"}%s],"
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\","
	"\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\","
	"\"/sys/firmware\",\"/proc/scsi\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
	"\"/proc/sysrq-trigger\"]}}";

static const char cgroup_mount[] =
	",{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}";

static const char id_maps[] =
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],";

static const char *const bundle_names[BUNDLE_COUNT] = { "plain", "seccomp", "userns", "sleep" };

static struct err *write_file(const char *dir, const char *name, mode_t mode, const void *data,
			      size_t len)
{
	OWN(str) char *path = NULL;
	OWN(fd) int fd = -1;

	TRY(str_format(&path, "%s/%s", dir, name));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(errno, "make %s", path);
	return fd_write_all(fd, path, data, len);
}

static struct err *write_config(const struct bench *bench, enum bundle bundle, const char *seccomp)
{
	OWN(buf) struct buf linux_extra = { 0 }, namespaces = { 0 }, config = { 0 };

	if (bench->cgroups)
		TRY(buf_format(&namespaces, ",{\"type\":\"cgroup\"}"));
	if (bundle == BUNDLE_USERNS)
		TRY(buf_format(&namespaces, ",{\"type\":\"user\"}"));
	if (bench->cgroups)
		TRY(buf_format(&linux_extra, "\"cgroupsPath\":\"%s/box\",", bench->cgroup));
	if (bundle == BUNDLE_USERNS)
		TRY(buf_add(&linux_extra, id_maps, strlen(id_maps)));
	if (bundle == BUNDLE_SECCOMP)
		TRY(buf_format(&linux_extra, "\"seccomp\":%s,", seccomp));
	TRY(buf_format(&config, config_format,
		       bundle == BUNDLE_SLEEP ? "\"/payload\",\"sleep\"" : "\"/payload\"",
		       bench->cgroups ? cgroup_mount : "", linux_extra.len ? linux_extra.data : "",
		       namespaces.len ? namespaces.data : ""));
	return write_file(bench->bundles[bundle], "config.json", 0644, config.data, config.len);
}

static struct err *build_bundle(struct bench *bench, enum bundle bundle, const struct buf *payload)
{
	OWN(str) char *rootfs = NULL;
	static const char *const dirs[] = { "proc", "sys", "dev" };
	char **dir = &bench->bundles[bundle];

	TRY(str_format(dir, BED "/bundle/%s", bundle_names[bundle]));
	TRY(str_format(&rootfs, "%s/rootfs", *dir));
	TRY(path_make_own_dirs(rootfs, 0755));
	TRY(write_file(rootfs, "payload", 0755, payload->data, payload->len));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%s/%s", rootfs, dirs[i]));
		if (mkdir(path, 0755))
			return err_sys(errno, "make %s", path);
	}
	if (bundle == BUNDLE_USERNS)
		return write_file(*dir, "floor.userns", 0644, "", 0);
	return NULL;
}

struct err *bed_build(struct bench *bench)
{
	OWN(buf) struct buf payload = { 0 }, bpf = { 0 };
	OWN(str) char *seccomp = NULL;

	umask(022);
	TRY(err_wrap(profile_read(bench->profile, &seccomp, &bpf), "seccomp profile %s",
		     bench->profile ? bench->profile : "(own)"));
	TRY(file_read(AT_FDCWD, bench->payload, 1 << 20, &payload));
	for (enum bundle b = 0; b < BUNDLE_COUNT; b++) {
		TRY(build_bundle(bench, b, &payload));
		TRY(write_config(bench, b, seccomp));
	}
	TRY(write_file(bench->bundles[BUNDLE_SECCOMP], "floor.bpf", 0644, bpf.data, bpf.len));
	for (size_t i = 0; i < bench->runtime_count; i++) {
		TRY(str_format(&bench->runtimes[i].root, BED "/root/%s", bench->runtimes[i].name));
		TRY(path_make_own_dirs(bench->runtimes[i].root, 0700));
	}
	return NULL;
}

void bed_drop_cache(const struct runtime *runtime)
{
	OWN(fd) int root_fd = open(runtime->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root_fd >= 0)
		err_drop(path_remove_tree(root_fd, ".cache")); /* there may be none */
}

struct err *bed_set_mounts(unsigned int count)
{
	char path[64];

	if (!count) {
		if (umount2(MANY, MNT_DETACH))
			return err_sys(errno, "unmount " MANY);
		return NULL;
	}
	if (mkdir(MANY, 0755) && errno != EEXIST)
		return err_sys(errno, "make " MANY);
	if (mount("many", MANY, "tmpfs", 0, "size=1m"))
		return err_sys(errno, "mount " MANY);
	for (unsigned int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), MANY "/%u", i);
		if (mkdir(path, 0755) || mount("many", path, "tmpfs", 0, "size=64k"))
			return err_sys(errno, "mount %s", path);
	}
	return NULL;
}
