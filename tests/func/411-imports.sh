#!/bin/bash
# containers of LXC and Proxmox become VPSs with all of their files; what is not taken over is told; what is refused or killed leaves nothing
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"
needs strace

# notes FILE: "LINE: WHY" of what an import told as JSON
notes() { jq -r '.notTakenOver[] | .line + ": " + .why' "$1"; }
# files_of DIR: what is in it, with all that a file has but the ids' first one ($2)
files_of() {
	python3 - "$@" <<'PYTHON'
import os, struct, sys
root, base = sys.argv[1], int(sys.argv[2])
inodes = {}
def ids(name, value):
    if name == "system.posix_acl_access":
        entries = [struct.unpack_from("<HHI", value, at) for at in range(4, len(value), 8)]
        return [(tag, perm, i - base if tag in (2, 8) else "") for tag, perm, i in entries]
    if name == "security.capability":
        return value[4:20].hex(), struct.unpack_from("<I", value, 20)[0] - base if len(value) == 24 else 0
    return value.hex()
for place, dirs, files in os.walk(root):
    dirs.sort()
    for name in sorted(dirs + files):
        path = os.path.join(place, name)
        st = os.lstat(path)
        first = inodes.setdefault(st.st_ino, os.path.relpath(path, root))
        xattrs = [(x, ids(x, os.getxattr(path, x, follow_symlinks=False))) for x in sorted(os.listxattr(path, follow_symlinks=False))]
        print(os.path.relpath(path, root), oct(st.st_mode), st.st_uid - base, st.st_gid - base, st.st_mtime_ns, first, xattrs,
              os.readlink(path) if os.path.islink(path) else "")
PYTHON
}

volume ext4
cella template create busybox >/dev/null
tree=$(echo "$CELLA_ROOT"/var/lib/cella/template/tree-*)

# a container of LXC in a user namespace, whose ids begin at 100000 on disk
mkdir -p lxc/web
cp -a "$tree" lxc/web/rootfs
touch lxc/web/rootfs/etc/{shared,capable,of-33}
ln lxc/web/rootfs/etc/shared lxc/web/rootfs/etc/again
mkfifo lxc/web/rootfs/etc/fifo
python3 - <<'PYTHON'
import io, os, struct, tarfile
acl = lambda user: struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in
    [(1, 6, 0xffffffff), (2, 4, user), (4, 4, 0xffffffff), (0x10, 4, 0xffffffff), (0x20, 0, 0xffffffff)])
root = "lxc/web/rootfs"
os.chown(f"{root}/etc/of-33", 33, 65535)
for place, dirs, files in os.walk(root):
    for name in ["."] + dirs + files:
        path = os.path.join(place, name)
        st = os.lstat(path)
        if st.st_uid < 100000:
            os.lchown(path, st.st_uid + 100000, st.st_gid + 100000)
            if not os.path.islink(path):
                os.chmod(path, st.st_mode & 0o7777)
os.setxattr(f"{root}/etc/of-33", "system.posix_acl_access", acl(100005))
os.setxattr(f"{root}/etc/capable", "security.capability", struct.pack("<IIIIII", 0x3000001, 1 << 13, 0, 0, 0, 100000))
with tarfile.open("out.tar", "w") as tar:
    for name, kind, target in [("etc", tarfile.DIRTYPE, ""), ("etc/l", tarfile.SYMTYPE, "/"), ("etc/l/escaped", tarfile.REGTYPE, "")]:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        tar.addfile(entry, io.BytesIO())
