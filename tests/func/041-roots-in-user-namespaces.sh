#!/bin/bash
# roots and volumes with a user namespace: unreachable bundles, idmapped mounts, host files by descriptor
# timeout: 240
. "$(dirname "$0")/lib.sh"

user_ns='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]'
mkdir volume
echo hello >volume/file
chown 1234:1235 volume/file
data() { printf '.mounts += [{destination: "/data", source: "%s/volume", options: [%s]%s}]' "$TEST_DIR" "$1" "${2:-}"; }

make_bundle run
chown -R 300000:300000 run/rootfs
chmod 700 run "$TEST_DIR"
cleanup chmod 755 "$TEST_DIR"
is "a bundle that only the host's root may enter" "$(run_bundle "$user_ns" 'id -u; cat /proc/self/uid_map | tr -s " "; stat -c %u /bin /dev')" \
	$'0\n 0 300000 65536\n0\n0'
is "and a volume in it" "$(run_bundle "$user_ns | $(data '"bind", "ro"')" 'cat /data/file; stat -c %u /data/file')" $'hello\n65534'
is "the usual mounts are all new" "$(run_bundle "$user_ns" "awk '{ print \$5, \$(NF - 2) }' /proc/self/mountinfo | grep -E '^/(proc|sys|dev|dev/pts|dev/mqueue|sys/fs/cgroup) ' | sort")" \
	$'/dev tmpfs\n/dev/mqueue mqueue\n/dev/pts devpts\n/proc proc\n/sys sysfs\n/sys/fs/cgroup cgroup2'
is "the default devices are the host's nodes" "$(run_bundle "$user_ns" 'cd /dev; stat -c "%n %t:%T" null tty; echo x >null && echo written')" \
	$'null 1:3\ntty 5:0\nwritten'
like "a device may not be made" "$(run_bundle "$user_ns | .process.capabilities |= map_values(. + [\"CAP_MKNOD\"])" 'mknod /x c 1 3' 2>&1 || true)" 'not permitted'
is "masks hold" "$(run_bundle "$user_ns" 'wc -c </proc/kcore; ls /sys/firmware | wc -l')" $'0\n0'

# --- idmapped mounts -----------------------------------------------------------------------------
is "idmap with the container's ids" "$(run_bundle "$user_ns | $(data '"bind", "idmap"')" 'stat -c %u:%g /data/file')" 1234:1235
own=', uidMappings: [{containerID: 1234, hostID: 300007, size: 1}], gidMappings: [{containerID: 1235, hostID: 300008, size: 1}]'
is "idmap with own ids" "$(run_bundle "$user_ns | $(data '"bind", "idmap"' "$own")" 'stat -c %u:%g /data/file')" 7:8
is "ridmap reaches what is below" "$(
	mkdir -p volume/below
	mount -t tmpfs below volume/below
	cleanup umount "$TEST_DIR/volume/below"
	chown 1234:1235 volume/below
	run_bundle "$user_ns | $(data '"rbind", "ridmap"' "$own")" 'stat -c %u:%g /data/below'
	umount volume/below
)" 7:8
is "a file made there belongs to the id on the disk" "$(
	chmod 777 volume
	run_bundle "$user_ns | $(data '"bind", "idmap"')" 'touch /data/new'
	stat -c %u volume/new
)" 0

# --- without an own network namespace sysfs cannot be new -----------------------------------------
is "the host's sysfs, read-only with all below" "$(run_bundle "$user_ns | .linux.namespaces |= map(select(.type != \"network\"))" \
	"awk '\$5 ~ \"^/sys\" && \$6 ~ /^rw/ { print \$5 }' /proc/self/mountinfo; ls /sys/class | grep -c net")" 1

# --- a link in a hostile root stays as harmless ------------------------------------------------------
ln -s / run/rootfs/up
is "a volume below a link to / stays inside" "$(run_bundle "$user_ns | .mounts += [{destination: \"/up/etc/vol\", source: \"$TEST_DIR/volume\", options: [\"bind\"]}]" \
	'cat /etc/vol/file')" hello
check "nothing on the host" test ! -e /etc/vol
