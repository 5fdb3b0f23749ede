/*
 * What of a container's processes CRIU cannot take, looked for before anything is done to them: it
 * is named by process, thing and cure, where CRIU's own word is about its insides. Sources: CRIU's
 * namespaces.h (only mount and network namespaces may be nested), files.c (kinds of descriptors).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "migrate-criu/obstacles.h"

/* Of the first process alone. */
static const enum ns_kind not_nested[] = { NS_USER, NS_PID, NS_UTS, NS_IPC, NS_CGROUP, NS_TIME };

/* What /proc/PID/fd says of them, up to its end or its number. */
static const struct {
	const char *link, *what;
} not_taken[] = {
	{ "anon_inode:[io_uring]", "an io_uring" },
	{ "anon_inode:[userfaultfd]", "a userfaultfd" },
	{ "anon_inode:[perf_event]", "a perf event" },
	{ "anon_inode:bpf", "a BPF object" },
	{ "anon_inode:seccomp notify", "a seccomp agent's descriptor" },
	{ "/dev/fuse", "a FUSE connection" },
};

const char *cr_untaken_file(const char *link)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_taken); i++)
		if (str_has_prefix(link, not_taken[i].link))
			return not_taken[i].what;
	return NULL;
}

/* A process, as the messages call it. Its name is the tenant's choice. */
static struct err *obstacle(pid_t pid, const char *has, const char *cure)
{
	OWN(str) char *path = NULL, *name = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	TRY(str_format(&path, "/proc/%d/comm", (int)pid));
	err = file_read(AT_FDCWD, path, 64, &text);
	if (err) {
		err_drop(err); /* it has ended, and with it the obstacle */
		return NULL;
	}
	text.data[strcspn(text.data, "\n")] = '\0';
	TRY(str_escape(text.data, &name));
	return err_new(ERR_UNSUPPORTED, "process %d (%s) %s, which CRIU cannot take along: %s",
		       (int)pid, name, has, cure);
}

/* "" when the process has ended. */
static void read_link(pid_t pid, const char *file, char *target, size_t room)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	len = readlink(path, target, room - 1);
	target[len < 0 ? 0 : len] = '\0';
}

static struct err *check_namespaces(pid_t pid, pid_t init)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_nested); i++) {
		const char *name = ns_infos[not_nested[i]].proc_name;
		char file[32], own[64], first[64];
		OWN(str) char *has = NULL;

		snprintf(file, sizeof(file), "ns/%s", name);
		read_link(pid, file, own, sizeof(own));
		read_link(init, file, first, sizeof(first));
		if (!*own || !*first || str_eq(own, first))
			continue;
		TRY(str_format(&has, "has a %s namespace of its own", name));
		return obstacle(pid, has, "end it, or run it without that sandbox");
	}
	return NULL;
}

/* Whoever came in by exec has a parent outside, to which it cannot be given back. */
static struct err *check_parent(pid_t pid, pid_t init)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	char own[64], first[64];
	const char *line;
	struct err *err;
	int parent;

	TRY(str_format(&path, "/proc/%d/status", (int)pid));
	err = file_read(AT_FDCWD, path, 65536, &text);
	if (err) {
		err_drop(err); /* it has ended */
		return NULL;
	}
	line = strstr(text.data, "\nPPid:");
	if (pid == init || !line || sscanf(line, "\nPPid: %d", &parent) != 1)
		return NULL;
	read_link(parent, "ns/pid", own, sizeof(own));
	read_link(init, "ns/pid", first, sizeof(first));
	if (str_eq(own, first))
		return NULL;
	return obstacle(pid, "was started from outside and is waited for there (exec, enter)",
			"end it first");
}

OWN_KIND(pids, pid_t *, free)

static struct err *check_files(pid_t pid)
{
	OWN(dir) DIR *dir = NULL;
	OWN(str) char *path = NULL;
	struct dirent *entry;

	TRY(str_format(&path, "/proc/%d/fd", (int)pid));
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		OWN(str) char *has = NULL;
		char file[32], target[PATH_MAX];
		const char *what;

		snprintf(file, sizeof(file), "fd/%.20s", entry->d_name);
		read_link(pid, file, target, sizeof(target));
		what = cr_untaken_file(target);
		if (!what)
			continue;
		TRY(str_format(&has, "has %s open (descriptor %.20s)", what, entry->d_name));
		return obstacle(pid, has, "end it, or configure it to do without");
	}
	return NULL;
}

struct err *cr_check_processes(const struct cgroup *cgroup, pid_t init)
{
	OWN(pids) pid_t *pids = NULL;
	size_t count;

	TRY(cgroup_pids(cgroup, &pids, &count));
	for (size_t i = 0; i < count; i++) {
		TRY(check_namespaces(pids[i], init));
		TRY(check_parent(pids[i], init));
		TRY(check_files(pids[i]));
	}
	return NULL;
}
