#!/bin/bash
# the machine that runs the tests has cgroup v2 with every controller, and the kernel's other parts
. "$(dirname "$0")/lib.sh"

is "cgroup v2 is mounted" "$(stat -fc %T /sys/fs/cgroup)" cgroup2fs
for controller in cpu cpuset io memory pids; do
	check "controller $controller" has_controllers $controller
done
for controller in hugetlb rdma misc; do
	has_controllers $controller || { skip "controller $controller" "not in this kernel" && continue; }
	ok "controller $controller"
done
for ns in cgroup ipc mnt net pid time user uts; do
	check "namespace $ns" test -e /proc/self/ns/$ns
done
check "every cgroup can be killed at once" test -e "$(cgroup_of self)/cgroup.kill"
check "the memory controller tells pressure" grep -q some "$(cgroup_of self)/memory.pressure"
check "nftables answers" nft list ruleset
check "busybox root for bundles" make_rootfs "$TEST_DIR/rootfs"
check "its shell runs" chroot "$TEST_DIR/rootfs" sh -c 'test -d /proc && id user'
