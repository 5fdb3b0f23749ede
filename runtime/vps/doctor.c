/*
 * doctor: is this host what VPSs need, and is it closed where it should be? The table is
 * security.md 3.3; each row is a file below /proc/sys and the value that it should have. Sources:
 * Documentation/admin-guide/sysctl; cgroup-v2.rst, "Mounting".
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/vps/capacity.h"
#include "runtime/vps/remarks.h"

static const struct setting {
	const char *name; /* as sysctl(8) has it */
	const char *good; /* values, separated by blanks; the first one is the cure's */
	const char *why;
} settings[] = {
	{ "kernel.io_uring_disabled", "2 1", "io_uring is kernel code that VPSs need not reach" },
	{ "dev.tty.legacy_tiocsti", "0", "keystrokes can be pushed into a terminal" },
	{ "kernel.unprivileged_bpf_disabled", "2 1", "anybody may load BPF programs" },
	{ "kernel.kptr_restrict", "2 1", "kernel addresses are shown" },
	{ "kernel.dmesg_restrict", "1", "the kernel's log is readable by all" },
	{ "kernel.yama.ptrace_scope", "1 2 3", "any process may trace its neighbours" },
	{ "fs.protected_symlinks", "1", "links in /tmp are followed" },
	{ "fs.protected_hardlinks", "1", "anybody's files can be linked" },
	{ "fs.protected_fifos", "2 1", "planted fifos are opened" },
	{ "fs.protected_regular", "2 1", "planted files are opened" },
	{ "fs.suid_dumpable", "0 2", "set-uid programs dump core" },
	{ "net.ipv4.conf.all.accept_redirects", "0", "routes can be changed from outside" },
	{ "net.ipv4.conf.all.send_redirects", "0", "VPSs are told of shorter ways" },
};

static bool is_one_of(const char *value, const char *good)
{
	for (const char *at = good; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (strlen(value) == len && strncmp(value, at, len) == 0)
			return true;
		at += len;
	}
	return false;
}

/* *ret_text: NULL when this kernel has no such file. */
static struct err *read_word(const char *path, char **ret_text)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(AT_FDCWD, path, 4096, &text);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* told by NULL */
		return NULL;
	}
	if (err)
		return err;
	TRY(buf_add(&text, "", 0));
	text.data[strcspn(text.data, "\n")] = '\0';
	return buf_take(&text, ret_text);
}

static struct err *check_setting(const struct setting *row, struct vps_remarks *remarks)
{
	OWN(str) char *path = NULL, *value = NULL, *what = NULL, *cure = NULL;

	TRY(str_format(&path, "/proc/sys/%s", row->name));
	for (char *dot = strchr(path, '.'); dot; dot = strchr(dot, '.'))
		*dot = '/';
	TRY(read_word(path, &value));
	if (!value) /* a kernel without the thing cannot leave it open */
		return NULL;
	if (is_one_of(value, row->good)) {
		TRY(str_format(&what, "%s is %s", row->name, value));
		return remarks_add(remarks, VPS_FINE, what, NULL);
	}
	TRY(str_format(&what, "%s is %s: %s", row->name, value, row->why));
	TRY(str_format(&cure, "sysctl -w %s=%.*s, and in /etc/sysctl.d", row->name,
		       (int)strcspn(row->good, " "), row->good));
	return remarks_add(remarks, VPS_ADVICE, what, cure);
}

static struct err *check_controllers(struct vps_remarks *remarks)
{
	static const char *const wanted[] = { "cpu", "cpuset", "io", "memory", "pids" };
	OWN(strlist) struct strlist there = { 0 };
	struct err *err = cgroup_controllers(&there);

	if (err)
		return remarks_add_err(remarks, err, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		OWN(str) char *what = NULL;
		bool has = strlist_has(&there, wanted[i]);

		TRY(str_format(&what, "cgroup v2 has %s %s controller", has ? "the" : "no",
			       wanted[i]));
		TRY(remarks_add(remarks, has ? VPS_FINE : VPS_WRONG, what,
				has ? NULL : "see cgroup_disable= of the kernel's command line"));
	}
	return NULL;
}

