#!/bin/bash
# SIGKILL of create, start, stop and destroy at many moments: the next command finds the old or the new state
# timeout: 600
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

# kill_after MILLISECONDS COMMAND...
kill_after() {
	local pid
	"${@:2}" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' "$1")"
	kill -9 $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
}

cella template create busybox >/dev/null
for ((ms = 0; ms < 900; ms += 75)); do
	kill_after $ms cella create one --ostemplate busybox --ram 32M --ipadd 10.64.0.1
	if [ -e "$conf_dir/one.conf" ]; then
		{ cella start one && cella stop --fast one; } >/dev/null 2>&1 || not_ok "create killed after $ms ms: start"
	else
		cella create one --ostemplate busybox --ipadd 10.64.0.1 >/dev/null ||
			not_ok "create killed after $ms ms: create again"
	fi
	cella destroy one >/dev/null || not_ok "create killed after $ms ms: destroy"
	nothing_of one || not_ok "create killed after $ms ms: leaves nothing" "$(find "$private_dir")"
done
ok "create"

vps_make one --ipadd 10.64.0.1
for ((ms = 0; ms < 600; ms += 50)); do
	kill_after $ms cella start one
	# the monitor may be about to finish the start
	status_is one running || cella start one >/dev/null 2>&1 || wait_for 10 status_is one running ||
		not_ok "start killed after $ms ms: start again" "$(cella start one 2>&1)"
	check_out=$(ping -c 1 -W 5 10.64.0.1 2>&1) || not_ok "start killed after $ms ms: it answers" "$check_out"
	cella stop --fast one >/dev/null 2>&1 || not_ok "start killed after $ms ms: stop"
	test ! -e "$run_dir/one" -a ! -e /sys/fs/cgroup/cella/one || not_ok "start killed after $ms ms: nothing runs on"
done
ok "start"

for ((ms = 0; ms < 300; ms += 50)); do
	cella start one >/dev/null
	kill_after $ms cella stop one
	wait_for 10 status_is one stopped || cella stop one >/dev/null 2>&1 || not_ok "stop killed after $ms ms: stop again"
	wait_for 5 test ! -e "$run_dir/one" || not_ok "stop killed after $ms ms: nothing runs on" "$(find "$run_dir")"
done
ok "stop"
cella destroy one >/dev/null

for ((ms = 0; ms < 300; ms += 50)); do
	vps_make one
	kill_after $ms cella destroy one
	cella destroy one >/dev/null 2>&1 || true
	nothing_of one || not_ok "destroy killed after $ms ms: destroy again" "$(find "$private_dir" -maxdepth 1)"
done
ok "destroy"
