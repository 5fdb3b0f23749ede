#!/bin/bash
# linux.devices and resources.devices: nodes, owners, modes, and what the kernel lets be opened
. "$(dirname "$0")/lib.sh"

# 10:237 loop-control and 10:229 fuse are not among the default devices, and their drivers let anybody open them
make_bundle b '.process.capabilities |= map_values(["CAP_MKNOD", "CAP_DAC_OVERRIDE"])
	| .linux.devices = [{path: "/dev/props", type: "c", major: 1, minor: 5, fileMode: 416, uid: 7, gid: 8},
		{path: "/dev/deep/control", type: "c", major: 10, minor: 237}, {path: "/dev/sdx", type: "b", major: 8, minor: 99, fileMode: 384},
		{path: "/dev/pipe", type: "p", fileMode: 438}, {path: "/dev/unbuffered", type: "u", major: 1, minor: 3}]
	| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 237, access: "rm"},
		{allow: true, type: "c", major: 10, minor: 229, access: "m"},
		{allow: true, type: "b", major: 8, minor: 99, access: "m"}]'
start_bundle props-devices b
pid=$(pid_of props-devices)
node() { stat -c '%F %Hr:%Lr %a %u:%g' "/proc/$pid/root$1"; }
is "a device with mode and owner" "$(node /dev/props)" "character special file 1:5 640 7:8"
is "in a directory that is made; mode 0666" "$(node /dev/deep/control)" "character special file 10:237 666 0:0"
is "a block device" "$(node /dev/sdx)" "block special file 8:99 600 0:0"
like "a fifo" "$(node /dev/pipe)" '^fifo .* 666 0:0$'
is "an unbuffered one is a character device" "$(node /dev/unbuffered)" "character special file 1:3 666 0:0"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
	is "default device ${device%%:*}" "$(node "/dev/${device%%:*}")" "character special file ${device#*:} 666 0:0"
done
is "ptmx" "$(readlink "/proc/$pid/root/dev/ptmx")" pts/ptmx
is "links of /dev" "$(for l in fd stdin stdout stderr; do readlink "/proc/$pid/root/dev/$l"; done | tr '\n' ' ')" \
	"/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "

try() { oci exec props-devices sh -c "$1" </dev/null 2>&1 || true; }
is "default devices may be used" "$(try 'head -c 3 /dev/zero | wc -c; echo x >/dev/null; head -c1 /dev/urandom | wc -c')" $'3\n1'
is "reading what is allowed for reading" "$(try '(exec 3</dev/deep/control) && echo opened')" opened
like "not writing" "$(try '(exec 3>/dev/deep/control) && echo opened')" 'not permitted'
like "not what may only be made" "$(try '(exec 3</dev/sdx) && echo opened')" 'not permitted'
is "making a node is allowed, as runc and crun have it" "$(try 'mknod /dev/mine c 1 4 && echo made')" made
like "opening it is not" "$(try '(exec 3</dev/mine) && echo opened')" 'not permitted'
is "a node that may be made" "$(try 'mknod /dev/fuse c 10 229 && echo made')" made
like "but not opened" "$(try '(exec 3</dev/fuse) && echo opened')" 'not permitted'
oci delete --force props-devices

edit_bundle b '.linux.resources.devices = [{allow: true, access: "rwm"}, {allow: false, type: "c", major: 10, minor: 237, access: "w"}]'
start_bundle props-devices b
is "all but one access: allowed" "$(try '(exec 3</dev/deep/control) && echo opened')" opened
like "all but one access: denied" "$(try '(exec 3>/dev/deep/control) && echo opened')" 'not permitted'
is "all: any node may be made" "$(try 'mknod /dev/mine c 1 4 && echo made')" made
like "a later rule wins over an earlier one" "$(echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 237, "access": "rw"}]}' |
	oci update --resources - props-devices 2>&1; try '(exec 3>/dev/deep/control) && echo opened')" opened
edit_bundle b '.linux.devices[0].path = "/etc/../../etc/props"'
oci create --bundle b props-outside >outside.out 2>&1 </dev/null || true
check "a path with dots stays in the root" test ! -e /etc/props
oci delete --force props-outside 2>/dev/null || true
