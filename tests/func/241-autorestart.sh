#!/bin/bash
# a VPS that ends by itself starts again as its policy says, later each time, unless it is stopped
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

pid_of() { jq -r .pid "$run_dir/$1/state.json"; }
starts_again() {
	local now
	now=$(pid_of "$1" 2>/dev/null) && [ "$now" != "$2" ]
}
waits() { [ ! -e "$run_dir/one" ] && monitor_of one; }
no_monitor() { ! monitor_of "$1"; }

check_fails "an unknown policy" "none of no, on-failure, always" cella create no --ostemplate busybox --autorestart never
vps_start one --autorestart on-failure
is "it is written down" "$(sed -n 's/^AUTORESTART=//p' "$conf_dir/one.conf")" '"on-failure"'
is "and shown" "$(vps_field one .autoRestart)" on-failure
pid=$(pid_of one)
kill -9 "$pid"
check "killed: started again" wait_for 20 starts_again one "$pid"
check "it is the same monitor's work: there is one" monitor_of one
pid=$(pid_of one)
kill -9 "$pid"
check "a second time it waits longer" wait_for 10 waits
is "meanwhile it is down" "$(cella list -H -o status one | tr -d ' ')" stopped
check "stop calls the restart off" cella stop one
check "and nobody waits any more" no_monitor one
sleep 3
check "so it stays down" test ! -e "$run_dir/one"
check_fails "a second stop" "not running" cella stop one

cella start one >/dev/null
kill -9 "$(pid_of one)"
check "while it waits" wait_for 10 waits
check "start does not" cella start one
check "power-off" cella exec one -- poweroff
check "is no failure: it stays down" wait_for 20 no_monitor one
check "stopped" status_is one stopped
cella start one >/dev/null
kill -9 "$(pid_of one)"
check "while it waits" wait_for 10 waits
check "destroy does not" cella destroy one
check "and nothing is left" no_monitor one

vps_start all --autorestart always
pid=$(pid_of all)
check "power-off with always" cella exec all -- poweroff
check "is a new start" wait_for 20 starts_again all "$pid"
pid=$(pid_of all)
check "stop is a stop" cella stop all
check "all the same" test ! -e "$run_dir/all"

vps_start none
kill -9 "$(pid_of none)"
check "without a policy it stays down" wait_for 20 no_monitor none
check "and is cleaned up" test ! -e "$run_dir/none" -a ! -e /sys/fs/cgroup/cella/none

check "start --wait" cella start --wait none
check_fails "a bad time" "not in 0..86400" cella start --wait --timeout 100000 none
