#!/bin/bash
# hugepageLimits hold; rdma and misc limits reach the kernel, whose refusal is told where it has no such device
. "$(dirname "$0")/lib.sh"
has_controllers hugetlb || skip_rest "no controller hugetlb here"

pages=$(cat /proc/sys/vm/nr_hugepages)
restore() { echo "$pages" >/proc/sys/vm/nr_hugepages; }
cleanup restore
echo 6 >/proc/sys/vm/nr_hugepages
size=$(awk '/Hugepagesize/ { print $2 * 1024 }' /proc/meminfo)
[ "$size $(cat /proc/sys/vm/nr_hugepages)" = "2097152 6" ] || skip_rest "no six huge pages of 2 MB here"

# Maps and touches that many huge pages.
make_bundle b '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
cat >b/rootfs/huge.py <<'PY'
import mmap, sys
MAP_HUGETLB = 0x40000
try:
    memory = mmap.mmap(-1, int(sys.argv[1]) << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB)
except OSError as error:
    sys.exit(error.strerror)
for page in range(int(sys.argv[1])):
    memory[page << 21] = 1
print("touched")
PY
with_python b
start_bundle rare b
pid=$(pid_of rare)
use() { oci exec rare /usr/bin/python3 /huge.py "$1" </dev/null 2>&1 || true; }
is "as many huge pages as the limit has" "$(use 2)" touched
is "not one more" "$(use 3)" 'Cannot allocate memory'
like "the kernel counted it" "$(cgroup_read "$pid" hugetlb.2MB.rsvd.max; cgroup_read "$pid" hugetlb.2MB.max)" $'^4194304\n4194304$'
echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}]}' | oci update --resources - rare
is "after an update it may" "$(use 3)" touched
oci delete --force rare

refused() { # DESCRIPTION REGEX JQ
	edit_bundle b "del(.linux.resources[\"hugepageLimits\", \"rdma\", \"unified\"]) | $3"
	check_fails "$1" "$2" oci create --bundle b rare </dev/null
	check "$1: nothing is left" test ! -e "$OCI_ROOT/rare" -a ! -e /sys/fs/cgroup/cella-oci/rare
}
refused "a page size that is none" 'hugepageLimits.*pageSize' '.linux.resources.hugepageLimits = [{pageSize: "3 miles", limit: 1}]'
refused "a page size that this machine has not" 'hugetlb.64KB|64KB' '.linux.resources.hugepageLimits = [{pageSize: "64KB", limit: 65536}]'
if compgen -G '/sys/class/infiniband/*' >/dev/null; then
	device=$(basename "$(compgen -G '/sys/class/infiniband/*' | head -n 1)")
	edit_bundle b '.linux.resources.hugepageLimits = [] | .linux.resources.rdma = {($d): {hcaHandles: 7, hcaObjects: 99}}' --arg d "$device"
	start_bundle rare b
	like "rdma" "$(cgroup_read "$(pid_of rare)" rdma.max)" "^$device hca_handle=7 hca_object=99"
	oci delete --force rare
else
	refused "rdma of a device that is not here" 'rdma.max' '.linux.resources.rdma = {mlx5_9: {hcaHandles: 7, hcaObjects: 99}}'
fi
refused "misc of a kind that is not here" 'misc.max' '.linux.resources.unified = {"misc.max": "props 5"}'
