#!/bin/bash
# rates are kept both ways within five percent, TCP and UDP, IPv4 and IPv6; packets a second within ten; queues go with the VPS
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=net.sh
. "$func_dir/net.sh"
needs jq busybox iperf3 tc nsenter ip

# pour in|out OPTION...: between the VPS and the world for three seconds after the first; iperf3's JSON
pour() {
	local way=$1 server
	shift
	in_world iperf3 -s -1 -J >/dev/null &
	server=$!
	wait_for 10 listens
	[ "$way" = out ] || set -- "$@" -R
	in_net one iperf3 -J -t 3 -O 1 --connect-timeout 5000 "$@" || true
	wait "$server" || true
}
# shellcheck disable=SC2317 # called by wait_for
listens() { in_world ss -Hltn 'sport = :5201' | grep -q .; }

# near DESCRIPTION GOT WANTED PERCENT
near() {
	check "$1: $2 is $3 within $4 %" awk -v got="$2" -v want="$3" -v percent="$4" \
		'BEGIN { exit !(got >= want * (1 - percent / 100) && got <= want * (1 + percent / 100)) }'
}
# frames FACTOR: bit/s of what arrived, as Ethernet frames
frames() { jq "(.end.sum_received.bits_per_second // 0) * $1 | round"; }

world_make
v4=198.51.100.1 v6=2001:db8:ff::1
vps_start one --ipadd 10.66.0.1 --ipadd 2001:db8:66::1 --rate-in 20M --rate-out 10Mbit
is "the keys" "$(grep RATE "$conf_dir/one.conf" | sort)" $'RATE_IN="20M"\nRATE_OUT="10M"'
is "show tells them" "$(vps_field one '.limits | "\(.rateInBitsPerSecond) \(.rateOutBitsPerSecond)"')" "20000000 10000000"
is "the bucket on the host's end" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 2500000"
is "and on the other way" "$(tc -j qdisc show dev ifbone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 1250000"
near "TCP in" "$(pour in -c $v4 | frames 1514/1448)" 20000000 5
near "TCP out" "$(pour out -c $v4 | frames 1514/1448)" 10000000 5
near "TCP in by IPv6" "$(pour in -c $v6 | frames 1514/1428)" 20000000 5
near "UDP in by IPv6" "$(pour in -c $v6 -u -l 1400 -b 26M | frames 1462/1400)" 20000000 5
near "UDP out by IPv6" "$(pour out -c $v6 -u -l 1400 -b 13M | frames 1462/1400)" 10000000 5

cella stop --fast one >/dev/null
check_fails "the other interface goes" "" eval "ip link show ifbone.0 >/dev/null 2>&1"
sed -i /RATE/d "$conf_dir/one.conf"
printf '%s\n' 'RATE="*:1:1000"' 'RATEBOUND="yes"' 'PPS="300"' >>"$conf_dir/one.conf"
cella start one >/dev/null
is "no bucket without a rate" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0].kind')" noqueue
near "OpenVZ's RATE, UDP" "$(pour out -c $v4 -u -l 1400 -b 2M | frames 1442/1400)" 1000000 5
near "packets a second" "$(pour in -c $v4 -u -l 100 -b 1M | jq '(.end.sum | .packets * (100 - .lost_percent) / 100 / .seconds) | round')" 300 10
check_fails "a bad rate is refused" "--rate-in: '10X' is not a rate" cella create two --ostemplate busybox --rate-in 10X
check_fails "and one that is too low" "--rate-out: " cella create two --ostemplate busybox --rate-out 100
cp "$conf_dir/one.conf" good.conf
echo RATE=eth0:1 >>"$conf_dir/one.conf"
check_fails "and OpenVZ's without number" "RATE: " cella start one
cp good.conf "$conf_dir/one.conf" # what cannot be read cannot be stopped
