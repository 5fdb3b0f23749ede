#!/bin/bash
# a VPS from its making to its end: limits and isolation as the kernel has them, addresses that answer, nothing left
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq ping busybox

check "template create busybox" cella template create busybox
like "it is listed" "$(cella template list)" $'\nbusybox '
check "create" cella create one --ostemplate busybox --ram 64M --cpus 1 --numproc 50 --ipadd 10.61.0.1 \
	--ipadd fd61::1 --hostname one.example.org --nameserver 192.0.2.53 --searchdomain example.org
is "status before" "$(cella status one)" "CTID one exist unmounted down"
check "start" cella start one
is "status while it runs" "$(cella status one)" "CTID one exist mounted running"
pid=$(vps_field one .pid)
first=$(vps_field one .idRange.first)
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)

is "init is root of its own ids" "$(proc_status "$pid" Uid | cut -f 1)" "$first"
is "65,536 of them" "$(tr -s ' ' <"/proc/$pid/uid_map")" " 0 $first 65536"
for type in user pid net mnt uts ipc cgroup time; do
	[ "$(ns_of "$pid" $type)" != "$(ns_of 1 $type)" ] || not_ok "a $type namespace of its own"
done
ok "all eight namespaces are its own"
is "it has a filter" "$(proc_status "$pid" Seccomp)" 2
caps=$((16#$(proc_status "$pid" CapBnd)))
is "no CAP_SYS_MODULE, SYS_TIME, BPF" $((caps >> 16 & 1))$((caps >> 25 & 1))$((caps >> 39 & 1)) 000
is "its files belong to ids 0.. on disk" "$(stat -c %u "$private_dir/one/bin/busybox")" 0
is "the tree of trees is closed" "$(stat -c %a "$private_dir")" 700
is "memory limit" "$(cat "$cgroup/memory.max")" $((64 << 20))
is "no swap without a word about it" "$(cat "$cgroup/memory.swap.max")" 0
is "process limit" "$(cat "$cgroup/pids.max")" 50
is "CPU limit" "$(cat "$cgroup/cpu.max")" "100000 100000"
is "limits seen from inside" "$(cella exec one -- cat /sys/fs/cgroup/memory.max)" $((64 << 20))
check_fails "the tenant cannot raise them" "" cella exec one -- sh -c '(echo max >/sys/fs/cgroup/memory.max) 2>/dev/null || { echo no; exit 1; }'

is "host name" "$(cella exec one -- hostname)" one.example.org
is "resolv.conf" "$(cella exec one -- cat /etc/resolv.conf)" $'search example.org\nnameserver 192.0.2.53'
like "hosts" "$(cella exec one -- cat /etc/hosts)" "one.example.org one"
check "IPv4 answers" ping -c 1 -W 5 10.61.0.1
check "IPv6 answers" ping -c 1 -W 5 fd61::1
check "and reaches the host" cella exec one -- ping -c 1 -W 5 169.254.1.1

output=$(cella exec one -- sh -c 'exit 7') && status=0 || status=$?
is "exec gives the command's status" "$status" 7
is "exec passes input and output" "$(echo through | cella exec one -- cat)" through
is "exec is confined as init is" "$(cella exec one -- sh -c 'grep -c "^Seccomp:.*2" /proc/self/status')" 1
is "enter is a login shell" "$(echo 'echo $0 $HOME' | cella enter one | tr -d '\r')" "/bin/sh /root"
is "list" "$(cella list -H -o name,status,ip,hostname one | tr -s ' ')" "one running 10.61.0.1 fd61::1 one.example.org"
is "list --json" "$(cella list --json | jq -r '.[].name')" one
check_fails "destroy refuses what runs" "is running" cella destroy one
check_fails "start refuses as well" "running already" cella start one

check "stop" cella stop one
check "init is gone" gone "$pid"
check_fails "exec in a stopped one" "not running" cella exec one -- true
check "start again" cella start one
is "with the same ids" "$(proc_status "$(vps_field one .pid)" Uid | cut -f 1)" "$first"
check "stop --fast" cella stop --fast one
check "destroy" cella destroy one
check "nothing is left" nothing_of one
is "status of what is gone" "$(cella status one)" "CTID one deleted unmounted down"
check "template remove" cella template remove busybox
is "no tree is left" "$(find "$CELLA_ROOT/var/lib/cella/template" -name 'tree-*')" ""
