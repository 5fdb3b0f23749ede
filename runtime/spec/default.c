/* `cella-oci spec`: a config.json to start from. Its lists are tables; spec_parse() must like the
 * result (tested). */
#include <string.h>
#include <unistd.h>

#include "runtime/spec/tables.h"

/* clang-format off */
static const struct default_mount {
	const char *destination, *type, *source, *options; /* options: separated by spaces */
} default_mounts[] = {
	{ "/proc",          "proc",   "proc",   "nosuid noexec nodev" },
	{ "/dev",           "tmpfs",  "tmpfs",  "nosuid strictatime mode=755 size=65536k" },
	{ "/dev/pts",       "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5" },
	{ "/dev/shm",       "tmpfs",  "shm",    "nosuid noexec nodev mode=1777 size=65536k" },
	{ "/dev/mqueue",    "mqueue", "mqueue", "nosuid noexec nodev" },
	{ "/sys",           "sysfs",  "sysfs",  "nosuid noexec nodev ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro" },
};

/* What one id alone cannot have: gid 5 is not mapped, and sysfs belongs to the owner of the network namespace. */
static const struct default_mount rootless_mounts[] = {
	{ "/dev/pts",       "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620" },
	{ "/sys",           "none",   "/sys",   "rbind nosuid noexec nodev ro" },
};

static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" };
static const char *const capability_sets[] = { "bounding", "effective", "permitted" };

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
};

static const char *const masked_paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
	"/sys/devices/virtual/powercap", "/sys/firmware",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const enum ns_kind root_namespaces[] = { NS_PID, NS_NET, NS_IPC, NS_UTS, NS_MOUNT, NS_CGROUP };
static const enum ns_kind rootless_namespaces[] = { NS_PID, NS_IPC, NS_UTS, NS_MOUNT, NS_CGROUP, NS_USER };
/* clang-format on */

static void put_text(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

static void put_number(struct json_out *out, const char *key, uint64_t number)
{
	json_out_key(out, key);
	json_out_u64(out, number);
}

static void put_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

static void put_texts(struct json_out *out, const char *key, const char *const *texts, size_t count)
{
	json_out_key(out, key);
	json_out_array(out);
	for (size_t i = 0; i < count; i++)
		json_out_string(out, texts[i]);
	json_out_end_array(out);
}

static void put_rlimit(struct json_out *out)
{
	json_out_key(out, "rlimits");
	json_out_array(out);
	json_out_object(out);
	put_text(out, "type", "RLIMIT_NOFILE");
	put_number(out, "hard", 1024);
	put_number(out, "soft", 1024);
	json_out_end_object(out);
	json_out_end_array(out);
}

static void put_process(struct json_out *out)
{
	static const char *const args[] = { "sh" };

	json_out_key(out, "process");
	json_out_object(out);
	put_bool(out, "terminal", true);
	json_out_key(out, "user");
	json_out_object(out);
	put_number(out, "uid", 0);
	put_number(out, "gid", 0);
	json_out_end_object(out);
	put_texts(out, "args", args, ARRAY_SIZE(args));
	put_texts(out, "env", environment, ARRAY_SIZE(environment));
	put_text(out, "cwd", "/");
	json_out_key(out, "capabilities");
	json_out_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(capability_sets); i++)
		put_texts(out, capability_sets[i], capabilities, ARRAY_SIZE(capabilities));
	json_out_end_object(out);
	put_rlimit(out);
	put_bool(out, "noNewPrivileges", true);
	json_out_end_object(out);
}

static const struct default_mount *for_rootless(const struct default_mount *mount)
{
	for (size_t i = 0; i < ARRAY_SIZE(rootless_mounts); i++)
		if (str_eq(rootless_mounts[i].destination, mount->destination))
			return &rootless_mounts[i];
	return mount;
}

static struct err *put_options(struct json_out *out, const char *options)
{
	OWN(str) char *copy = NULL;
	char *rest = NULL;

	TRY(str_dup(options, &copy));
	json_out_key(out, "options");
	json_out_array(out);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		json_out_string(out, word);
	json_out_end_array(out);
	return NULL;
}

static struct err *put_mounts(struct json_out *out, bool rootless)
{
	json_out_key(out, "mounts");
	json_out_array(out);
	for (size_t i = 0; i < ARRAY_SIZE(default_mounts); i++) {
		const struct default_mount *mount = &default_mounts[i];

		if (rootless)
			mount = for_rootless(mount);
		json_out_object(out);
		put_text(out, "destination", mount->destination);
		put_text(out, "type", mount->type);
		put_text(out, "source", mount->source);
		TRY(put_options(out, mount->options));
		json_out_end_object(out);
	}
	json_out_end_array(out);
	return NULL;
}

/* No device but the default ones. */
static void put_resources(struct json_out *out)
{
	json_out_key(out, "resources");
	json_out_object(out);
	json_out_key(out, "devices");
	json_out_array(out);
	json_out_object(out);
	put_bool(out, "allow", false);
	put_text(out, "access", "rwm");
	json_out_end_object(out);
	json_out_end_array(out);
	json_out_end_object(out);
}

static void put_map(struct json_out *out, const char *key, uint32_t outside)
{
	json_out_key(out, key);
	json_out_array(out);
	json_out_object(out);
	put_number(out, "containerID", 0);
	put_number(out, "hostID", outside);
	put_number(out, "size", 1);
	json_out_end_object(out);
	json_out_end_array(out);
}

static void put_namespaces(struct json_out *out, const enum ns_kind *kinds, size_t count)
{
	json_out_key(out, "namespaces");
	json_out_array(out);
	for (size_t i = 0; i < count; i++) {
		json_out_object(out);
		put_text(out, "type", ns_infos[kinds[i]].oci_name);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void put_linux(struct json_out *out, bool rootless)
{
	json_out_key(out, "linux");
	json_out_object(out);
	if (rootless) {
		put_map(out, "uidMappings", geteuid());
		put_map(out, "gidMappings", getegid());
		put_namespaces(out, rootless_namespaces, ARRAY_SIZE(rootless_namespaces));
	} else {
		put_resources(out);
		put_namespaces(out, root_namespaces, ARRAY_SIZE(root_namespaces));
	}
	put_texts(out, "maskedPaths", masked_paths, ARRAY_SIZE(masked_paths));
	put_texts(out, "readonlyPaths", readonly_paths, ARRAY_SIZE(readonly_paths));
	json_out_end_object(out);
}

struct err *spec_default_json(bool rootless, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	put_text(out, "ociVersion", OCI_VERSION);
	put_process(out);
	json_out_key(out, "root");
	json_out_object(out);
	put_text(out, "path", "rootfs");
	put_bool(out, "readonly", true);
	json_out_end_object(out);
	put_text(out, "hostname", "cella");
	TRY(put_mounts(out, rootless));
	put_linux(out, rootless);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}
