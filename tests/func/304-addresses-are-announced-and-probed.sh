#!/bin/bash
# who has an address is found out before it is given, "auto" takes a free one of the pool, and the cable hears where it is
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox tcpdump

far_begin
refused() {
	local regex=$1
	shift
	check_fails "refused: $*" "$regex" cella create bad --ostemplate busybox "$@"
}
far_mac=$(far ip -j link show far0 | jq -r '.[0].address')
vps_make one --ipadd 10.77.0.7
refused "10.77.0.2 is in use on up0, by the machine with the MAC address $far_mac" --ipadd 10.77.0.2
refused "fd77::2 is in use on up0, by the machine with the MAC address $far_mac" --ipadd fd77::2
refused "10.77.0.1 is this host's own" --ipadd 10.77.0.1
refused "10.77.0.7 belongs to VPS one" --ipadd 10.77.0.7
check "unless nobody shall be asked" cella create two --ostemplate busybox --ipadd 10.77.0.2 --skip_arpdetect
cella destroy two
refused "no IP_POOL" --ipadd auto

echo 'IP_POOL="10.77.0.0/29 fd77::/64"' >>"$CELLA_ROOT/etc/cella/cella.conf"
check "auto" cella create two --ostemplate busybox --ipadd auto
# .1 is the host's, .2 the far machine's; ::1 and ::2 as well
is "takes free ones of both families" "$(vps_field two '.addresses | join(" ")')" "10.77.0.3 fd77::3"
check "auto again" cella create three --ostemplate busybox --ipadd auto
is "takes the next ones" "$(vps_field three '.addresses | join(" ")')" "10.77.0.4 fd77::4"
cella destroy three

# what is heard on the cable
far timeout 60 tcpdump -lneti far0 'arp or rarp or icmp6' >"$TEST_DIR/heard" 2>"$TEST_DIR/tcpdump" &
sniffer=$!
wait_for 10 grep -q listening "$TEST_DIR/tcpdump"
cella start two
mac=$(cat /sys/class/net/up0/address)
check "gratuitous ARP on the uplink" wait_for 30 grep -qi "$mac > ff:ff:ff:ff:ff:ff.*who-has 10.77.0.3 .*tell 10.77.0.3" "$TEST_DIR/heard"
check "as a reply too" grep -qi "Reply 10.77.0.3 is-at $mac" "$TEST_DIR/heard"
check "unsolicited neighbour advertisement" grep -qi "fd77::3 > ff02::1: .*neighbor advertisement, tgt is fd77::3" "$TEST_DIR/heard"
ip link add brx type bridge
cleanup ip link del brx
ip link set brx up
ip addr flush dev up0
ip link set up0 master brx
refused "10.77.0.2 is in use on brx" --netif_add eth0,bridge=brx,ip=10.77.0.2/24
vps_start four --netif_add eth0,02:00:00:00:00:04,,,brx,ip=10.77.0.9/24
check "a bridged one tells the switches" wait_for 30 grep -qi "02:00:00:00:00:04 > ff:ff:ff:ff:ff:ff, ethertype Reverse ARP" "$TEST_DIR/heard"
check "and its neighbours" grep -qi "02:00:00:00:00:04 > .*tell 10.77.0.9" "$TEST_DIR/heard"
kill "$sniffer"
