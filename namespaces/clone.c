/*
 * The one clone3(2) that makes a container's first process, and joining.
 *
 * Usually:      caller --clone3(all new namespaces, into the cgroup)--> init, which joins the rest
 * itself. With a user namespace and something joined: the joins need the caller's privileges when
 * the user namespace is new (the joined ones belong to the host), and must come first when a pid
 * namespace has to be owned by a joined user namespace. So a short-lived stage does them and clones
 * init as its sibling: caller --clone3(into the cgroup)--> stage: setns... --clone3(CLONE_PARENT,
 * new ones)--> init
 *
 * Rests on clone(2), setns(2), pid_namespaces(7), time_namespaces(7), cgroup_namespaces(7).
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"

void ns_fds_release(struct ns_fds *fds)
{
	for (int kind = 0; kind < NS_KIND_COUNT; kind++) {
		own_fd(&fds->fd[kind]);
		fds->fd[kind] = -1;
	}
}

bool ns_is_kind(int fd, enum ns_kind kind)
{
	int type = ioctl(fd, NS_GET_NSTYPE);

	return type >= 0 && (uint64_t)type == ns_infos[kind].clone_flag;
}

static struct err *open_one(const char *path, enum ns_kind kind, int *ret_fd)
{
	OWN(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(errno, "open %s namespace %s", ns_infos[kind].oci_name, path);
	if (!ns_is_kind(fd, kind))
		return err_new(ERR_INVALID, "%s is not a %s namespace", path,
			       ns_infos[kind].oci_name);
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *ns_open_joined(const struct ns_spec *spec, struct ns_fds *ret_fds)
{
	struct ns_fds fds = NS_FDS_INIT;

	for (int kind = 0; kind < NS_KIND_COUNT; kind++) {
		struct err *err;

		if (!spec->join_path[kind])
			continue;
		err = open_one(spec->join_path[kind], (enum ns_kind)kind, &fds.fd[kind]);
		if (err) {
			ns_fds_release(&fds);
			return err;
		}
	}
	*ret_fds = fds;
	return NULL;
}

static struct err *join_one(const struct ns_fds *fds, int kind)
{
	if (setns(fds->fd[kind], (int)ns_infos[kind].clone_flag) < 0)
		return err_sys(errno, "join the %s namespace", ns_infos[kind].oci_name);
	return NULL;
}

/*
 * Join all but the pid namespace's own process. A privileged caller must join the others before it
 * gives its privileges up in the user namespace; an unprivileged one gets them only there. So:
 * others, user, refused others.
 */
static struct err *join_all(const struct ns_fds *fds)
{
	bool again[NS_KIND_COUNT] = { false };

	for (int kind = 0; kind < NS_KIND_COUNT; kind++) {
		struct err *err;

		if (kind == NS_USER || fds->fd[kind] < 0)
			continue;
		err = join_one(fds, kind);
		if (err && err_errno(err) == EPERM && fds->fd[NS_USER] >= 0) {
			err_drop(err); /* tried again below, as root of the user namespace */
			again[kind] = true;
			continue;
		}
		TRY(err);
	}
	if (fds->fd[NS_USER] >= 0)
		TRY(join_one(fds, NS_USER));
	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		if (again[kind])
			TRY(join_one(fds, kind));
	return NULL;
}

/* clone3 with a pidfd; cgroup_fd -1: no CLONE_INTO_CGROUP. Returns twice. */
static struct err *clone_child(uint64_t flags, int cgroup_fd, int exit_signal,
			       struct ns_child *ret_child)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = (uint64_t)exit_signal,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return err_sys(errno, "clone a process into new namespaces");
	*ret_child = (struct ns_child){ .pid = (pid_t)pid, .pidfd = pid ? pidfd : -1 };
	return NULL;
}

/*
 * Flags for clone3. Not the cgroup namespace: its root would be the *caller's* cgroup
 * (copy_cgroup_ns() looks at the parent), so init unshares it once it is in its own. Not the time
 * namespace when it has offsets: they must be written before the first process enters.
 */
static uint64_t clone_flags(const struct ns_spec *spec, bool has_offsets)
{
	uint64_t flags = 0;

	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		if (spec->is_new[kind] && kind != NS_CGROUP && !(kind == NS_TIME && has_offsets))
			flags |= ns_infos[kind].clone_flag;
	return flags;
}

