#!/bin/bash
# every limit and every interface option that `cella set` takes is in force at once, and again after a restart
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq nft

# disks_of DIR: the disk below a directory's file system, as io.max names it
disk_of() {
	local device
	device=$(stat -c %d "$1")
	device=$((device >> 8)):$((device & 255))
	[ -e "/sys/dev/block/$device/partition" ] && device=$(cat "/sys/dev/block/$device/../dev")
	echo "$device"
}

vps_start one
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)
init=$(vps_field one .pid)
disk=$(disk_of "$private_dir")

# option value file text
limits=(
	"--ram=96M memory.max 100663296"
	"--swap=32M memory.swap.max 33554432"
	"--ram-soft=80M memory.high 83886080"
	"--ram-min=8M memory.min 8388608"
	"--oom-group=yes memory.oom.group 1"
	"--cpuunits=2000 cpu.weight 200"
	"--cpulimit=150% cpu.max 150000 100000"
	"--cpu-burst=50 cpu.max.burst 50000"
	"--cpus=1 cpu.max 100000 100000"
	"--cpumask=0 cpuset.cpus 0"
	"--nodemask=0 cpuset.mems 0"
	"--numproc=100:200 pids.max 200"
	"--ioprio=6 io.weight default 400"
	"--iolimit=20M io.max $disk rbps=20971520 wbps=20971520 riops=max wiops=max"
	"--iopslimit=500 io.max $disk rbps=20971520 wbps=20971520 riops=500 wiops=500"
)
for row in "${limits[@]}"; do
	read -r option file text <<<"$row"
	cella set one "$option" >/dev/null || not_ok "set $option"
	is "$option is in $file at once" "$(cat "$cgroup/$file")" "$text"
done
is "its init never stopped" "$(vps_field one .pid)" "$init"
like "show tells them" "$(cella show one --json | jq -c .limits)" '"ramBytes":100663296.*"ramMinBytes":8388608'

ip link add cella-set type bridge vlan_filtering 1
cleanup ip link del cella-set
cella set one --ip 10.69.0.1 --skip_arpdetect --rate-in 8M --rate-out 4M --rate-burst 20K --pps 500 --group friends --allow-peer two >/dev/null
cella set one --netif_add eth1 --host_ifname vset1 --mac 02:00:00:00:00:11 --host_mac 02:00:00:00:00:12 --bridge cella-set --vlan 7 --mtu 1400 \
	--ipadd 10.70.0.2/24 --gateway 10.70.0.1 --mac_filter off --ip_filter off --isolated off --skip_arpdetect >/dev/null
cella set one --description "a text" --onboot yes --bootorder 5 --after two --autorestart always --stop-timeout 7 --best-effort --traffic-quota 1T:warn \
	--kmemsize 1:2 >/dev/null
# what the kernel has of the first two, and we of the third
of_interfaces() {
	local inside=(nsenter -t "$(vps_field one .pid)" -n)
	ip -j -d link show vset1 | jq -r '.[0] | "\(.address) \(.master) isolated \(.linkinfo.info_slave_data.isolated)"'
	bridge -j vlan show dev vset1 | jq -r '"vlan \(.[0].vlans[0].vlan)"'
	"${inside[@]}" ip -j link show eth1 | jq -r '.[0] | "\(.address) \(.mtu)"'
	"${inside[@]}" ip -j addr | jq -r '.[].addr_info[] | select(.family == "inet" and .local != "127.0.0.1") | "\(.local)/\(.prefixlen)"'
	"${inside[@]}" ip -j route show default | jq -r '.[0] | "\(.gateway) \(.dev)"'
	for device in vethone.0 ifbone.0 vset1; do tc qdisc show dev $device root | grep -o 'rate .* burst [^ ]*'; done
	nft list table netdev cella | tr -d '\n\t' | grep -o 'limit vethone.0.pps-out {rate over [^ ]*'
	for set in any-mac any-ip; do nft list set netdev cella $set | grep -o '{ "[a-z0-9]*"'; done
}
of_definition() {
	cella show one --json | jq -c '[.description, .onBoot, .bootOrder, .after, .autoRestart, .limits.trafficBytesPerMonth, .limits.trafficQuotaAction]'
	grep -E '^(GROUP|ALLOW_PEER|STOP_TIMEOUT|BEST_EFFORT|KMEMSIZE)=' "$conf_dir/one.conf" | sort | xargs
}
is "the interfaces are so at once" "$(of_interfaces)" "$(printf '%s\n' '02:00:00:00:00:12 cella-set isolated false' 'vlan 7' '02:00:00:00:00:11 1400' \
	10.69.0.1/32 10.70.0.2/24 '10.70.0.1 eth1' 'rate 8Mbit burst 20Kb' 'rate 4Mbit burst 20Kb' 'rate 8Mbit burst 20Kb' \
	'limit vethone.0.pps-out {rate over 500/second' '{ "vset1"' '{ "vset1"')"
