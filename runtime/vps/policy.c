/*
 * What every VPS gets: namespaces, mounts, capabilities, devices, masks. A VPS is a whole system,
 * so this is wider than an application container's set; the user namespace makes most of it its own
 * affair. Reasons: security.md's comparison of defaults, user_namespaces(7), capabilities(7).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include "runtime/vps/room.h"

static const struct policy_mount mounts[] = {
	{ "proc", "proc", "/proc", "nosuid,noexec,nodev" },
	{ "tmpfs", "tmpfs", "/dev", "nosuid,strictatime,mode=755,size=1m" },
	{ "devpts", "devpts", "/dev/pts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "tmpfs", "shm", "/dev/shm", "nosuid,nodev,mode=1777" },
	{ "mqueue", "mqueue", "/dev/mqueue", "nosuid,noexec,nodev" },
	/* this mount alone, not the file system: see features.c */
	{ "sysfs", "sysfs", "/sys", "nosuid,noexec,nodev,rro" },
	/* its own hierarchy, writable: systemd runs its services in it */
	{ "cgroup2", "cgroup2", "/sys/fs/cgroup", "nosuid,noexec,nodev,relatime,rw" },
	{ "tmpfs", "run", "/run", "nosuid,nodev,mode=755" },
};

/*
 * Cosmetic for root of the VPS, who may unmount what covers them; what protects the host is that
 * these files belong to the host's root. They stay because programs inside should not stumble over
 * them.
 */
static const char *const masked[] = {
	"/proc/acpi",		"/proc/asound",	       "/proc/interrupts",
	"/proc/kallsyms",	"/proc/kcore",	       "/proc/keys",
	"/proc/kmsg",		"/proc/kpagecount",    "/proc/kpageflags",
	"/proc/kpagecgroup",	"/proc/latency_stats", "/proc/sched_debug",
	"/proc/scsi",		"/proc/slabinfo",      "/proc/sysrq-trigger",
	"/proc/timer_list",	"/proc/timer_stats",   "/proc/vmallocinfo",
	"/sys/firmware",	"/sys/fs/selinux",     "/sys/kernel/debug",
	"/sys/kernel/security", "/sys/kernel/tracing", "/sys/devices/virtual/powercap",
};

/* /proc/sys is not here: the kernel lets a user namespace's root write its own namespaces' settings
 * alone. */
static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq" };

/* Dropped though a user namespace makes them harmless: less to reach, should the kernel err. */
static const unsigned int dropped_caps[] = {
	CAP_SYS_MODULE,	  CAP_SYS_RAWIO,     CAP_SYS_TIME, CAP_MAC_ADMIN,
	CAP_MAC_OVERRIDE, CAP_PERFMON,	     CAP_BPF,	   CAP_CHECKPOINT_RESTORE,
	CAP_WAKE_ALARM,	  CAP_BLOCK_SUSPEND, CAP_SYSLOG,
};

static const enum ns_kind new_namespaces[] = { NS_USER, NS_PID, NS_NET,	   NS_MOUNT,
					       NS_UTS,	NS_IPC, NS_CGROUP, NS_TIME };

static const char *const environment[] = {
	/* systemd and init scripts look for it; the value is what systemd-detect-virt shows */
	"container=cella",
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=linux",
};

static struct err *add_options(struct mount_spec *mount, const char *options)
{
	while (*options) {
		size_t len = strcspn(options, ",");
		OWN(str) char *option = NULL;

		TRY(str_format(&option, "%.*s", (int)len, options));
		TRY(mount_spec_option(mount, option));
		options += len + (options[len] == ',');
	}
	return NULL;
}

struct err *policy_add_mount(struct rootfs_spec *root, const struct policy_mount *row)
{
	struct mount_spec *items =
		reallocarray(root->mounts, root->mount_count + 1, sizeof(*items));
	struct mount_spec *mount;

	if (!items)
		return err_sys(ENOMEM, "plan mounts");
	root->mounts = items;
	mount = &items[root->mount_count++];
	*mount = (struct mount_spec){ 0 };
	TRY(str_dup(row->type, &mount->type));
	TRY(str_dup(row->source, &mount->source));
	TRY(str_dup(row->destination, &mount->destination));
	return add_options(mount, row->options);
}

static struct err *fill_mounts(struct rootfs_spec *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		TRY(policy_add_mount(root, &mounts[i]));
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++)
		TRY(strlist_add(&root->masked_paths, masked[i]));
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++)
		TRY(strlist_add(&root->readonly_paths, read_only[i]));
	return NULL;
}

static void fill_caps(struct cap_sets *caps)
{
	uint64_t all = (UINT64_C(2) << CAP_LAST_CAP) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(dropped_caps); i++)
		all &= ~(UINT64_C(1) << dropped_caps[i]);
	caps->is_set = true;
	caps->bounding = caps->effective = caps->permitted = all;
}

static struct err *add_rlimit(struct process_spec *process, int resource, uint64_t soft,
			      uint64_t hard)
{
	struct rlimit_spec *rlimits =
		reallocarray(process->rlimits, process->rlimit_count + 1, sizeof(*rlimits));
	struct rlimit now;

	if (!rlimits)
		return err_sys(ENOMEM, "plan resource limits");
	process->rlimits = rlimits;
	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return err_sys(errno, "read resource limit %d", resource);
	/* in its user namespace nobody may raise a hard limit, so ours is the most there is */
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < hard)
		hard = now.rlim_max;
	rlimits[process->rlimit_count++] =
		(struct rlimit_spec){ resource, soft < hard ? soft : hard, hard };
	return NULL;
}

/* Not the caller's, whoever that is: the kernel's own boot values, with room for files. */
static struct err *fill_rlimits(struct process_spec *process)
{
	TRY(add_rlimit(process, RLIMIT_NOFILE, 1024, 524288));
	TRY(add_rlimit(process, RLIMIT_CORE, 0, UINT64_MAX));
	TRY(add_rlimit(process, RLIMIT_STACK, 8 << 20, UINT64_MAX));
	TRY(add_rlimit(process, RLIMIT_MEMLOCK, 8 << 20, 8 << 20));
	TRY(add_rlimit(process, RLIMIT_CPU, UINT64_MAX, UINT64_MAX));
	return add_rlimit(process, RLIMIT_FSIZE, UINT64_MAX, UINT64_MAX);
}

struct err *policy_fill(struct spec *spec)
{
	struct process_spec *process = &spec->process;

	for (size_t i = 0; i < ARRAY_SIZE(new_namespaces); i++)
		spec->ns.is_new[new_namespaces[i]] = true;
	spec->bring_loopback_up = true;
	spec->has_process = true;
	process->umask_set = true;
	process->umask_bits = 022;
	TRY(str_dup("/", &process->cwd));
	for (size_t i = 0; i < ARRAY_SIZE(environment); i++)
		TRY(strlist_add(&process->env, environment[i]));
	fill_caps(&process->caps);
	TRY(fill_rlimits(process));
	TRY(fill_mounts(&spec->root));
	/* the default devices and nothing else; a user namespace cannot make nodes, this holds
	 * should one appear */
	spec->cgroup.device_filter = true;
	spec->cgroup.delegate = true;
	return policy_fill_seccomp(&spec->seccomp);
}
