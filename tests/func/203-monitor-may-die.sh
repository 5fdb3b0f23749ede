#!/bin/bash
# a killed monitor takes nothing with it: the VPS runs on, the next command gives it another, which does its work
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

vps_start one --ipadd 10.63.0.1
pid=$(vps_field one .pid)
monitor=$(monitor_of one)
check "there is a monitor ($monitor)" test -n "$monitor"
is "it is nobody's child" "$(proc_status "$monitor" PPid)" 1
kill -9 "$monitor"
check "it dies" wait_for 5 gone "$monitor"
check "the VPS does not" alive "$pid"
is "status attaches another" "$(cella status one)" "CTID one exist mounted running"
check "which is there" monitor_of one
check "to the same init" test "$(vps_field one .pid)" = "$pid"
check "with a console that can be written" cella exec one -- sh -c 'echo hello >/dev/console'
check "and is logged" wait_for 5 grep -q hello "$CELLA_ROOT/var/lib/cella/log/one.console"
check "exec works" cella exec one -- true

check "power-off is seen by the new one" cella exec one -- poweroff
check "it cleans up" wait_for 20 test ! -e "$run_dir/one" -a ! -e /sys/fs/cgroup/cella/one
no_monitor() { ! monitor_of one; }
check "and ends" wait_for 5 no_monitor

cella start one >/dev/null
kill -9 "$(monitor_of one)"
kill -9 "$(jq -r .pid "$run_dir/one/state.json")"
check "both killed: the next command sees a stopped VPS" wait_for 10 status_is one stopped
check "and has cleaned up" wait_for 10 test ! -e "$run_dir/one" -a ! -e /sys/fs/cgroup/cella/one -a ! -e /sys/class/net/vethone.0

cella start one >/dev/null
kill -9 "$(monitor_of one)"
check "stop works without one" cella stop one
check "nothing runs on" test ! -e "$run_dir/one"

cella start one >/dev/null
pid=$(vps_field one .pid)
check "reboot from inside" cella exec one -- reboot
other() {
	local now
	now=$(vps_field one .pid)
	[ "$now" != null ] && [ "$now" != "$pid" ]
}
check "is a new start" wait_for 20 other
check "with the address" ping -c 1 -W 5 10.63.0.1
check "and a monitor" monitor_of one
