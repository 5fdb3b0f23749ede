/*
 * A small mount namespace to clone from. clone3(CLONE_NEWNS) copies every mount of the caller and
 * init drops them again: 6 k instructions each, which on a host with 1,000 mounts is more than the
 * rest of a start. So where there are many, the clone begins in a pinned namespace that holds a
 * read-only tmpfs with /proc, /sys and /dev and nothing else; what init needs of the host (root,
 * bind sources) the caller opens as detached trees before.
 *
 * Pinned by a bind of its nsfs file on DIR/.launch/ns, on a private tmpfs as mount(2) asks; lives
 * until reboot. Rests on mount_namespaces(7), listmount(2) (Linux 6.8; older kernels do without).
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/str.h"

#define PIN_DIR ".launch"
#define PIN_FILE PIN_DIR "/ns"
#define MANY_MOUNTS 100

#ifndef SYS_listmount
#define SYS_listmount 458
#endif

/* linux/mount.h, struct mnt_id_req and LSMT_ROOT; younger than our oldest headers */
struct list_request {
	uint32_t size, spare;
	uint64_t mnt_id, param;
};
#define LIST_ROOT UINT64_MAX

static bool has_many_mounts(void)
{
	struct list_request request = { .size = sizeof(request), .mnt_id = LIST_ROOT };
	uint64_t ids[MANY_MOUNTS];

	return syscall(SYS_listmount, &request, ids, (size_t)MANY_MOUNTS, 0) == MANY_MOUNTS;
}

static struct err *bind_one(const char *source, const char *target)
{
	if (mkdir(target, 0755) < 0)
		return err_sys(errno, "make %s", target);
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		return err_sys(errno, "bind %s", source);
	return NULL;
}

/* In the child that becomes the namespace. */
static struct err *shrink(const char *dir)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(errno, "make mounts private");
	if (mount("cella-launch", dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755") < 0)
		return err_sys(errno, "mount a tmpfs");
	if (chdir(dir) < 0)
		return err_sys(errno, "enter %s", dir);
	/* complete ones: mounting proc or sysfs in a user namespace needs an unobscured one in
	 * sight */
	TRY(bind_one("/proc", "proc"));
	TRY(bind_one("/sys", "sys"));
	TRY(bind_one("/dev", "dev"));
	if (mount("/sys/fs/cgroup", "sys/fs/cgroup", NULL, MS_BIND, NULL) < 0)
		return err_sys(errno, "bind /sys/fs/cgroup");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(errno, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(errno, "drop the old root");
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) <
	    0)
		return err_sys(errno, "make the root read-only");
	return NULL;
}

/* A process in a fresh small namespace, stopped until it is killed. */
static struct err *spawn_holder(const char *dir, struct ns_child *ret_child)
{
	int pidfd = -1, pair[2];
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	char done = 0;
	long pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(errno, "make a pipe");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		OWN(err) struct err *err = shrink(dir);

		if (!err && write(pair[1], "y", 1) == 1)
			for (;;)
				pause();
		proc_exit(1);
	}
	close(pair[1]);
	if (pid > 0 && read(pair[0], &done, 1) == 1)
		*ret_child = (struct ns_child){ .pid = (pid_t)pid, .pidfd = pidfd };
	close(pair[0]);
	if (pid < 0)
		return err_sys(errno, "clone a mount namespace");
	if (!done) {
		int status;

		close(pidfd);
		waitpid((pid_t)pid, &status, 0);
		return err_new(ERR_PEER, "a small mount namespace could not be made");
	}
	return NULL;
}

static struct err *pin(const char *dir, pid_t pid)
{
	OWN(str) char *pin_dir = NULL, *file = NULL;
	char source[40];
	int fd;

	snprintf(source, sizeof(source), "/proc/%d/ns/mnt", (int)pid);
	TRY(str_format(&pin_dir, "%s/" PIN_DIR, dir));
	TRY(str_format(&file, "%s/" PIN_FILE, dir));
	/* a namespace file may only be bound where its copies cannot propagate to */
	if (mount("cella-launch", pin_dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=64k,mode=0700") < 0 ||
	    mount(NULL, pin_dir, NULL, MS_PRIVATE, NULL) < 0)
		return err_sys(errno, "mount a tmpfs on %s", pin_dir);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(errno, "make %s", file);
	close(fd);
	if (mount(source, file, NULL, MS_BIND, NULL) < 0)
		return err_sys(errno, "bind %s on %s", source, file);
	return NULL;
}

static struct err *make_pinned(const char *dir)
{
	struct ns_child holder = { .pidfd = -1 };
	OWN(str) char *pin_dir = NULL;
	struct err *err;
	int status;

