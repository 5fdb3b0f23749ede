#!/bin/bash
# interfaces in mode nat leave with the host's address and are reached by published ports, in IPv4 and IPv6, TCP and UDP
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox nft socat

far_begin
vps_start one --netif_add eth0,mode=nat --publish 8080:80 --publish 5300:53/udp
is "addresses of the pool" "$(vps_field one '.addresses | join(" ")')" "10.213.0.1 fdce:11a:213::1"
vps_make two --netif_add eth0,mode=nat
is "the next VPS has the next ones" "$(vps_field two '.addresses | join(" ")')" "10.213.0.2 fdce:11a:213::2"
check "host to VPS" pings 10.213.0.1
check "VPS to the cable" pings inside one 10.77.0.2
check "IPv6" pings inside one fd77::2
is "nobody answers for it there" "$(ip -4 neigh show proxy dev up0)" ""

# serve far|inside NAME: a socket at $proto and $port there that says who is connected
# shellcheck disable=SC2016 # socat expands it
serve() { "$@" socat -T 5 "$proto-LISTEN:$port,fork,reuseaddr" SYSTEM:'echo from $SOCAT_PEERADDR' & servers+=($!); }
servers=()
stop_servers() {
	local server
	for server in "${servers[@]}"; do
		pkill -P "$server" # what the function in the background runs
		kill "$server"
	done
}
cleanup stop_servers
proto=TCP4 port=7000
serve far
proto=TCP6 port=7001
serve far
wait_for 30 far sh -c 'ss -ltn | grep -q :7000 && ss -ltn | grep -q :7001'
is "seen with the host's address" "$(inside one socat -T 5 - TCP4:10.77.0.2:7000 </dev/null)" "from 10.77.0.1"
is "IPv6 as well" "$(inside one socat -T 5 - 'TCP6:[fd77::2]:7001' </dev/null)" "from [fd77:0000:0000:0000:0000:0000:0000:0001]"

proto=TCP6 port=80
serve inside one
proto=UDP4 port=53
serve inside one
wait_for 30 inside one sh -c 'ss -lun | grep -q :53'
like "a published port" "$(far socat -T 5 - TCP4:10.77.0.1:8080 </dev/null)" "from .*0a4d:0002"
like "in IPv6" "$(far socat -T 5 - 'TCP6:[fd77::1]:8080' </dev/null)" "from .*fd77.*0002"
is "in UDP" "$(echo | far socat -t 2 - UDP4:10.77.0.1:5300)" "from 10.77.0.2"
check "from the host itself" sh -c 'socat -T 5 - TCP4:10.77.0.1:8080 </dev/null | grep -q from'

check_fails "a port leads to one VPS alone" "8080.* leads to VPS one" cella create three --ostemplate busybox --netif_add eth0,mode=nat --publish 8080:81
check_fails "publishing needs NAT" "no interface in mode nat" cella create three --ostemplate busybox --ipadd 10.77.0.3 --publish 8081:81
check_fails "one mode of routing" "one routed or nat" cella create three --ostemplate busybox --ipadd 10.77.0.3 --netif_add eth0,mode=nat
check_fails "no such port" "65535" cella create three --ostemplate busybox --netif_add eth0,mode=nat --publish 70000:81
check_fails "no such protocol" "neither tcp nor udp" cella create three --ostemplate busybox --netif_add eth0,mode=nat --publish 81:81/sctp

# a definition that was edited names a port that another VPS has; an upgrade replaces the rules of both
cella start two >/dev/null
sed -i '$aPUBLISH="8080:81 8082:82"' "$conf_dir/two.conf"
nft flush set netdev cella version
like "a port that leads elsewhere is said" "$(cella list 2>&1 >/dev/null)" "VPS two: port 8080 of the host leads to another VPS"
is "the first VPS keeps it, and the other has the rest" "$(nft -j list map inet cella publish4 | jq -c '[.nftables[].map?.elem // empty | .[] | .[0].concat[1] // .[0].elem.val.concat[1]] | sort')" "[5300,8080,8082]"
like "and it leads there" "$(far socat -T 5 - TCP4:10.77.0.1:8080 </dev/null)" "from .*0a4d:0002"
cella stop --fast two
cella stop --fast one
is "nothing is left in nftables" "$(nft list tables | grep cella || true)" ""
