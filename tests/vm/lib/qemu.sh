# The QEMU command of a guest. Sourced by tests/vm/guest.
# shellcheck shell=bash disable=SC2154 # variables of config.sh

# Run a command as seen from the QEMU tree, with the image and the guests' directories bound in.
# The mount namespace is this command's own and ends with it; every step execs, so that the
# caller's $! is the command itself.
in_qemu_tree() {
	# shellcheck disable=SC2016  # expanded by the inner shell
	exec unshare -m --propagation private sh -c '
		tree=$1 image=$2 guests=$3; shift 3
		mount -t tmpfs -o mode=755 tmpfs "$tree/mnt" && mkdir "$tree/mnt/image" "$tree/mnt/guests" &&
		mount --bind "$image" "$tree/mnt/image" && mount --bind "$guests" "$tree/mnt/guests" &&
		mount --bind /dev "$tree/dev" && exec chroot "$tree" "$@"' \
		sh "$(qemu_dir)" "$(image_dir)" "$guests" "$@"
}

# KVM only where it is seen to work: on some machines /dev/kvm opens and every guest hangs.
# The probe boots the kernel without a disk and waits for the panic that then must come.
probe_kvm() {
	local dir=$1 pid

	[ -w /dev/kvm ] || return 1
	(in_qemu_tree qemu-system-x86_64 -accel kvm -cpu host -m 256 -display none -nodefaults \
		-no-reboot -serial "file:/mnt/guests/${dir##*/}/probe" -kernel /mnt/image/vmlinuz \
		-append 'console=ttyS0 panic=-1') >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 80); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
	grep -aqs 'Unable to mount root' "$dir/probe"
}

# The accelerator of this machine, probed once per boot of it. GUEST_ACCEL=icount asks for a guest
# with one CPU whose clock moves on by 1 ns per instruction, for counting (tests/bench).
accelerator() {
	local dir=$1 memo

	if [ -n "${GUEST_ACCEL:-}" ]; then
		echo "$GUEST_ACCEL"
		return
	fi
	memo=$cache/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$memo" ]; then
		rm -f "$cache"/accel-*
		if probe_kvm "$dir"; then echo kvm >"$memo"; else echo tcg >"$memo"; fi
	fi
	cat "$memo"
}

# qemu_args DIR NUMBER PORT MEM_MIB PEER ACCEL: one argument a line. The guest numbered 1 is the
# end of the cable that listens; PEER is the directory of the guest to connect to, or empty.
qemu_args() {
	local name=${1##*/} number=$2 port=$3 mem_mib=$4 peer=${5##*/} accel=$6 append cable cpus=2

	append="root=/dev/vda rw rootflags=prjquota console=ttyS0 panic=1 quiet net.ifnames=0"
	# no_timer_check: on a busy machine the emulated timer may tick too late for that test, a panic
	# without the BPF LSM, for which systemd loads a program that then sees every open of a file
	append+=" no_timer_check mitigations=off lsm=landlock,yama,apparmor fsck.mode=skip cella.guest=$number"
	append+=" systemd.machine_id=$(printf 'ce11a%027x' "$number")"
	case $accel in
	kvm) printf '%s\n' -accel kvm -cpu host ;;
	icount)
		# without erms and fsrm, as every byte of a `rep stosb` would count as an instruction
		printf '%s\n' -accel tcg,thread=single -icount shift=0,sleep=off -cpu max,-erms,-fsrm
		cpus=1
		;;
	*)
		# the emulator copies byte by byte where the kernel and libc trust string instructions
		append+=" clearcpuid=rep_good"
		# two guests share two CPUs: a second one in each is waited for more than it helps.
		# The test that needs it brings it up (second_cpu in tests/func/lib.sh).
		append+=" maxcpus=1"
		printf '%s\n' -accel tcg,thread=multi -cpu max,-erms,-fsrm
		;;
	esac
	cable=stream,id=cable,addr.type=unix
	if [ -n "$peer" ]; then
		cable+=,server=off,reconnect-ms=500,addr.path=/mnt/guests/$peer/cable
	else
		cable+=,server=on,addr.path=/mnt/guests/$name/cable
	fi
	printf '%s\n' -m "$mem_mib" -smp $cpus -display none -nodefaults -no-reboot \
		-serial "file:/mnt/guests/$name/console" \
		-kernel /mnt/image/vmlinuz -initrd /mnt/image/initrd -append "$append" \
		-drive file=/mnt/image/disk.img,if=virtio,format=raw,snapshot=on \
		-netdev "user,id=host,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
		-device virtio-net-pci,netdev=host,romfile= -netdev "$cable" \
		-device "virtio-net-pci,netdev=cable,romfile=,mac=52:54:00:ce:11:$(printf %02x "$number")" \
		-device virtio-rng-pci
}
