#!/bin/bash
# with lxcfs on the host, memory and uptime inside are the VPS's own; doctor says when there is none
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox lxcfs jq

told() { cella doctor --json | jq -r '.[] | select(.what | startswith("lxcfs")) | .level'; }
if mountpoint -q /var/lib/lxcfs; then
	ok "lxcfs runs already"
else
	is "doctor advises it" "$(told)" advice
	mkdir -p /var/lib/lxcfs
	lxcfs -f /var/lib/lxcfs >/dev/null 2>&1 &
	lxcfs=$!
	end_lxcfs() { kill "$lxcfs" && wait "$lxcfs"; }
	cleanup end_lxcfs
	wait_for 10 test -e /var/lib/lxcfs/proc/meminfo
fi
is "doctor sees it" "$(told)" ok
vps_start one --swap 32M
is "MemTotal is the limit" "$(cella exec one -- awk '/^MemTotal/ { print $2 }' /proc/meminfo)" 65536
cella set one --ram 96M >/dev/null
is "at once when it changes" "$(cella exec one -- awk '/^MemTotal/ { print $2 }' /proc/meminfo)" 98304
check "uptime is its own" test "$(cella exec one -- cut -d. -f1 /proc/uptime)" -lt "$(($(cut -d. -f1 /proc/uptime) / 2 + 60))"
