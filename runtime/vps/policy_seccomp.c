/*
 * The system calls of a VPS. An allow list: what stands nowhere here does not exist (ENOSYS), so
 * that a C library falls back instead of failing; what is refused on purpose says EPERM. The list
 * is wide, because a VPS runs systemd, databases and containers of its own; user namespaces,
 * capabilities and the device filter hold the rest. Reasons: the comparison of other systems'
 * profiles, seccomp(2), and the kernel's own admin-guide.
 */
#include <errno.h>
#include <linux/btrfs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/vps/room.h"

/* Names of all architectures together: each takes those it has. */
static const char *const allowed[] = {
	/* files */
	"access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
	"faccessat faccessat2 "
	"fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 "
	"fchownat fcntl fcntl64 "
	"fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 "
	"fstatfs fstatfs64 fsync "
	"ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat lchown "
	"lchown32 lgetxattr link "
	"linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat "
	"lstat64 mkdir mkdirat mknod "
	"mknodat name_to_handle_at newfstatat oldfstat oldlstat oldstat open openat openat2 "
	"pread64 preadv preadv2 pwrite64 "
	"pwritev pwritev2 read readahead readdir readlink readlinkat readv removexattr "
	"removexattrat rename renameat "
	"renameat2 rmdir sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs "
	"statfs64 statx symlink symlinkat "
	"sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat ustat utime "
	"utimensat utimensat_time64 "
	"utimes vmsplice write writev file_getattr file_setattr",
	/* mounts and roots: systemd and nested containers live on them */
	"chroot fsconfig fsmount fsopen fspick listmount mount mount_setattr move_mount open_tree "
	"open_tree_attr pivot_root "
	"statmount umount umount2",
	/* watching */
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
	"epoll_wait_old eventfd "
	"eventfd2 fanotify_init fanotify_mark inotify_add_watch inotify_init inotify_init1 "
	"inotify_rm_watch _newselect poll "
	"ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create "
	"timerfd_gettime "
	"timerfd_gettime64 timerfd_settime timerfd_settime64",
	/* asynchronous I/O of the old kind; io_uring is not here */
	"io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit",
	/* memory */
	"brk cachestat get_mempolicy madvise map_shadow_stack mbind membarrier memfd_create "
	"memfd_secret migrate_pages "
	"mincore mlock mlock2 mlockall mmap mmap2 modify_ldt move_pages mprotect mremap mseal "
	"msync munlock munlockall munmap "
	"pkey_alloc pkey_free pkey_mprotect process_madvise process_mrelease remap_file_pages "
	"set_mempolicy "
	"set_mempolicy_home_node",
	/* processes */
	"alarm arch_prctl capget capset clone clone3 execve execveat exit exit_group fork futex "
	"futex_requeue futex_time64 "
	"futex_wait futex_waitv futex_wake getcpu getegid getegid32 geteuid geteuid32 getgid "
	"getgid32 getgroups getgroups32 "
	"getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 "
	"getresuid getresuid32 getrlimit "
	"get_robust_list getrusage getsid gettid get_thread_area getuid getuid32 ioprio_get "
	"ioprio_set kcmp kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr "
	"lsm_list_modules lsm_set_self_attr "
	"nanosleep nice pause personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 "
	"prctl prlimit64 "
	"process_vm_readv process_vm_writev ptrace restart_syscall riscv_flush_icache rseq "
	"rt_sigaction rt_sigpending "
	"rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	"rt_sigtimedwait_time64 rt_tgsigqueueinfo "
	"sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
	"sched_get_priority_min sched_getscheduler "
	"sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
	"sched_setparam sched_setscheduler "
	"sched_yield seccomp setdomainname setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 "
	"setgroups setgroups32 "
	"sethostname setitimer setns setpgid setpriority setregid setregid32 setresgid setresgid32 "
	"setresuid setresuid32 "
	"setreuid setreuid32 setrlimit set_robust_list setsid set_thread_area set_tid_address "
	"setuid setuid32 sgetmask "
	"sigaction sigaltstack signal sigpending sigprocmask sigreturn sigsuspend ssetmask sysinfo "
	"tgkill times tkill ugetrlimit "
	"uname olduname oldolduname vfork vhangup wait4 waitid waitpid arm_fadvise64_64 "
	"arm_sync_file_range "
	"breakpoint cacheflush set_tls sync_file_range2 swapcontext",
	/* reboot(2) ends the pid namespace, no more: pid_namespaces(7) */
	"reboot",
	/* time: reading, and asking for a change, which the kernel refuses without CAP_SYS_TIME of
	   the host */
	"adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
	"clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 gettimeofday time timer_create timer_delete timer_getoverrun "
	"timer_gettime timer_gettime64 "
	"timer_settime timer_settime64",
	/* sockets; socket(2) itself is below. socketcall(2) is missing: its family cannot be seen
	   by a filter */
	"accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg "
	"recvmmsg_time64 recvmsg "
	"sendmmsg sendmsg sendto setsockopt shutdown",
	/* System V and POSIX IPC */
	"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
	"mq_timedsend_time64 mq_unlink "
	"msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl "
	"shmdt shmget",
};

