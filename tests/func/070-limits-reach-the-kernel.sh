#!/bin/bash
# every limit of linux.resources is in the kernel's files, and holds
# shellcheck disable=SC2016 # the variables are jq's or the container's
. "$(dirname "$0")/lib.sh"
has_controllers memory cpu cpuset io pids hugetlb || skip_rest "not all controllers of cgroup v2 here"

device=$(lsblk -ndo MAJ:MIN,TYPE | awk '$2 == "disk" { print $1; exit }')
make_bundle b '.linux.resources += {
	memory: { limit: 67108864, reservation: 33554432, swap: 134217728 },
	cpu: { shares: 1024, quota: 20000, period: 50000, burst: 10000, cpus: "0", mems: "0" },
	pids: { limit: 32 },
	blockIO: { weight: 500, throttleReadBpsDevice: [{ major: $maj, minor: $min, rate: 1048576 }],
		throttleWriteBpsDevice: [{ major: $maj, minor: $min, rate: 2097152 }],
		throttleReadIOPSDevice: [{ major: $maj, minor: $min, rate: 50 }],
		throttleWriteIOPSDevice: [{ major: $maj, minor: $min, rate: 100 }] },
	hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }],
	unified: { "memory.high": "60000000", "cgroup.max.depth": "7" }
}' --argjson maj "${device%:*}" --argjson min "${device#*:}"
start_bundle limits b
pid=$(pid_of limits)
while read -r file wanted; do
	is "$file" "$(cgroup_read "$pid" "$file" | paste -sd' ')" "$wanted"
done <<END
memory.max 67108864
memory.low 33554432
memory.swap.max 67108864
memory.high 59998208
cpu.weight 100
cpu.max 20000 50000
cpu.max.burst 10000
cpuset.cpus 0
cpuset.mems 0
pids.max 32
io.weight default 4950
io.max $device rbps=1048576 wbps=2097152 riops=50 wiops=100
hugetlb.2MB.max 4194304
hugetlb.2MB.rsvd.max 4194304
cgroup.max.depth 7
END
is "the cgroup has the derived name" "$(cgroup_of "$pid")" /sys/fs/cgroup/cella-oci/limits
like "the container sees its own root" "$(oci exec limits cat /proc/self/cgroup)" '^0::/$'

forks=$(oci exec limits sh -c 'for i in $(seq 60); do sleep 60 >/dev/null 2>&1 & done; wait' 2>&1 || true)
like "a fork bomb meets its limit" "$forks" "can't fork|Resource temporarily unavailable"
like "and the kernel counted it" "$(cgroup_read "$pid" pids.events)" 'max [1-9]'
oci delete --force limits
check "nothing is left" test ! -e /sys/fs/cgroup/cella-oci/limits

status=0
make_bundle m '.linux.resources.memory = { limit: 16777216, swap: 16777216 }
	| .process.args = ["dd", "if=/dev/zero", "of=/dev/shm/fill", "bs=1M", "count=60"]'
oci run --bundle m eater >/dev/null 2>&1 </dev/null || status=$?
is "memory beyond the limit ends in SIGKILL" "$status" 137
