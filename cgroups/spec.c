/* Initial values and release of the public structs. */
#include <stdlib.h>
#include <string.h>

#include "cgroups/cgroups.h"

void cgroup_limits_init(struct cgroup_limits *limits)
{
	*limits = (struct cgroup_limits){
		.memory_max_bytes = CGROUP_UNSET,
		.memory_low_bytes = CGROUP_UNSET,
		.memory_high_bytes = CGROUP_UNSET,
		.memory_min_bytes = CGROUP_UNSET,
		.swap_max_bytes = CGROUP_UNSET,
		.memory_oom_group = CGROUP_UNSET,
		.cpu_weight = CGROUP_UNSET,
		.cpu_quota_us = CGROUP_UNSET,
		.cpu_period_us = CGROUP_UNSET,
		.cpu_burst_us = CGROUP_UNSET,
		.cpu_idle = CGROUP_UNSET,
		.pids_max = CGROUP_UNSET,
		.io_weight = CGROUP_UNSET,
	};
}

void cgroup_limits_release(struct cgroup_limits *limits)
{
	free(limits->cpuset_cpus);
	free(limits->cpuset_mems);
	strlist_release(&limits->io_device_weights);
	strlist_release(&limits->io_max);
	strlist_release(&limits->hugetlb);
	strlist_release(&limits->rdma);
	strlist_release(&limits->misc);
	strlist_release(&limits->unified);
	cgroup_limits_init(limits);
}

void cgroup_spec_init(struct cgroup_spec *spec)
{
	*spec = (struct cgroup_spec){ .driver = CGROUP_FS };
	cgroup_limits_init(&spec->limits);
}

void cgroup_spec_release(struct cgroup_spec *spec)
{
	free(spec->path);
	free(spec->device_rules);
	free(spec->ebpf_pin_dir);
	strlist_release(&spec->systemd_properties);
	cgroup_limits_release(&spec->limits);
	cgroup_spec_init(spec);
}
