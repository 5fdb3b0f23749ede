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

# compares GOT low|high WANTED PERCENT: is it too low, too high?
compares() {
	awk -v got="$1" -v way="$2" -v want="$3" -v percent="$4" 'BEGIN { exit !(way == "low" ? \
		got < want * (1 - percent / 100) : got > want * (1 + percent / 100)) }'
}
# near DESCRIPTION WANTED PERCENT FIELD POUR-OPTION...: measured up to four times, since a machine that is busy with
# something else sends less than it may; more than it may is an error at once
near() {
	local got try
	for try in 1 2 3 4; do
		got=$(pour "${@:5}" | jq "$4 | round" 2>/dev/null || echo 0)
		compares "$got" low "$2" "$3" || break
		echo "# try $try: $got"
	done
	if compares "$got" low "$2" "$3" || compares "$got" high "$2" "$3"; then
		not_ok "$1" "$got is not $2 within $3 %"
	else
		ok "$1: $got"
	fi
}
# bit/s that arrived; times frame by payload it is those of Ethernet frames. More is offered than passes, so that the queue never runs dry
received='(.end.sum_received.bits_per_second // 0)'

world_make
v4=198.51.100.1 v6=2001:db8:ff::1
vps_start one --ipadd 10.66.0.1 --ipadd 2001:db8:66::1 --rate-in 20M --rate-out 10Mbit
is "the keys" "$(grep RATE "$conf_dir/one.conf" | sort)" $'RATE_IN="20M"\nRATE_OUT="10M"'
is "show tells them" "$(vps_field one '.limits | "\(.rateInBitsPerSecond) \(.rateOutBitsPerSecond)"')" "20000000 10000000"
is "the bucket on the host's end" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 2500000"
is "and on the other way" "$(tc -j qdisc show dev ifbone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 1250000"
near "TCP in" 20000000 5 "$received * 1514/1448" in -c $v4
near "TCP out" 10000000 5 "$received * 1514/1448" out -c $v4
near "TCP in by IPv6" 20000000 5 "$received * 1514/1428" in -c $v6
near "UDP in by IPv6" 20000000 5 "$received * 1462/1400" in -c $v6 -u -l 1400 -b 60M
near "UDP out by IPv6" 10000000 5 "$received * 1462/1400" out -c $v6 -u -l 1400 -b 30M

cella stop --fast one >/dev/null
check_fails "the other interface goes" "" eval "ip link show ifbone.0 >/dev/null 2>&1"
sed -i /RATE/d "$conf_dir/one.conf"
printf '%s\n' 'RATE="*:1:1000"' 'RATEBOUND="yes"' 'PPS="300"' >>"$conf_dir/one.conf"
cella start one >/dev/null
is "no bucket without a rate" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0].kind')" noqueue
near "OpenVZ's RATE, UDP" 1000000 5 "$received * 1442/1400" out -c $v4 -u -l 1400 -b 3M
near "packets a second" 300 10 '(.end.sum | .packets * (100 - .lost_percent) / 100 / .seconds)' in -c $v4 -u -l 100 -b 1M
check_fails "a bad rate is refused" "--rate-in: '10X' is not a rate" cella create two --ostemplate busybox --rate-in 10X
check_fails "and one that is too low" "--rate-out: " cella create two --ostemplate busybox --rate-out 100
cp "$conf_dir/one.conf" good.conf
echo RATE=eth0:1 >>"$conf_dir/one.conf"
check_fails "and OpenVZ's without number" "RATE: " cella start one
cp good.conf "$conf_dir/one.conf" # what cannot be read cannot be stopped
