/*
 * Kernel parameters of the container: only those which the kernel keeps per namespace (sysctl names
 * in the kernel's Documentation/admin-guide/sysctl), and only where that namespace is the
 * container's. Anything else would change the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

#define NAME_MAX_BYTES 256

/* Paths below /proc/sys; one that ends in "/" stands for everything below it. */
static const struct sysctl_rule {
	const char *path;
	enum ns_kind kind;
} rules[] = {
	{ "net/", NS_NET },
	{ "fs/mqueue/", NS_IPC },
	{ "kernel/auto_msgmni", NS_IPC },
	{ "kernel/msg_next_id", NS_IPC },
	{ "kernel/msgmax", NS_IPC },
	{ "kernel/msgmnb", NS_IPC },
	{ "kernel/msgmni", NS_IPC },
	{ "kernel/sem", NS_IPC },
	{ "kernel/sem_next_id", NS_IPC },
	{ "kernel/shm_next_id", NS_IPC },
	{ "kernel/shm_rmid_forced", NS_IPC },
	{ "kernel/shmall", NS_IPC },
	{ "kernel/shmmax", NS_IPC },
	{ "kernel/shmmni", NS_IPC },
	{ "kernel/domainname", NS_UTS },
	{ "kernel/hostname", NS_UTS },
	{ "user/", NS_USER },
};

/* Neither empty components nor ".." nor what a terminal would obey. */
static bool is_plain_path(const char *path)
{
	for (const char *at = path;; at++) {
		size_t len = strcspn(at, "/");

		if (len == 0 || (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.'))))
			return false;
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)at[i] <= ' ' || at[i] == 0x7f)
				return false;
		at += len;
		if (!*at)
			return true;
	}
}

/* sysctl(8): the first separator tells which of "." and "/" separates; the other one belongs to a
 * name, swapped. */
static struct err *make_path(const char *name, size_t len, char *path)
{
	const char *first = strpbrk(name, "./");

	if (len == 0 || len >= NAME_MAX_BYTES)
		return err_new(ERR_INVALID, "sysctl '%.64s' has no usable name", name);
	memcpy(path, name, len);
	path[len] = '\0';
	if (first && first < name + len && *first == '.')
		for (char *c = path; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	if (!is_plain_path(path))
		return err_new(ERR_INVALID, "sysctl '%.*s' is not a name", (int)len, name);
	return NULL;
}

/* "NAME=VALUE" as a path below /proc/sys (NAME_MAX_BYTES) and the value, borrowed. */
static struct err *split_assignment(const char *assignment, char *path, const char **ret_value)
{
	const char *equals = strchr(assignment, '=');

	if (!equals)
		return err_new(ERR_INVALID, "sysctl '%.64s' has no value", assignment);
	TRY(make_path(assignment, (size_t)(equals - assignment), path));
	if (!equals[1])
		return err_new(ERR_INVALID, "sysctl %s has an empty value", path);
	for (const char *c = equals + 1; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return err_new(ERR_INVALID,
				       "the value of sysctl %s contains a control character", path);
	*ret_value = equals + 1;
	return NULL;
}

static const struct sysctl_rule *find_rule(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		size_t len = strlen(rules[i].path);

		if (rules[i].path[len - 1] == '/' ? str_has_prefix(path, rules[i].path) :
						    str_eq(path, rules[i].path))
			return &rules[i];
	}
	return NULL;
}

/* A joined namespace is the container's unless it is the very one we are in. */
static bool is_own(const struct ns_spec *ns, enum ns_kind kind)
{
	struct stat joined, ours;
	char path[32];

	if (!ns->join_path[kind])
		return ns->is_new[kind];
	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_infos[kind].proc_name);
	/* a path that cannot be looked at is reported where it is opened */
	return stat(path, &ours) < 0 || stat(ns->join_path[kind], &joined) < 0 ||
	       ours.st_ino != joined.st_ino || ours.st_dev != joined.st_dev;
}

struct err *sysctl_check(const char *assignment, const struct ns_spec *ns, bool has_hostname)
{
	const struct sysctl_rule *rule;
	char path[NAME_MAX_BYTES];
	const char *value;

	TRY(split_assignment(assignment, path, &value));
	rule = find_rule(path);
	if (!rule)
		return err_new(ERR_INVALID,
			       "sysctl %s is not kept per namespace: it would change the host",
			       path);
	if (!is_own(ns, rule->kind))
		return err_new(ERR_INVALID, "sysctl %s needs the container's own %s namespace",
			       path, ns_infos[rule->kind].oci_name);
	if (has_hostname && str_eq(path, "kernel/hostname"))
		return err_new(
			ERR_INVALID,
			"sysctl kernel.hostname conflicts with the hostname of the container");
	return NULL;
}

struct err *sysctl_apply(const struct strlist *assignments)
{
	for (size_t i = 0; i < assignments->count; i++) {
		char path[NAME_MAX_BYTES], file[NAME_MAX_BYTES + 16];
		OWN(fd) int fd = -1;
		const char *value;

		TRY(split_assignment(assignments->items[i], path, &value));
		snprintf(file, sizeof(file), "sys/%s", path);
		TRY(err_wrap(procfs_open(file, O_WRONLY, &fd), "sysctl"));
		snprintf(file, sizeof(file), "/proc/sys/%s", path);
		TRY(fd_write_once(fd, file, value));
	}
	return NULL;
}