static struct err *write_time_offsets(const struct ns_spec *spec)
{
	char text[128];
	int len = 0;

	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(errno, "make a time namespace");
	if (spec->monotonic.is_set)
		len += snprintf(text, sizeof(text), "monotonic %jd %u\n",
				(intmax_t)spec->monotonic.secs, spec->monotonic.nanosecs);
	if (spec->boottime.is_set)
		snprintf(text + len, sizeof(text) - (size_t)len, "boottime %jd %u\n",
			 (intmax_t)spec->boottime.secs, spec->boottime.nanosecs);
	return file_write_once(AT_FDCWD, "/proc/self/timens_offsets", text);
}

/* The stage's report; an error travels as text, because the stage cannot return it. */
struct stage_report {
	struct ns_child child;
	int errnum;
	char text[256];
};

static _Noreturn void stage_exit(int report_fd, const struct ns_child *child, struct err *err)
{
	struct stage_report report = { 0 };

	if (child)
		report.child = *child;
	if (err) {
		report.errnum = err_errno(err) ? err_errno(err) : EINVAL;
		snprintf(report.text, sizeof(report.text), "%s", err_text(err));
	}
	if (write(report_fd, &report, sizeof(report)) != sizeof(report))
		proc_exit(1);
	proc_exit(0);
}

static struct err *read_report(int report_fd, struct ns_child *ret_child)
{
	struct stage_report report;
	ssize_t got;

	do {
		got = read(report_fd, &report, sizeof(report));
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(report))
		return err_new(ERR_PEER, "the joining process died");
	report.text[sizeof(report.text) - 1] = '\0';
	if (report.errnum)
		return err_new(ERR_PEER, "%s", report.text);
	*ret_child = report.child;
	return NULL;
}

/*
 * CLONE_FILES: the pidfd that the stage gets for init lands in our own table, and so nobody may
 * close anything while both live. The report fits into the pipe, so it is read after the stage's
 * end.
 */
static struct err *clone_staged(const struct ns_fds *fds, uint64_t flags, int cgroup_fd,
				struct ns_child *ret_child)
{
	OWN(fd) int read_fd = -1, write_fd = -1, stage_pidfd = -1;
	struct ns_child stage, init;
	struct err *err;
	int pair[2], status;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(errno, "make a pipe");
	read_fd = pair[0];
	write_fd = pair[1];
	TRY(clone_child(CLONE_FILES, cgroup_fd, SIGCHLD, &stage));
	if (stage.pid == 0) {
		err = join_all(fds);
		/* with CLONE_PARENT the exit signal is the stage's own, clone(2) */
		if (!err)
			err = clone_child(flags | CLONE_PARENT, -1, 0, &init);
		if (!err && init.pid == 0) {
			*ret_child = init;
			return NULL;
		}
		stage_exit(write_fd, err ? NULL : &init, err);
	}
	stage_pidfd = stage.pidfd;
	TRY(proc_reap(stage_pidfd, &status));
	return read_report(read_fd, ret_child);
}

/* Our children get the pid namespace; *ret_saved_fd leads back, so that later children (hooks) do
 * not. */
static struct err *enter_pid_ns(int fd, int *ret_saved_fd)
{
	/* a pidfd is all its process's namespaces, and spares a look into procfs: setns(2) */
	OWN(fd) int saved_fd = pidfd_open(getpid(), 0);

	if (saved_fd < 0)
		return err_sys(errno, "open a pidfd of ourselves");
	if (setns(fd, CLONE_NEWPID) < 0)
		return err_sys(errno, "join the pid namespace");
	*ret_saved_fd = fd_take(&saved_fd);
	return NULL;
}

static struct err *leave_ns(int saved_fd, uint64_t flag)
{
	if (setns(saved_fd, (int)flag) == 0)
		return NULL;
	/* Without privilege on the host one may enter the container's pid namespace, but has no
	 * right to the host's, which would be needed to return (pid_namespaces(7)). Only children
	 * that we still make are born in it. */
	if (errno == EPERM && flag == CLONE_NEWPID)
		return NULL;
	return err_sys(errno, "return to the own namespace");
}

/* Whether there is a way back: the pid namespace of a rootless caller belongs to the host. Joining
 * the one that we are in changes nothing. */
static bool may_leave_pid_ns(void)
{
	OWN(fd) int self_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	return self_fd >= 0 && setns(self_fd, CLONE_NEWPID) == 0;
}

