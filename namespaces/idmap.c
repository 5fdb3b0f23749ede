/*
 * Id maps of user namespaces: writing them for a child, and a namespace that exists only to carry
 * maps for an idmapped mount. Rests on user_namespaces(7) and mount_setattr(2).
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"

static struct err *format_map(const struct id_map *maps, size_t count, char **ret_text)
{
	OWN(buf) struct buf text = { 0 };

	for (size_t i = 0; i < count; i++)
		TRY(buf_format(&text, "%u %u %u\n", maps[i].inside, maps[i].outside,
			       maps[i].count));
	return buf_take(&text, ret_text);
}

static struct err *write_map(pid_t pid, const char *file, const struct id_map *maps, size_t count)
{
	OWN(str) char *text = NULL;
	char path[48];

	TRY(format_map(maps, count, &text));
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_write_once(AT_FDCWD, path, text);
}

/* The set-uid helpers of the shadow package know which ranges /etc/subuid gives to a user. */
static struct err *run_map_helper(const char *program, pid_t pid, const struct id_map *maps,
				  size_t count)
{
	OWN(strlist) struct strlist argv = { 0 };
	OWN(buf) struct buf output = { 0 };
	struct proc_run run = { .output = &output };
	int status;

	TRY(strlist_add(&argv, program));
	TRY(strlist_format(&argv, "%d", (int)pid));
	for (size_t i = 0; i < count; i++) {
		TRY(strlist_format(&argv, "%u", maps[i].inside));
		TRY(strlist_format(&argv, "%u", maps[i].outside));
		TRY(strlist_format(&argv, "%u", maps[i].count));
	}
	run.path = program;
	run.argv = argv.items;
	TRY(err_wrap(proc_run(&run, &status),
		     "the package uidmap is needed to map more than one id"));
	if (status != 0)
		return err_new(ERR_INVALID, "%s exited with %d: %.200s", program, status,
			       output.data ? output.data : "");
	return NULL;
}

/* Without privilege one may map oneself, and nothing more. */
static bool is_own_id(const struct id_map *maps, size_t count, uint32_t own)
{
	return count == 1 && maps[0].count == 1 && maps[0].outside == own;
}

static struct err *write_maps_unprivileged(const struct id_maps *maps, pid_t pid)
{
	char path[48];

	if (is_own_id(maps->uids, maps->uid_count, geteuid()))
		TRY(write_map(pid, "uid_map", maps->uids, maps->uid_count));
	else
		TRY(run_map_helper("/usr/bin/newuidmap", pid, maps->uids, maps->uid_count));
	if (!is_own_id(maps->gids, maps->gid_count, getegid()))
		return run_map_helper("/usr/bin/newgidmap", pid, maps->gids, maps->gid_count);
	/* user_namespaces(7): gid_map may be written without privilege only after setgroups is
	 * denied */
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	TRY(file_write_once(AT_FDCWD, path, "deny"));
	return write_map(pid, "gid_map", maps->gids, maps->gid_count);
}

struct err *ns_write_maps(const struct ns_spec *spec, pid_t pid)
{
	const struct id_maps *maps = &spec->maps;

	if (geteuid() != 0)
		return write_maps_unprivileged(maps, pid);
	TRY(write_map(pid, "uid_map", maps->uids, maps->uid_count));
	return write_map(pid, "gid_map", maps->gids, maps->gid_count);
}

struct err *id_maps_open_userns(const struct id_maps *maps, int *ret_fd)
{
	struct ns_spec spec = { .maps = *maps };
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	struct err *err;
	char path[48];
	int status;

	if (pid < 0)
		return err_sys(errno, "make a user namespace for an idmapped mount");
	if (pid == 0) {
		for (;;)
			pause();
	}
	err = ns_write_maps(&spec, (pid_t)pid);
	if (!err) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%ld/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			err = err_sys(errno, "open %s", path);
		else
			*ret_fd = fd;
	}
	/* the open descriptor keeps the namespace; its process has done its work */
	err = err_first(err, proc_signal(pidfd, SIGKILL));
	err = err_first(err, proc_reap(pidfd, &status));
	close(pidfd);
	return err;
}