PYTHON
cat >lxc/web/config <<'CONFIG'
lxc.uts.name = shop
lxc.idmap = u 0 100000 65536
lxc.net.0.type = veth
lxc.net.0.link = br9
lxc.net.0.hwaddr = 00:16:3e:11:22:33
lxc.net.0.ipv4.address = 192.0.2.9/24
lxc.cgroup2.memory.max = 96M
lxc.cap.drop = sys_module
lxc.include = /usr/share/lxc/config/common.conf
lxc.include = /etc/shadow
lxc.include = ../secret
lxc.include = more.conf
lxc.some.thing = 1
CONFIG
echo secret >lxc/secret
printf '%s\n' 'lxc.cgroup2.pids.max = 77' 'lxc.other.thing = 1' >lxc/web/more.conf
files_of lxc/web/rootfs 100000 >before
cella import lxc/web web --json >report
is "LXC: what is not taken over is told" "$(notes report)" "lxc.cap.drop = sys_module: every VPS has the capabilities of its own user namespace
lxc.include = /usr/share/lxc/config/common.conf: LXC's own settings for a distribution are not needed
lxc.include = /etc/shadow: that file is not beside the configuration and was not read: put its lines there
lxc.include = ../secret: that file is not beside the configuration and was not read: put its lines there
lxc.other.thing = 1: cella does not know it
lxc.some.thing = 1: cella does not know it"
check "its files are the same, with ids from 0" diff before <(files_of "$private_dir/web" 0)
is "its configuration" "$(vps_field web '[.hostname, .interfaces[0].bridge, .addresses[0]] | join(" ")')" "shop br9 192.0.2.9"
check "it starts" cella start web
is "as root of its own" "$(cella exec web -- stat -c '%u %g %n' /etc/of-33 /etc)" $'33 65535 /etc/of-33\n0 0 /etc'
is "with its memory, and what an included file says" "$(cat /sys/fs/cgroup/cella/web/{memory,pids}.max)" $((96 << 20))$'\n77'
cella stop --fast web >/dev/null
chown 7 lxc/web/rootfs/etc/shared
check_fails "a file of the host's in it" "lxc/web/rootfs: etc/[a-z]* belongs to an id outside 0..65535" cella -q import lxc/web/rootfs stray
check_fails "an archive that leads out" "out.tar: archive refused: .*etc/l/escaped" cella -q import out.tar out
mkdir -p private/101/root.hdd image
touch image/oci-layout
check_fails "a container image" "'cella template import'" cella -q import image image
check_fails "a ploop image" "ploop mount" cella -q import private/101 ploop

# of OpenVZ's configuration the address is another VPS's
printf '%s\n' 'VE_PRIVATE="/vz/private/$VEID"' 'KMEMSIZE="1:2"' 'IP_ADDRESS="192.0.2.9"' >101.conf
check_fails "OpenVZ" "address 192.0.2.9 belongs to VPS web" cella -q import "$tree" old --config 101.conf

# vzdump of Proxmox writes the configuration first
mkdir -p dump/etc/vzdump
cat >dump/etc/vzdump/pct.conf <<'CONFIG'
#a%20shop
arch: amd64
hostname: px
memory: 256
net0: name=eth0,bridge=br9,hwaddr=BC:24:11:00:00:01,ip=dhcp,firewall=1
rootfs: local:100/vm-100-disk-0.raw,size=48M
CONFIG
tar --zstd -cf px.tar.zst -C dump ./etc/vzdump/pct.conf -C "$tree" .

# killed as it makes its mark, the disk, its files, its name, the definition; each takes away what the one before left
for at in fsync:1 mkdirat:1 syncfs:1 syncfs:2 renameat2:1 renameat:2; do
	kill_at $at cella import px.tar.zst px --layout image --diskspace 40M
	is "killed at $at, it made no VPS" "$(cella list -1)" web
done
cella import px.tar.zst px --layout image --diskspace 40M --json >report
tidy "killed"
is "Proxmox: what is not taken over" "$(notes report | cut -d : -f 1,2)" $'arch: amd64\nnet0: firewall=1'
is "its configuration" "$(vps_field px '[.hostname, .layout, .interfaces[0].bridge, .limits.ramBytes, .disk.hardBytes] | map(tostring) | join(" ")')" \
	"px image br9 $((256 << 20)) $((40 << 20))"
is "what failed left nothing" "$(cd "$private_dir" && find . -maxdepth 1 -mindepth 1 | sort | xargs)" "./px ./web"
