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
#include "migrate-criu/groups.h"
#include "migrate-criu/obstacles.h"

/* Of the first process alone; the setting of a unit of systemd that asks for one. */
static const struct {
	enum ns_kind kind;
	const char *setting;
} not_nested[] = {
	{ NS_USER, "PrivateUsers=" },		{ NS_PID, "PrivatePIDs=" },
	{ NS_UTS, "ProtectHostname=" },		{ NS_IPC, "PrivateIPC=" },
	{ NS_CGROUP, "ProtectControlGroups=" }, { NS_TIME, NULL },
};

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

/* Kinds of file systems that the root of a user namespace may mount, and CRIU does not know. */
static const char *const not_mounted[] = { "bpf", "fuse", "fuse.", "fuseblk", "ramfs" };
/* The host's, of which parts are bound over files of /proc (runtime/vps/views.c). */
#define VIEWS_TYPE "fuse.lxcfs"

/* Who is looked at. */
struct subject {
	const struct cgroup *cgroup;
	pid_t pid, init;
};

const char *cr_untaken_file(const char *link)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_taken); i++)
		if (str_has_prefix(link, not_taken[i].link))
			return not_taken[i].what;
	return NULL;
}

bool cr_untaken_mount(const char *type)
{
	if (str_eq(type, VIEWS_TYPE))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(not_mounted); i++) {
		size_t len = strlen(not_mounted[i]);

		if (not_mounted[i][len - 1] == '.' ? str_has_prefix(type, not_mounted[i]) :
						     str_eq(type, not_mounted[i]))
			return true;
	}
	return false;
}

/* --- words --- */

struct err *cr_unit_name(const char *cgroup, const char *top, char **ret_unit)
{
	static const char *const suffixes[] = { ".service", ".scope" };
	const size_t top_len = strlen(top);
	const char *line = strstr(cgroup, "0::"), *end, *best = NULL;
	size_t best_len = 0;

	*ret_unit = NULL;
	line = line ? line + strlen("0::") : "";
	if (!str_has_prefix(line, top) || line[top_len] != '/')
		return NULL;
	line += top_len;
	end = line + strcspn(line, "\n");
	while (line < end) {
		size_t len = strcspn(++line, "/\n");

		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			size_t tail = strlen(suffixes[i]);

			if (len > tail && strncmp(line + len - tail, suffixes[i], tail) == 0) {
				best = line;
				best_len = len;
			}
		}
		line += len;
	}
	return best ? str_format(ret_unit, "%.*s", (int)best_len, best) : NULL;
}

/* A file of /proc/PID, *ret_read false when the process has ended. */
static struct err *read_proc(pid_t pid, const char *file, struct buf *text, bool *ret_read)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(str_format(&path, "/proc/%d/%s", (int)pid, file));
	err = file_read(AT_FDCWD, path, (size_t)1 << 24, text);
	*ret_read = err == NULL;
	err_drop(err); /* and with it the obstacle is gone */
	return NULL;
}

/* " of unit ssh.service", or nothing. A unit's name is the tenant's choice, as a process's is. */
static struct err *name_unit(const struct subject *who, char **ret_words)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *unit = NULL, *name = NULL;
	bool lives;

	TRY(read_proc(who->pid, "cgroup", &text, &lives));
	if (lives)
		TRY(cr_unit_name(text.data, who->cgroup->path ? who->cgroup->path : "", &unit));
	TRY(str_escape(unit ? unit : "", &name));
	return str_format(ret_words, "%s%s", *name ? " of unit " : "", name);
}

static struct err *obstacle(const struct subject *who, const char *has, const char *cure)
{
	OWN(str) char *name = NULL, *unit = NULL;
	OWN(buf) struct buf text = { 0 };
	bool lives;

	TRY(read_proc(who->pid, "comm", &text, &lives));
	if (!lives)
		return NULL;
	text.data[strcspn(text.data, "\n")] = '\0';
	TRY(str_escape(text.data, &name));
	TRY(name_unit(who, &unit));
	return err_new(ERR_UNSUPPORTED, "process %d (%s)%s %s, which CRIU cannot take along: %s",
		       (int)who->pid, name, unit, has, cure);
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

/* --- what is looked for --- */

static struct err *check_namespaces(const struct subject *who)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_nested); i++) {
		const char *name = ns_infos[not_nested[i].kind].proc_name;
		const char *setting = not_nested[i].setting;
		char file[32], own[64], first[64];
		OWN(str) char *has = NULL, *cure = NULL;

