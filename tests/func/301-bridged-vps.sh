#!/bin/bash
# bridged interfaces: in somebody's bridge, which nothing else changes of, in VLANs, in one of our own; isolated from each other
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox nft

not() { ! "$@"; }

# brx: a bridge with a cable to the far machine and one tagged network on it
ip link add brx type bridge vlan_filtering 1
cleanup ip link del brx
far_begin
ip addr flush dev up0
ip link set up0 master brx
bridge vlan add dev up0 vid 7
ip addr add 10.77.0.1/24 dev brx
ip link set brx up
far ip link add link far0 name far7 type vlan id 7
far ip addr add 10.78.0.2/24 dev far7
far ip link set far7 up
# jq: the bridge and its other port, without counters and timers
bridge_state() {
	ip -d -j link show brx | jq -S '.[0] | {address, mtu, flags, bridge: (.linkinfo.info_data | with_entries(select(.key | test("timer|fdb_n") | not)))}'
	bridge -j vlan show dev up0 | jq -S .
	ip -d -j link show up0 | jq -S '.[0].linkinfo.info_slave_data | with_entries(select(.key | test("timer|hold") | not))'
}
before=$(bridge_state)

vps_start one --netif_add eth0,02:00:00:00:77:07,,,brx,ip=10.77.0.7/24,gateway=10.77.0.2,ip=fd77::7/64
vps_start two --netif_add eth0,bridge=brx,ip=10.77.0.8/24 --netif_add eth1,bridge=brx,vlan=7,ip=10.78.0.8/24,mtu=1400
is "the host end is in the bridge" "$(port_field one eth0 .master)" brx
is "isolated" "$(port_field one eth0 .linkinfo.info_slave_data.isolated)" true
is "its address is known, not learned" "$(port_field one eth0 .linkinfo.info_slave_data.learning)" false
is "the MAC address inside" "$(inside one ip -j link show eth0 | jq -r '.[0].address')" 02:00:00:00:77:07
like "the bridge has it" "$(bridge fdb show dev vethone.0)" "02:00:00:00:77:07.*static"
is "default route" "$(inside one ip -j route show default | jq -r '.[0].gateway')" 10.77.0.2
check "to the far machine" pings inside one 10.77.0.2
check "from it" pings far 10.77.0.7
check "to the host" pings inside one 10.77.0.1
check "not to the neighbour" not inside one ping -c 1 -W 1 10.77.0.8
check "IPv6 passes" pings far fd77::7
# shellcheck disable=SC2016 # the client's own variables
printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip $subnet $router $dns" >%s/lease\n' "$TEST_DIR" >"$TEST_DIR/client"
chmod +x "$TEST_DIR/client"
cella set one --nameserver 10.77.0.53 --save >/dev/null
check "a DHCP client is answered" inside one busybox udhcpc -f -q -n -t 3 -T 10 -i eth0 -s "$TEST_DIR/client"
is "and told what it has" "$(cat "$TEST_DIR/lease")" "10.77.0.7 255.255.255.0 10.77.0.2 10.77.0.53"
check "which nft can list" sh -c 'nft -j list map netdev cella dhcp | jq -e ".nftables[] | select(.map).map.elem | length == 3"'
inside one ip addr add 10.77.0.99/24 dev eth0
check "from an address that is not its own it reaches nobody" not inside one ping -c 1 -W 1 -I 10.77.0.99 10.77.0.2

is "VLAN 7 alone" "$(bridge -j vlan show dev vethtwo.1 | jq -c '[.[0].vlans[].vlan]')" "[7]"
check "VLAN 7 to the far machine" pings inside two 10.78.0.2
check "and from it" pings far 10.78.0.8
is "MTU inside" "$(inside two ip -j link show eth1 | jq -r '.[0].mtu')" 1400
is "the host end has the bridge's" "$(port_field two eth1 .mtu)" 1500
is "show knows it" "$(vps_field two '.interfaces[1] | "\(.mode) \(.bridge) \(.vlan) \(.mtu) \(.addresses[0].address)/\(.addresses[0].prefix)"')" "bridged brx 7 1400 10.78.0.8/24"
is "the bridge is as it was" "$(bridge_state)" "$before"
cella stop --fast one
cella stop --fast two
cella set one --ifname eth0 --ip_filter off --save >/dev/null
cella start one
inside one ip addr add 10.77.0.99/24 dev eth0
check "unless no address is asked for" inside one ping -c 1 -W 5 -I 10.77.0.99 10.77.0.2
cella stop --fast one
is "and after stop" "$(bridge_state)" "$before"

# a bridge of our own
vps_start three --netif_add eth0,bridge=brown,ip=10.79.0.3/24,isolated=off
vps_start four --netif_add eth0,bridge=brown,ip=10.79.0.4/24,isolated=off
check "a bridge that was not there is made" test -d /sys/class/net/brown/bridge
check "ports that are not isolated reach each other" pings inside three 10.79.0.4
cella stop --fast three
check "it stays with its last port" test -e /sys/class/net/brown/brif/vethfour.0
cella stop --fast four
check "and goes with it" test ! -e /sys/class/net/brown

# refused
vps_make five --netif_add eth0,bridge=lo
check_fails "no bridge" "interface lo is not a bridge" cella start five
cella destroy five
ip link set brx type bridge vlan_filtering 0
vps_make five --netif_add eth0,bridge=brx,vlan=9
check_fails "a VLAN needs filtering" "bridge brx has no VLAN filtering" cella start five
cella destroy five
vps_make five --netif_add eth0,bridge=brx,mtu=9000
check_fails "an MTU that the bridge has not" "MTU 9000 is larger than bridge brx's 1500" cella start five
check "nothing is left of it" test ! -e /sys/class/net/vethfive.0
vps_make six --netif_add eth0,bridge=brx,ip=10.77.0.9/24
check_fails "another one's address" "10.77.0.9 belongs to VPS six" cella create seven --ostemplate busybox --netif_add eth0,bridge=brx,ip=10.77.0.9/24
check "in another bridge it is another one" cella create seven --ostemplate busybox --netif_add eth0,bridge=bry,ip=10.77.0.9/24
