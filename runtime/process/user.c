/*
 * Who the process is: names looked up in the container's own files, then setgroups, setresgid,
 * setresuid, read back and compared, because a wrapped or refused id would leave root behind
 * (CVE-2026-30892). credentials(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define DEFAULT_UMASK 022

/* A file of the container as text. O_NONBLOCK: a FIFO there must not hold us up. */
static struct err *read_inside(int root_fd, const char *path, struct buf *buf)
{
	OWN(fd) int fd = -1;
	struct statfs fs;
	struct stat st;

	TRY(path_open_in(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd));
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(errno, "look at %s", path);
	/* a link into procfs would make us read our own environment */
	if (!S_ISREG(st.st_mode) || fs.f_type == PROC_SUPER_MAGIC)
		return err_new(ERR_INVALID, "%s is not a regular file", path);
	return fd_read_all(fd, path, FILE_MAX_BYTES, buf);
}

/* The same, but a missing file is an empty one. */
static struct err *read_if_there(int root_fd, const char *path, struct buf *buf)
{
	struct err *err = read_inside(root_fd, path, buf);

	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* many images have neither file */
	return buf_add(buf, "", 0);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* Fill uid and, where the file knows it, gid. *ret_name: the name in the file, NULL when it has
 * none; owned. */
static struct err *lookup_passwd(int root_fd, const char *user, struct process_spec *process,
				 char **ret_name)
{
	OWN(passwd_entry) struct passwd_entry entry = { 0 };
	OWN(buf) struct buf text = { 0 };
	bool by_number = is_number(user);
	uid_t uid = 0;
	struct err *err;

	if (by_number) /* a number is never a name, not even where the file has such a name */
		TRY(parse_id("user", user, &uid));
	TRY(read_if_there(root_fd, "/etc/passwd", &text));
	err = passwd_find(text.data, text.len, by_number ? NULL : user, &uid, &entry);
	if (err && by_number && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* numbers need no entry; the group stays what it is */
		process->uid = uid;
		return NULL;
	}
	if (err)
		return err_wrap(err, "unable to find user %.64s", user);
	process->uid = entry.uid;
	process->gid = entry.gid;
	*ret_name = TAKE(entry.name);
	return NULL;
}

static struct err *lookup_group(int root_fd, const char *group, gid_t *ret_gid)
{
	OWN(buf) struct buf text = { 0 };

	if (is_number(group))
		return parse_id("group", group, ret_gid);
	TRY(read_if_there(root_fd, "/etc/group", &text));
	return err_wrap(group_find(text.data, text.len, group, ret_gid),
			"unable to find group %.64s", group);
}

static struct err *add_groups_of(int root_fd, const char *name, struct process_spec *process)
{
	OWN(groups) gid_t *groups = NULL;
	OWN(buf) struct buf text = { 0 };
	size_t count;

	TRY(read_if_there(root_fd, "/etc/group", &text));
	TRY(group_list_of(text.data, text.len, name, &groups, &count));
	for (size_t i = 0; i < count; i++)
		TRY(group_list_add(&process->groups, &process->group_count, groups[i]));
	return NULL;
}

struct err *process_lookup_user(int root_fd, const char *text, struct process_spec *process)
{
	const char *colon = strchr(text, ':');
	OWN(str) char *user = NULL, *name = NULL;

	TRY(str_format(&user, "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text));
	if (!*user || (colon && !colon[1]))
		return err_new(ERR_INVALID, "user '%.64s' is not of the form USER or USER:GROUP",
			       text);
	TRY(lookup_passwd(root_fd, user, process, &name));
	if (colon)
		return lookup_group(root_fd, colon + 1, &process->gid);
	return name ? add_groups_of(root_fd, name, process) : NULL;
}

struct err *process_set_home(int root_fd, struct process_spec *process)
{
	OWN(passwd_entry) struct passwd_entry entry = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	if (strlist_env(&process->env, "HOME"))
		return NULL;
	err = read_if_there(root_fd, "/etc/passwd", &text);
	if (!err)
		err = passwd_find(text.data, text.len, NULL, &process->uid, &entry);
	/* a convenience: whatever is wrong with the file, the program can run without a home of its
	 * own */
	err_drop(err);
	return strlist_format(&process->env, "HOME=%s",
			      entry.home && *entry.home ? entry.home : "/");
}

/* user_namespaces(7): without privilege outside, dropping groups is forbidden for good. */
static bool setgroups_is_denied(void)
{
	OWN(fd) int fd = -1;
	char word[8] = "";
	struct err *err = procfs_open("self/setgroups", O_RDONLY, &fd);

	if (err) {
		err_drop(err); /* no procfs to ask: go on as if denied, which adds nothing to the
				  process */
		return true;
	}
	return read(fd, word, sizeof(word) - 1) >= 4 && strncmp(word, "deny", 4) == 0;
}

static struct err *set_groups(const struct process_spec *process)
{
	if (process->keep_groups)
		return NULL; /* a caller without privilege lends its own groups on purpose */
	if (setgroups(process->group_count, process->groups) == 0) {
		int count = getgroups(0, NULL);

		if (count < 0 || (size_t)count != process->group_count)
			return err_sys(EPERM, "set %zu groups, %d are in force",
				       process->group_count, count);
		return NULL;
	}
	if (errno != EPERM || !setgroups_is_denied())
		return err_sys(errno, "set %zu supplementary groups", process->group_count);
	if (process->group_count > 0)
		return err_new(
			ERR_UNSUPPORTED,
			"additional groups are denied in this user namespace (setgroups is off)");
	return NULL; /* rootless: the caller's own groups stay, they give nothing that it has not */
}

/* Nothing but exactly these ids: real, effective and saved. */
static struct err *compare_ids(const struct process_spec *process)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return err_sys(errno, "read the ids of the process");
	for (size_t i = 0; i < 3; i++)
		if (uids[i] != process->uid || gids[i] != process->gid)
			return err_new(ERR_STATE, "ids are %u:%u instead of %u:%u", uids[i],
				       gids[i], process->uid, process->gid);
	return NULL;
}

struct err *process_set_user(const struct process_spec *process)
{
	if (process->uid == (uid_t)-1 || process->gid == (gid_t)-1)
		return err_new(ERR_INVALID, "user %u:%u is not a pair of ids", process->uid,
			       process->gid);
	TRY(process_own_stdio(process));
	TRY(set_groups(process));
	if (setresgid(process->gid, process->gid, process->gid) < 0)
		return err_sys(errno, "become group %u", process->gid);
	if (setresuid(process->uid, process->uid, process->uid) < 0)
		return err_sys(errno, "become user %u", process->uid);
	TRY(compare_ids(process));
	umask(process->umask_set ? process->umask_bits : DEFAULT_UMASK);
	return NULL;
}