/* The options of the mount on /sys/fs/cgroup, of /proc/self/mountinfo's own line. */
static struct err *check_cgroup_mount(struct vps_remarks *remarks)
{
	static const char *const wanted[] = { "nsdelegate", "memory_recursiveprot" };
	OWN(buf) struct buf text = { 0 };
	const char *line;

	TRY(file_read(AT_FDCWD, "/proc/self/mountinfo", (size_t)1 << 20, &text));
	TRY(buf_add(&text, "", 0));
	line = strstr(text.data, " - cgroup2 ");
	if (!line)
		return NULL; /* said by the controllers */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const char *found = strstr(line, wanted[i]);
		bool has = found && found < line + strcspn(line, "\n");
		OWN(str) char *what = NULL, *cure = NULL;

		TRY(str_format(&what, "cgroup v2 is mounted with%s %s", has ? "" : "out",
			       wanted[i]));
		TRY(str_format(&cure, "mount -o remount,%s /sys/fs/cgroup", wanted[i]));
		TRY(remarks_add(remarks, has ? VPS_FINE : VPS_ADVICE, what, has ? NULL : cure));
	}
	return NULL;
}

static struct err *check_programs(struct vps_remarks *remarks)
{
	static const struct {
		const char *path, *what, *cure;
	} programs[] = {
		{ "/usr/sbin/criu", "criu, for suspend and live migration",
		  "apt-get install criu" },
		{ "/usr/bin/mmdebstrap", "mmdebstrap, for templates of Debian",
		  "apt-get install mmdebstrap" },
		{ "/usr/bin/ssh-keygen", "ssh-keygen, for the ssh host keys of new VPSs",
		  "apt-get install openssh-client" },
		{ "/usr/bin/busybox", "busybox, for its template",
		  "apt-get install busybox-static" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		bool has = access(programs[i].path, X_OK) == 0;
		OWN(str) char *what = NULL;

		TRY(str_format(&what, "there is %s%s", has ? "" : "no ", programs[i].what));
		TRY(remarks_add(remarks, has ? VPS_FINE : VPS_ADVICE, what,
				has ? NULL : programs[i].cure));
	}
	return NULL;
}

static struct err *check_capacity(const struct vps_host *host, struct vps_remarks *remarks)
{
	struct capacity sum;
	OWN(str) char *what = NULL, *guaranteed = NULL;
	bool over;

	TRY(capacity_read(host, NULL, &sum));
	over = sum.limit_bytes > sum.host_bytes || sum.unlimited > 0;
	TRY(str_format(&what,
		       "memory limits of %zu VPSs add up to %" PRIu64
		       " MiB, %zu have none; the host has %" PRIu64 " MiB",
		       sum.count, sum.limit_bytes >> 20, sum.unlimited, sum.host_bytes >> 20));
	TRY(remarks_add(remarks, over ? VPS_ADVICE : VPS_FINE, what,
			over ? "over-committed: watch the pressure, or give guarantees with "
			       "--ram-min" :
			       NULL));
	TRY(str_format(&guaranteed, "memory guarantees add up to %" PRIu64 " MiB",
		       sum.guaranteed_bytes >> 20));
	return remarks_add(
		remarks, sum.guaranteed_bytes > sum.host_bytes ? VPS_WRONG : VPS_FINE, guaranteed,
		sum.guaranteed_bytes > sum.host_bytes ? "lower --ram-min of some" : NULL);
}

static struct err *check_views(struct vps_remarks *remarks)
{
	if (views_there())
		return remarks_add(remarks, VPS_FINE, "lxcfs runs: /proc inside shows the VPS",
				   NULL);
	return remarks_add(remarks, VPS_ADVICE,
			   "lxcfs does not run: free, top and uptime inside show the host",
			   "apt-get install lxcfs, systemctl enable --now lxcfs");
}

struct err *vps_doctor(const struct vps_host *host, struct vps_remarks *ret_remarks)
{
	TRY(check_controllers(ret_remarks));
	TRY(check_cgroup_mount(ret_remarks));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		TRY(check_setting(&settings[i], ret_remarks));
	TRY(check_views(ret_remarks));
	TRY(check_programs(ret_remarks));
	TRY(doctor_quotas(host, ret_remarks));
	return check_capacity(host, ret_remarks);
}
