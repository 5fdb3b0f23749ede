#!/bin/bash
# disk limits are set on the real disks below loop files and dm, and refused where there are none
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq mkfs.ext4 mkfs.btrfs losetup dmsetup

disk=$(lsblk -dno MAJ:MIN "$(findmnt -no SOURCE -T "$TEST_DIR" | sed 's/[0-9]*$//;s/\[.*//')" | tr -d ' ')
world=$TEST_DIR/mnt
mkdir "$world"

# its monitor may be about to end
leave_world() {
	wait_for 10 umount "$world" && return
	not_ok "$1: nothing holds $world" "$(grep -l "$world" /proc/[0-9]*/mountinfo)" \
		"$(find /proc/[0-9]*/{fd,cwd,root,exe} -lname "$world*" -printf '%p -> %l\n' 2>/dev/null)" "$(losetup -l)"
	umount -l "$world"
}

# lies_on NAME: a VPS whose files lie on what is mounted at $world
lies_on() {
	export CELLA_ROOT=$world
	[ -e "$world/var/lib/cella/template/busybox.json" ] || cella template create busybox >/dev/null
	check "$1 is made" cella create "$1" --ostemplate busybox --ram 64M --iolimit 5M
	check "$1 starts" cella start "$1"
	is "$2" "$(cat "/sys/fs/cgroup$(cella show "$1" --json | jq -r .cgroup)/io.max")" \
		"$disk rbps=5242880 wbps=5242880 riops=max wiops=max"
	check "$1 stops" cella stop --fast "$1"
	check "$1 is destroyed" cella destroy "$1"
	leave_world "$1"
}

truncate -s 300M "$TEST_DIR/image"
mkfs.ext4 -q -F "$TEST_DIR/image"
mount -o loop "$TEST_DIR/image" "$world"
cleanup umount "$world"
lies_on loopy "ext4 on a loop file"

loop=$(losetup -f --show "$TEST_DIR/image")
cleanup losetup -d "$loop"
dmsetup create cella-test --table "0 $((300 * 2048)) linear $loop 0"
cleanup dmsetup remove cella-test
mount /dev/mapper/cella-test "$world"
lies_on mapped "ext4 on dm on a loop file"
dmsetup remove cella-test

mkfs.btrfs -q -f "$loop"
mount "$loop" "$world"
lies_on subvol "btrfs on a loop file"

mount -t tmpfs tmpfs "$world"
export CELLA_ROOT=$world
cella template create busybox >/dev/null
check_fails "a tmpfs has no disk" "--iolimit, --iopslimit: .* is on tmpfs, which has no block device to limit" \
	cella create none --ostemplate busybox --iolimit 5M
is "and nothing is left" "$(ls "$world/etc/cella/conf")" ""
like "--best-effort does without, and says so" "$(cella create none --ostemplate busybox --iolimit 5M --best-effort 2>&1)" "is on tmpfs"
check "it starts" cella start none
like "status says it again" "$(cella status none 2>&1 >/dev/null)" "not enforced: --iolimit.*is on tmpfs"
cella stop --fast none >/dev/null
cella destroy none >/dev/null
leave_world none
export CELLA_ROOT=$TEST_DIR/world
