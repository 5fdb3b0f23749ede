#!/bin/bash
# rates are kept both ways within five percent, TCP and UDP, IPv4 and IPv6; packets a second within ten; queues go with the VPS
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=net.sh
. "$func_dir/net.sh"
needs jq busybox python3 iperf3 tc nsenter ip

# tcp in|out ADDRESS FACTOR: bit/s between the VPS and the world, of Ethernet frames, for three seconds after the first
tcp() {
	local server options=()
	in_world iperf3 -s -1 -J >/dev/null &
	server=$!
	wait_for 30 listens
	[ "$1" = out ] || options=(-R)
	{ in_net one iperf3 -J -t 3 -O 1 --connect-timeout 15000 -c "$2" "${options[@]}" || true; } |
		jq "(.end.sum_received.bits_per_second // 0) * $3 | round" || echo 0
	wait "$server" || true
}
# shellcheck disable=SC2317 # called by wait_for
listens() { in_world ss -Hltn 'sport = :5201' | grep -q .; }

cat >pour.py <<'EOF'
import socket, sys, time
address, size, bits = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
start, sent = time.monotonic(), 0
while time.monotonic() - start < 6:
    due = (time.monotonic() - start) * bits / 8 / size
    while sent < due:
        sent += 1
        try: s.sendto(b"x" * size, (address, 9))
        except OSError: pass
    time.sleep(0.002)
EOF
cat >count.py <<'EOF'
import sys, time
def count():
    for line in open("/proc/self/net/dev"):
        name, _, numbers = line.partition(":")
        if name.strip() == sys.argv[1]: return int(numbers.split()[int(sys.argv[2])])
time.sleep(1.5)
start, before = time.monotonic(), count()
time.sleep(3)
after, end = count(), time.monotonic()
print(round((after - before) / (end - start) * int(sys.argv[3])))
EOF
# udp in|out ADDRESS SIZE BITS [packets]: bit/s that arrive while as many bits are sent, by the counter of the interface
udp() {
	local count=(0 8) from=(in_net one) to=(in_world) device=world0 sender got
	[ "${5:-}" != packets ] || count=(1 1)
	[ "$1" = out ] || { from=(in_world) to=(in_net one) device=eth0; }
	"${from[@]}" python3 pour.py "$2" "$3" "$4" &
	sender=$!
	got=$("${to[@]}" python3 count.py "$device" "${count[@]}" || echo 0)
	wait "$sender" || true
	echo "$got"
}

# compares GOT low|high WANTED PERCENT: is it too low, too high?
compares() {
	awk -v got="$1" -v way="$2" -v want="$3" -v percent="$4" 'BEGIN { exit !(way == "low" ? \
		got < want * (1 - percent / 100) : got > want * (1 + percent / 100)) }'
}
# near DESCRIPTION WANTED PERCENT COMMAND...: measured up to four times, since a machine that is busy with something else
# sends less than it may; more than it may is an error at once
near() {
	local got try
	for try in 1 2 3 4; do
		got=$("${@:4}")
		compares "$got" low "$2" "$3" || break
		echo "# try $try: $got"
	done
	if compares "$got" low "$2" "$3" || compares "$got" high "$2" "$3"; then
		not_ok "$1" "$got is not $2 within $3 %"
	else
		ok "$1: $got"
	fi
}

world_make
v4=198.51.100.1 v6=2001:db8:ff::1
vps_start one --ipadd 10.66.0.1 --ipadd 2001:db8:66::1 --rate-in 8M --rate-out 4Mbit
is "the keys" "$(grep RATE "$conf_dir/one.conf" | sort)" $'RATE_IN="8M"\nRATE_OUT="4M"'
is "show tells them" "$(vps_field one '.limits | "\(.rateInBitsPerSecond) \(.rateOutBitsPerSecond)"')" "8000000 4000000"
is "the bucket on the host's end" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 1000000"
is "and on the other way" "$(tc -j qdisc show dev ifbone.0 | jq -r '.[0] | "\(.kind) \(.options.rate)"')" "tbf 500000"
near "TCP in" 8000000 5 tcp in $v4 1514/1448
near "TCP out" 4000000 5 tcp out $v4 1514/1448
near "TCP in by IPv6" 8000000 5 tcp in $v6 1514/1428
near "UDP in by IPv6" 8000000 5 udp in 2001:db8:66::1 1400 20e6
near "UDP out by IPv6" 4000000 5 udp out $v6 1400 10e6

cella stop --fast one >/dev/null
check_fails "the other interface goes" "" eval "ip link show ifbone.0 >/dev/null 2>&1"
sed -i /RATE/d "$conf_dir/one.conf"
printf '%s\n' 'RATE="*:1:1000"' 'RATEBOUND="yes"' 'PPS="300"' >>"$conf_dir/one.conf"
cella start one >/dev/null
is "no bucket without a rate" "$(tc -j qdisc show dev vethone.0 | jq -r '.[0].kind')" noqueue
near "OpenVZ's RATE, UDP" 1000000 5 udp out $v4 1400 3e6
near "packets a second" 300 10 udp in 10.66.0.1 100 1e6 packets
check_fails "a bad rate is refused" "--rate-in: '10X' is not a rate" cella create two --ostemplate busybox --rate-in 10X
check_fails "and one that is too low" "--rate-out: " cella create two --ostemplate busybox --rate-out 100
cp "$conf_dir/one.conf" good.conf
echo RATE=eth0:1 >>"$conf_dir/one.conf"
check_fails "and OpenVZ's without number" "RATE: " cella start one
cp good.conf "$conf_dir/one.conf" # what cannot be read cannot be stopped
