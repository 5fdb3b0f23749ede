# Help for tests of disks: volumes of their own to put a world on. Sourced by tests after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh
needs mke2fs losetup python3 jq busybox

# volume ext4|ext4-plain|xfs|btrfs: a world on a volume of that kind, with quotas where it has any
volume() {
	local image=$TEST_DIR/volume.img mountpoint=$TEST_DIR/volume

	mkdir -p "$mountpoint"
	truncate -s "${2:-512M}" "$image"
	case $1 in
	ext4)
		mke2fs -q -F -t ext4 -O project,quota "$image"
		mount -o loop,prjquota "$image" "$mountpoint"
		;;
	ext4-plain)
		mke2fs -q -F -t ext4 "$image"
		mount -o loop "$image" "$mountpoint"
		;;
	xfs)
		needs mkfs.xfs
		mkfs.xfs -q "$image"
		mount -o loop,prjquota "$image" "$mountpoint"
		;;
	btrfs)
		needs mkfs.btrfs
		mkfs.btrfs -q "$image"
		mount -o loop "$image" "$mountpoint"
		btrfs quota enable "$mountpoint"
		;;
	esac
	cleanup umount "$mountpoint"
	world=$mountpoint/world
	# shellcheck source=vps.sh
	. "$func_dir/vps.sh"
}

# tenant NAME WHAT [ARGUMENT...]: disk_tenant.py as root of the VPS, through its own mounts
tenant() { python3 "$func_dir/disk_tenant.py" "$(vps_field "$1" .pid)" "${@:2}"; }

# no_loops: no loop device has a file of this test's volume
no_loops() { ! losetup -nO BACK-FILE | grep -qF "$CELLA_ROOT"; }

# fills NAME MIB [WAY...]: in eight ways of growing (or these) the VPS comes to its limit and not beyond it
fills() {
	local results way ways=("${@:3}")

	[ ${#ways[@]} -gt 0 ] || ways=(write fallocate mmap small links xattrs directories deleted)
	results=$(tenant "$1" fill $(($2 << 20)) "${ways[@]}" 2>"$TEST_DIR/fill") || true
	sed 's/^/# /' "$TEST_DIR/fill"
	for way in "${ways[@]}"; do
		like "$1: $way ends at the limit" "$results" "(^|"$'\n'")$way: (ENOSPC|EDQUOT|SIGBUS) at the limit("$'\n'"|\$)"
	done
}

# df_is_du NAME: what df shows as used, in bytes and in files, is what lies there. xfs counts what it
# has put aside for a moment as used, so it is given one.
df_is_du() {
	local used inodes

	read -r _ used _ inodes <<<"$(tenant "$1" df)"
	[ "$used $inodes" = "$(du -sB1 "$private_dir/$1" | cut -f 1) $(du -s --inodes "$private_dir/$1" | cut -f 1)" ]
}

# limited LAYOUT [WAY...]: a VPS of 64 MiB and 20,000 files whose df is right to the block, and that
# comes to its limits
limited() {
	local total inodes

	vps_start "$1" --layout "$1" --diskspace 64M --diskinodes 20000
	read -r total _ inodes _ <<<"$(tenant "$1" df)"
	is "$1: df shows the limit" "$total" $((64 << 20))
	is "$1: df -i shows the limit" "$inodes" 20000
	check "$1: df and df -i show what is used, to the block" wait_for 5 df_is_du "$1"
	fills "$1" 64 "${@:2}"
}

# kill_after MILLISECONDS COMMAND...
kill_after() {
	local pid
	"${@:2}" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf %d.%03d $(($1 / 1000)) $(($1 % 1000)))"
	kill -9 $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
}

# took COMMAND...: how many milliseconds it takes
took() {
	local began=${EPOCHREALTIME/./}
	"$@" >/dev/null
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

# moments MILLISECONDS: three, spread over a command that takes so long
moments() { seq $(($1 / 6)) $(($1 / 3)) "$1"; }

# tidy WHEN: after a command that takes the lock, nothing of a killed one is left
tidy() {
	local left

	left=$(
		find "$private_dir" to -maxdepth 1 -mindepth 1 -name '.*' 2>/dev/null
		find "$CELLA_ROOT/var/lib/cella/snapshot" -maxdepth 2 -name '~*' 2>/dev/null
		losetup -nO BACK-FILE | grep -F "$CELLA_ROOT"
	) || true
	[ -z "$left" ] || not_ok "$1: nothing is left" "$left"
}

# kill_at STEP COMMAND...: killed instead of making a call; STEP is "renameat:2" for its second one
kill_at() {
	local status=0
	strace -qq -o /dev/null -e "trace=${1%:*}" -e "inject=${1%:*}:signal=KILL:when=${1#*:}" "${@:2}" >/dev/null 2>&1 ||
		status=$?
	[ $status = 137 ] || not_ok "it comes to $1: ${*:2}" "status $status"
}

# order COMMAND...: its calls that sync and rename
order() {
	strace -qq -o "$TEST_DIR/order" -e signal=none -e trace=fsync,syncfs,renameat,renameat2 "$@" >/dev/null
	grep -v ENOENT "$TEST_DIR/order" | sed 's/(.*//' | xargs
}
