# Help for tests of power cuts: a volume whose writes are recorded, and what it is after a cut at any of them.
# Sourced by tests after disk.sh. What a cut is: see cuts.py.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh
needs dmsetup mke2fs losetup python3
modprobe dm-log-writes 2>/dev/null || skip_rest "this kernel has no dm-log-writes"
cuts_dir=$TEST_DIR/cuts # in memory
cuts_volume=$TEST_DIR/volume

# shellcheck disable=SC2317 # called at the end
cuts_cleanup() {
	cuts_end
	umount "$CELLA_ROOT/run"
	umount "$cuts_volume"
	cuts_unlog
	losetup -D
	wait_for 30 umount "$cuts_dir"
}

# cuts_end: no more cuts
cuts_end() {
	[ -n "${cuts_next:-}" ] || return 0
	exec {cuts_next}>&-
	cuts_next=
	wait "$cuts_player"
}

cuts_unlog() { dmsetup remove --retry --noudevsync cella-cuts; }

# cuts_make ext4|xfs: a world on a volume, not yet recorded
cuts_make() {
	mkdir -p "$cuts_dir" "$cuts_volume"
	mount -t tmpfs -o size=1800M none "$cuts_dir"
	cleanup cuts_cleanup
	truncate -s 400M "$cuts_dir"/{device,log,image}
	case $1 in
	ext4) mke2fs -q -F -t ext4 -O project,quota -E lazy_itable_init=0 "$cuts_dir/device" ;;
	xfs) mkfs.xfs -q "$cuts_dir/device" ;;
	esac
	mount -o loop,prjquota "$cuts_dir/device" "$cuts_volume"
	world=$cuts_volume/world
	# shellcheck source=vps.sh
	. "$func_dir/vps.sh"
}

# cuts_begin: from here on writes are recorded. What a host forgets when it is switched off is not on the volume.
cuts_begin() {
	local device log

	rm -rf "$CELLA_ROOT/run"
	mkdir "$CELLA_ROOT/run"
	umount "$cuts_volume"
	cp --sparse=always "$cuts_dir/device" "$cuts_dir/before"
	device=$(losetup -f --show "$cuts_dir/device")
	log=$(losetup -f --show "$cuts_dir/log")
	dmsetup create --noudevsync cella-cuts --table "0 $(blockdev --getsz "$device") log-writes $device $log"
	dmsetup mknodes cella-cuts
	mount -o prjquota /dev/mapper/cella-cuts "$cuts_volume"
	mount -t tmpfs none "$CELLA_ROOT/run"
}

# cuts_mark begin|end COMMAND
cuts_mark() { dmsetup message cella-cuts 0 mark "$1:$2"; }

# cuts_stop: nothing more is recorded
cuts_stop() {
	umount "$CELLA_ROOT/run" "$cuts_volume"
	cuts_unlog
	losetup -D
}

# cuts_each COUNT SEED FUNCTION: "FUNCTION COMMAND during|after WHERE" for COUNT cuts of each command and one at its end,
# with the volume mounted as it is then
cuts_each() {
	local command phase where image cut

	image=$(losetup -f --show "$cuts_dir/image")
	mkfifo "$TEST_DIR/cut" "$TEST_DIR/next"
	python3 -SE "$func_dir/cuts.py" "$cuts_dir"/{log,before,image} "$1" "$2" <"$TEST_DIR/next" >"$TEST_DIR/cut" &
	cuts_player=$!
	exec {cuts_next}>"$TEST_DIR/next" {cut}<"$TEST_DIR/cut"
	while read -r -u "$cut" command phase where; do
		if mount -o prjquota "$image" "$cuts_volume"; then
			"$3" "$command" "$phase" "cut $phase $command ($where)"
			wait_for 30 umount "$cuts_volume" || not_ok "cut $phase $command ($where): nobody holds it" "$(fuser -vm "$cuts_volume" 2>&1)"
		else
			not_ok "cut $phase $command ($where): there is a file system"
		fi
		echo >&"$cuts_next"
	done
	exec {cut}<&-
	cuts_end
}
