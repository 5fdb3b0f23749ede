#!/bin/bash
# macvlan, ipvlan and free cables; several interfaces in one VPS; what does not fit together is refused
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox

far_begin
# ipvlan wants an interface without macvlan
ip link add up1 type veth peer name far1 netns "$far_pid"
cleanup ip link del up1
ip link set up1 up
far ip link set far1 up
far ip addr add 10.78.0.2/24 dev far1
vps_start one --ipadd 10.66.0.1 \
	--netif_add eth1,mode=macvlan,link=up0,ip=10.77.0.11/24 \
	--netif_add eth2,mode=ipvlan,link=up1,ip=10.78.0.12/24 \
	--netif_add eth3,,hostend,02:00:00:00:00:03,mode=none,ip=10.79.0.2/24
is "all are there" "$(inside one ip -j link | jq -c '[.[].ifname]')" '["lo","eth0","eth1","eth2","eth3"]'
is "of their kinds" "$(inside one ip -d -j link | jq -r '[.[].linkinfo.info_kind | select(.)] | join(" ")')" "veth macvlan ipvlan veth"
is "private" "$(inside one ip -d -j link show eth1 | jq -r '.[0].linkinfo.info_data.mode')" private
check "macvlan reaches the cable" pings inside one 10.77.0.2
check "and is reached" pings far 10.77.0.11
check "ipvlan reaches the cable" pings inside one 10.78.0.2
check "and is reached" pings far 10.78.0.12
check "the routed one is reached" pings 10.66.0.1
is "its route is the default" "$(inside one ip -j route show default | jq -r '.[0].dev')" eth0
is "the free cable's MAC address" "$(cat /sys/class/net/hostend/address)" 02:00:00:00:00:03
ip addr add 10.79.0.1/24 dev hostend
check "the operator uses the free cable" pings 10.79.0.2
is "the host takes no router from it" "$(cat /proc/sys/net/ipv6/conf/hostend/accept_ra)" 0
is "show says all" "$(vps_field one '[.interfaces[] | "\(.name) \(.mode) \(.link) \(.hostName)"] | join("; ")')" \
	"eth0 routed null vethone.0; eth1 macvlan up0 null; eth2 ipvlan up1 null; eth3 none null hostend"
is "and all addresses" "$(vps_field one '.addresses | join(" ")')" "10.66.0.1 10.77.0.11 10.78.0.12 10.79.0.2"
check "stop" cella stop --fast one
check "nothing is left of the free cable" wait_for 30 test ! -e /sys/class/net/hostend

refused() {
	local regex=$1
	shift
	check_fails "refused: $*" "$regex" cella create bad --ostemplate busybox "$@"
}
refused "has an interface eth0 already" --netif_add eth0 --netif_add eth1 --ifname eth1 --netif_add eth2 --ifname eth2 --netif_add eth0x --netif_add "eth0y,ifname=eth0"
refused "has an interface eth0 already" --netif_add eth0 --netif_add eth0
refused "one routed" --netif_add eth0,mode=routed --netif_add eth1,mode=routed
refused "'12:34' is not a MAC address" --netif_add eth0,12:34
refused "no interface can have the address" --netif_add eth0,01:00:5e:00:00:01
refused "'wifi' is none of routed" --netif_add eth0,mode=wifi
refused "vlan= is for mode bridged" --netif_add eth0,vlan=3
refused "link= must name" --netif_add eth0,mode=macvlan
refused "from 1 to 4094" --netif_add eth0,bridge=b,vlan=4095
refused "an interface has no 'colour'" --netif_add eth0,colour=red
refused "loopback" --netif_add lo
refused "not a usable interface name" --netif_add "eth 0"
refused "which interface" --mac 02:00:00:00:00:01
refused "the VPS has no interface 'eth5'" --ifname eth5 --mac 02:00:00:00:00:01
refused "which bridge" --netif_add eth0,mode=bridged
refused "IPv6 needs an MTU of 1280" --netif_add eth0,mtu=1000,ip=fd77::5/64
refused "gateway: .* which no gateway can have" --netif_add eth0,bridge=b,gateway=224.0.0.1
check "nothing of them is there" test ! -e "$conf_dir/bad.conf"
cella start one
vps_make both --netif_add eth0,mode=ipvlan,link=up0
check_fails "an interface that has macvlan" "up0 is in a bridge, or has interfaces of another mode" cella start both
vps_make none --netif_add eth0,mode=macvlan,link=nothere
check_fails "an interface that is not there" "interface nothere does not exist" cella start none
