#!/bin/bash
# --ram-min is never promised twice, and is kept while others press
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
vps_make one --ram 900G
vps_make two --ram 900G
check "a guarantee of most of the host" cella set one --ram-min $((total * 6 / 10))M
check_fails "a second one is too much" "--ram-min: $((total * 6 / 10)) MiB, and $((total * 6 / 10)) MiB guaranteed to others, are more than" \
	cella set two --ram-min $((total * 6 / 10))M
check_fails "also at create" "--ram-min: .* guaranteed to others" cella create three --ostemplate busybox --ram-min $((total * 6 / 10))M
cella set one --ram-min 20M --ram 64M >/dev/null
cella set two --ram-min 10M --ram 64M >/dev/null
cella start one >/dev/null
cella start two >/dev/null
parent=/sys/fs/cgroup$(dirname "$(vps_field one .cgroup)")
is "the cgroup above guarantees the sum" "$(cat "$parent/memory.min")" $((30 << 20))
cella set two --ram-min 12M >/dev/null
is "follows a change" "$(cat "$parent/memory.min")" $((32 << 20))

# page cache of one is kept under pressure from above, that of three is not
vps_start three
for name in one three; do
	cella exec $name -- dd if=/dev/zero of=/cache bs=1M count=18 conv=fsync 2>/dev/null
	cella exec $name -- cat /cache >/dev/null
done
cache() { awk '$1 == "file" { print int($2 / 1048576) }' "/sys/fs/cgroup$(vps_field "$1" .cgroup)/memory.stat"; }
like "both have their cache" "$(cache one) $(cache three)" '^1[6-9] 1[6-9]$'
echo 40M >"$parent/memory.reclaim" 2>/dev/null || true # EAGAIN: it could not find all of it
like "pressed from above, the guaranteed one keeps it" "$(cache one)" '^1[5-9]$'
like "and the other one does not" "$(cache three)" '^[0-9]$'

cella stop --fast two >/dev/null
is "and an end" "$(cat "$parent/memory.min")" $((20 << 20))