		snprintf(file, sizeof(file), "ns/%s", name);
		read_link(who->pid, file, own, sizeof(own));
		read_link(who->init, file, first, sizeof(first));
		if (!*own || !*first || str_eq(own, first))
			continue;
		TRY(str_format(&has, "has a %s namespace of its own", name));
		TRY(str_format(&cure, "end it, or run it without that sandbox%s%s%s",
			       setting ? " (" : "", setting ? setting : "",
			       setting ? " in a unit of systemd)" : ""));
		return obstacle(who, has, cure);
	}
	return NULL;
}

/* Whoever came in by exec has a parent outside, to which it cannot be given back. */
static struct err *check_parent(const struct subject *who)
{
	OWN(buf) struct buf text = { 0 };
	char own[64], first[64];
	const char *line;
	bool lives;
	int parent;

	TRY(read_proc(who->pid, "status", &text, &lives));
	line = lives ? strstr(text.data, "\nPPid:") : NULL;
	if (who->pid == who->init || !line || sscanf(line, "\nPPid: %d", &parent) != 1)
		return NULL;
	read_link(parent, "ns/pid", own, sizeof(own));
	read_link(who->init, "ns/pid", first, sizeof(first));
	if (str_eq(own, first))
		return NULL;
	return obstacle(who, "was started from outside and is waited for there (exec, enter)",
			"end it first");
}

OWN_KIND(pids, pid_t *, free)

static struct err *check_files(const struct subject *who)
{
	OWN(dir) DIR *dir = NULL;
	OWN(str) char *path = NULL;
	struct dirent *entry;

	TRY(str_format(&path, "/proc/%d/fd", (int)who->pid));
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		OWN(str) char *has = NULL;
		char file[32], target[PATH_MAX];
		const char *what;

		snprintf(file, sizeof(file), "fd/%.20s", entry->d_name);
		read_link(who->pid, file, target, sizeof(target));
		what = cr_untaken_file(target);
		if (!what)
			continue;
		TRY(str_format(&has, "has %s open (descriptor %.20s)", what, entry->d_name));
		return obstacle(who, has, "end it, or configure it to do without");
	}
	return NULL;
}

/* One line of mountinfo. */
static struct err *check_mount(const struct subject *who, const char *line)
{
	const char *dash = strstr(line, " - ");
	OWN(str) char *has = NULL, *place = NULL;
	char type[64], where[PATH_MAX];

	if (!dash || sscanf(dash, " - %63s", type) != 1 || !cr_untaken_mount(type) ||
	    sscanf(line, "%*u %*u %*s %*s %4095s", where) != 1)
		return NULL;
	TRY(str_escape(where, &place));
	TRY(str_format(&has, "has a file system of type %s on %s", type, place));
	return obstacle(who, has, "unmount it, or end the process");
}

/* Each mount namespace once: seen has those that were looked at. */
static struct err *check_mounts(const struct subject *who, struct strlist *seen)
{
	OWN(buf) struct buf text = { 0 };
	char name[64];
	bool lives;
	char *rest, *line;

	read_link(who->pid, "ns/mnt", name, sizeof(name));
	if (!*name || strlist_has(seen, name))
		return NULL;
	TRY(strlist_add(seen, name));
	TRY(read_proc(who->pid, "mountinfo", &text, &lives));
	rest = lives ? text.data : NULL;
	while (rest && (line = strsep(&rest, "\n")))
		TRY(check_mount(who, line));
	return NULL;
}

/* What groups.c would refuse when all stands still. */
static struct err *check_groups(const struct cgroup *cgroup)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	OWN(str) char *text = NULL;
	struct err *err;

	if (cgroup->dir_fd < 0)
		return NULL;
	err = cgroup_tree_read(cgroup, &steps);
	if (!err)
		return cr_groups_format(&steps, &text);
	if (err_kind(err) == ERR_UNSUPPORTED)
		return err;
	err_drop(err); /* one has gone while it was read: it is read again when all stands still */
	return NULL;
}

struct err *cr_check_processes(const struct cgroup *cgroup, pid_t init)
{
	OWN(strlist) struct strlist seen = { 0 };
	OWN(pids) pid_t *pids = NULL;
	size_t count;

	TRY(check_groups(cgroup));
	TRY(cgroup_pids(cgroup, &pids, &count));
	for (size_t i = 0; i < count; i++) {
		const struct subject who = { cgroup, pids[i], init };

		TRY(check_namespaces(&who));
		TRY(check_parent(&who));
		TRY(check_files(&who));
		TRY(check_mounts(&who, &seen));
	}
	return NULL;
}
