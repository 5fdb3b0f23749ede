#!/bin/bash
# exec: a further process has what the container's first one has, in every respect that the kernel shows
. "$(dirname "$0")/lib.sh"

make_bundle b '.process.user = {uid: 1000, gid: 1000, additionalGids: [10]} | .process.oomScoreAdj = 100
	| .process.capabilities |= with_entries(.value = ["CAP_KILL", "CAP_CHOWN"]) | .process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL"]
	| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 99, hard: 100}] | .process.scheduler = {policy: "SCHED_BATCH", nice: 4}
	| .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6} | .process.cwd = "/tmp" | .linux.personality = {domain: "LINUX32"}
	| .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"} | .linux.namespaces += [{type: "time"}]
	| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
start_bundle props-exec b
init=$(pid_of props-exec)
oci exec --detach --pid-file pid props-exec sleep 1000 >exec.out 2>&1 </dev/null
pid=$(cat pid)
for kind in pid net ipc uts mnt cgroup time user; do is "$kind namespace" "$(ns_of "$pid" $kind)" "$(ns_of "$init" $kind)"; done
for field in Uid Gid Groups Umask CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters; do
	is "$field" "$(proc_status "$pid" $field)" "$(proc_status "$init" $field)"
done
is "root" "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -Lc %d:%i "/proc/$init/root")"
is "working directory" "$(readlink "/proc/$pid/cwd")" /tmp
is "environment" "$(tr '\0' '\n' <"/proc/$pid/environ" | sort)" "$(tr '\0' '\n' <"/proc/$init/environ" | sort)"
is "control group" "$(cgroup_of "$pid")" "$(cgroup_of "$init")"
is "limits" "$(cat "/proc/$pid/limits")" "$(cat "/proc/$init/limits")"
is "scheduling" "$(chrt -p "$pid" | sed 's/^pid [0-9]*//')" "$(chrt -p "$init" | sed 's/^pid [0-9]*//')"
is "nice" "$(ps -o ni= -p "$pid")" "$(ps -o ni= -p "$init")"
is "input and output" "$(ionice -p "$pid")" "$(ionice -p "$init")"
is "personality" "$(cat "/proc/$pid/personality")" 00000008
like "memory policy" "$(cat "/proc/$pid/numa_maps")" 'bind:0'
is "oom score" "$(cat "/proc/$pid/oom_score_adj")" "$(cat "/proc/$init/oom_score_adj")"
