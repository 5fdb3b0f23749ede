#!/bin/bash
# root.path, root.readonly and linux.rootfsPropagation as the kernel's mount table shows them
. "$(dirname "$0")/lib.sh"

make_bundle b
start_bundle plain b
pid=$(pid_of plain)
is "root.path relative to the bundle is the root" "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -c %d:%i b/rootfs)"
like "it is writable" "$(mount_of "$pid" /)" '^/ [^ ]+ rw'
check "and a file lands in the bundle" oci exec plain touch /made </dev/null
check "where the host sees it" test -e b/rootfs/made
like "without rootfsPropagation no event comes back to the host" "$(mount_of "$pid" /)" '(private|master:[0-9]+,)$'
oci delete --force plain

edit_bundle b '.root.readonly = true | .root.path = $path' --arg path "$TEST_DIR/b/rootfs"
start_bundle readonly b
pid=$(pid_of readonly)
is "root.path may be absolute" "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -c %d:%i b/rootfs)"
like "root.readonly" "$(mount_of "$pid" /)" '^/ [^ ]+ ro'
output=$(oci exec readonly touch /made2 2>&1 </dev/null) || true
like "root's write fails" "$output" 'Read-only file system'
check "mounts above it stay writable" oci exec readonly touch /dev/shm/x </dev/null
oci delete --force readonly

# A root on a shared mount, so that each kind differs. Events from the host reach slave and shared; only shared sends.
mkdir top && mount -t tmpfs props-top top && cleanup umount -R "$PWD/top"
mount --make-private top && mount --make-shared top
cp -a b/rootfs top/rootfs
for kind in private rprivate slave rslave shared rshared unbindable runbindable; do
	edit_bundle b '.root = {path: $path} | .linux.rootfsPropagation = $kind' --arg kind "$kind" --arg path "$TEST_DIR/top/rootfs"
	start_bundle "$kind" b
	line=$(mount_of "$(pid_of "$kind")" /)
	case $kind in
	*private) like "rootfsPropagation $kind" "$line" 'private$' ;;
	*slave) like "rootfsPropagation $kind" "$line" 'master:' ;;
	*shared) like "rootfsPropagation $kind" "$line" 'shared:' ;;
	*unbindable) like "rootfsPropagation $kind" "$line" 'unbindable' ;;
	esac
	oci delete --force "$kind"
done
edit_bundle b '.linux.rootfsPropagation = "sideways"'
check_fails "an unknown propagation is refused" rootfsPropagation oci create --bundle b sideways </dev/null
