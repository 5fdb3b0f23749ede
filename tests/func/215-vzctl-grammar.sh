#!/bin/bash
# called as vzctl and vzlist, cella takes their commands and gives their lines and exit statuses
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

mkdir bin
for name in vzctl vzlist; do ln -s "$(command -v cella)" bin/$name; done
PATH=$PWD/bin:$PATH

# ends_with STATUS COMMAND...
ends_with() {
	local wanted=$1 status=0
	shift
	"$@" >output 2>&1 || status=$?
	is "$* ends with $wanted" "$status" "$wanted"
	[ "$status" = "$wanted" ] || sed 's/^/#   /' output
}

cella template create busybox >/dev/null
cat >"$CELLA_ROOT/etc/cella/samples/ve-basic.conf-sample" <<'PLAN'
# a plan in OpenVZ's form
ONBOOT="no"
PHYSPAGES="0:16384"
SWAPPAGES="0:4096"
KMEMSIZE="14372700:14790164"
NUMPROC="120:120"
CPUUNITS="500"
HOSTNAME="not.in.a.plan"
PLAN

ends_with 14 vzctl start 101
ends_with 91 vzctl create 101 --ostemplate nothing
ends_with 20 vzctl create 101 --ostemplate busybox --config nothing
ends_with 0 vzctl create 101 --ostemplate busybox --config basic --hostname one.example.org
ends_with 44 vzctl create 101 --ostemplate busybox
like "the plan is in its file" "$(cat "$conf_dir/101.conf")" 'CONFIG="basic".*HOSTNAME="one.example.org".*NUMPROC="120:120".*PHYSPAGES="0:16384"'
is "status, stopped" "$(vzctl status 101)" "CTID 101 exist unmounted down"
is "status, unknown" "$(vzctl status 102)" "CTID 102 deleted unmounted down"
ends_with 0 vzctl set 101 --ipadd 10.65.1.1 --nameserver 192.0.2.1 --onboot yes --kmemsize 1000:2000 --numtcpsock 360 --save
like "what has no effect is said" "$(cat output)" 'without effect on this kernel: KMEMSIZE, NUMTCPSOCK'
like "and kept" "$(cat "$conf_dir/101.conf")" 'KMEMSIZE="1000:2000"'
ends_with 20 vzctl set 101 --kmemsize much --save
ends_with 0 vzctl start 101
ends_with 32 vzctl start 101
is "status, running" "$(vzctl status 101)" "CTID 101 exist mounted running"
ends_with 0 vzctl exec 101 true
ends_with 8 vzctl exec 101 "exit 3"
ends_with 3 vzctl exec2 101 "exit 3"
is "a command in one word is its shell's" "$(vzctl exec 101 'echo $((6 * 7)); hostname' | tr '\n' ' ')" "42 one.example.org "

ends_with 0 vzctl set 101 --ram 32M
like "set without --save says so" "$(cat output)" "use --save"
is "and does not" "$(grep PHYSPAGES "$conf_dir/101.conf") $(cat "/sys/fs/cgroup$(vps_field 101 .cgroup)/memory.max")" 'PHYSPAGES="0:16384" 33554432'
ends_with 0 vzctl set 101 --applyconfig basic --save
is "a plan can be applied" "$(cat "/sys/fs/cgroup$(vps_field 101 .cgroup)/memory.max") $(vzctl exec 101 hostname)" "67108864 one.example.org"

vzctl create 9 --ostemplate busybox --ram 64M --hostname two.example.org --description "the second" >/dev/null
ends_with 78 vzctl set 9 --ipadd 10.65.1.1 --save
is "vzlist" "$(vzlist | tr -s ' ')" $' CTID NPROC STATUS IP_ADDR HOSTNAME\n 101 '"$(vps_field 101 .usage.processes)"' running 10.65.1.1 one.example.org'
is "-a -H -o, numbers in order" "$(vzlist -a -H -o ctid,status,numproc.l | tr -s ' ')" $' 9 stopped 4096\n 101 running 120'
is "-S -1" "$(vzlist -S -1 | tr -d ' ')" 9
is "-s backwards" "$(vzlist -a -1 -s -ctid | tr -d ' ' | xargs)" "101 9"
is "-h" "$(vzlist -a -1 -h 'two.*' | tr -d ' ')" 9
is "-d" "$(vzlist -a -1 -d '*second' | tr -d ' ')" 9
is "-N" "$(vzlist -a -1 -N '1*' | tr -d ' ')" 101
is "-j" "$(vzlist -a -j | jq -c '.[] | [.ctid, .status, ."physpages.l", .cpuunits, .onboot]')" \
	$'["9","stopped",16384,1000,null]\n["101","running",16384,500,"no"]'
ends_with 20 vzlist -o nonsense

echo 'echo from "$0"; hostname; exit 7' >script
ends_with 7 vzctl runscript 101 script
is "runscript feeds a shell inside" "$(tail -1 output)" one.example.org
init=$(vps_field 101 .pid)
ends_with 20 vzctl restart 101 --all
ends_with 0 vzctl restart 101 --fast
unlike "restart makes a new life" "$(vps_field 101 .pid)" "^$init$"
ends_with 0 vzctl stop 101 --fast
ends_with 31 vzctl stop 101
ends_with 31 vzctl exec 101 true
flock "$run_dir/.vps/101.lock" sleep 30 &
holder=$!
sleep 1
ends_with 9 vzctl start 101
kill $holder
pkill -P $holder 2>/dev/null || true
