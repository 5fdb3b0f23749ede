#!/bin/bash
# --features nesting:on: podman inside a VPS makes containers with user namespaces of their own (207 has what others lack)
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq podman crun

# The VPS's template is this machine's own root: what it has, the VPS has.
vps_make none # and the template
template_dir=$CELLA_ROOT/var/lib/cella/template
digest=$(printf 'a%.0s' {1..64})
jq --arg digest "$digest" '.digest = $digest' "$template_dir/busybox.json" >"$template_dir/this.json"
mkdir "$template_dir/tree-sha256-$digest"
mount --bind -o ro / "$template_dir/tree-sha256-$digest"
cleanup umount "$template_dir/tree-sha256-$digest"

cella create one --ostemplate this --layout overlay --ram 512M --features nesting:on >/dev/null
upper=$private_dir/one/upper
mkdir -p "$upper"/usr/sbin "$upper"/etc "$upper"/nested/{bin,dev,etc,proc,run,sys,tmp}
ln -sfn ../bin/busybox "$upper/usr/sbin/init"
echo '::sysinit:mount -t tmpfs tmpfs /var/lib/containers' >"$upper/etc/inittab"
# the container's root, so that podman has no image to unpack
cp "$(command -v busybox)" "$upper/nested/bin/busybox"
touch "$upper"/nested/etc/{hosts,hostname,resolv.conf} "$upper/nested/run/.containerenv"
cella start one >/dev/null

is "a user namespace inside has a proc and a sysfs of its own" \
	"$(cella exec one -- sh -c 'for type in proc sysfs; do unshare -Urpfmni mount -t $type none /mnt; done' 2>&1)" ""
like "podman with a user namespace" \
	"$(cella exec one -- podman run -q --network none --uidmap 0:1000:2000 --rootfs /nested /bin/busybox cat /proc/self/uid_map 2>&1)" '^ +0 +1000 +2000$'
check_fails "a change waits for a restart" "--features: .*--at-restart" cella set one --features nesting:off
check "devices open, no others" cella exec one -- sh -ec ': <>/dev/fuse; : <>/dev/net/tun; ! mknod /tmp/kmsg c 1 11 2>/dev/null'
like "check-config tells of OpenVZ's" "$(echo 'FEATURES="nfs:on nesting:off"' >>"$conf_dir/none.conf"; cella check-config none)" "FEATURES: nfs is kept, without effect"
for bad in nesting nesting:on,,x:on nosuch:on; do
	check_fails "--features $bad" "--features: '.*' is not NAME:on or NAME:off" cella set none --features "$bad"
done
