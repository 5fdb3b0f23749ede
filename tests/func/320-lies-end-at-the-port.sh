#!/bin/bash
# a hostile VPS with raw sockets sends 40 kinds of lies: neither victim nor uplink nor host hears one, routed and in a bridge
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=net.sh
. "$func_dir/net.sh"
needs jq busybox python3 nft nsenter ip

# shellcheck disable=SC2317 # called by name
hear() { # FILE COMMAND...: with an ear in the background; COMMAND comes before the program
	"${@:2}" &
	cleanup kill $!
	wait_for 20 grep -q READY "$1"
}
# tell: all lies of "liar", about and to "victim"
tell() {
	nsenter -t "$liar_pid" -n python3 "$func_dir/lies.py" send eth0 "$liar_mac" 10.66.0.1 2001:db8:66::1 \
		"$victim_mac" 10.66.0.2 2001:db8:66::2 "$(mac_of vethliar.0)"
}
heard() { sort -u "$1" | grep -v READY || true; }
# what is heard of another telling is all that the files have
told_again() {
	: >world.log
	: >victim.log
	: >host.log
	tell >/dev/null
	wait_for 30 grep -q honest victim.log
	sleep 0.5
}

world_make
vps_start liar --ipadd 10.66.0.1 --ipadd 2001:db8:66::1
vps_start victim --ipadd 10.66.0.2 --ipadd 2001:db8:66::2
liar_pid=$(vps_field liar .pid) victim_pid=$(vps_field victim .pid)
liar_mac=$(mac_of_vps liar) victim_mac=$(mac_of_vps victim)
hear victim.log nsenter -t "$victim_pid" -n python3 "$func_dir/lies.py" hear victim.log eth0
hear world.log ip netns exec "$world" python3 "$func_dir/lies.py" hear world.log world0
check "honest words reach the world" ping_ok in_net liar 198.51.100.1
check "and in IPv6" ping_ok in_net liar 2001:db8:ff::1

count=$(tell)
check "at least 24 lies were told" test "$count" -ge 24
wait_for 30 grep -q honest world.log
sleep 0.5
is "the victim heard nothing" "$(heard victim.log)" ""
is "the uplink heard the honest word alone" "$(heard world.log)" "world0 honest"
check "honest words still do" ping_ok in_net liar 198.51.100.1
check "and in IPv6" ping_ok in_net liar 2001:db8:ff::1

# the same two ports in a bridge, with the world in it: every frame that the guard lets through is heard
for filter in iptables ip6tables arptables; do # would cut the marks off
	[ ! -e /proc/sys/net/bridge/bridge-nf-call-$filter ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-$filter
done
ip link add lies0 type bridge
cleanup ip link del lies0
ip link set lies0 up
for port in vethliar.0 vethvictim.0 uplink0; do ip link set "$port" master lies0; done
hear host.log python3 "$func_dir/lies.py" hear host.log lies0
told_again
is "in a bridge the victim hears the honest word alone" "$(heard victim.log)" "eth0 honest"
is "so does the uplink" "$(heard world.log)" "world0 honest"
is "and the host" "$(heard host.log)" "lies0 honest"

# the guard is what it is due to; no cella here, which would put it back
nft delete table netdev cella
told_again
check "without the guard the victim hears many" test "$(heard victim.log | wc -l)" -ge 30
