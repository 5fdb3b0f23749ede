#!/bin/bash
# `cella set` refuses what is wrong or would kill, in one line, and changes nothing
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

vps_start one --cpulimit 50 --cpumask 0 # which also makes cpuset.cpus be there
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)
files=(memory.max memory.swap.max memory.high memory.min cpu.max cpu.weight cpuset.cpus pids.max io.max)
in_force() { (cd "$cgroup" && cat "${files[@]}") && cat "$conf_dir/one.conf"; }
before=$(in_force)

while read -r options; do
	option=${options%% *}
	read -ra words <<<"$options"
	check_fails "$options" "${option%%=*}: .*|'${option%%=*}" cella set one --cpuunits 3000 "${words[@]}"
done <<'VALUES'
--ram=12x
--ram=0
--ram=1K
--ram=unlimitted
--swap=-1
--ram-min=1e3
--ram-min=65M
--ram-min=1000T --ram 2000T
--ram-soft=100M
--oom-group=perhaps
--cpus=0
--cpus=4097
--cpulimit=100001
--cpulimit=ten
--cpuunits=7
--cpuunits=500001
--cpu-burst=51
--cpumask=0-
--cpumask=2-1
--cpumask=4095
--cpumask=zero
--nodemask=900
--nodemask=auto
--numproc=0
--numproc=4194305
--ioprio=8
--iolimit=x
--iolimit=9999T
--iopslimit=4294967296
--physpages=1:2:3
--swappages=18446744073709551615
--hostname=a..b
--nameserver=nobody
--description=a"b
--onboot=perhaps
--ipdel=192.0.2.1
VALUES
is "nothing was changed" "$(in_force)" "$before"

check_fails "both ways of saving" "exclude each other" cella set one --save --no-save --ram 96M
check_fails "an unknown key" "no key NOTHING" cella set one --unset NOTHING
check_fails "an unknown VPS" "does not exist" cella set two --ram 96M

# dd's buffer is full, and so is the pipe that nobody reads
cella exec one -- sh -c 'dd if=/dev/zero bs=12M count=1 | sleep 1000' 2>hog.log &
holds_memory() { [ "$(awk '$1 == "anon" { print $2 }' "$cgroup/memory.stat")" -gt 12000000 ]; }
wait_for 60 holds_memory || not_ok "a process holds 12 MiB" "$(cat hog.log "$cgroup/memory.stat")" "$(cella exec one -- ps)"
check_fails "a limit below what cannot be dropped" "--ram: 8192 KiB would kill .* can neither be dropped nor swapped" \
	cella set one --ram 8M
is "nothing was changed again" "$(in_force)" "$before"
cella exec one -- dd if=/dev/zero of=/big bs=1M count=40 2>/dev/null
check "page cache is no reason" cella set one --ram 40M
check "--force does it" cella set one --ram 8M --force
# the kernel may kill more than the hog, init too, before the hog's memory has come back
like "to the byte" "$(cat "$cgroup/memory.max" 2>/dev/null || echo all of it killed)" '^(8388608|all of it killed)$'
like "in the file as well" "$(cat "$conf_dir/one.conf")" 'PHYSPAGES="0:2048"'
check "and what was too large is killed" wait_for 10 eval '! holds_memory'
cella set one --ram 64M >/dev/null
status_is one running || cella start one >/dev/null

cella set one --ipadd 10.65.0.1 --skip_arpdetect >/dev/null
like "an address comes at once" "$(cella exec one -- ip addr)" 'inet 10.65.0.1/32'
like "in the file as well" "$(cat "$conf_dir/one.conf")" 'IP_ADDRESS="10.65.0.1"'
cella set one --ipdel all >/dev/null
unlike "and goes at once" "$(cella exec one -- ip addr)" 'inet 10.65.0.1'
cella set one --ipadd 10.65.0.1 --skip_arpdetect >/dev/null

cella stop --fast one >/dev/null
check_fails "--no-save on one that is stopped" "is not running" cella set one --ram 96M --no-save
check "--ipdel of a stopped one" cella set one --ipdel all
unlike "takes the key out" "$(cat "$conf_dir/one.conf")" IP_ADDRESS
