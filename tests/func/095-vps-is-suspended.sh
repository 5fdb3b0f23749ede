#!/bin/bash
# a suspended VPS goes on where it was: processes, memory, files, clock, console, network; also after kills
# timeout: 300
# host: no
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs criu jq nft ping busybox strace

dumps=$CELLA_ROOT/var/lib/cella/dump
inside() { cella exec one -- sh -c "$1"; }
count() { cat "/proc/$(vps_field one .pid)/root/run/count"; }
counts_over() { [ "$(count)" -gt "$1" ]; }
host_uptime() { awk '{ print int($1 * 100) }' /proc/uptime; }
own_uptime() { inside 'cat /proc/uptime' | awk '{ print int($1 * 100) }'; }

vps_make one --ipadd 10.61.95.1 --ipadd fd61::95
cat >"$private_dir/one/etc/inittab" <<'END'
console::respawn:/bin/sh -c 'while read -r l; do echo "heard $l on $(tty)"; done'
::once:/bin/sh /root/work
END
cat >"$private_dir/one/root/work" <<'END'
exec 5<>/root/gone
rm /root/gone
echo kept >&5
i=0
while :; do i=$((i + 1)); echo $i >/run/count; usleep 20000; done
END
cella start one >/dev/null
wait_for 30 test -s "/proc/$(vps_field one .pid)/root/run/count"
ping -c 1 -W 5 10.61.95.1 >/dev/null
host_mac=$(cat /sys/class/net/vethone.0/address)
sent=$(cella traffic one --json | jq '.[0].total.sentBytes')
processes=$(inside 'ps | grep -v " ps\| sh -c ps\|usleep\|\[exe\]"')

cella exec one -- sleep 1000 </dev/null &
wait_for 20 inside 'pidof sleep >/dev/null'
check_fails "who came in by exec is named" "runs on: process [0-9]+ .sleep. was started from outside .* end it first" cella suspend one
inside 'kill $(pidof sleep)'
wait || : # of a signal

cella suspend one >/dev/null 2>&1 &
wait_for 20 test -e "$dumps/.one~dump"
kill -9 $!
check "a suspend is killed before its end: it runs" wait_for 60 status_is one running
check "and goes on" wait_for 20 counts_over "$(count)"
is "and no image is left" "$(ls -A "$dumps")" ""

before=$(own_uptime) counted=$(count)
strace -o /dev/null -e trace=fsync -P "$dumps" -e inject=fsync:signal=KILL cella suspend one || : # killed
check "one is killed when all is written: it is suspended" wait_for 60 status_is one suspended
off=$(host_uptime)
check "nothing of it runs" test ! -e /sys/fs/cgroup/cella/one -a ! -e /sys/class/net/vethone.0
is "images are the host's alone" "$(find "$dumps/one" ! -perm /077 | wc -l)" "$(find "$dumps/one" | wc -l)"
check_fails "start refuses" "is suspended: 'cella resume one' lets it go on" cella start one
check_fails "so does set" "is suspended" cella set one --ram 65M
check_fails "and stop" "is suspended" cella stop one
is "vzctl's word" "$(cella status one)" "CTID one exist unmounted down suspended"

on=$(host_uptime)
cella resume one >/dev/null 2>&1 &
wait_for 20 test -e /sys/class/net/vethone.0
kill -9 $! "$(monitor_of one)"
settled() { status_is one suspended || status_is one running; }
check "a resume is killed: it is suspended, or runs" wait_for 60 settled
status_is one running || check "resume" cella resume one
is "it runs" "$(cella list -H -o status one)" running
is "and its images are gone" "$(ls -A "$dumps")" ""

check "it counts on" wait_for 20 counts_over "$counted"
is "by the same processes" "$(inside 'ps | grep -v " ps\| sh -c ps\|usleep\|\[exe\]"')" "$processes"
is "with the file that has no name" "$(inside 'cat /proc/$(pidof sh | tr " " "\n" | sort -n | head -1)/fd/5')" kept
after=$(own_uptime)
check "its clock stood still meanwhile" test "$after" -ge "$before" -a $(($(host_uptime) - after)) -ge $((on - off))
check "IPv4 answers" ping -c 1 -W 5 10.61.95.1
check "IPv6 answers" ping -c 1 -W 5 fd61::95
is "by the same cable" "$(cat /sys/class/net/vethone.0/address)" "$host_mac"
like "which is guarded" "$(nft list table netdev cella)" "vethone\\.0"
check "its traffic is added to what it was" test "$(cella traffic one --json | jq '.[0].total.sentBytes')" -gt "$sent"
is "its limit is kept" "$(cat /sys/fs/cgroup/cella/one/memory.max)" $((64 << 20))
cella console one >/dev/null < <(echo word) &
check "and its console answers" wait_for 20 grep -aq 'heard word on /dev/' "$CELLA_ROOT/var/lib/cella/log/one.console"

kill $!
check "suspend" cella suspend one
check "stop --fast drops what it was doing" cella stop --fast one
is "it is stopped" "$(cella list -H -o status one) $(ls -A "$dumps")" "stopped "
