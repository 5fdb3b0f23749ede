#!/bin/bash
# events says what happens as it happens, why says it in words: starts, stops, kills, limits, their cause and cure
# timeout: 600
# shellcheck disable=SC2094 # a check reads a file and names it, and writes none
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox

cella list >/dev/null
cella events --json >events &
cleanup kill $!
cella events --json two >events.two &
cleanup kill $!
sleep 0.5
# told NAME EVENT [REASON]
told() { wait_for 10 jq -es --arg n "$1" --arg e "$2" --arg r "${3:-}" 'any(.[]; .name == $n and .event == $e and ($r == "" or .reason == $r))' events; }
why_kind() { cella why one --json | jq -r '.[].kind' | tr '\n' ' '; }

vps_make one --numproc 20
check "create" told one create
is "why it is down" "$(why_kind)" "not-started "
cella start one >/dev/null
check "start" told one start
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)
is "nothing is wrong" "$(cella why one)" "nothing holds VPS one back"

cella exec one -- sh -c 'i=0; while [ $i -lt 40 ]; do sleep 3 & i=$((i + 1)); done' >/dev/null 2>&1 || :
check "the process limit" told one process-limit
like "why: the limit, hits and cure" "$(cella why one)" "could not be started: the limit is 20.*"$'\n'"    cure: raise --numproc"
calm() { [ "$(cat "$cgroup/pids.current")" -lt 10 ]; }
wait_for 20 calm
# more than 64 MiB
cella exec one -- sh -c 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done' >/dev/null 2>&1 || :
check "out of memory" told one oom-kill
check "and its limit" told one memory-limit
like "why" "$(why_kind)" "oom-killed .*process-limit"
is "the kernel says so too" "$(awk '$1 == "oom_kill" { print ($2 > 0) }' "$cgroup/memory.events")" 1
echo 20000 100000 >"$cgroup/cpu.max"
cella exec one -- timeout 5 sh -c 'while :; do :; done' || : # ended
like "throttled" "$(cella why one)" "throttled in [0-9]+ of [0-9]+ periods"
echo 1 >"$cgroup/cgroup.freeze"
check "pause" told one pause
like "why: paused" "$(why_kind)" paused
echo 0 >"$cgroup/cgroup.freeze"
check "unpause" told one unpause

cella exec one -- reboot
check "reboot" told one stop reboot
starts() { [ "$(jq -s '[.[] | select(.event == "start")] | length' events)" -ge "$1" ]; }
check "and start" wait_for 20 starts 2
cella stop one >/dev/null
check "stop" told one stop stop
is "why: stopped" "$(why_kind)" "stopped "
cella start one >/dev/null
cella exec one -- poweroff
check "power-off" told one stop halt
wait_for 10 status_is one stopped
is "why: halted" "$(why_kind)" "halted "
cella start one >/dev/null
check "a start is told before the next" wait_for 20 starts 4 # what begins and ends in one look is no event
kill -9 "$(vps_field one .pid)"
check "a crash" told one stop signal-9
like "why: crashed" "$(cella why one)" "killed by signal 9 at 20"
sed -i '$aDISABLED="yes"' "$conf_dir/one.conf"
like "why: disabled" "$(why_kind)" "disabled crashed"
cella destroy one >/dev/null
check "destroy" told one destroy
is "nothing was told to who asked for another" "$(cat events.two)" ""
times=$(jq -r .time events)
is "in order" "$(sort <<<"$times")" "$times"

cella events --count 1 >plain &
events=$!
sleep 0.3
vps_make three
wait $events
like "plain lines" "$(cat plain)" "^20[0-9T:-]+Z  three create$"
