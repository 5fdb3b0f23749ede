# Help for tests of the network: another machine on a cable, as a network namespace behind the
# host's interface "up0". Sourced by tests after vps.sh.
# shellcheck shell=bash

# far CMD...: run there
far() { nsenter --net="/proc/$far_pid/ns/net" -- "$@"; }

far_away() {
	kill "$far_pid"
	ip link del up0
}

# far_begin: up0 is 10.77.0.1/24 and fd77::1/64 here, 2 over there; up0 is the hosts' only uplink
far_begin() {
	local own
	own=$(readlink /proc/self/ns/net)
	unshare -n sleep infinity &
	far_pid=$!
	cleanup far_away
	wait_for 3 eval "[ \"\$(readlink /proc/$far_pid/ns/net)\" != '$own' ]"
	ip link add up0 type veth peer name far0 netns "$far_pid"
	ip addr add 10.77.0.1/24 dev up0
	ip addr add fd77::1/64 dev up0 nodad
	far sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.far0.accept_dad=0
	far ip addr add 10.77.0.2/24 dev far0
	far ip addr add fd77::2/64 dev far0 nodad
	far ip link set lo up
	far ip link set far0 up
	ip link set up0 up
	mkdir -p "$CELLA_ROOT/etc/cella"
	echo 'UPLINK="up0"' >>"$CELLA_ROOT/etc/cella/cella.conf"
}

# inside NAME CMD...: run with the host's programs in the VPS's network
inside() {
	local pid
	pid=$(vps_field "$1" .pid)
	nsenter --net="/proc/$pid/ns/net" -- "${@:2}"
}

# port_field NAME IFNAME FILTER: of "ip -d -j link" on the host's end, by jq
port_field() {
	local port
	port=$(vps_field "$1" ".interfaces[] | select(.name == \"$2\").hostName")
	ip -d -j link show "$port" | jq -r ".[0] | $3"
}

# pings [inside NAME|far] ADDRESS: one answer comes
pings() { "${@:1:$#-1}" ping -c 1 -W 3 "${@: -1}"; }
