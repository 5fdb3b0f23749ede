#!/bin/bash
# a VPS that runs can be seen, entered and stopped although its NAME.conf is broken, and others be made; start and set refuse it
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

vps_start one --numproc 321
file=$conf_dir/one.conf
cp "$file" good.conf
pid=$(vps_field one .pid)
lines=$(wc -l <"$file")

# says TEXT: what each command that must work says on standard error, one line of file, line and cure
says() {
	local said
	is "list: it runs, with the limit that it has" "$(cella list -H -o status,nproc.l one 2>said | xargs)" "running 321"
	said=$(<said)
	like "in one line: $1" "$said" "VPS one: $file: line $((lines + 1)): .*$1.*check-config one"
	is "and no more" "$(wc -l <said)" 1
	like "status" "$(cella status one 2>&1)" "line $((lines + 1)): .*exist mounted running"
	is "exec" "$(cella exec one -- echo inside 2>/dev/null)" inside
	check_fails "set refuses" "$1" cella set one --cpuunits 500
	check_fails "restart refuses" "$file: line $((lines + 1)): .*$1" cella restart one
	is "and it runs on" "$(vps_field one '.pid, .status' | tr '\n' ' ')" "$pid running "
}

for bad in 'garbage|not a KEY="VALUE" line' 'CPUS="many"|many' 'HOSTNAME="a..b"|--hostname' 'HOSTNAME="a|not properly quoted'; do
	cp good.conf "$file"
	echo "${bad%|*}" >>"$file"
	says "${bad#*|}"
done
like "why says so" "$(cella why one)" "one.conf: line $((lines + 1))"
like "and show" "$(cella show one --json | jq -r .problem)" "one.conf: line $((lines + 1))"

old=$(monitor_of one)
kill -9 "$old"
cella list >/dev/null 2>&1
check "a killed monitor is replaced" test "$(monitor_of one)" != "$old"

said=$(cella stop one 2>&1 >/dev/null)
like "stop says it" "$said" "stopped all the same: $file: line $((lines + 1))"
is "in one line" "$(wc -l <<<"$said")" 1
check "nothing runs on" test ! -e "$run_dir/one" -a ! -e /sys/fs/cgroup/cella/one -a ! -d "/proc/$pid"
is "stopped and broken is damaged" "$(cella list -H -o status one 2>/dev/null)" damaged
check_fails "start refuses" "$file: line $((lines + 1)): " cella start one
said=$(cella create two --ostemplate busybox --ram-min 5M --ipadd 10.68.0.2 2>&1 >/dev/null) && status=0 || status=$?
is "another VPS can be created" "$status" 0
is "in one line, although ids, addresses and memory were looked for" "$(wc -l <<<"$said")" 1
like "which names the broken one" "$said" "VPS one: $file: line $((lines + 1)): .*check-config one"
check "and has ids of its own" test "$(grep ^LOCAL_UID= "$conf_dir/two.conf")" != "$(grep ^LOCAL_UID= good.conf)"
check_fails "stop says that it does not run" "VPS one is not running" cella stop one

cp good.conf "$file"
cella start one >/dev/null
echo garbage >>"$file"
cella exec one -- poweroff 2>/dev/null
check "one that ends by itself is cleaned up" wait_for 30 test ! -e "$run_dir/one"
cp good.conf "$file"
is "mended it is as it was" "$(cella list -H -o status,nproc.l one | xargs)" "stopped 321"
