/*
 * The seccomp profile of the bench. Engines keep theirs in the format of containers/common (names
 * with conditions on architecture and capabilities) and hand the runtime what is left of it; this
 * does the same for this machine and the default capabilities of podman. Source:
 * containers-common seccomp.json; runtime-spec config-linux.md "seccomp".
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"

#define PROFILE_MAX ((size_t)1 << 20)

static const char *const default_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",	 "CAP_FSETID",
	"CAP_KILL",    "CAP_SETGID",	       "CAP_SETUID",	 "CAP_SETPCAP",
	"CAP_SETFCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
};

/* What this machine runs; the first is the word of containers/common for it. */
#if defined(__x86_64__)
static const char *const machine[] = { "amd64" };
static const char *const architectures[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" };
static const uint32_t extra_arches[] = { SCMP_ARCH_X86, SCMP_ARCH_X32 };
#elif defined(__aarch64__)
static const char *const machine[] = { "arm64" };
static const char *const architectures[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
static const uint32_t extra_arches[] = { SCMP_ARCH_ARM };
#else
#error "profile.c knows x86-64 and aarch64"
#endif

static const struct {
	const char *name;
	enum scmp_compare op;
} compare[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

/* Calls that podman's profile leaves to privileged containers: what our own profile leaves out. */
static const char *const refused[] = {
	"acct",
	"add_key",
	"bpf",
	"clock_adjtime",
	"clock_settime",
	"create_module",
	"delete_module",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"get_mempolicy",
	"init_module",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"mbind",
	"mount",
	"mount_setattr",
	"move_mount",
	"move_pages",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"personality",
	"pidfd_getfd",
	"pivot_root",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"query_module",
	"quotactl",
	"reboot",
	"request_key",
	"set_mempolicy",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"stime",
	"swapoff",
	"swapon",
	"sysfs",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"uselib",
	"userfaultfd",
	"ustat",
	"vhangup",
	"vm86",
	"vm86old",
	"socket",
};

static bool listed(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

static size_t count_listed(const struct json *array, const char *const *list, size_t count)
{
	size_t found = 0;

	for (const struct json *e = array ? array->child : NULL; e; e = e->next)
		found += e->text && listed(e->text, list, count);
	return found;
}

/* includes: every named condition has to hold; excludes: none may. */
static bool rule_applies(const struct json *rule)
{
	const struct json *in = json_get(rule, "includes"), *out = json_get(rule, "excludes");
	const struct json *arches = json_get(in, "arches"), *caps = json_get(in, "caps");

	if (arches && !count_listed(arches, machine, ARRAY_SIZE(machine)))
		return false;
	if (caps && count_listed(caps, default_caps, ARRAY_SIZE(default_caps)) != caps->count)
		return false;
	return !count_listed(json_get(out, "arches"), machine, ARRAY_SIZE(machine)) &&
	       !count_listed(json_get(out, "caps"), default_caps, ARRAY_SIZE(default_caps));
}

static void copy_member(struct json_out *out, const struct json *rule, const char *key)
{
	const struct json *value = json_get(rule, key);

	if (!value)
		return;
	json_out_key(out, key);
	json_out_value(out, value);
}

static void open_profile(struct json_out *out, const char *action, uint64_t errno_ret)
{
	json_out_object(out);
	json_out_key(out, "defaultAction");
	json_out_string(out, action);
	json_out_key(out, "defaultErrnoRet");
	json_out_u64(out, errno_ret);
	json_out_key(out, "architectures");
	json_out_array(out);
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		json_out_string(out, architectures[i]);
	json_out_end_array(out);
	json_out_key(out, "syscalls");
	json_out_array(out);
}

static void close_profile(struct json_out *out)
{
	json_out_end_array(out);
	json_out_end_object(out);
}

static struct err *convert(const char *path, struct json_out *out)
{
	OWN(buf) struct buf text = { 0 };
	OWN(json_doc) struct json_doc *doc = NULL;
	const struct json *rules, *errno_value;
	uint64_t errno_ret = EPERM;
	const char *action;

	TRY(file_read(AT_FDCWD, path, PROFILE_MAX, &text));
	TRY(json_parse(text.data, text.len, &doc));
	TRY(json_string(json_get(json_root(doc), "defaultAction"), "defaultAction", &action));
	errno_value = json_get(json_root(doc), "defaultErrnoRet");
	if (errno_value)
		TRY(json_u64(errno_value, "defaultErrnoRet", 4095, &errno_ret));
	rules = json_get(json_root(doc), "syscalls");
	if (!rules)
		return err_new(ERR_INVALID, "no syscalls in it");
	open_profile(out, action, errno_ret);
	for (const struct json *rule = rules->child; rule; rule = rule->next) {
		if (!rule_applies(rule))
			continue;
		json_out_object(out);
		copy_member(out, rule, "names");
		copy_member(out, rule, "action");
		copy_member(out, rule, "errnoRet");
		copy_member(out, rule, "args");
		json_out_end_object(out);
	}
	close_profile(out);
	return NULL;
}

static void allow_argument(struct json_out *out, const char *name, const char *op, uint64_t value,
			   uint64_t value_two)
{
	json_out_object(out);
	json_out_key(out, "names");
	json_out_array(out);
	json_out_string(out, name);
	json_out_end_array(out);
	json_out_key(out, "action");
	json_out_string(out, "SCMP_ACT_ALLOW");
	json_out_key(out, "args");
	json_out_array(out);
	json_out_object(out);
	json_out_key(out, "index");
	json_out_u64(out, 0);
	json_out_key(out, "value");
	json_out_u64(out, value);
	json_out_key(out, "valueTwo");
	json_out_u64(out, value_two);
	json_out_key(out, "op");
	json_out_string(out, op);
	json_out_end_object(out);
	json_out_end_array(out);
	json_out_end_object(out);
}

/* Every call libseccomp has a name for, less the refused ones, and the argument checks podman's
 * profile makes: personality(2) by value, socket(2) without AF_VSOCK. */
static void invent(struct json_out *out)
{
	static const uint64_t personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	open_profile(out, "SCMP_ACT_ERRNO", EPERM);
	json_out_object(out);
	json_out_key(out, "names");
	json_out_array(out);
	for (int number = 0; number < 1024; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (name && !listed(name, refused, ARRAY_SIZE(refused)))
			json_out_string(out, name);
		free(name);
	}
	json_out_end_array(out);
	json_out_key(out, "action");
	json_out_string(out, "SCMP_ACT_ALLOW");
	json_out_end_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		allow_argument(out, "personality", "SCMP_CMP_EQ", personalities[i], 0);
	allow_argument(out, "socket", "SCMP_CMP_NE", 40, 0);
	close_profile(out);
}

/* --- the same as a libseccomp filter, for the floor
 * ------------------------------------------------ */

static struct err *read_args(const struct json *rule, struct scmp_arg_cmp *args,
			     unsigned int *ret_count)
{
	const struct json *list = json_get(rule, "args");
	unsigned int count = 0;

	for (const struct json *e = list ? list->child : NULL; e && count < 6; e = e->next) {
		uint64_t index, value, value_two = 0;
		const char *op;

		TRY(json_u64(json_get(e, "index"), "index", 5, &index));
		TRY(json_u64(json_get(e, "value"), "value", UINT64_MAX, &value));
		if (json_get(e, "valueTwo"))
			TRY(json_u64(json_get(e, "valueTwo"), "valueTwo", UINT64_MAX, &value_two));
		TRY(json_string(json_get(e, "op"), "op", &op));
		args[count] =
			(struct scmp_arg_cmp){ (unsigned int)index, SCMP_CMP_EQ, value, value_two };
		for (size_t i = 0; i < ARRAY_SIZE(compare); i++)
			if (!strcmp(compare[i].name, op))
				args[count].op = compare[i].op;
		count++;
	}
	*ret_count = count;
	return NULL;
}

/* The action of a rule or, by other names, of the whole profile. */
static struct err *read_action(const struct json *from, const char *key, const char *errno_key,
			       uint32_t *ret_action)
{
	uint64_t errno_ret = EPERM;
	const char *action;

	TRY(json_string(json_get(from, key), key, &action));
	if (json_get(from, errno_key))
		TRY(json_u64(json_get(from, errno_key), errno_key, 4095, &errno_ret));
	if (strcmp(action, "SCMP_ACT_ALLOW") && strcmp(action, "SCMP_ACT_ERRNO"))
		return err_new(ERR_UNSUPPORTED, "%s %s", key, action);
	*ret_action = strcmp(action, "SCMP_ACT_ALLOW") ? SCMP_ACT_ERRNO(errno_ret) : SCMP_ACT_ALLOW;
	return NULL;
}

static struct err *add_rule(scmp_filter_ctx filter, uint32_t default_action,
			    const struct json *rule)
{
	const struct json *names = json_get(rule, "names");
	struct scmp_arg_cmp args[6];
	unsigned int arg_count;
	uint32_t action;

	TRY(read_action(rule, "action", "errnoRet", &action));
	if (action == default_action)
		return NULL; /* libseccomp refuses a rule that changes nothing */
	TRY(read_args(rule, args, &arg_count));
	for (const struct json *e = names ? names->child : NULL; e; e = e->next) {
		int number = seccomp_syscall_resolve_name(e->text);
		int rc = number == __NR_SCMP_ERROR ?
				 0 :
				 seccomp_rule_add_array(filter, action, number, arg_count, args);

		if (rc < 0)
			return err_sys(-rc, "seccomp rule for %s", e->text);
	}
	return NULL;
}

static struct err *export_filter(scmp_filter_ctx filter, struct buf *bpf)
{
	OWN(fd) int fd = memfd_create("filter", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(errno, "memfd for the filter");
	rc = seccomp_export_bpf(filter, fd);
	if (rc < 0)
		return err_sys(-rc, "export the filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind the filter");
	return fd_read_all(fd, "filter", 65536, bpf);
}

static struct err *compile(const char *oci, struct buf *bpf)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	scmp_filter_ctx filter;
	struct err *err = NULL;
	const struct json *rules;
	uint32_t action;

	TRY(json_parse(oci, strlen(oci), &doc));
	TRY(read_action(json_root(doc), "defaultAction", "defaultErrnoRet", &action));
	filter = seccomp_init(action);
	if (!filter)
		return err_sys(ENOMEM, "seccomp filter");
	for (size_t i = 0; i < ARRAY_SIZE(extra_arches); i++)
		seccomp_arch_add(filter, extra_arches[i]);
	rules = json_get(json_root(doc), "syscalls");
	for (const struct json *rule = rules->child; rule && !err; rule = rule->next)
		err = add_rule(filter, action, rule);
	if (!err)
		err = export_filter(filter, bpf);
	seccomp_release(filter);
	return err;
}

struct err *profile_read(const char *path, char **ret_oci, struct buf *bpf)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *oci = NULL;

	TRY(json_out_new(false, &out));
	if (path)
		TRY(convert(path, out));
	else
		invent(out);
	TRY(json_out_take(out, &oci));
	TRY(compile(oci, bpf));
	*ret_oci = TAKE(oci);
	return NULL;
}
