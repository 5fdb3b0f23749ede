/* spec_parse(): every property of everything.json arrives where the engine looks for it. */
#include "tests/unit/runtime_spec.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/personality.h>

static struct spec spec;

static int load(void **state)
{
	OWN(str) char *text = read_config("everything");
	struct err *err;

	(void)state;
	err = spec_parse(text, strlen(text), "/bundle", &spec);
	if (err)
		fail_msg("%s", err_text(err));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	spec_release(&spec);
	spec_release(&spec); /* twice is safe */
	return 0;
}

static void expect_list(const struct strlist *list, const char *joined)
{
	OWN(buf) struct buf text = { 0 };

	assert_null(buf_add(&text, "", 0));
	for (size_t i = 0; i < list->count; i++)
		assert_null(buf_format(&text, "%s%s", i ? "|" : "", list->items[i]));
	assert_string_equal(text.data, joined);
	if (list->count)
		assert_null(list->items[list->count]);
}

static void process_arrives(void **state)
{
	const struct process_spec *p = &spec.process;

	(void)state;
	assert_true(spec.has_process && p->terminal && p->no_new_privileges);
	assert_int_equal(p->console_rows, 25);
	assert_int_equal(p->console_columns, 80);
	assert_int_equal(p->uid, 1);
	assert_int_equal(p->gid, 2);
	assert_true(p->umask_set);
	assert_int_equal(p->umask_bits, 077);
	assert_int_equal(p->group_count, 2);
	assert_int_equal(p->groups[1], 6);
	assert_true(p->keep_groups && spec.ns.keep_groups);
	assert_null(p->username);
	expect_list(&p->args, "sh|-c|true");
	expect_list(&p->env, "PATH=/bin|A=2"); /* the last one wins */
	assert_string_equal(p->cwd, "/root");
	assert_string_equal(p->apparmor_profile, "profile");
	assert_string_equal(p->selinux_label, "system_u:system_r:svirt_lxc_net_t:s0");
	assert_true(p->oom_score_adj_set);
	assert_int_equal(p->oom_score_adj, -10);
}

static void limits_and_scheduling_arrive(void **state)
{
	const struct process_spec *p = &spec.process;
	const struct scheduler_spec *s = &p->scheduler;

	(void)state;
	assert_true(p->caps.is_set);
	assert_true(p->caps.bounding == 0x21 && p->caps.ambient == 0x21);
	assert_true(p->caps.effective == 0x21 && p->caps.permitted == 0x21);
	assert_true(p->caps.inheritable == 0x21);
	assert_int_equal(p->rlimit_count, 2);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(p->rlimits[0].soft, 1024);
	assert_int_equal(p->rlimits[0].hard, 2048);
	assert_true(p->rlimits[1].hard == UINT64_MAX);
	assert_true(s->is_set);
	assert_int_equal(s->policy, SCHED_DEADLINE);
	assert_int_equal(s->flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM);
	assert_int_equal(s->nice, 3);
	assert_int_equal(s->runtime_ns, 1000000);
	assert_int_equal(s->deadline_ns, 2000000);
	assert_int_equal(s->period_ns, 3000000);
	assert_true(p->io_priority_set);
	assert_int_equal(p->io_priority, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4));
	assert_string_equal(p->affinity_initial, "7");
	assert_string_equal(p->affinity_final, "0-3,7");
}

static void root_and_mounts_arrive(void **state)
{
	const struct rootfs_spec *root = &spec.root;
	const struct mount_spec *data = &root->mounts[2];

	(void)state;
	assert_string_equal(root->path, "/bundle/rootfs");
	assert_true(root->readonly);
	assert_int_equal(root->propagation, MS_SLAVE);
	assert_int_equal(root->mount_count, 3);
	assert_string_equal(root->mounts[0].type, "proc");
	assert_int_equal(root->mounts[0].flags, MS_NOSUID);
	assert_string_equal(data->destination, "/data");
	assert_string_equal(data->source, "/bundle/data");
	assert_int_equal(data->flags, MS_BIND | MS_REC | MS_RDONLY);
	assert_int_equal(data->idmap, MOUNT_IDMAP);
	assert_int_equal(data->maps.uids[0].outside, 1000);
	assert_int_equal(data->maps.gids[0].outside, 2000);
	expect_list(&root->masked_paths, "/proc/kcore");
	expect_list(&root->readonly_paths, "/proc/sys");
	assert_string_equal(root->mount_label, "system_u:object_r:svirt_sandbox_file_t:s0");
	assert_int_equal(root->device_count, 2);
	assert_int_equal(root->devices[0].type, 'c');
	assert_string_equal(root->devices[0].path, "/dev/fuse");
	assert_int_equal(root->devices[0].major, 10);
	assert_int_equal(root->devices[0].minor, 229);
	assert_int_equal(root->devices[0].mode, 0666); /* without the type's bits */
	assert_int_equal(root->devices[0].uid, 3);
	assert_int_equal(root->devices[0].gid, 4);
	assert_int_equal(root->devices[1].type, 'p');
}

