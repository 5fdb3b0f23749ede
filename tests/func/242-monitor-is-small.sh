#!/bin/bash
# the monitor: little memory of its own, no processor time while nothing happens
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

vps_start one --ipadd 10.64.0.1
vps_start two --ipadd 10.64.0.2
monitor=$(monitor_of one)
is "a program of its own" "$(cat "/proc/$monitor/comm")" cella-monitor
like "that says whose it is" "$(tr '\0' ' ' <"/proc/$monitor/cmdline")" "^cella-monitor .* one "
private=$(awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$monitor/smaps_rollup")
check "private memory: $private KiB of 200" test "$private" -le 200
cella exec one -- sh -c 'i=0; while [ $i -lt 400 ]; do echo "many lines, which go through the ring and the log"; i=$((i + 1)); done >/dev/console'
sleep 0.5
private=$(awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$monitor/smaps_rollup")
check "also when it had work: $private KiB" test "$private" -le 200
switches() { proc_status "$monitor" voluntary_ctxt_switches; }
before=$(switches)
sleep 2
is "it sleeps when nothing happens" "$(switches)" "$before"
