/* struct spec: empty and released. What belongs to a lower folder is released there. */
#include <stdlib.h>

#include "runtime/spec.h"

void spec_init(struct spec *spec)
{
	*spec = (struct spec){ 0 };
	cgroup_spec_init(&spec->cgroup);
}

void process_spec_release(struct process_spec *process)
{
	free(process->groups);
	free(process->username);
	strlist_release(&process->args);
	strlist_release(&process->env);
	free(process->cwd);
	free(process->rlimits);
	free(process->apparmor_profile);
	free(process->selinux_label);
	free(process->affinity_initial);
	free(process->affinity_final);
	*process = (struct process_spec){ 0 };
}

void hook_list_release(struct hook_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		strlist_release(&list->items[i].args);
		strlist_release(&list->items[i].env);
	}
	free(list->items);
	*list = (struct hook_list){ 0 };
}

static void seccomp_spec_release(struct seccomp_spec *seccomp)
{
	for (size_t i = 0; i < seccomp->rule_count; i++)
		free(seccomp->rules[i].names.items);
	free(seccomp->rules);
	free(seccomp->archs);
	free(seccomp->listener_path);
	free(seccomp->listener_metadata);
	free(seccomp->source);
}

static void net_devices_release(struct spec *spec)
{
	for (size_t i = 0; i < spec->net_device_count; i++) {
		free(spec->net_devices[i].host_name);
		free(spec->net_devices[i].name);
	}
	free(spec->net_devices);
}

static void rdt_release(struct intel_rdt *rdt)
{
	free(rdt->clos_id);
	free(rdt->l3_schema);
	free(rdt->mb_schema);
	strlist_release(&rdt->schemata);
}

void spec_release(struct spec *spec)
{
	free(spec->oci_version);
	free(spec->hostname);
	free(spec->domainname);
	ns_spec_release(&spec->ns);
	rootfs_spec_release(&spec->root);
	process_spec_release(&spec->process);
	cgroup_spec_release(&spec->cgroup);
	seccomp_spec_release(&spec->seccomp);
	for (size_t i = 0; i < HOOK_KIND_COUNT; i++)
		hook_list_release(&spec->hooks[i]);
	strlist_release(&spec->annotations);
	strlist_release(&spec->sysctls);
	net_devices_release(spec);
	free(spec->memory_policy.nodes);
	rdt_release(&spec->rdt);
	spec_init(spec);
}