	TRY(str_format(&pin_dir, "%s/" PIN_DIR, dir));
	if (mkdir(pin_dir, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s", pin_dir);
	TRY(spawn_holder(pin_dir, &holder));
	err = pin(dir, holder.pid);
	if (err)
		umount2(pin_dir, MNT_DETACH);
	/* the pin holds the namespace; its process has done its work */
	err = err_first(err, proc_signal(holder.pidfd, SIGKILL));
	err = err_first(err, proc_reap(holder.pidfd, &status));
	close(holder.pidfd);
	return err;
}

/* -1 without a usable pin. A pin that was killed half made is an empty file: not a namespace. */
static int open_pin(const char *dir)
{
	OWN(str) char *file = NULL;
	OWN(fd) int fd = -1;

	err_drop(str_format(&file, "%s/" PIN_FILE,
			    dir)); /* no memory: no pin, which is only slower */
	if (file)
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && ns_is_kind(fd, NS_MOUNT) ? fd_take(&fd) : -1;
}

/* One of several creates makes it, the others find it. */
static struct err *make_once(const char *dir, int *ret_fd)
{
	OWN(fd) int lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock_fd < 0 || flock(lock_fd, LOCK_EX) < 0)
		return err_sys(errno, "lock %s", dir);
	*ret_fd = open_pin(dir);
	if (*ret_fd >= 0)
		return NULL;
	TRY(make_pinned(dir));
	*ret_fd = open_pin(dir);
	return NULL;
}

struct err *ns_launch_find(const char *dir, int *ret_fd)
{
	int fd;

	*ret_fd = -1;
	if (!has_many_mounts())
		return NULL;
	fd = open_pin(dir);
	if (fd < 0)
		return make_once(dir, ret_fd);
	*ret_fd = fd;
	return NULL;
}

static struct err *remember(struct ns_launch *ret_launch)
{
	OWN(fd) int own_fd_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	OWN(fd) int cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (own_fd_ns < 0 || cwd_fd < 0)
		return err_sys(errno, "remember the own mount namespace");
	*ret_launch =
		(struct ns_launch){ .ns_fd = fd_take(&own_fd_ns), .cwd_fd = fd_take(&cwd_fd) };
	return NULL;
}

struct err *ns_launch_enter(int launch_fd, struct ns_launch *ret_launch)
{
	struct ns_launch launch;

	TRY(remember(&launch));
	if (setns(launch_fd, CLONE_NEWNS) < 0) {
		struct err *err = err_sys(errno, "enter the launch namespace");

		ns_launch_close(&launch);
		return err;
	}
	*ret_launch = launch;
	return NULL;
}

struct err *ns_launch_copy(struct ns_launch *ret_launch)
{
	struct ns_launch launch;
	struct err *err;

	TRY(remember(&launch));
	if (unshare(CLONE_NEWNS) < 0) {
		err = err_sys(errno, "copy the mount namespace");
		ns_launch_close(&launch);
		return err;
	}
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) {
		err = err_sys(errno, "keep mounts from the host");
		return err_first(err, ns_launch_leave(&launch));
	}
	*ret_launch = launch;
	return NULL;
}

void ns_launch_close(struct ns_launch *launch)
{
	own_fd(&launch->ns_fd);
	own_fd(&launch->cwd_fd);
	*launch = (struct ns_launch)NS_LAUNCH_INIT;
}

struct err *ns_launch_leave(struct ns_launch *launch)
{
	struct err *err = NULL;

	if (launch->ns_fd < 0)
		return NULL;
	if (setns(launch->ns_fd, CLONE_NEWNS) < 0 || fchdir(launch->cwd_fd) < 0)
		err = err_sys(errno, "return to the own mount namespace");
	ns_launch_close(launch);
	return err;
}