/* Known and refused: host-wide effects, or doors around the mount and file permissions. */
static const char *const refused[] = {
	"acct clock_settime clock_settime64 delete_module finit_module init_module ioperm iopl "
	"kexec_file_load kexec_load "
	"nfsservctl open_by_handle_at perf_event_open pciconfig_iobase pciconfig_read "
	"pciconfig_write quotactl quotactl_fd "
	"settimeofday stime swapoff swapon syslog vm86 vm86old",
};

/* The same number on every architecture; the header that has it is not exported. */
#define NETLINK_AUDIT_PROTOCOL 9
#define UFFD_USER_MODE_ONLY_FLAG 1
#define IOCTL_TIOCSTI 0x5412
#define IOCTL_TIOCLINUX 0x541c

static struct err *add_rule(struct seccomp_spec *seccomp, uint32_t action,
			    struct seccomp_rule **ret_rule)
{
	struct seccomp_rule *rules =
		reallocarray(seccomp->rules, seccomp->rule_count + 1, sizeof(*rules));

	if (!rules)
		return err_sys(ENOMEM, "make a seccomp rule");
	seccomp->rules = rules;
	rules[seccomp->rule_count] = (struct seccomp_rule){ .action = action };
	*ret_rule = &rules[seccomp->rule_count++];
	return NULL;
}

/* Words separated by blanks, as one block: the pointers, then the text they point into. */
static struct err *split_words(const char *words, struct name_block *ret_names)
{
	size_t len = strlen(words), count = 1;
	char **items, *text, *word;

	for (const char *at = words; (at = strchr(at, ' ')); at++)
		count++;
	items = calloc(1, (count + 1) * sizeof(*items) + len + 1);
	if (!items)
		return err_sys(ENOMEM, "make a seccomp rule");
	text = memcpy(items + count + 1, words, len + 1);
	ret_names->items = items;
	ret_names->count = 0;
	while ((word = strsep(&text, " ")))
		if (*word)
			items[ret_names->count++] = word;
	return NULL;
}

static struct err *add_list(struct seccomp_spec *seccomp, uint32_t action, const char *const *lists,
			    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct seccomp_rule *rule;

		TRY(add_rule(seccomp, action, &rule));
		TRY(split_words(lists[i], &rule->names));
	}
	return NULL;
}

static struct err *add_when(struct seccomp_spec *seccomp, uint32_t action, const char *name,
			    const struct seccomp_arg *args, size_t count)
{
	struct seccomp_rule *rule;

	TRY(add_rule(seccomp, action, &rule));
	TRY(split_words(name, &rule->names));
	memcpy(rule->args, args, count * sizeof(*args));
	rule->arg_count = count;
	return NULL;
}

/* Families of a server, and for all others the answer of a kernel that was built without them. */
static struct err *add_sockets(struct seccomp_spec *seccomp, const char *call)
{
	static const uint64_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_PACKET };
	const uint32_t unsupported = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	const struct seccomp_arg netlink[] = { { 0, AF_NETLINK, 0, SCMP_CMP_EQ },
					       { 2, NETLINK_AUDIT_PROTOCOL, 0, SCMP_CMP_NE } };
	const struct seccomp_arg audit[] = { { 0, AF_NETLINK, 0, SCMP_CMP_EQ },
					     { 2, NETLINK_AUDIT_PROTOCOL, 0, SCMP_CMP_EQ } };
	const struct seccomp_arg above = { 0, AF_PACKET, 0, SCMP_CMP_GT };

	for (uint64_t family = 0; family <= AF_PACKET; family++) {
		const struct seccomp_arg arg = { 0, family, 0, SCMP_CMP_EQ };
		bool ok = false;

		for (size_t i = 0; i < ARRAY_SIZE(families); i++)
			ok |= families[i] == family;
		if (family != AF_NETLINK)
			TRY(add_when(seccomp, ok ? SCMP_ACT_ALLOW : unsupported, call, &arg, 1));
	}
	TRY(add_when(seccomp, unsupported, call, &above, 1));
	TRY(add_when(seccomp, SCMP_ACT_ALLOW, call, netlink, 2));
	return add_when(seccomp, unsupported, call, audit, 2);
}

/* Requests that no VPS may make: input for another's terminal, and subvolumes of its own on btrfs,
 * each of which would begin without the limit of the VPS's disk (rootfs/layout.h). */
static const uint32_t refused_ioctls[] = {
	IOCTL_TIOCSTI,		 IOCTL_TIOCLINUX,
	BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SUBVOL_CREATE_V2,
	BTRFS_IOC_SNAP_CREATE,	 BTRFS_IOC_SNAP_CREATE_V2,
};

