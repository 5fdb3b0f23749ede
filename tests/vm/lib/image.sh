# Builds the guest's disk image and the QEMU tree. Sourced by tests/vm/guest.
# Everything is made in a temporary directory of the cache and renamed when complete, so an
# interrupted build leaves no half image; a lock lets the second of two runs wait for the first.
# shellcheck shell=bash disable=SC2154 # variables of config.sh
disk_bytes=16G

# mmdebstrap in a mount namespace of its own: the host's mounts are never touched.
debian() {
	unshare -m mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$@"
}

# QEMU of Debian 13: the one of Debian 12 corrupts recent guests under emulation on several CPUs.
build_qemu() {
	debian --include=qemu-system-x86 trixie "$2"
}

# What the guest carries for tests: roots for templates and images for podman and containerd.
build_payload() {
	local srv=$1 work=$2

	debian --include="$(packages "$here/image/vps-packages")" trixie "$work/debian.tar"
	zstd -q -3 -T0 "$work/debian.tar" -o "$srv/debian-13.tar.zst"
	"$here/image/oci-archive" "$work/debian.tar" localhost/debian-systemd:test /sbin/init \
		>"$srv/debian-systemd.oci.tar"

	mkdir -p "$work/bb"/{bin,etc,proc,sys,dev,tmp,root,run,var}
	cp "$work/busybox" "$work/bb/bin/busybox"
	for applet in $("$work/bb/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$work/bb/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh 'daemon:x:1:1:daemon:/:/bin/false' \
		'user:x:1000:1000:user:/:/bin/sh' >"$work/bb/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: user:x:1000: wheel:x:10:root,user >"$work/bb/etc/group"
	tar -C "$work/bb" --owner=0 --group=0 -cf "$srv/busybox.tar" .
	"$here/image/oci-archive" "$srv/busybox.tar" localhost/busybox:test /bin/sh >"$srv/busybox.oci.tar"
}

# podman_images ROOT: its podman has the images before a test asks, as an emulated CPU takes minutes to load them.
# podman wants a file system that overlays can be made of, which the one of the cache need not be. It is a help
# only: podman.sh loads what is not there.
podman_images() {
	# shellcheck disable=SC2016  # expanded by the inner shell
	unshare -m --propagation private sh -ec '
		mount --bind "$1" "$1" # podman wants its root to be a mount
		cd "$1"
		kept=var/lib/containers
		mkdir -p $kept
		mount -t proc proc proc
		mount --rbind /dev dev
		mount --rbind /sys sys
		mount --bind $kept mnt
		mount -t tmpfs tmpfs $kept
		mount -t tmpfs tmpfs run
		for image in busybox debian-systemd; do chroot . podman load -q -i /srv/$image.oci.tar; done
		rm -f $kept/storage/db.sql # the machine that made it is not the one that asks
		cp -a $kept/. mnt/' sh "$1" || echo "podman did not load its images"
}

build_disk() {
	local work=$1 out=$2

	mkdir "$out"
	ssh-keygen -q -t ed25519 -N '' -C cella-test -f "$out/key"
	debian --include="$(packages "$here/image/packages")" --dpkgopt=force-confold \
		--setup-hook="cp -a '$here/image/files/.' \"\$1\"" \
		--customize-hook="$here/image/setup" trixie "$work/root"
	install -D -m 600 "$out/key.pub" "$work/root/root/.ssh/authorized_keys"
	install -D -m 600 "$out/key" "$work/root/root/.ssh/id_ed25519"
	cp "$work"/root/boot/vmlinuz-* "$out/vmlinuz"
	cp "$work"/root/boot/initrd.img-* "$out/initrd"
	cp "$work/root/bin/busybox" "$work/busybox"
	build_payload "$work/root/srv" "$work"
	podman_images "$work/root"
	# project quotas are a feature of the file system from its birth
	mke2fs -q -F -t ext4 -O quota,project -E quotatype=usrquota:grpquota:prjquota,lazy_itable_init=1 \
		-d "$work/root" "$out/disk.img" "$disk_bytes"
}

# make_once DIR FUNCTION: run FUNCTION WORK OUT unless DIR exists; OUT becomes DIR at the end.
make_once() {
	local dir=$1 work=$1.tmp started=$SECONDS
	shift

	[ -d "$dir" ] && return
	rm -rf "$work"
	mkdir -p "$work"
	# in the background, as "if function" would make the function go on after a failed command
	"$@" "$work" "$work/out" >"$work/log" 2>&1 &
	if ! wait $!; then
		tail -n 20 "$work/log" >&2
		die "building ${dir##*/} failed; its log is $work/log"
	fi
	mv "$work/out" "$dir"
	rm -rf "$work"
	say "made ${dir##*/} in $((SECONDS - started)) s"
}

# Keep this recipe's image and the last other one, and whatever a running guest holds.
drop_old_images() {
	local dir
	find "$cache" -maxdepth 1 -name 'image-*' ! -name '*.tmp' ! -path "$(image_dir)" -printf '%T@ %p\n' |
		sort -rn | tail -n +3 | while read -r _ dir; do
		if flock -xn "$dir" rm -rf "$dir"; then say "removed ${dir##*/}"; fi
	done
}

build_all() {
	local image qemu qemu_job=
	image=$(image_dir) qemu=$(qemu_dir)

	command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: make deps"
	[ "$(id -u)" = 0 ] || die "building and booting guests needs root"
	mkdir -p "$cache" "$guests"
	exec 8>"$cache/lock"
	flock -n 8 || { say "waiting for another build of the test guest" && flock 8; }
	if [ ! -d "$image" ] || [ ! -d "$qemu" ]; then
		say "building the test guest (a minute or two, once; kept in $cache)"
	fi
	make_once "$qemu" build_qemu &
	qemu_job=$!
	make_once "$image" build_disk
	wait $qemu_job || die "no QEMU"
	touch "$image"
	drop_old_images
	exec 8>&-
}
