#!/bin/bash
# update changes the limits of a running container, in an order that no valid change trips over
. "$(dirname "$0")/lib.sh"
has_controllers memory cpu pids || skip_rest "not all controllers of cgroup v2 here"

make_bundle b '.linux.resources += { cpu: { quota: 50000, period: 100000, burst: 40000 },
	memory: { limit: 67108864, swap: 67108864 } }'
start_bundle live b
pid=$(pid_of live)
update() { jq -n "$1" | oci update --resources - live; }
reads() { cgroup_read "$pid" "$1"; }

update '{ cpu: { quota: 20000, burst: 10000 } }'
is "a quota below the burst in force, with a smaller burst" "$(reads cpu.max) $(reads cpu.max.burst)" "20000 100000 10000"
update '{ cpu: { quota: 80000, burst: 70000 } }'
is "and back up" "$(reads cpu.max) $(reads cpu.max.burst)" "80000 100000 70000"
check_fails "a quota below the burst in force alone is refused" "burst" update '{ cpu: { quota: 20000 } }'
is "and changes nothing" "$(reads cpu.max)" "80000 100000"
update '{ cpu: { period: 50000 } }'
is "a new period keeps the quota" "$(reads cpu.max)" "80000 50000"
update '{ cpu: { quota: -1 } }'
is "the quota can be lifted" "$(reads cpu.max)" "max 50000"

update '{ cpu: { idle: 1 } }'
is "idle" "$(reads cpu.idle)" 1
check_fails "an idle group takes no weight" "idle" update '{ cpu: { shares: 2048 } }'
update '{ cpu: { idle: 0, shares: 2048 } }'
like "until it is idle no more" "$(reads cpu.idle) $(reads cpu.weight)" '^0 [0-9]+$'

update '{ memory: { limit: 134217728, swap: 268435456 } }'
is "memory and swap" "$(reads memory.max) $(reads memory.swap.max)" "134217728 134217728"
check_fails "a limit below the usage is refused when asked" "in use" \
	update '{ memory: { limit: 4096, checkBeforeUpdate: true } }'
is "and changes nothing" "$(reads memory.max)" 134217728
update '{ pids: { limit: 5 } }'
is "pids" "$(reads pids.max)" 5
update '{ pids: { limit: -1 } }'
is "pids without a limit" "$(reads pids.max)" max
check_fails "a weight out of range" "weight|shares|10000" update '{ unified: { "cpu.weight": "10001" } }'
check_fails "an unknown file of unified" 'nosuch\.max' update '{ unified: { "nosuch.max": "1" } }'
check_fails "a path in unified" 'unified' update '{ unified: { "../pids.max": "1" } }'
oci delete --force live