is "and what is told of the VPS" "$(of_definition)" "$(printf '%s\n' '["a text",true,5,["two"],"always",1099511627776,"warn"]' \
	'ALLOW_PEER=two BEST_EFFORT=yes GROUP=friends KMEMSIZE=1:2 STOP_TIMEOUT=7')"
network=$(of_interfaces) definition=$(of_definition)

before=$(for row in "${limits[@]}"; do read -r _ file _ <<<"$row"; cat "$cgroup/$file"; done)
cella stop --fast one >/dev/null
cella start one >/dev/null
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)
after=$(for row in "${limits[@]}"; do read -r _ file _ <<<"$row"; cat "$cgroup/$file"; done)
is "a restart brings all of them back" "$after" "$before"
is "the interfaces" "$(of_interfaces)" "$network"
is "and what is told" "$(of_definition)" "$definition"
cella set one --netif_del eth1 --ipdel all --unset RATE_IN --unset RATE_OUT --unset AUTORESTART >/dev/null
unlike "interfaces go at once" "$(nsenter -t "$(vps_field one .pid)" -n ip link)" eth1

check "limits are lifted" cella set one --cpulimit=0 --unset CPUS --cpu-burst 0 --iolimit 0 --iopslimit 0 --cpumask all --unset RAM_SOFT_BYTES \
	--numproc unlimited --physpages 0:unlimited --unset MEMGUARANTEE_BYTES
is "all of them" "$(cd "$cgroup" && cat cpu.max cpuset.cpus memory.high memory.max pids.max memory.min io.max)" \
	"max 100000"$'\n'"$(cat /sys/devices/system/cpu/online)"$'\nmax\nmax\nmax\n0'
is "and the file has OpenVZ's keys and units" "$(grep -E '^(PHYSPAGES|SWAPPAGES|NUMPROC|IOLIMIT|IOPRIO)=' "$conf_dir/one.conf" | sort)" \
	"$(printf '%s\n' 'IOLIMIT="0"' 'IOPRIO="6"' 'NUMPROC="unlimited"' 'PHYSPAGES="0:unlimited"' 'SWAPPAGES="0:8192"')"

cella set one --ram 48M --no-save >/dev/null
is "--no-save changes what runs" "$(cat "$cgroup/memory.max")" 50331648
like "and not the file" "$(cat "$conf_dir/one.conf")" 'PHYSPAGES="0:unlimited"'
cella set one --cpus 2 --no-save >/dev/null
is "the next one does not take it back" "$(cat "$cgroup/memory.max") $(cat "$cgroup/cpu.max")" "50331648 200000 100000"
cella set one --physpages 0:unlimited >/dev/null
is "nor is a saved value taken for one in force" "$(cat "$cgroup/memory.max")" max

cella set one --hostname new.example.org --nameserver 192.0.2.53 --searchdomain example.org >/dev/null
is "the host name changes inside" "$(cella exec one -- busybox hostname)" new.example.org
like "and in its files" "$(cella exec one -- cat /etc/hostname /etc/hosts /etc/resolv.conf)" \
	'new.example.org.*127.0.1.1.new.example.org new.*search example.org.nameserver 192.0.2.53'
