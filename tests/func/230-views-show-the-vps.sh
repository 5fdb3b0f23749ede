#!/bin/bash
# with lxcfs on the host, memory and uptime inside are the VPS's own, also after lxcfs was started anew; doctor says when there is none
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox lxcfs jq

told() { cella doctor --json | jq -r '.[] | select(.what | startswith("lxcfs")) | .level'; }
begin_lxcfs() {
	lxcfs -f /var/lib/lxcfs >/dev/null 2>&1 &
	lxcfs=$!
	wait_for 10 test -e /var/lib/lxcfs/proc/meminfo
}
end_lxcfs() { kill "$lxcfs" && wait "$lxcfs"; }
# inside FILE: of /proc, by no command that repairs
inside() { nsenter -t "$pid" -m -p -C cat "/proc/$1"; }
ram() { inside meminfo | awk '/^MemTotal/ { print $2 }'; }
# views [DEVICE]: how many mounts of lxcfs it has
views() { grep -c " ${1:-[0-9:]*} .* fuse.lxcfs " "/proc/$pid/mountinfo" || true; }

mountpoint -q /var/lib/lxcfs && skip_rest "lxcfs runs here already"
is "doctor advises it" "$(told)" advice
mkdir -p /var/lib/lxcfs
begin_lxcfs
cleanup end_lxcfs
is "doctor sees it" "$(told)" ok
vps_start one --swap 32M
pid=$(vps_field one .pid)
is "MemTotal is the limit" "$(ram)" 65536
cella set one --ram 96M >/dev/null
is "at once when it changes" "$(ram)" 98304
check "uptime is its own" test "$(cella exec one -- cut -d. -f1 /proc/uptime)" -lt "$(($(cut -d. -f1 /proc/uptime) / 2 + 60))"

kill -9 "$lxcfs"
wait "$lxcfs" || true
umount -l /var/lib/lxcfs # as its unit does
check_fails "without lxcfs what was mounted fails" "" inside meminfo
like "the next command says so" "$(cella list 2>&1 >/dev/null)" "lxcfs has ended"
is "and leaves the host's" "$(views) $(ram)" "0 $(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
begin_lxcfs
is "the first command after the next lxcfs mounts it" "$(cella exec one -- awk '/^MemTotal/ { print $2 }' /proc/meminfo)" 98304

cella exec one -- sh -ec 'echo mine >/tmp/mine; mount --bind /tmp/mine /proc/swaps'
umount -l /var/lib/lxcfs # another one in its place, as after a crash
end_lxcfs || true
begin_lxcfs
is "and after a crash, too" "$(cella list 2>&1 >/dev/null)" ""
is "all but what the VPS has mounted itself" "$(views "$(mountpoint -d /var/lib/lxcfs)") $(inside swaps)" "6 mine"
is "the limit again" "$(ram)" 98304
