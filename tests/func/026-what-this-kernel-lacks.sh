#!/bin/bash
# labels and resctrl groups: their effect where the kernel has them, one clear line where it has not; refused limits
. "$(dirname "$0")/lib.sh"

make_bundle b
refused() { # DESCRIPTION REGEX JQ
	make_bundle b "$3"
	check_fails "$1" "$2" oci create --bundle b props-lacks </dev/null
}
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	refused "an AppArmor profile that is not loaded" 'AppArmor.*props-none.*not loaded' '.process.apparmorProfile = "props-none"'
	# a profile that only complains, in the kernel's binary form (security/apparmor/policy_unpack.c): no parser is needed
	needs python3
	cat >profile.py <<'PY'
import struct, sys
def named(name, tag): return b"\4" + struct.pack("<H", len(name) + 1) + name + b"\0" + tag
def text(value): return b"\5" + struct.pack("<H", len(value) + 1) + value + b"\0"
def u32(*values): return b"".join(b"\2" + struct.pack("<I", value) for value in values)
STRUCT, END = b"\7", b"\10"
COMPLAIN = 1
sys.stdout.buffer.write(named(b"version", b"") + u32(9) + named(b"profile", STRUCT) + text(sys.argv[1].encode())
    + named(b"flags", STRUCT) + u32(0, COMPLAIN, 0) + END + u32(0, 0, 0, 0) + END)
PY
	policy=/sys/kernel/security/apparmor
	python3 profile.py props-profile >profile.bin
	cleanup bash -c "printf props-profile >$policy/.remove"
	cat profile.bin >$policy/.load
	make_bundle b '.process.apparmorProfile = "props-profile"'
	start_bundle props-label b
	label() { tr -d '\0' <"/proc/$1/attr/apparmor/current"; }
	is "AppArmor profile" "$(label "$(pid_of props-label)")" "props-profile (complain)"
	oci exec --detach --pid-file pid props-label sleep 1000 >exec.out 2>&1 </dev/null
	is "of exec, too" "$(label "$(cat pid)")" "props-profile (complain)"
	oci exec --detach --apparmor unconfined --pid-file pid props-label sleep 1000 >exec.out 2>&1 </dev/null
	is "exec --apparmor" "$(label "$(cat pid)")" unconfined
	oci delete --force props-label
else
	refused "AppArmor is not here" 'AppArmor.*not enabled' '.process.apparmorProfile = "props-none"'
fi
if [ -d /sys/fs/selinux/class ]; then
	skip "SELinux labels" "no policy that a test could count on"
else
	refused "SELinux is not here: the mounts' label" 'mountLabel.*SELinux' '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	refused "SELinux is not here: the process's label" 'SELinux' '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
fi
if [ -e /sys/fs/resctrl/schemata ]; then
	make_bundle b '.linux.intelRdt = {closID: "props"}'
	start_bundle props-rdt b
	check "intelRdt: the group has the process" grep -qx "$(pid_of props-rdt)" /sys/fs/resctrl/props/tasks
else
	refused "resctrl is not here" 'resctrl' '.linux.intelRdt = {closID: "props", schemata: ["L3:0=f"]}'
fi
refused "swappiness" 'swappiness' '.linux.resources.memory = {swappiness: 5}'
refused "no OOM killer" 'OOM|disableOOMKiller' '.linux.resources.memory = {disableOOMKiller: true}'
refused "real-time runtime" 'realtimeRuntime' '.linux.resources.cpu = {realtimeRuntime: 1000, realtimePeriod: 10000}'
refused "net_cls" 'classID' '.linux.resources.network = {classID: 7}'
refused "net_prio" 'priorities' '.linux.resources.network = {priorities: [{name: "eth0", priority: 5}]}'
device=$(lsblk -ndo MAJ:MIN,TYPE | awk '$2 == "disk" { print $1; exit }')
if grep -q '\[bfq\]' "/sys/dev/block/$device/queue/scheduler"; then
	skip "weights of a device without a scheduler for them" "the disk has bfq"
else
	refused "weights of a device without a scheduler for them" 'no weights.*bfq' \
		".linux.resources.blockIO = {weightDevice: [{major: ${device%:*}, minor: ${device#*:}, weight: 100}]}"
fi
refused "leaf weights" 'leafWeight' '.linux.resources.blockIO = {leafWeight: 100}'
make_bundle b '.linux.resources.memory = {kernel: 1000000, kernelTCP: 1000000, useHierarchy: true} | .linux.resources.network = {classID: 0}'
output=$(oci create --bundle b props-old >old.out 2>&1 </dev/null && echo made) || true
cleanup oci delete --force props-old
is "what has no meaning any more is passed over" "$output" made
