/*
 * The host's settings that routing to VPSs needs: forwarding and, for IPv6, answering for others on
 * the uplinks. Each old value is put on record before it is changed, and all are put back when no
 * VPS with a network is left. Rests on Documentation/networking/ip-sysctl.rst.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/wire.h"

#define SYSCTLS "/proc/sys/net"
#define JOURNAL_MAX ((size_t)64 << 10)

/* Lines "ipv4/conf/eth0/forwarding 0": what was changed, and what it was before, oldest first. */
struct journal {
	char *path;
	struct buf text;
};

static void own_journal(struct journal *journal)
{
	free(journal->path);
	buf_release(&journal->text);
}

static struct err *journal_open(const struct vps_host *host, struct journal *journal)
{
	struct err *err;

	TRY(str_format(&journal->path, "%s/.sysctls", host->monitor_dir));
	err = file_read(AT_FDCWD, journal->path, JOURNAL_MAX, &journal->text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing was changed so far */
		return NULL;
	}
	return err;
}

static struct err *sysctl_write(const char *name, const char *value)
{
	OWN(str) char *path = NULL;

	TRY(str_format(&path, SYSCTLS "/%s", name));
	return file_write_once(AT_FDCWD, path, value);
}

/* Without the line's end; "" where the kernel has no such setting: no IPv6, or no such interface.
 */
static struct err *sysctl_read(const char *name, struct buf *ret_value)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(str_format(&path, SYSCTLS "/%s", name));
	err = file_read(AT_FDCWD, path, 64, ret_value);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* as said above */
		return buf_format(ret_value, "%s", "");
	}
	TRY(err);
	ret_value->data[strcspn(ret_value->data, "\n")] = '\0';
	return NULL;
}

static bool is_recorded(const struct journal *journal, const char *name)
{
	const char *at = journal->text.data;
	size_t len = strlen(name);

	for (; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, name, len) == 0 && at[len] == ' ')
			return true;
	return false;
}

/* The oldest value counts: it is the one that nobody of us made. */
static struct err *record(struct journal *journal, const char *name, const char *value)
{
	if (is_recorded(journal, name))
		return NULL;
	TRY(buf_format(&journal->text, "%s %s\n", name, value));
	return file_replace(AT_FDCWD, journal->path, 0600, journal->text.data, journal->text.len);
}

/* only_from: change this value alone; NULL: any. */
static struct err *change(struct journal *journal, const char *name, const char *only_from,
			  const char *value)
{
	OWN(buf) struct buf now = { 0 };

	TRY(sysctl_read(name, &now));
	if (!*now.data || str_eq(now.data, value) || (only_from && !str_eq(now.data, only_from)))
		return NULL;
	TRY(record(journal, name, now.data));
	return sysctl_write(name, value);
}

/* A router takes no advertisement of another router unless told so: what got its address and route
 * by them must be told before. */
static struct err *keep_advertisements(struct journal *journal)
{
	OWN(dir) DIR *dir = opendir(SYSCTLS "/ipv6/conf");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		OWN(str) char *name = NULL;

		if (*entry->d_name == '.' || str_eq(entry->d_name, "all"))
			continue;
		TRY(str_format(&name, "ipv6/conf/%s/accept_ra", entry->d_name));
		TRY(change(journal, name, "1", "2"));
	}
	return NULL;
}

/* IPv6 has one switch for the whole host: ip6_forward() asks for conf/all alone. */
static struct err *forward6(struct journal *journal)
{
	static const char all[] = "ipv6/conf/all/forwarding";
	OWN(buf) struct buf now = { 0 };

	TRY(sysctl_read(all, &now));
	if (!str_eq(now.data, "0"))
		return NULL;
	TRY(keep_advertisements(journal));
	return change(journal, all, NULL, "1");
}

static bool has_family(const struct net_ports *ports, int family)
{
	for (size_t i = 0; i < ports->count; i++)
		for (size_t k = 0; k < ports->items[i].addr_count; k++)
			if (net_mode_is_routed(ports->items[i].mode) &&
			    ports->items[i].addrs[k].family == family)
				return true;
	return false;
}

struct err *forward_hold(const struct vps_host *host, const struct vps_net *net)
{
	bool v4 = has_family(&net->ports, AF_INET), v6 = has_family(&net->ports, AF_INET6);
	OWN(journal) struct journal journal = { 0 };

	if (!v4 && !v6)
		return NULL;
	TRY(journal_open(host, &journal));
	if (v6 && net->uplinks.count)
		TRY(forward6(&journal));
	for (size_t i = 0; i < net->uplinks.count; i++) {
		OWN(str) char *forwarding = NULL, *proxy = NULL;
		const char *uplink = net->uplinks.names[i];

		TRY(str_format(&forwarding, "ipv4/conf/%s/forwarding", uplink));
		TRY(str_format(&proxy, "ipv6/conf/%s/proxy_ndp", uplink));
		if (v4)
			TRY(change(&journal, forwarding, NULL, "1"));
		if (v6)
			TRY(change(&journal, proxy, NULL, "1"));
	}
	return NULL;
}

static void restore_line(const char *line, size_t len)
{
	OWN(str) char *name = NULL;
	struct err *err = str_format(&name, "%.*s", (int)len, line);
	char *value = err ? NULL : strchr(name, ' ');

	if (value) {
		*value++ = '\0';
		err = sysctl_write(name, value);
	}
	if (err && err_errno(err) == ENOENT)
		err_drop(err); /* the interface is gone, and its settings with it */
	else
		log_warn(err); /* the others are worth putting back all the same */
}

/* Newest first: switching all forwarding off sets every interface's. */
static void restore(struct journal *journal)
{
	size_t end = journal->text.len;

	while (end > 0) {
		size_t start = end - 1; /* at the line's end */

		while (start > 0 && journal->text.data[start - 1] != '\n')
			start--;
		restore_line(journal->text.data + start, end - 1 - start);
		end = start;
	}
	if (unlink(journal->path) < 0 && errno != ENOENT)
		log_warn(err_sys(errno, "remove %s", journal->path));
}

/* Does any VPS have a network on record? */
static struct err *is_needed(const struct vps_host *host, bool *ret_needed)
{
	OWN(dir) DIR *dir = opendir(host->monitor_dir);
	const struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read %s", host->monitor_dir);
	*ret_needed = false;
	while (!*ret_needed && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		*ret_needed = len > 4 && str_eq(entry->d_name + len - 4, ".net");
	}
	return NULL;
}

struct err *forward_release(const struct vps_host *host)
{
	OWN(journal) struct journal journal = { 0 };
	bool needed;

	TRY(is_needed(host, &needed));
	if (needed)
		return NULL;
	TRY(journal_open(host, &journal));
	if (journal.text.len)
		restore(&journal);
	return NULL;
}