static bool is_any_refused(uint32_t prefix, uint32_t mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_ioctls); i++)
		if ((refused_ioctls[i] & mask) == prefix)
			return true;
	return false;
}

/*
 * Allow ioctl with every other request. The kernel looks at the low 32 bits only, so a plain
 * comparison of the 64-bit argument could be passed by setting a high one (CVE-2019-7303); a filter
 * can compare masked values for equality alone. So: go down the tree of bits, and allow each branch
 * as soon as none of the refused is in it. mask has the bits that are decided.
 */
static struct err *add_ioctls(struct seccomp_spec *seccomp, uint32_t prefix, uint32_t mask)
{
	const struct seccomp_arg arg = { 1, mask, prefix, SCMP_CMP_MASKED_EQ };
	uint32_t next = mask ? (mask >> 1) & ~mask : UINT32_C(1) << 31;

	if (!is_any_refused(prefix, mask))
		return add_when(seccomp, SCMP_ACT_ALLOW, "ioctl", &arg, 1);
	if (mask == UINT32_MAX)
		return add_when(seccomp, SCMP_ACT_ERRNO(EPERM), "ioctl", &arg, 1);
	TRY(add_ioctls(seccomp, prefix, mask | next));
	return add_ioctls(seccomp, prefix | next, mask | next);
}

/* Faults of user mode alone cannot stop the kernel in the middle of a copy. */
static struct err *add_userfaultfd(struct seccomp_spec *seccomp)
{
	const struct seccomp_arg user_mode = { 0, UFFD_USER_MODE_ONLY_FLAG,
					       UFFD_USER_MODE_ONLY_FLAG, SCMP_CMP_MASKED_EQ };

	return add_when(seccomp, SCMP_ACT_ALLOW, "userfaultfd", &user_mode, 1);
}

/*
 * A namespace of host names for one service is what systemd's ProtectHostname= asks for, and CRIU
 * cannot take one along. Refused when it is asked for alone: systemd then does without and says so
 * in its journal, and its own filter goes on refusing a new name. Containers ask for several at
 * once. Source: systemd's exec-invoke.c, apply_protect_hostname().
 */
static struct err *add_unshare(struct seccomp_spec *seccomp)
{
	const struct seccomp_arg own_name = { 0, CLONE_NEWUTS, 0, SCMP_CMP_EQ };
	const struct seccomp_arg other = { 0, CLONE_NEWUTS, 0, SCMP_CMP_NE };

	TRY(add_when(seccomp, SCMP_ACT_ERRNO(EPERM), "unshare", &own_name, 1));
	return add_when(seccomp, SCMP_ACT_ALLOW, "unshare", &other, 1);
}

/*
 * The native architecture alone; programs of any other are killed. i386 reaches socket(2) through
 * socketcall(2) as well, whose arguments lie in memory where no filter sees them, and libseccomp
 * couples the two: with i386 in the list the families above could be had by any 32-bit program.
 */
static struct err *add_archs(struct seccomp_spec *seccomp)
{
	seccomp->archs = calloc(1, sizeof(*seccomp->archs));
	if (!seccomp->archs)
		return err_sys(ENOMEM, "make a seccomp profile");
	seccomp->archs[seccomp->arch_count++] = seccomp_arch_native();
	return NULL;
}

/* The cache of compiled filters needs words that change when the policy does: the policy itself. */
static struct err *describe(struct seccomp_spec *seccomp)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_format(&text, "vps %x", seccomp->default_action));
	for (size_t i = 0; i < seccomp->arch_count; i++)
		TRY(buf_format(&text, " %x", seccomp->archs[i]));
	for (size_t i = 0; i < seccomp->rule_count; i++) {
		const struct seccomp_rule *rule = &seccomp->rules[i];

		TRY(buf_format(&text, "\n%x", rule->action));
		for (size_t n = 0; n < rule->names.count; n++)
			TRY(buf_format(&text, " %s", rule->names.items[n]));
		for (size_t a = 0; a < rule->arg_count; a++)
			TRY(buf_format(&text, " %u:%d:%jx:%jx", rule->args[a].index,
				       rule->args[a].op, (uintmax_t)rule->args[a].value,
				       (uintmax_t)rule->args[a].value_two));
	}
	return buf_take(&text, &seccomp->source);
}

struct err *policy_fill_seccomp(struct seccomp_spec *seccomp)
{
	seccomp->is_set = true;
	seccomp->default_action = SCMP_ACT_ERRNO(ENOSYS);
	TRY(add_archs(seccomp));
	TRY(add_list(seccomp, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed)));
	TRY(add_list(seccomp, SCMP_ACT_ERRNO(EPERM), refused, ARRAY_SIZE(refused)));
	TRY(add_sockets(seccomp, "socket"));
	TRY(add_sockets(seccomp, "socketpair"));
	TRY(add_ioctls(seccomp, 0, 0));
	TRY(add_userfaultfd(seccomp));
	TRY(add_unshare(seccomp));
	return describe(seccomp);
}
