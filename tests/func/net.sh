# Help for tests of the network: a world beyond an uplink. Sourced by tests after vps.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh

world=cella-world # a network namespace: 198.51.100.1, 2001:db8:ff::1, behind the host's interface "uplink0"

# world_make: the host routes to it, and it back through the host
world_make() {
	local forward4 forward6
	forward4=$(cat /proc/sys/net/ipv4/ip_forward)
	forward6=$(cat /proc/sys/net/ipv6/conf/all/forwarding)
	cleanup sysctl -q -w "net.ipv4.ip_forward=$forward4" "net.ipv6.conf.all.forwarding=$forward6"
	sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	mountpoint -q /run/netns || cleanup umount /run/netns # the first "ip netns" mounts it on itself
	ip netns add "$world"
	cleanup ip netns del "$world"
	ip link add uplink0 type veth peer name world0 netns "$world"
	cleanup ip link del uplink0
	ip addr add 198.51.100.2/24 dev uplink0
	ip addr add 2001:db8:ff::2/64 dev uplink0 nodad
	ip link set uplink0 up
	ip -n "$world" link set lo up
	ip -n "$world" addr add 198.51.100.1/24 dev world0
	ip -n "$world" addr add 2001:db8:ff::1/64 dev world0 nodad
	ip -n "$world" link set world0 up
	ip -n "$world" route add default via 198.51.100.2
	ip -n "$world" route add default via 2001:db8:ff::2
}
# in_world COMMAND...
in_world() { ip netns exec "$world" "$@"; }

# in_net NAME COMMAND...: a program of the host in the network of a VPS
in_net() { nsenter -t "$(vps_field "$1" .pid)" -n "${@:2}"; }
# mac_of_vps NAME: of its eth0
mac_of_vps() { in_net "$1" ip -j link show eth0 | jq -r '.[0].address'; }
# mac_of INTERFACE
mac_of() { ip -j link show "$1" | jq -r '.[0].address'; }

# ping_ok COMMAND... ADDRESS: an answer within two seconds, tried twice
ping_ok() { "${@:1:$#-1}" ping -c 1 -W 2 "${*: -1}" >/dev/null || "${@:1:$#-1}" ping -c 1 -W 2 "${*: -1}" >/dev/null; }