static void namespaces_arrive(void **state)
{
	const struct ns_spec *ns = &spec.ns;

	(void)state;
	assert_string_equal(ns->join_path[NS_PID], "/proc/1234/ns/pid");
	for (int kind = 0; kind < NS_KIND_COUNT; kind++)
		assert_int_equal(ns->is_new[kind], kind != NS_PID);
	assert_int_equal(ns->maps.uid_count, 1);
	assert_int_equal(ns->maps.uids[0].outside, 100000);
	assert_int_equal(ns->maps.uids[0].count, 65536);
	assert_int_equal(ns->maps.gids[0].outside, 200000);
	assert_true(ns->monotonic.is_set && ns->boottime.is_set);
	assert_int_equal(ns->monotonic.secs, -5);
	assert_int_equal(ns->monotonic.nanosecs, 7);
	assert_int_equal(ns->boottime.secs, 6);
	assert_string_equal(spec.hostname, "host");
	assert_string_equal(spec.domainname, "example.test");
	assert_true(spec.bring_loopback_up);
	assert_int_equal(spec.net_device_count, 2);
	assert_string_equal(spec.net_devices[0].host_name, "eth0");
	assert_string_equal(spec.net_devices[0].name, "net%d");
	assert_null(spec.net_devices[1].name);
	expect_list(&spec.sysctls, "net.ipv4.ip_forward=1");
}

static void limits_arrive(void **state)
{
	const struct cgroup_limits *l = &spec.cgroup.limits;

	(void)state;
	assert_int_equal(l->memory_max_bytes, 536870912);
	assert_int_equal(l->memory_low_bytes, 268435456);
	assert_int_equal(l->swap_max_bytes, 1073741824 - 536870912);
	assert_true(l->memory_check_usage);
	assert_true(l->memory_high_bytes == CGROUP_UNSET);
	assert_int_equal(l->cpu_weight, 100);
	assert_int_equal(l->cpu_quota_us, 100000);
	assert_int_equal(l->cpu_period_us, 200000);
	assert_int_equal(l->cpu_burst_us, 50000);
	assert_int_equal(l->cpu_idle, 0);
	assert_string_equal(l->cpuset_cpus, "0-1");
	assert_string_equal(l->cpuset_mems, "0");
	assert_int_equal(l->pids_max, 0); /* a limit since 1.3 */
	assert_int_equal(l->io_weight, cgroup_io_weight_from_blkio(100));
	expect_list(&l->io_device_weights, "8:0 4950");
	expect_list(&l->io_max, "8:0 rbps=600|8:0 wbps=max|8:16 riops=300|8:16 wiops=400");
	expect_list(&l->hugetlb, "2MB=209715200");
	expect_list(&l->rdma, "mlx5_1 hca_handle=3 hca_object=10000|rxe3 hca_object=1");
	expect_list(&l->unified, "memory.high=1000|io.max=259:0 rbps=2097152\n253:0 riops=5");
}

static void cgroup_arrives(void **state)
{
	const struct cgroup_spec *cgroup = &spec.cgroup;
	const struct device_rule *rules = cgroup->device_rules;

	(void)state;
	assert_string_equal(cgroup->path, "/a/b");
	assert_true(cgroup->device_filter);
	assert_int_equal(cgroup->device_rule_count, 3);
	assert_true(!rules[0].allow && rules[0].type == 'a' && rules[0].major == -1);
	assert_true(rules[0].may_read && rules[0].may_write && rules[0].may_mknod);
	assert_true(rules[1].allow && rules[1].type == 'c' && rules[1].minor == 229);
	assert_true(rules[1].may_write && !rules[1].may_mknod);
	assert_true(rules[2].type == 'b' && rules[2].major == 8 && rules[2].minor == -1);
	assert_true(!rules[2].may_write);
	expect_list(&cgroup->systemd_properties, "KillSignal=15");
	/* the mount is writable, the namespace new: for uid 1 and gid 2 as seen from outside */
	assert_true(cgroup->delegate);
	assert_int_equal(cgroup->owner_uid, 100001);
	assert_int_equal(cgroup->owner_gid, 200002);
}

static void seccomp_arrives(void **state)
{
	const struct seccomp_spec *s = &spec.seccomp;

	(void)state;
	assert_true(s->is_set && s->default_errno_set);
	assert_int_equal(s->default_action, SCMP_ACT_ERRNO(38));
	assert_int_equal(s->arch_count, 2);
	assert_int_equal(s->archs[0], SCMP_ARCH_X86_64);
	assert_int_not_equal(s->flags, 0);
	assert_string_equal(s->listener_path, "/run/agent.sock");
	assert_string_equal(s->listener_metadata, "x");
	assert_int_equal(s->rule_count, 3);
	assert_int_equal(s->rules[0].names.count, 2);
	assert_string_equal(s->rules[0].names.items[1], "chmod");
	assert_int_equal(s->rules[0].action, SCMP_ACT_ALLOW);
	assert_int_equal(s->rules[0].arg_count, 1);
	assert_int_equal(s->rules[0].args[0].index, 1);
	assert_true(s->rules[0].args[0].value == UINT64_MAX);
	assert_int_equal(s->rules[0].args[0].value_two, 5);
	assert_int_equal(s->rules[0].args[0].op, SCMP_CMP_MASKED_EQ);
	assert_int_equal(s->rules[1].action, SCMP_ACT_ERRNO(2));
	assert_int_equal(s->rules[2].action, SCMP_ACT_NOTIFY);
	assert_non_null(strstr(s->source, "SCMP_ACT_NOTIFY"));
	assert_null(strstr(s->source, "listener"));
}

