#!/bin/bash
# mounts of config.json: binds, flags, propagation, tmpfs, overlay, remounts, devices; judged inside and on the host
# timeout: 300
. "$(dirname "$0")/lib.sh"

mkdir -p source/sub layer1 layer2
echo hello >source/file
echo one >layer1/one
echo two >layer2/two

# mounted FILTER COMMAND: like run_bundle; FILTER lists the mounts to add
mounted() { run_bundle ".mounts += [$1]" "$2" 2>&1 </dev/null || true; }
bind() { printf '{destination: "%s", type: "bind", source: "%s", options: [%s]}' "$1" "$TEST_DIR/source" "$2"; }
options_of="awk -v at=%s '\$5 == at { print \$6 }' /proc/self/mountinfo"
# shellcheck disable=SC2059 # the format is ours
flags_of() { printf "$options_of" "$1"; }

# --- binds ---------------------------------------------------------------------------------------
is "a file of a volume is read" "$(mounted "$(bind /data '"bind"')" 'cat /data/file')" hello
like "ro refuses a write" "$(mounted "$(bind /data '"bind", "ro"')" 'echo x >/data/file')" 'Read-only'
like "flags reach the mount" \
	"$(mounted "$(bind /data '"rbind", "ro", "nosuid", "nodev", "noexec"')" "$(flags_of /data)")" '^ro,nosuid,nodev,noexec'
is "missing directories of the destination are made" "$(mounted "$(bind /a/b/c '"bind"')" 'cat /a/b/c/file')" hello
is "a file is bound on a file that is made" \
	"$(mounted "{destination: \"/etc/x/y\", source: \"$TEST_DIR/source/file\", options: [\"bind\"]}" 'cat /etc/x/y')" hello
is "the host's file system is as before" "$(cat source/file)" hello
ln -sf nowhere/there run/rootfs/dangling
is "a dangling link of the image gets its target, inside" \
	"$(mounted "{destination: \"/dangling\", source: \"$TEST_DIR/source/file\", options: [\"bind\"]}" 'cat /nowhere/there')" hello
rm run/rootfs/dangling

# --- what is mounted below -----------------------------------------------------------------------
mount -t tmpfs below source/sub
cleanup umount source/sub
like "ro is for the top only" "$(mounted "$(bind /data '"rbind", "ro"')" "$(flags_of /data/sub)")" '^rw'
like "rro is for all" "$(mounted "$(bind /data '"rbind", "rro"')" "$(flags_of /data/sub)")" '^ro'
is "bind leaves it out" "$(mounted "$(bind /data '"bind"')" 'grep -c " /data/sub " /proc/self/mountinfo || true')" 0

# --- propagation -----------------------------------------------------------------------------------
like "rslave has a master" "$(mounted "$(bind /data '"rbind", "rslave"')" 'grep " /data/sub " /proc/self/mountinfo')" 'master:'
unlike "rprivate has none" "$(mounted "$(bind /data '"rbind", "rprivate"')" 'grep " /data/sub " /proc/self/mountinfo')" 'master:|shared:'
mount --make-shared source/sub
make_bundle shared '.linux.rootfsPropagation = "rshared" | .mounts += [{destination: "/data", source: $source, options: ["rbind", "rshared"]}]
	| .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .process.args = ["sh", "-c", "mkdir /data/sub/in && mount -t tmpfs in /data/sub/in && sleep 1000"]' \
	--arg source "$TEST_DIR/source"
before=$(wc -l </proc/self/mountinfo)
start_bundle shared shared
check "a mount on a shared volume reaches the host" wait_for 10 grep -q " $TEST_DIR/source/sub/in " /proc/self/mountinfo
is "and no other does" "$(wc -l </proc/self/mountinfo)" $((before + 1))
oci delete --force shared
umount source/sub/in

# --- file systems -----------------------------------------------------------------------------------
is "tmpfs has the size" "$(mounted '{destination: "/t", type: "tmpfs", source: "t", options: ["size=64k"]}' "df -k /t | awk 'END { print \$2 }'")" 64
mkdir -p run/rootfs/copied/d
echo old >run/rootfs/copied/d/f
chmod 711 run/rootfs/copied
is "tmpcopyup starts with what was there" \
	"$(mounted '{destination: "/copied", type: "tmpfs", source: "t", options: ["tmpcopyup"]}' 'cat /copied/d/f; stat -c %a /copied; echo new >/copied/d/f')" $'old\n711'
is "and leaves that alone" "$(cat run/rootfs/copied/d/f)" old
like "a read-only tmpfs can have mounts in it" \
	"$(mounted "{destination: \"/run\", type: \"tmpfs\", source: \"t\", options: [\"ro\"]}, $(bind /run/data '"bind"')" 'cat /run/data/file; touch /run/x')" \
	'^hello.*Read-only'
is "overlay takes its layers" \
	"$(mounted "{destination: \"/o\", type: \"overlay\", source: \"o\", options: [\"lowerdir=$TEST_DIR/layer1:$TEST_DIR/layer2\"]}" 'cat /o/one /o/two')" $'one\ntwo'
like "remount changes what is there" \
	"$(mounted "$(bind /data '"bind"'), {destination: \"/data\", source: \"none\", options: [\"bind\", \"remount\", \"ro\", \"noexec\"]}" "$(flags_of /data)")" '^ro,.*noexec'
like "the root is read-only when asked" "$(run_bundle '.root.readonly = true' 'touch /x; touch /dev/x && echo dev' 2>&1)" 'Read-only.*dev'

# --- devices ------------------------------------------------------------------------------------------
device='.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 416, uid: 3, gid: 4}, {path: "/var/fifo", type: "p", fileMode: 384}]
	| .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]'
is "devices have number, mode and owner" "$(run_bundle "$device" 'stat -c "%t:%T %a %u %g %F" /dev/mine /var/fifo')" \
	$'1:5 640 3 4 character special file\n0:0 600 0 0 fifo'
is "the default ones are there" "$(run_bundle . 'cd /dev; stat -c "%n %t:%T %a" null zero full random urandom tty')" \
	$'null 1:3 666\nzero 1:5 666\nfull 1:7 666\nrandom 1:8 666\nurandom 1:9 666\ntty 5:0 666'
is "and the links" "$(run_bundle . 'cd /dev; for i in fd stdin stdout stderr ptmx; do readlink $i; done')" \
	$'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx'

# --- refusals leave nothing -------------------------------------------------------------------------------
refused() { # DESCRIPTION REGEX MOUNT
	make_bundle b ".mounts += [$3]"
	check_fails "$1" "$2" oci create --bundle b bad </dev/null
	check "$1: nothing is left" test ! -e "$OCI_ROOT/bad"
}
refused "a missing source" /no/such "{destination: \"/x\", source: \"/no/such\", options: [\"bind\"]}"
refused "file system options of a bind" size=1 "$(bind /x '"bind", "size=1"')"
refused "a file on a directory" /etc "{destination: \"/etc\", source: \"$TEST_DIR/source/file\", options: [\"bind\"]}"
refused "a volume over a part of /proc" procfs "$(bind /proc/sys '"bind"')"
refused "tmpfs on /proc" /proc '{destination: "/proc", type: "tmpfs", source: "t"}'
refused "an unknown file system" nosuchfs '{destination: "/x", type: "nosuchfs", source: "x"}'
refused "a wrong option" nonsense '{destination: "/x", type: "tmpfs", source: "x", options: ["nonsense=1"]}'
refused "idmap without a user namespace" 'user namespace|mappings' "$(bind /x '"bind", "idmap"')"
