/*
 * Who a VPS is, in its own files: host name, hosts, resolv.conf, machine id. The tree is the
 * tenant's and hostile, so every name is resolved inside it, and a file is made new and renamed,
 * never written through what lies there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/hostkeys.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/wire.h"

#define OLD_FILE_MAX ((size_t)256 << 10)
#define MARK "# cella"

/* *text stays empty when there is no such file, or nothing that is one. */
static struct err *read_old(int root_fd, const char *path, struct buf *text)
{
	OWN(fd) int fd = -1;
	struct err *err = path_open_in(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	struct stat st;

	if (err) {
		err_drop(err); /* missing, a loop of links, a socket: it will be replaced */
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return fd_read_all(fd, path, OLD_FILE_MAX, text);
}

/* A full disk keeps what it has: that must not keep the VPS from starting. */
static struct err *forgive_full_disk(struct err *err)
{
	if (!err || (err_errno(err) != ENOSPC && err_errno(err) != EDQUOT))
		return err;
	log_warn(err);
	return NULL;
}

static struct err *replace(int root_fd, const char *path, const char *text)
{
	OWN(fd) int parent_fd = -1, dir_fd = -1;
	OWN(buf) struct buf old = { 0 };
	const char *name;

	TRY(read_old(root_fd, path, &old));
	if (str_eq(old.data, text))
		return NULL;
	TRY(path_open_parent_in(root_fd, path, &parent_fd, &name));
	/* an O_PATH descriptor cannot be synced */
	dir_fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(errno, "open the directory of %s", path);
	return forgive_full_disk(file_replace(dir_fd, name, 0644, text, strlen(text)));
}

struct err *identity_hosts(const char *old, const char *hostname, struct buf *ret_text)
{
	size_t short_len = strcspn(hostname, ".");

	if (!*old)
		TRY(buf_format(
			ret_text,
			"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"));
	for (const char *line = old; *line;) {
		size_t len = strcspn(line, "\n"), mark = strlen(MARK);
		bool ours = len >= mark && strncmp(line + len - mark, MARK, mark) == 0;

		if (!ours)
			TRY(buf_format(ret_text, "%.*s\n", (int)len, line));
		line += len + (line[len] == '\n');
	}
	if (hostname[short_len])
		return buf_format(ret_text, "127.0.1.1\t%s %.*s " MARK "\n", hostname,
				  (int)short_len, hostname);
	return buf_format(ret_text, "127.0.1.1\t%s " MARK "\n", hostname);
}

static struct err *write_hosts(int root_fd, const char *hostname)
{
	OWN(buf) struct buf old = { 0 }, text = { 0 };

	TRY(read_old(root_fd, "etc/hosts", &old));
	TRY(identity_hosts(old.data ? old.data : "", hostname, &text));
	return replace(root_fd, "etc/hosts", text.data);
}

static struct err *write_hostname(int root_fd, const char *hostname)
{
	OWN(str) char *text = NULL;

	TRY(str_format(&text, "%s\n", hostname));
	return replace(root_fd, "etc/hostname", text);
}

/* Without name servers of its own it keeps what its template brought. */
static struct err *write_resolv(int root_fd, const struct vps_conf *conf)
{
	OWN(buf) struct buf text = { 0 };

	if (conf->nameservers.count == 0 && conf->searchdomains.count == 0)
		return NULL;
	for (size_t i = 0; i < conf->searchdomains.count; i++)
		TRY(buf_format(&text, "%s%s", i ? " " : "search ", conf->searchdomains.items[i]));
	if (conf->searchdomains.count)
		TRY(buf_format(&text, "\n"));
	for (size_t i = 0; i < conf->nameservers.count; i++)
		TRY(buf_format(&text, "nameserver %s\n", conf->nameservers.items[i]));
	return replace(root_fd, "etc/resolv.conf", text.data);
}

static struct err *replace_link(int root_fd, const char *path, const char *target)
{
	OWN(fd) int parent_fd = -1;
	OWN(str) char *temp = NULL;
	const char *name;

	TRY(path_open_parent_in(root_fd, path, &parent_fd, &name));
	TRY(str_format(&temp, ".%s.cella", name));
	if (unlinkat(parent_fd, temp, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s beside %s", temp, path);
	if (symlinkat(target, parent_fd, temp) < 0 ||
	    renameat(parent_fd, temp, parent_fd, name) < 0)
		return err_sys(errno, "make the link %s", path);
	return NULL;
}

/* As timedatectl(1) does it: a link to the zone's file, and its name for Debian's tools. */
static struct err *write_timezone(int root_fd, const char *zone)
{
	OWN(str) char *file = NULL, *target = NULL, *line = NULL;
	OWN(fd) int fd = -1;

	if (!zone)
		return NULL;
	TRY(str_format(&file, "usr/share/zoneinfo/%s", zone));
	TRY(path_find_in(root_fd, file, O_PATH, &fd));
	if (fd < 0)
		return err_new(ERR_INVALID,
			       "--timezone: the VPS has no zone %s; install tzdata inside", zone);
	TRY(str_format(&target, "../%s", file));
	TRY(replace_link(root_fd, "etc/localtime", target));
	TRY(str_format(&line, "%s\n", zone));
	return replace(root_fd, "etc/timezone", line);
}

/* machine-id(5): 32 hex digits, the same for life; a template's must not be shared by all that come
 * from it. */
static struct err *write_machine_id(int root_fd)
{
	OWN(buf) struct buf old = { 0 };
	unsigned char random[16];
	char text[34];

	TRY(read_old(root_fd, "etc/machine-id", &old));
	if (old.len >= 32 && strspn(old.data, "0123456789abcdef") >= 32)
		return NULL;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(errno, "make a machine id");
	random[6] = (random[6] & 0x0f) | 0x40; /* a valid version 4 UUID, as systemd makes them */
	random[8] = (random[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	text[32] = '\n';
	text[33] = '\0';
	return replace(root_fd, "etc/machine-id", text);
}

/* Interfaces that get their addresses from outside: a network manager inside must neither reset
 * them nor wait for them. The others are its own. */
static struct err *write_network(int root_fd, const struct net_ports *ports)
{
	OWN(buf) struct buf names = { 0 };
	OWN(str) char *text = NULL;
	OWN(fd) int fd = -1;
	struct err *err = path_open_in(root_fd, "etc/systemd/network", O_PATH | O_DIRECTORY, &fd);

	if (err) {
		err_drop(err); /* no systemd-networkd in there */
		return NULL;
	}
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].addr_count)
			TRY(buf_format(&names, " %s", ports->items[i].name));
	if (names.len == 0) {
		if (unlinkat(fd, "05-cella.network", 0) < 0 && errno != ENOENT)
			return err_sys(errno, "remove etc/systemd/network/05-cella.network");
		return NULL;
	}
	TRY(str_format(&text, MARK "\n[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n",
		       names.data + 1));
	return replace(root_fd, "etc/systemd/network/05-cella.network", text);
}

struct err *identity_write(const struct vps_host *host, int root_fd, const char *name,
			   const struct vps_conf *conf)
{
	const char *hostname = conf->hostname ? conf->hostname : name;
	OWN(net_ports) struct net_ports ports = { 0 };

	TRY(net_plan(host, name, conf, &ports));
	TRY(write_hostname(root_fd, hostname));
	TRY(write_hosts(root_fd, hostname));
	TRY(write_resolv(root_fd, conf));
	TRY(write_network(root_fd, &ports));
	log_warn(write_timezone(root_fd, conf->timezone)); /* a clock that is off still runs */
	return write_machine_id(root_fd);
}

struct err *identity_forget(int root_fd)
{
	OWN(fd) int etc_fd = -1;
	struct err *err = path_open_in(root_fd, "etc", O_RDONLY | O_DIRECTORY, &etc_fd);

	if (err) {
		err_drop(err); /* nothing to forget */
		return NULL;
	}
	if (unlinkat(etc_fd, "machine-id", 0) < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "remove the template's machine id");
	/* before the definition is: two that have one after a power cut would go unnoticed */
	return fsync(etc_fd) < 0 ? err_sys(errno, "sync the directory of the machine id") : NULL;
}

struct err *identity_renew(int root_fd)
{
	TRY(identity_forget(root_fd));
	return host_keys_renew(root_fd);
}

struct err *identity_write_network(const struct vps_host *host, int root_fd, const char *name,
				   const struct vps_conf *conf)
{
	OWN(net_ports) struct net_ports ports = { 0 };

	TRY(net_plan(host, name, conf, &ports));
	return write_network(root_fd, &ports);
}

struct err *identity_write_hostname(int root_fd, const char *name, const struct vps_conf *conf)
{
	const char *hostname = conf->hostname ? conf->hostname : name;

	TRY(write_hostname(root_fd, hostname));
	return write_hosts(root_fd, hostname);
}

struct err *identity_write_resolv(int root_fd, const struct vps_conf *conf)
{
	return write_resolv(root_fd, conf);
}

struct err *identity_write_timezone(int root_fd, const struct vps_conf *conf)
{
	return write_timezone(root_fd, conf->timezone);
}
