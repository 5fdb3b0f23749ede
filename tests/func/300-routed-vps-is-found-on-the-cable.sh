#!/bin/bash
# a routed VPS is found by other machines on the uplink's cable, in IPv4 and IPv6; the host's settings are as before after stop
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox

settings() { sysctl net.ipv4.conf.up0.forwarding net.ipv6.conf.up0.{proxy_ndp,accept_ra,forwarding} net.ipv6.conf.all.forwarding; }
far_begin
before=$(settings)
vps_start one --ipadd "10.77.0.7 fd77::7"
vps_start two --ipadd 10.77.0.8
like "host route, IPv4" "$(ip -j route show 10.77.0.7 | jq -r '.[0].dev')" '^vethone.0$'
like "host route, IPv6" "$(ip -6 -j route show fd77::7 | jq -r '.[0].dev')" '^vethone.0$'
is "the host answers ARP" "$(ip -4 -j neigh show proxy dev up0 | jq -r '[.[].dst] | sort | join(" ")')" "10.77.0.7 10.77.0.8"
is "and neighbour discovery" "$(ip -6 -j neigh show proxy dev up0 | jq -r '.[].dst')" fd77::7
check "host to VPS" pings 10.77.0.7
check "host to VPS, IPv6" pings fd77::7
check "the other machine to VPS" pings far 10.77.0.7
check "the other machine to VPS, IPv6" pings far fd77::7
check "VPS to the other machine" pings inside one 10.77.0.2
check "VPS to the other machine, IPv6" pings inside one fd77::2
far nc -l -p 5000 >"$TEST_DIR/got" &
wait_for 30 far sh -c 'ss -ltn | grep -q :5000'
cella exec one -- sh -c 'echo by tcp | nc -w 3 10.77.0.2 5000'
check "TCP out" wait_for 30 grep -q 'by tcp' "$TEST_DIR/got"
is "the VPS's address is seen there" "$(far ip -j neigh show 10.77.0.7 | jq -r '.[0].lladdr')" "$(cat /sys/class/net/up0/address)"

cella stop --fast two
is "one stops: the other's entry stays" "$(ip -4 -j neigh show proxy dev up0 | jq -r '.[].dst')" 10.77.0.7
check "and it is reached" pings far 10.77.0.7
cella stop --fast one
is "the last one stops: no entry" "$(ip neigh show proxy dev up0)$(ip -6 neigh show proxy dev up0)" ""
is "and the settings are as before" "$(settings)" "$before"