static void the_rest_arrives(void **state)
{
	const struct intel_rdt *rdt = &spec.rdt;

	(void)state;
	assert_string_equal(spec.oci_version, "1.3.0");
	assert_int_equal(spec.annotations.count, 3);
	assert_string_equal(strlist_env(&spec.annotations, "org.example.key"), "value");
	assert_true(spec.memory_policy.is_set);
	assert_int_equal(spec.memory_policy.mode, MPOL_INTERLEAVE | MPOL_F_STATIC_NODES);
	assert_string_equal(spec.memory_policy.nodes, "0-1");
	assert_true(rdt->is_set && rdt->monitoring);
	assert_string_equal(rdt->clos_id, "guaranteed");
	assert_string_equal(rdt->l3_schema, "L3:0=7f0;1=1f");
	assert_string_equal(rdt->mb_schema, "MB:0=20;1=70");
	expect_list(&rdt->schemata, "L2:0=f");
	assert_true(spec.personality_set);
	assert_int_equal(spec.personality, PER_LINUX32);
	for (int kind = 0; kind < HOOK_KIND_COUNT; kind++) {
		const struct hook_list *list = &spec.hooks[kind];

		assert_int_equal(list->count, 1);
		/* hook programs are named after their kind */
		assert_string_equal(list->items[0].path + strlen("/usr/bin/"),
				    hook_kind_names[kind]);
		assert_string_equal(list->items[0].args.items[0], hook_kind_names[kind]);
		expect_list(&list->items[0].env, "A=1");
		assert_int_equal(list->items[0].timeout_ms, 5000);
	}
}

static void real_configs_are_accepted(void **state)
{
	static const char *const names[] = {
		"podman", "podman-readonly", "docker", "containerd", "runc", "crun", "runc-rootless"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		OWN(str) char *text = read_config(names[i]);
		OWN(spec) struct spec real;
		OWN(err) struct err *err = NULL;

		spec_init(&real);
		err = spec_parse(text, strlen(text), "/b", &real);
		if (err)
			fail_msg("%s: %s", names[i], err_text(err));
		assert_true(real.has_process && real.process.caps.is_set);
		assert_false(real.cgroup.delegate); /* all mount it read-only */
		assert_true(real.ns.is_new[NS_MOUNT] && !real.ns.is_new[NS_TIME]);
	}
}

static void callers_of_old_mean_no_limit_by_0(void **state)
{
	OWN(str) char *text = read_config("docker");
	OWN(spec) struct spec real;

	(void)state;
	spec_init(&real);
	assert_null(spec_parse(text, strlen(text), "/b", &real));
	assert_true(real.cgroup.limits.pids_max == CGROUP_MAX);
	assert_true(real.cgroup.limits.cpu_weight == CGROUP_UNSET);
	assert_true(real.cgroup.limits.io_weight == CGROUP_UNSET);
	assert_true(real.cgroup.limits.memory_max_bytes == CGROUP_UNSET);
}

static void reading_twice_gives_the_same(void **state)
{
	OWN(str) char *text = read_config("podman");
	OWN(spec) struct spec one, two;

	(void)state;
	spec_init(&one);
	spec_init(&two);
	assert_null(spec_parse(text, strlen(text), "/b", &one));
	assert_null(spec_parse(text, strlen(text), "/b", &two));
	assert_string_equal(one.seccomp.source, two.seccomp.source);
	assert_int_equal(one.seccomp.rule_count, two.seccomp.rule_count);
	assert_memory_equal(&one.process.caps, &two.process.caps, sizeof(one.process.caps));
	assert_int_equal(one.root.mount_count, two.root.mount_count);
	assert_memory_equal(one.ns.is_new, two.ns.is_new, sizeof(one.ns.is_new));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_arrives),
		cmocka_unit_test(limits_and_scheduling_arrive),
		cmocka_unit_test(root_and_mounts_arrive),
		cmocka_unit_test(namespaces_arrive),
		cmocka_unit_test(limits_arrive),
		cmocka_unit_test(cgroup_arrives),
		cmocka_unit_test(seccomp_arrives),
		cmocka_unit_test(the_rest_arrives),
		cmocka_unit_test(real_configs_are_accepted),
		cmocka_unit_test(callers_of_old_mean_no_limit_by_0),
		cmocka_unit_test(reading_twice_gives_the_same),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
