#!/bin/bash
# mounts, devices, sysctls and handles of a container with every capability do not reach the host
# timeout: 180
. "$(dirname "$0")/lib.sh"

all=$(jq -nc '[range(0; 41)]' >/dev/null; "${CELLA_OCI:-cella-oci}" features | jq -c .linux.capabilities)
make_bundle b '.process.capabilities |= with_entries(.value = $all) | .process.noNewPrivileges = false' --argjson all "$all"
mkdir -p arriving && before=$(wc -l </proc/self/mountinfo)
start_bundle loose b
is "a mount made inside" "$(oci exec loose sh -c 'mount -t tmpfs x /tmp && grep -c " /tmp " /proc/self/mountinfo' </dev/null)" 1
is "does not show on the host" "$(wc -l </proc/self/mountinfo)" "$before"
mount -t tmpfs arriving arriving && cleanup umount arriving
is "nor one of the host inside" "$(grep -c arriving "/proc/$(pid_of loose)/mountinfo" || true)" 0
umount arriving
oci delete --force loose

# --- the root itself ----------------------------------------------------------------------------------
mkdir victim linked
ln -s "$TEST_DIR/b/rootfs" linked/rootfs && cp b/config.json linked/
check_fails "a link as the root is refused" 'rootfs' oci create --bundle linked loose </dev/null

# --- a terminal on an image's /dev: CVE-2025-52565 -----------------------------------------------------
needs python3
touch victim/console
edit_bundle b '.mounts |= map(select(.destination != "/dev")) | .process.terminal = true'
rm -rf b/rootfs/dev && mkdir -p b/rootfs/dev/pts b/rootfs/dev/shm b/rootfs/dev/mqueue
ln -s "$TEST_DIR/victim/console" b/rootfs/dev/console
python3 -c 'import socket
s = socket.socket(socket.AF_UNIX); s.bind("tty.sock"); s.listen(); open("tty.ready", "w"); c, _ = s.accept(); c.recv(10)
import time; time.sleep(1000)' &
cleanup kill $!
wait_for 20 test -e tty.ready
cleanup oci delete --force loose
oci create --bundle b --console-socket tty.sock loose >tty.out 2>&1 </dev/null || true
is "a link as /dev/console leads to no mount outside" "$(grep -c "$TEST_DIR/victim" /proc/self/mountinfo || true)" 0
is "nor to a change" "$(stat -c '%F %s' victim/console)" "regular empty file 0"
oci delete --force loose
rm -rf b/rootfs/dev && mkdir b/rootfs/dev

# --- sysctls that lead elsewhere: CVE-2025-52881 ------------------------------------------------------------
core=$(cat /proc/sys/kernel/core_pattern)
for name in net/../kernel/core_pattern net.ipv4/../../kernel/core_pattern net....kernel.core_pattern kernel.core_pattern /proc/sys/kernel/core_pattern net.. ''; do
	make_bundle b '.linux.sysctl = {($name): "|/evil"}' --arg name "$name"
	check_fails "sysctl '$name'" 'sysctl' oci create --bundle b loose </dev/null
done
is "the host's value stays" "$(cat /proc/sys/kernel/core_pattern)" "$core"

# --- file handles: open_by_handle_at(2) wants CAP_DAC_READ_SEARCH of the initial user namespace --------------
make_bundle b '.process.capabilities |= with_entries(.value = $all) | .linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
	| .process.args = ["/usr/bin/python3", "/handle.py"]' --argjson all "$all"
cat >b/rootfs/handle.py <<'PY'
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(b"\x80\0\0\0" + b"\0" * 132)
mount = ctypes.c_int()
made = libc.name_to_handle_at(-100, b"/handle.py", handle, ctypes.byref(mount), 0)
opened = libc.open_by_handle_at(os.open("/", os.O_RDONLY), handle, os.O_RDONLY)
print(made, errno.errorcode[ctypes.get_errno()] if opened < 0 else "opened")
PY
chown -R 100000:100000 b/rootfs && chmod 755 . b
with_python b
is "open_by_handle_at in a user namespace" "$(oci run --bundle b handle 2>&1 </dev/null)" "0 EPERM"
