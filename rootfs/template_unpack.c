/*
 * The sandbox in which an archive is unpacked: user, mount, network, pid, IPC and UTS namespaces of
 *its own, the destination as its root, no other descriptors than what it reads and the socket on
 *which it reports.
 *
 *	parent				child
 *	clone3, write id maps
 *	idmapped mount of dest  ---->	make it the root
 *				<----	progress ...
 *				<----	result: counts or error
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "rootfs/template_room.h"

#define ID_COUNT 65536
#define REPORT_TEXT_MAX 1024

enum report_kind { REPORT_PROGRESS, REPORT_DONE, REPORT_FAILED };

/* What the child tells the parent. The child parses hostile data, so the parent believes only the
 * form of this. */
struct report {
	enum report_kind kind;
	enum err_kind error;
	uint64_t done_bytes;
	struct template_counts counts;
	char text[REPORT_TEXT_MAX];
};

struct child_progress {
	struct template_progress base;
	int socket_fd;
};

static void send_progress(struct template_progress *base, uint64_t done_bytes, uint64_t total_bytes)
{
	struct child_progress *progress = (void *)base;
	struct report report = { .kind = REPORT_PROGRESS, .done_bytes = done_bytes };

	(void)total_bytes;
	err_drop(fd_send(progress->socket_fd, &report, sizeof(report), -1)); /* only progress */
}

enum { ARCHIVE_FD = 3, SOCKET_FD = 4, MORE_FD = 5, HIGH_FD = 100 };

