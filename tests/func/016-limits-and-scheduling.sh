#!/bin/bash
# process: rlimits, noNewPrivileges, oomScoreAdj, scheduler, ioPriority, execCPUAffinity; linux.personality, memoryPolicy
. "$(dirname "$0")/lib.sh"

kinds='AS:address space CORE:core file size CPU:cpu time DATA:data size FSIZE:file size LOCKS:file locks MEMLOCK:locked memory
MSGQUEUE:msgqueue size NICE:nice priority NOFILE:open files NPROC:processes RSS:resident set RTPRIO:realtime priority
RTTIME:realtime timeout SIGPENDING:pending signals STACK:stack size'
limits='{"AS":4000000001,"CORE":1002,"CPU":1003,"DATA":4000000004,"FSIZE":1005,"LOCKS":1006,"MEMLOCK":1007,"MSGQUEUE":1008,"NICE":19,
	"NOFILE":1010,"NPROC":1011,"RSS":1012,"RTPRIO":13,"RTTIME":1014,"SIGPENDING":1015,"STACK":8000016}'
make_bundle b '.process.rlimits = ($limits | to_entries | map({type: "RLIMIT_\(.key)", soft: (.value - 1), hard: .value}))
	| .process.noNewPrivileges = true | .process.oomScoreAdj = 321
	| .process.scheduler = {policy: "SCHED_BATCH", nice: 7} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
	| .linux.personality = {domain: "LINUX32"} | .linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' \
	--argjson limits "$limits"
start_bundle rlimits b
pid=$(pid_of rlimits)
while read -r name value; do
	title=$(tr '\n' ' ' <<<"$kinds" | grep -oE "(^| )$name:[a-z ]*[a-z]" | sed 's/^[^:]*://')
	like "RLIMIT_$name" "$(grep -i "^Max $title  " "/proc/$pid/limits")" "^Max [a-z ]+ $((value - 1)) +$value "
done < <(jq -r 'to_entries[] | "\(.key) \(.value)"' <<<"$limits")
is "noNewPrivileges" "$(proc_status "$pid" NoNewPrivs)" 1
is "oomScoreAdj" "$(cat "/proc/$pid/oom_score_adj")" 321
like "scheduler policy" "$(chrt -p "$pid")" SCHED_BATCH
is "scheduler nice" "$(ps -o ni= -p "$pid" | xargs)" 7
is "ioPriority" "$(ionice -p "$pid")" "best-effort: prio 6"
is "personality" "$(cat "/proc/$pid/personality")" 00000008
is "and so uname" "$(oci exec rlimits uname -m </dev/null)" i686
like "memoryPolicy" "$(cat "/proc/$pid/numa_maps")" 'interleave=static:0'
oci delete --force rlimits

edit_bundle b 'del(.linux.personality) | .process.noNewPrivileges = false | .process.oomScoreAdj = -400 | del(.process.rlimits)
	| .process.scheduler = {policy: "SCHED_FIFO", priority: 5, flags: ["SCHED_FLAG_RESET_ON_FORK"]}
	| .process.ioPriority = {class: "IOPRIO_CLASS_IDLE"} | .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
start_bundle other b
pid=$(pid_of other)
is "no noNewPrivileges" "$(proc_status "$pid" NoNewPrivs)" 0
is "negative oomScoreAdj" "$(cat "/proc/$pid/oom_score_adj")" -400
like "a real-time policy with its flag" "$(chrt -p "$pid")" 'SCHED_FIFO.SCHED_RESET_ON_FORK'
like "and priority" "$(chrt -p "$pid")" 'priority: 5'
is "class idle" "$(ionice -p "$pid")" idle
is "no personality" "$(cat "/proc/$pid/personality")" 00000000
like "another memory policy" "$(cat "/proc/$pid/numa_maps")" 'bind:0'
oci delete --force other

edit_bundle b '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 30000000, period: 40000000}
	| .process.oomScoreAdj = null | del(.process.ioPriority, .linux.memoryPolicy)'
edit_bundle b 'del(.process.oomScoreAdj)'
start_bundle deadline b
pid=$(pid_of deadline)
like "deadline scheduling" "$(chrt -p "$pid" | tr '\n' ' ')" 'SCHED_DEADLINE.*10000000/30000000/40000000'
is "no oomScoreAdj: the caller's" "$(cat "/proc/$pid/oom_score_adj")" "$(cat /proc/$$/oom_score_adj)"
oci delete --force deadline
edit_bundle b '.process.scheduler = {policy: "SCHED_IDLE"}'
start_bundle idle b
like "idle scheduling" "$(chrt -p "$(pid_of idle)")" SCHED_IDLE
oci delete --force idle

# exec with CPUs of its own; init has none of it
edit_bundle b 'del(.process.scheduler) | .process.execCPUAffinity = {initial: "0", final: "1"}'
if second_cpu; then
	start_bundle cpus b
	is "execCPUAffinity is not for init" "$(proc_status "$(pid_of cpus)" Cpus_allowed_list)" "$(proc_status $$ Cpus_allowed_list)"
	like "exec has the final ones" "$(oci exec cpus grep Cpus_allowed_list /proc/self/status </dev/null)" $'\t1$'
	oci exec cpus sleep 100 >/dev/null 2>&1 </dev/null &
	parent=$! # a shell function in the background: the program is below it
	check "exec runs" wait_for 10 pgrep -P "$parent"
	check "the runtime itself has the initial ones while it waits" wait_for 10 grep -qE '^Cpus_allowed_list:.0$' "/proc/$(pgrep -P "$parent")/status"
	oci delete --force cpus
	wait "$parent" || true
else
	skip "execCPUAffinity" "one CPU only"
fi
edit_bundle b '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "99"}'
check_fails "a node that does not exist" 'emory' oci create --bundle b badnode </dev/null
