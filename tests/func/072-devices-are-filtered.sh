#!/bin/bash
# the device list decides what a container's root may open, also after an update
# shellcheck disable=SC2016 # the variables are jq's or the container's
. "$(dirname "$0")/lib.sh"

caps='.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
disk=$(lsblk -ndo MAJ:MIN,TYPE | awk '$2 == "disk" { print $1; exit }')
major=${disk%:*} minor=${disk#*:}
args=(--argjson maj "$major" --argjson min "$minor")
# the nodes are made by the host, so that only opening is judged
make_bundle b "$caps"
mkdir b/rootfs/nodes
mknod b/rootfs/nodes/disk b "$major" "$minor"
may() { oci exec dev sh -c "$1" >/dev/null 2>&1; }
may_not() { ! may "$1"; }

start_bundle dev b
for node in null zero full random urandom; do
	check "/dev/$node can be opened" may "dd if=/dev/$node of=/dev/null bs=1 count=1"
done
check "a disk cannot be read" may_not 'dd if=/nodes/disk of=/dev/null bs=512 count=1'
check "the node of a default device can be made" may 'mknod /tmp/n c 1 3'
# as runc and crun have it: making a node is allowed, what counts is opening it
check "another node too" may "mknod /tmp/e b $major $((minor + 1))"
check "and not opened" may_not 'exec 3</tmp/e'
check "the whiteout of overlay can" may 'mknod /tmp/w c 0 0'

jq -n '{ devices: [{ allow: false, access: "rwm" },
	{ allow: true, type: "b", major: $maj, minor: $min, access: "rw" },
	{ allow: false, type: "b", major: $maj, minor: $min, access: "w" }] }' "${args[@]}" |
	oci update --resources - dev
check "after an update the disk can be read" may 'dd if=/nodes/disk of=/dev/null bs=512 count=1'
check "not written" may_not 'exec 3>/nodes/disk'
check "nor opened for both" may_not 'exec 3<>/nodes/disk'
check "the other node still not" may_not 'exec 3</tmp/e'
jq -n '{ devices: [{ allow: true, access: "rwm" }] }' | oci update --resources - dev
check "everything, when everything is allowed" may 'exec 3<>/nodes/disk'
jq -n '{ devices: [{ allow: false, access: "rwm" }] }' | oci update --resources - dev
check "and back" may_not 'exec 3</nodes/disk'
oci delete --force dev

edit_bundle b '.linux.resources.devices = [
	{ allow: false, access: "rwm" }, { allow: true, type: "b", major: $maj, access: "r" }]' "${args[@]}"
start_bundle dev b
check "a rule for all minors" may 'exec 3</nodes/disk'
check "with its access only" may_not 'exec 3>/nodes/disk'
oci delete --force dev

if [ "$(stat -fc %T /sys/fs/bpf)" = bpf_fs ]; then
	check "filters are kept for the next container" compgen -G '/sys/fs/bpf/cella/devices-*'
	is "for root alone" "$(stat -c '%a %u' /sys/fs/bpf/cella)" "700 0"
	# a directory that others may write is not believed
	chmod 777 /sys/fs/bpf/cella
	start_bundle dev b
	check "without a trusted directory it works as well" may_not 'exec 3>/nodes/disk'
	chmod 700 /sys/fs/bpf/cella
	oci delete --force dev
fi
