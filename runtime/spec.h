/*
 * What a container shall be: plain data, filled by the OCI reader (runtime/spec) or built from a
 * VPS definition (runtime/vps), and used by one engine. All strings and arrays are owned by the
 * spec.
 */
#ifndef RUNTIME_SPEC_H
#define RUNTIME_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cgroups/cgroups.h"
#include "namespaces/namespaces.h"
#include "rootfs/rootfs.h"

#define OCI_VERSION "1.3.0"

/* Capability sets as bit masks, bit N is capability N. */
struct cap_sets {
	uint64_t bounding, effective, inheritable, permitted, ambient;
	bool is_set; /* false: keep none at all for OCI without the member */
};

struct rlimit_spec {
	int resource;	     /* RLIMIT_* */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

struct scheduler_spec {
	bool is_set;
	uint32_t policy; /* SCHED_* */
	uint64_t flags;	 /* SCHED_FLAG_* */
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct process_spec {
	bool terminal;
	uint16_t console_rows, console_columns; /* 0: leave */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* additionalGids; owned */
	size_t group_count;
	bool keep_groups; /* no setgroups(2): keep the caller's (annotation
			     run.oci.keep_original_groups) */
	bool umask_set;
	mode_t umask_bits;
	char *username; /* exec -u NAME, looked up inside; NULL: numbers above */
	struct strlist args, env;
	char *cwd;
	struct cap_sets caps;
	struct rlimit_spec *rlimits; /* owned */
	size_t rlimit_count;
	bool no_new_privileges;
	char *apparmor_profile, *selinux_label;
	bool oom_score_adj_set;
	int oom_score_adj;
	struct scheduler_spec scheduler;
	bool io_priority_set;
	int io_priority;			 /* IOPRIO_PRIO_VALUE */
	char *affinity_initial, *affinity_final; /* CPU lists, exec only */
};

struct hook {
	char *path;
	struct strlist args, env;
	int timeout_ms; /* 0: none */
};

struct hook_list {
	struct hook *items;
	size_t count;
};

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_KIND_COUNT
};
extern const char *const hook_kind_names[HOOK_KIND_COUNT]; /* "prestart", ... */

struct seccomp_arg {
	unsigned int index;
	uint64_t value, value_two;
	int op; /* SCMP_CMP_* */
};

/* Names in one allocation, as there are hundreds: free(items) frees the texts, too. */
struct name_block {
	char **items;
	size_t count;
};

struct seccomp_rule {
	struct name_block names;
	uint32_t action; /* SCMP_ACT_* with the errno merged in */
	struct seccomp_arg args[6];
	size_t arg_count;
};

struct seccomp_spec {
	bool is_set;
	uint32_t default_action;
	bool default_errno_set; /* defaultErrnoRet was given */
	uint32_t *archs;	/* SCMP_ARCH_*; owned */
	size_t arch_count;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
	char *listener_path, *listener_metadata;
	struct seccomp_rule *rules; /* owned */
	size_t rule_count;
	/* The JSON text of the section without listener fields: the key of the cache of compiled
	 * filters. */
	char *source;
};

struct memory_policy {
	bool is_set;
	int mode;    /* MPOL_* | MPOL_F_* */
	char *nodes; /* list, or NULL */
};

struct net_device {
	char *host_name, *name; /* name NULL: keep */
};

struct intel_rdt {
	bool is_set, monitoring;
	char *clos_id, *l3_schema, *mb_schema;
	struct strlist schemata;
};

struct spec {
	char *oci_version;
	char *hostname, *domainname; /* NULL: leave */
	struct ns_spec ns;
	struct rootfs_spec root;
	bool has_process;
	struct process_spec process;
	struct cgroup_spec cgroup;
	struct seccomp_spec seccomp;
	struct hook_list hooks[HOOK_KIND_COUNT];
	struct strlist annotations; /* "key=value"; keys contain no "=" */
	struct strlist sysctls;	    /* "net.ipv4.ip_forward=1" */
	struct net_device *net_devices;
	size_t net_device_count;
	struct memory_policy memory_policy;
	struct intel_rdt rdt;
	bool personality_set;
	unsigned long personality;
	bool bring_loopback_up; /* a new network namespace whose lo nobody else raises */
};

void spec_init(struct spec *spec);
void spec_release(struct spec *spec);
void process_spec_release(struct process_spec *process);
void hook_list_release(struct hook_list *list);
static inline __attribute__((unused)) void own_spec(struct spec *spec)
{
	spec_release(spec);
}
static inline __attribute__((unused)) void own_process_spec(struct process_spec *process)
{
	process_spec_release(process);
}

/*
 * Read an OCI config.json (text, len) whose bundle directory is bundle (absolute; relative root
 * paths and bind sources are below it). Pure: no kernel object is touched, except that nothing is.
 * Errors: ERR_INVALID naming the property
 * ("linux.namespaces[2].path: ..."), ERR_UNSUPPORTED for what is refused with its reason.
 */
MUST_CHECK struct err *spec_parse(const char *text, size_t len, const char *bundle,
				  struct spec *ret_spec);
/* A lone process object (exec --process). */
MUST_CHECK struct err *spec_parse_process(const char *text, size_t len,
					  struct process_spec *ret_process);
/* A lone LinuxResources object (update --resources). */
MUST_CHECK struct err *spec_parse_resources(const char *text, size_t len,
					    struct cgroup_spec *ret_cgroup);
/* Capability name ("CAP_CHOWN", "chown") to number; ERR_INVALID. */
MUST_CHECK struct err *spec_parse_capability(const char *name, unsigned int *ret_cap);

/* Of several settings of one name keep the last, in place. Errors: no memory. */
MUST_CHECK struct err *env_drop_shadowed(struct strlist *env);

/* `cella-oci spec`: the default config.json as text, rootless or not; owned by the caller. */
MUST_CHECK struct err *spec_default_json(bool rootless, char **ret_text);
/* `cella-oci features`, printed from the same tables that spec_parse() reads with. */
MUST_CHECK struct err *spec_features_json(char **ret_text);
/* One line per property: NAME, implemented / ignored / refused, and why; for the manual page.
 * Owned. */
MUST_CHECK struct err *spec_properties_text(char **ret_text);

#endif
