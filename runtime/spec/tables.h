/*
 * The tables of runtime-spec's objects, one file each, and the parsers by which they contain each
 * other. All hang below spec_table, the top level of config.json. Private to runtime/spec.
 */
#ifndef RUNTIME_SPEC_TABLES_H
#define RUNTIME_SPEC_TABLES_H

#include "runtime/spec.h"
#include "runtime/spec/field.h"

/* config.md; fills struct spec */
extern const struct field_table spec_table;
/* config.md "Process"; fills struct process_spec (process.c) */
extern const struct field_table process_table;
field_parser parse_process;
/* (scheduling.c) */
extern const struct field_table scheduler_table, io_priority_table, affinity_table;
field_parser parse_scheduler;	/* struct scheduler_spec */
field_parser parse_io_priority; /* struct process_spec */
/* config.md "Mounts"; fills struct rootfs_spec (mounts.c) */
extern const struct field_table mount_table;
field_parser parse_mounts;
/* config.md "Hooks"; fills hook_list[HOOK_KIND_COUNT] (hooks.c) */
extern const struct field_table hooks_table;
/* config-linux.md; fills struct spec (linux.c) */
extern const struct field_table linux_table;
/* (namespaces.c) */
extern const struct field_table namespace_table, id_map_table, time_offsets_table;
field_parser parse_namespaces;		     /* struct ns_spec */
field_parser parse_uid_maps, parse_gid_maps; /* struct id_maps */
field_parser parse_time_offsets;	     /* struct ns_spec */
/* (devices.c) */
extern const struct field_table device_table, device_rule_table;
field_parser parse_devices;	 /* struct rootfs_spec */
field_parser parse_device_rules; /* struct cgroup_spec */
/* (netdevices.c) */
extern const struct field_table net_device_table;
field_parser parse_net_devices; /* struct spec */
/* config-linux.md "Control groups"; fills struct cgroup_spec (resources.c, block_io.c) */
extern const struct field_table resources_table, block_io_table;
/* (seccomp.c) */
extern const struct field_table seccomp_table;
field_parser parse_seccomp; /* struct seccomp_spec */
/* (placement.c) */
extern const struct field_table memory_policy_table, rdt_table, personality_table;
extern const struct words memory_policy_modes, memory_policy_flags;
field_parser parse_memory_policy; /* struct memory_policy */
field_parser parse_rdt;		  /* struct intel_rdt */
field_parser parse_personality;	  /* struct spec */

field_parser parse_annotations; /* struct spec (annotations.c) */
field_parser parse_pairs; /* struct strlist of "NAME=VALUE"; names not empty and without "=" */

/* One annotation that changes what the runtime does; a name ending in "." stands for all that begin
 * with it. */
struct annotation {
	const char *name;
	struct err *(*apply)(struct spec *spec, const char *name,
			     const char *value); /* NULL: ignored */
	const char *what;			 /* for the manual */
};
extern const struct annotation annotation_table[];
extern const size_t annotation_count;
/* Let annotations act on a spec that is otherwise complete. */
MUST_CHECK struct err *annotations_apply(struct spec *spec);

/* The rules between fields, and what follows from them: paths made absolute, loopback, delegation
 * (check.c). */
MUST_CHECK struct err *spec_complete(struct spec *spec, const char *bundle);

/* Is the property "linux.netDevices" acted upon? For features, which must not claim what the tables
 * refuse. */
bool spec_property_is_used(const char *name);

#endif
