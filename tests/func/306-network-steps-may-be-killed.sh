#!/bin/bash
# SIGKILL of start, stop and set amid their messages to the kernel's network: the next command repairs, nothing is left
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=cable.sh
. "$func_dir/cable.sh"
needs jq busybox nft strace tc

# everything: links, addresses, routes, neighbours that do not come and go by themselves, queues, rules
everything() {
	ip -j link | jq -Sc 'map([.ifname, .address, .master]) | sort'
	ip -j addr | jq -Sc 'map(.addr_info[]? | [.label, .local]) | sort'
	for family in -4 -6; do
		# those of a router's advertisement run out by themselves
		ip $family -j route show table all | jq -Sc 'map(select(.protocol != "ra")) | map([.table, .dst, .dev, .gateway]) | sort'
		ip $family -j neigh show proxy | jq -Sc 'map([.dst, .dev]) | sort'
		ip $family -j neigh show nud permanent | jq -Sc 'map([.dst, .dev]) | sort'
	done
	tc -j qdisc | jq -Sc 'map([.dev, .kind, .parent]) | sort'
	nft -j list ruleset | jq -Sc '[.nftables[] | del(.. | .handle?, .bytes?, .packets?)] | map(select(.metainfo | not)) | sort'
	sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding
}

# killed_at N COMMAND...: at its Nth message each process that has one is killed. Fails: none had
killed_at() {
	local tracer
	rm -f status
	# shellcheck disable=SC2016 # the other shell's
	strace -I 1 -f -qq -o /dev/null -e trace=sendto -e inject="sendto:signal=KILL:when=$1" \
		sh -c '"$@" >/dev/null 2>&1; echo $? >status' sh "${@:2}" &
	tracer=$!
	wait_for 60 test -s status
	kill $tracer 2>/dev/null || true # of a VPS that runs
	wait $tracer 2>/dev/null || true
	[ "$(cat status)" != 0 ]
}

# same WHEN WANT: the network is that
same() {
	local now
	now=$(everything)
	if [ "$now" = "$2" ]; then ok "$1"; else not_ok "$1" "$(diff <(echo "$2") <(echo "$now"))"; fi
}

# each message of the network's own is the matter of tests/unit/netns_killed.c; here are the records around them
far_begin
vps_make one --ipadd "10.77.0.7 fd77::7" --rate-in 8M --rate-out 8M
before=$(everything)
check "start is killed" killed_at 8 cella start one
cella list >/dev/null
same "after the next command nothing is left" "$before"

cella start one >/dev/null
whole=$(everything)
check "set is killed" killed_at 12 cella set one --ipadd 10.77.0.8 --netif_add eth1,bridge=kill0,ip=10.88.0.7/24
cella list >/dev/null
cella set one --ipdel 10.77.0.8 --netif_del eth1 >/dev/null 2>&1 || true # it had not begun
same "it goes back" "$whole"
check "and works" pings far 10.77.0.7

check "stop is killed" killed_at 8 cella stop --fast one
cella list >/dev/null
status_is one stopped || cella stop --fast one >/dev/null
same "after the next command nothing is left" "$before"
cella destroy one
same "nor after destroy" "$before"
