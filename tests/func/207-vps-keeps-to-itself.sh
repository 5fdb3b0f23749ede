#!/bin/bash
# a fork bomb and a memory bomb end inside; two VPSs see neither each other's nor the host's processes and files
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

vps_start one --numproc 40 --ipadd 10.66.0.1
vps_start two --ipadd 10.66.0.2
cella exec one -- sh -c 'sleep 1000 & sleep 1000 &' >/dev/null
like "its own processes" "$(cella exec one -- ps -o args)" "sleep 1000"
unlike "not another's" "$(cella exec two -- ps -o args)" "sleep 1000"
check_fails "no device can be made" "" cella exec one -- sh -c 'mknod /tmp/null c 1 3 2>/dev/null || { echo refused; exit 1; }'
like "no proc or sysfs for a user namespace, no fuse, no tun" \
	"$(cella exec one -- sh -c 'for type in proc sysfs; do unshare -Urpmni mount -t $type none /mnt; done; ls /dev/fuse /dev/net/tun' 2>&1)" \
	'(ermission|not permitted).*(ermission|not permitted).*/dev/fuse: No such.*/dev/net/tun: No such'
like "no kernel log" "$(cella exec one -- dmesg 2>&1)" "not permitted"
like "no clock" "$(cella exec one -- date -s 2001-01-01 2>&1)" "not permitted"
check "the host's goes on" test "$(date +%Y)" -gt 2001
check_fails "the host's sysctls stay" "" cella exec one -- sh -c 'echo 1 >/proc/sys/kernel/sysrq || exit 1' 2>/dev/null
is "its own sysctls do not" "$(cella exec one -- sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward')" 1
unlike "no descriptor of ours" "$(cella exec one -- ls -l /proc/self/fd 2>&1)" "$TEST_DIR"

cella exec one -- sh -c 'f() { f | f & }; f; sleep 2' >/dev/null 2>&1 || true
cgroup=/sys/fs/cgroup/cella/one
check "a fork bomb was held" test "$(awk '$1 == "max" { print $2 }' "$cgroup/pids.events")" -gt 0
check "at 40" test "$(cat "$cgroup/pids.current")" -le 40
check "the neighbour works" cella exec two -- true
check "stop clears it away" cella stop --fast one
check "start" cella start one
cella exec one -- sh -c 'a=x; while :; do a=$a$a; done' >/dev/null 2>&1 || true
check "a memory bomb was killed" test "$(awk '$1 == "oom_kill" { print $2 }' "$cgroup/memory.events")" -gt 0
check "the neighbour works still" cella exec two -- true
