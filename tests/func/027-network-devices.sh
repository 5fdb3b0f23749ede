#!/bin/bash
# linux.netDevices: moved into the container's network namespace, renamed, with their addresses, and back home at its end
. "$(dirname "$0")/lib.sh"

ip link add props-d0 type dummy 2>/dev/null || skip_rest "no dummy devices here"
cleanup ip link del props-d0
ip link add props-d1 type dummy
cleanup ip link del props-d1
ip addr add 192.0.2.7/24 dev props-d0
ip addr add 2001:db8::7/64 dev props-d0 nodad
ip link set props-d0 mtu 1400 up
mac=$(cat /sys/class/net/props-d0/address)
make_bundle b '.linux.netDevices = {"props-d0": {name: "data0"}, "props-d1": {}}'
start_bundle props-net b
pid=$(pid_of props-net)
inside_ip() { nsenter -t "$pid" -n ip "$@"; }
check "the host has it no more" bash -c '! ip link show props-d0'
is "renamed" "$(inside_ip -j link show data0 | jq -r '.[0].ifname')" data0
is "the same device" "$(inside_ip -j link show data0 | jq -r '.[0].address')" "$mac"
is "its MTU stays" "$(inside_ip -j link show data0 | jq -r '.[0].mtu')" 1400
like "its address stays" "$(inside_ip -j addr show data0 | jq -r '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"] | join(" ")')" '192.0.2.7/24'
like "of both families" "$(inside_ip -j addr show data0 | jq -r '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"] | join(" ")')" '2001:db8::7/64'
like "it is up" "$(inside_ip -j link show data0 | jq -c '.[0].flags')" '"UP"'
is "without a name it keeps its own" "$(inside_ip -j link show props-d1 | jq -r '.[0].ifname')" props-d1
like "lo is up" "$(inside_ip -j link show lo | jq -c '.[0].flags')" '"UP"'
oci delete --force props-net
edit_bundle b '.linux.netDevices = {"props-none": {}}'
check_fails "a device that is not there" 'props-none' oci create --bundle b props-net </dev/null
edit_bundle b '.linux.namespaces |= map(select(.type != "network"))'
check_fails "no network namespace to move it to" 'netDevices|network' oci create --bundle b props-net </dev/null
