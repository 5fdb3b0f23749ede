#!/bin/bash
# what a VPS sent and received is counted once: over stops, starts, kills of init and monitor, and changes of its rules
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=net.sh
. "$func_dir/net.sh"
needs jq busybox python3 nft nsenter ip

# total FIELD: of the VPS "one"
total() { cella traffic one --json | jq ".[0].total.$1"; }
# send COUNT: datagrams of 1000 bytes to the world, which are frames of 1042, and half as many back
send() {
	in_net one python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    s.sendto(b"x" * 1000, ("198.51.100.1", 9))
    if i % 50 == 0: time.sleep(0.01)' "$1"
	in_world python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    s.sendto(b"x" * 1000, ("10.66.0.1", 9))
    if i % 50 == 0: time.sleep(0.01)' $(($1 / 2))
}

world_make
classes=$CELLA_ROOT/etc/cella/conf/networks_classes
mkdir -p "${classes%/*}"
printf '%s\n' "1 0.0.0.0/0 # transit" "2 198.51.100.0/24" "3 10.88.0.0/24" >"$classes"
# of_class CLASS FIELD
of_class() { cella traffic one --json | jq ".[0].classes | map(select(.class == $1).total.$2) | add // 0"; }
vps_start one --ipadd 10.66.0.1
check "next to nothing yet" test "$(total receivedBytes)" -lt 1000
lives=0
for ending in stop stop kill-init kill-both reboot stop; do
	[ $lives = 0 ] || cella start one >/dev/null
	send 1000
	case $ending in
	stop) cella stop --fast one >/dev/null ;;
	kill-init) kill -9 "$(vps_field one .pid)" ;;
	kill-both) kill -9 "$(monitor_of one)" "$(vps_field one .pid)" ;;
	reboot) cella traffic >/dev/null && cella stop --fast one >/dev/null ;;
	esac
	wait_for 10 status_is one stopped
	lives=$((lives + 1))
done
sent=$(total sentBytes) received=$(total receivedBytes)
# beside the datagrams: ARP, neighbour discovery and the answers that nobody listens
check "what was sent: $sent" awk -v got="$sent" -v want=$((lives * 1000 * 1042)) 'BEGIN { exit !(got >= want && got <= want * 1.08) }'
check "what was received: $received" awk -v got="$received" -v want=$((lives * 500 * 1042)) 'BEGIN { exit !(got >= want && got <= want * 1.15) }'
sent2=$(of_class 2 sentBytes) received2=$(of_class 2 receivedBytes)
check "so it was by class: $sent2 and $received2" \
	awk -v s="$sent2" -v r="$received2" -v n=$((lives * 500 * 1042)) -v S="$sent" 'BEGIN { exit !(s >= 2 * n && s <= S && r >= n && r <= n * 1.15) }'
is "no other one had any" "$(of_class 1 sentPackets) $(of_class 3 sentPackets)" "0 0"
is "asking does not change it" "$(total sentBytes)" "$sent"
is "the month has it all" "$(cella traffic one --json | jq '.[0].months | map(.sentBytes) | add')" "$sent"
like "a table for people" "$(cella traffic one)" "one +eth0 +- +$(date -u +%Y-%m) +[0-9.]+M +[0-9.]+M"

# a second interface, added and removed while it runs
cella start one >/dev/null
cella set one --netif_add eth1,bridge=traffic0,ip=10.88.0.1/24 >/dev/null
in_net one ping -c 3 -i 0.2 -W 1 10.88.0.9 >/dev/null || true # nobody there: three questions or more
of_eth1=$(cella traffic one --json | jq '.[0].interfaces[] | select(.name == "eth1").total.sentBytes')
check "each interface is counted: $of_eth1" test "$of_eth1" -ge 42
echo "4 10.0.0.0/33" >>"$classes"
like "a bad list of classes is said" "$(cella traffic one 2>&1 >/dev/null)" "networks_classes: no traffic is counted by classes.*line 4:"
sed -i '$d' "$classes"
cella set one --netif_del eth1 >/dev/null
check "and stays counted when it is gone" test "$(cella traffic one --json | jq '.[0].interfaces[] | select(.name == "eth1").total.sentBytes')" -ge "$of_eth1"
is "the sum is that of all" "$(cella traffic one --json | jq '.[0] | .total.sentBytes - (.interfaces | map(.total.sentBytes) | add)')" 0
cella stop --fast one >/dev/null

cella start one >/dev/null
before=$(in_net one ip -j -s link show eth0 | jq '.[0].stats64.tx.bytes')
start=$(total sentBytes)
send 1000
after=$(in_net one ip -j -s link show eth0 | jq '.[0].stats64.tx.bytes')
now=$(total sentBytes)
check "as its own interface counts: $((now - start)) of $((after - before))" \
	awk -v a=$((now - start)) -v b=$((after - before)) 'BEGIN { exit !(a >= b * 0.999 && a <= b * 1.001) }'
cella stop --fast one >/dev/null
file=$CELLA_ROOT/var/lib/cella/traffic/one/if.eth0
echo 'TOTAL="broken"' >"$file"
is "a broken file is put aside" "$(cella traffic one --json 2>/dev/null | jq '.[0].interfaces[] | select(.name == "eth0").total.sentBytes')" 0
check "and kept" grep -q broken "${file%/*}/bad.if.eth0"
cella destroy one
check_fails "it goes with the VPS" "" test -e "${file%/*}"
check_fails "no VPS, no traffic" "VPS one does not exist" cella traffic one