/* The destination becomes "/" and the host's tree is gone from this mount namespace. */
static struct err *enter_root(int tree_fd)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(errno, "make the sandbox's mounts private");
	/* pivot_root(2) wants a mount point below the old root, not on it; /proc is there on every
	 * host */
	if (syscall(SYS_move_mount, tree_fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(errno, "mount the destination");
	if (fchdir(tree_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(errno, "enter the destination");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(errno, "leave the host's tree");
	return NULL;
}

/* Once more: a change of ids takes it away (prctl(2)), and who died meanwhile sends no signal. */
static struct err *die_with_parent(void)
{
	struct pollfd parent = { .fd = SOCKET_FD };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(errno, "ask for a signal when the parent dies");
	if (poll(&parent, 1, 0) < 0 || (parent.revents & POLLHUP))
		return err_new(ERR_PEER, "the parent process died");
	return NULL;
}

static struct err *become_root_of_sandbox(void)
{
	struct rlimit no_core = { 0 };

	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(errno, "become root of the sandbox");
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(errno, "seal the sandbox");
	(void)setrlimit(RLIMIT_CORE, &no_core);
	umask(0);
	return die_with_parent();
}

/* Exactly these at fixed places; first copies out of the way, so that none is in the place of
 * another. */
static struct err *keep_descriptors(const struct sandbox_job *job, int socket_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[MORE_FD + SANDBOX_MORE_MAX] = {
		null_fd, null_fd, null_fd, [ARCHIVE_FD] = job->archive_fd, [SOCKET_FD] = socket_fd
	};
	size_t count = MORE_FD + job->more_count;

	assert(job->more_count <= SANDBOX_MORE_MAX);
	for (size_t i = 0; i < job->more_count; i++)
		fds[MORE_FD + i] = job->more_fds[i];
	for (size_t i = 0; i < count; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
		if (fds[i] < 0)
			return err_sys(errno, "arrange the sandbox's descriptors");
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(fds[i], (int)i) < 0)
			return err_sys(errno, "arrange the sandbox's descriptors");
	if (close_range((unsigned int)count, ~0U, 0) < 0)
		return err_sys(errno, "close the sandbox's descriptors");
	return NULL;
}

/* A root for who makes no files: empty, and of this sandbox alone. */
static struct err *open_nothing(int *ret_tree_fd)
{
	OWN(fd) int fs_fd = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs_fd < 0 || fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(errno, "make an empty root");
	*ret_tree_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return *ret_tree_fd < 0 ? err_sys(errno, "make an empty root") : NULL;
}

static struct err *child_work(const struct sandbox_job *job, struct template_counts *ret_counts)
{
	struct child_progress progress = { .base.report = send_progress, .socket_fd = SOCKET_FD };
	OWN(fd) int tree_fd = -1;
	char go;
	size_t len;

	TRY(fd_recv(SOCKET_FD, &go, sizeof(go), &len, &tree_fd));
	if (len == 0 || (job->dest_fd >= 0 && tree_fd < 0))
		return err_new(ERR_PEER, "the parent process died");
	TRY(become_root_of_sandbox());
	if (tree_fd < 0)
		TRY(open_nothing(&tree_fd));
	/* names in an archive are UTF-8; the C locale would refuse all that is not ASCII */
	setlocale(LC_CTYPE, "C.UTF-8");
	TRY(enter_root(tree_fd));
	return job->run(job,
			&(struct sandbox_inside){ ARCHIVE_FD, MORE_FD, tree_fd, &progress.base },
			ret_counts);
}

_Noreturn static void child_main(const struct sandbox_job *job, int socket_fd)
{
	struct report report = { .kind = REPORT_DONE };
	struct err *err;

	prctl(PR_SET_NAME, "cella:unpack");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = keep_descriptors(job, socket_fd);
	if (err)
		proc_exit(1); /* the parent sees end of file */
	err = child_work(job, &report.counts);
	if (err) {
		report.kind = REPORT_FAILED;
		report.error = err_kind(err);
		snprintf(report.text, sizeof(report.text), "%s", err_text(err));
		err_drop(err); /* the parent says it */
	}
	err_drop(fd_send(SOCKET_FD, &report, sizeof(report), -1)); /* likewise end of file */
	proc_exit(report.kind == REPORT_DONE ? 0 : 1);
}

static struct err *write_map(pid_t pid, const char *file, uint32_t id_first)
{
	OWN(str) char *path = NULL, *map = NULL;

	TRY(str_format(&path, "/proc/%d/%s", (int)pid, file));
	TRY(str_format(&map, "0 %u %u\n", id_first, ID_COUNT));
	return file_write_once(AT_FDCWD, path, map);
}

static struct err *open_dest(const struct sandbox_job *job, int *ret_tree_fd)
{
	if (job->sandbox->dest_is_mount)
		return fd_dup(job->dest_fd, ret_tree_fd);
	*ret_tree_fd = (int)syscall(SYS_open_tree, job->dest_fd, "",
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return *ret_tree_fd < 0 ? err_sys(errno, "open the destination as a mount") : NULL;
}

/* A detached mount of the destination on which the sandbox's ids are 0.. on disk. */
static struct err *open_idmapped(const struct sandbox_job *job, pid_t pid, int *ret_tree_fd)
{
	OWN(fd) int tree_fd = -1;
	OWN(str) char *path = NULL;
	OWN(fd) int userns_fd = -1;
	/* private: a clone of the host's shared tree is shared too, and pivot_root(2) refuses those
	 */
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				   .propagation = MS_PRIVATE };

	TRY(open_dest(job, &tree_fd));
	TRY(str_format(&path, "/proc/%d/ns/user", (int)pid));
	userns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (userns_fd < 0)
		return err_sys(errno, "open %s", path);
	attr.userns_fd = (uint64_t)userns_fd;
	if (syscall(SYS_mount_setattr, tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0) {
		*ret_tree_fd = fd_take(&tree_fd);
		return NULL;
	}
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
		return err_new(ERR_UNSUPPORTED, "the file system of the destination has no "
						"idmapped mounts; put it on ext4, xfs, "
						"btrfs or tmpfs (kernel 5.12 or later)");
	return err_sys(errno, "map the ids of the destination");
}

static struct err *start_child(const struct sandbox_job *job, pid_t pid, int socket_fd)
{
	OWN(fd) int tree_fd = -1;

	TRY(write_map(pid, "uid_map", job->sandbox->id_first));
	TRY(write_map(pid, "gid_map", job->sandbox->id_first));
	if (job->dest_fd >= 0)
		TRY(open_idmapped(job, pid, &tree_fd));
	return fd_send(socket_fd, "g", 1, tree_fd);
}

static struct err *follow_child(int socket_fd, uint64_t total_bytes,
				struct template_progress *progress,
				struct template_counts *ret_counts)
{
	for (;;) {
		struct report report;
		size_t len;
		int fd;

		TRY(fd_recv(socket_fd, &report, sizeof(report), &len, &fd));
		if (fd >= 0)
			close(fd);
		if (len != sizeof(report))
			return err_new(ERR_PEER, "the unpacking process died");
		report.text[REPORT_TEXT_MAX - 1] = '\0';
		if (report.kind == REPORT_FAILED)
			return err_new(report.error < ERR_KIND_COUNT ? report.error : ERR_PEER,
				       "%s", report.text);
		if (report.kind == REPORT_DONE) {
			*ret_counts = report.counts;
			return NULL;
		}
		if (progress)
			progress->report(progress, report.done_bytes, total_bytes);
	}
}

/* Of all that it reads. */
static struct err *total_bytes_of(const struct sandbox_job *job, uint64_t *ret_bytes)
{
	struct stat st;

	if (fstat(job->archive_fd, &st) < 0)
		return err_sys(errno, "look at the archive");
	*ret_bytes = (uint64_t)st.st_size;
	for (size_t i = 0; i < job->more_count; i++) {
		if (fstat(job->more_fds[i], &st) < 0)
			return err_sys(errno, "look at the archive");
		*ret_bytes += (uint64_t)st.st_size;
	}
	return NULL;
}

struct err *template_in_sandbox(const struct sandbox_job *job, struct template_progress *progress,
				struct template_counts *ret_counts)
{
	int pidfd_out = -1, pair[2], status;
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS |
					    CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC |
					    CLONE_NEWUTS,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd_out,
				   .exit_signal = SIGCHLD };
	OWN(fd) int ours = -1, theirs = -1, pidfd = -1;
	uint64_t total_bytes;
	struct err *err;
	long pid;

	TRY(total_bytes_of(job, &total_bytes));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return err_sys(errno, "make the unpacking process");
	if (pid == 0)
		child_main(job, theirs);
	pidfd = pidfd_out;
	own_fd(&theirs); /* so that the child's end is the only one, and its death is an end of file
			  */
	theirs = -1;
	err = start_child(job, (pid_t)pid, ours);
	if (!err)
		err = follow_child(ours, total_bytes, progress, ret_counts);
	if (err)
		err_drop(proc_signal(pidfd, SIGKILL)); /* it may have ended by itself */
	return err_first(err, proc_reap(pidfd, &status));
}

static struct err *unpack(const struct sandbox_job *job, const struct sandbox_inside *inside,
			  struct template_counts *ret_counts)
{
	return template_extract_in(inside, job->sandbox, ret_counts);
}

struct err *template_unpack(int archive_fd, int dest_fd, const struct template_sandbox *sandbox,
			    struct template_progress *progress, struct template_counts *ret_counts)
{
	const struct sandbox_job job = {
		.archive_fd = archive_fd, .dest_fd = dest_fd, .sandbox = sandbox, .run = unpack
	};

	return template_in_sandbox(&job, progress, ret_counts);
}