static bool needs_stage(const struct ns_spec *spec, const struct ns_fds *fds)
{
	bool joins = false;

	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		joins |= fds->fd[kind] >= 0;
	if (fds->fd[NS_PID] >= 0 && !may_leave_pid_ns())
		return true;
	return fds->fd[NS_USER] >= 0 || (spec->is_new[NS_USER] && joins);
}

static struct err *clone_direct(const struct ns_fds *fds, uint64_t flags, int cgroup_fd,
				struct ns_child *ret_child)
{
	OWN(fd) int saved_fd = -1;
	struct ns_fds rest = *fds;
	struct err *err;

	if (fds->fd[NS_PID] >= 0)
		TRY(enter_pid_ns(fds->fd[NS_PID], &saved_fd));
	err = clone_child(flags, cgroup_fd, SIGCHLD, ret_child);
	if (!err && ret_child->pid == 0) {
		rest.fd[NS_PID] = -1;
		return join_all(&rest);
	}
	if (saved_fd >= 0)
		err = err_first(err, leave_ns(saved_fd, CLONE_NEWPID));
	return err;
}

struct err *ns_clone(const struct ns_spec *spec, const struct ns_fds *fds, int cgroup_fd,
		     struct ns_child *ret_child)
{
	bool has_offsets = spec->monotonic.is_set || spec->boottime.is_set;
	uint64_t flags = clone_flags(spec, has_offsets);
	OWN(fd) int own_time_fd = -1;
	struct err *err;

	if (has_offsets) {
		own_time_fd = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
		if (own_time_fd < 0)
			return err_sys(errno, "open /proc/self/ns/time");
		TRY(write_time_offsets(spec));
	}
	if (needs_stage(spec, fds))
		err = clone_staged(fds, flags, cgroup_fd, ret_child);
	else
		err = clone_direct(fds, flags, cgroup_fd, ret_child);
	if (own_time_fd >= 0 && (err || ret_child->pid != 0))
		err = err_first(err, leave_ns(own_time_fd, CLONE_NEWTIME));
	return err;
}

struct err *ns_become_root(const struct ns_spec *spec)
{
	uint32_t outside;

	if (!spec->is_new[NS_USER] && !spec->join_path[NS_USER])
		return NULL;
	/* a map without id 0 leaves us who we are; the process's own user is set later */
	if (spec->is_new[NS_USER] &&
	    (!id_map_out(spec->maps.uids, spec->maps.uid_count, 0, &outside) ||
	     !id_map_out(spec->maps.gids, spec->maps.gid_count, 0, &outside)))
		return NULL;
	/* EPERM: an unprivileged map denies setgroups(2), user_namespaces(7) */
	if (!spec->keep_groups && setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(errno, "drop supplementary groups");
	if (setresgid(0, 0, 0) < 0)
		return err_sys(errno, "become group 0 of the user namespace");
	if (setresuid(0, 0, 0) < 0)
		return err_sys(errno, "become root of the user namespace");
	return NULL;
}

struct err *ns_unshare_cgroup(void)
{
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(errno, "make a cgroup namespace");
	return NULL;
}

struct err *ns_clone_into(int pidfd, uint64_t flags, int cgroup_fd, struct ns_child *ret_child)
{
	OWN(fd) int saved_fd = -1;
	struct err *err;

	if (flags & CLONE_NEWPID)
		TRY(enter_pid_ns(pidfd, &saved_fd));
	err = clone_child(0, cgroup_fd, SIGCHLD, ret_child);
	if (!err && ret_child->pid == 0)
		return NULL;
	if (saved_fd < 0)
		return err;
	/* without a way back (rootless) the caller's further children would be born there: exec has
	 * none */
	if (setns(saved_fd, CLONE_NEWPID) < 0 && errno != EPERM)
		err = err_first(err, err_sys(errno, "return to the own namespace"));
	return err;
}

struct err *ns_enter_rest(int pidfd, uint64_t flags)
{
	flags &= ~(uint64_t)CLONE_NEWPID; /* the clone has done that */
	if (flags && setns(pidfd, (int)flags) < 0)
		return err_sys(errno, "join the container's namespaces");
	if (!(flags & CLONE_NEWUSER))
		return NULL;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(errno, "drop supplementary groups");
	/* EINVAL: the namespace maps no id 0 */
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return err_sys(errno, "become root of the user namespace");
	return NULL;
}
