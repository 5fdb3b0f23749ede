#!/bin/bash
# an uplink or bridge that vanishes and returns, a port that is taken out, a cable that is cut: the next command puts it right
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox nft

far_begin
forwarding=$(cat /proc/sys/net/ipv4/conf/up0/forwarding) # podman leaves it on
ip link add brx type bridge
cleanup ip link del brx
ip link set brx up
ip addr add 10.78.0.1/24 dev brx
vps_start one --ipadd "10.77.0.7 fd77::7" --netif_add eth1,bridge=brx,ip=10.78.0.7/24
check "the far machine reaches it" pings far 10.77.0.7

ip link set up0 down
is "an uplink that goes down forgets" "$(ip -4 neigh show proxy dev up0)" ""
cella list >/dev/null
ip link set up0 up
cella list >/dev/null
is "the next command after its return answers again" "$(ip -4 -j neigh show proxy dev up0 | jq -r '.[].dst')" 10.77.0.7
ip addr add fd77::1/64 dev up0 nodad 2>/dev/null || true # gone with the fall of the link
check "it is reached" pings far 10.77.0.7
check "by IPv6 too" pings far fd77::7

ip link set vethone.1 nomaster
cella list >/dev/null
is "a port that was taken out is back" "$(port_field one eth1 .master)" brx
check "with its settings" test "$(port_field one eth1 .linkinfo.info_slave_data.isolated)" = true

ip link del brx
cella list >/dev/null
check "a bridge that is gone is not ours to make" test ! -e /sys/class/net/brx
ip link add brx type bridge
ip addr add 10.78.0.1/24 dev brx
ip link set brx up
cella list >/dev/null
is "it returns: the port is in it" "$(port_field one eth1 .master)" brx
check "and works" pings 10.78.0.7

inside one ip link del eth0
cella list >/dev/null
check "a cable that was cut inside is whole" pings 10.77.0.7
check "from afar" pings far fd77::7

rules() { nft -j list ruleset | jq -S '[.nftables[].table? | select(.name | startswith("cella")?) | .name] | sort'; }
before=$(rules)
nft flush ruleset
check "rules that somebody flushed are gone" test "$(rules)" = "[]"
cella list >/dev/null
is "the next command guards again" "$(rules)" "$before"
nft delete table inet cella
cella list >/dev/null
is "a part as well as the whole" "$(rules)" "$before"
nft flush set netdev cella version
nft flush chain netdev cella v4own
cella list >/dev/null
is "another version's rules are replaced" "$(nft -j list set netdev cella version | jq '[.nftables[].set?.elem // empty | .[]] | length')" 1
check "it is reached" pings far 10.77.0.7

record=$run_dir/.vps/one.net
cp "$record" saved
cella stop --fast one
cp saved "$record" # a stop that was killed halfway
ip neigh add proxy 10.77.0.7 dev up0
cella list >/dev/null
is "what a killed stop left is removed" "$(ip -4 neigh show proxy dev up0)$(ls "$record" 2>/dev/null)" ""
cella start one

pid=$(vps_field one .pid)
kill -9 "$(monitor_of one)" "$pid"
wait_for 30 test ! -e "/proc/$pid"
cella list >/dev/null
is "a VPS that nobody saw end leaves no proxy entry" "$(ip -4 neigh show proxy dev up0)" ""
check "no port" test ! -e /sys/class/net/vethone.0
is "and no record" "$(find "$run_dir/.vps" -name '*.net' -o -name .sysctls)" ""
is "forwarding is as before" "$(cat /proc/sys/net/ipv4/conf/up0/forwarding)" "$forwarding"
