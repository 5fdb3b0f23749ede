#!/bin/bash
# a container that manages its own cgroups, as systemd does: delegation, exec, statistics, removal
# shellcheck disable=SC2016 # the container's shell
. "$(dirname "$0")/lib.sh"
has_controllers pids memory || skip_rest "not all controllers of cgroup v2 here"

# what an init system does: itself into a child, then controllers for all children
make_bundle b '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) -= ["ro"]
	| .linux.resources.pids = { limit: 20 } | .process.args = ["sh", "-c", $init]
	| .linux.namespaces += [{ type: "user" }]
	| .linux.uidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }]
	| .linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }]' --arg init '
	cd /sys/fs/cgroup && mkdir init.scope && echo 1 >init.scope/cgroup.procs &&
	echo "+pids +memory" >cgroup.subtree_control && echo 1000 >/tmp/done; exec sleep 1000'
chown -R 200000:200000 b/rootfs
chmod 755 . b
start_bundle nest b
pid=$(pid_of nest)
check "the container makes a cgroup and enables controllers" wait_for 10 test -s b/rootfs/tmp/done
cgroup=$(dirname "$(cgroup_of "$pid")")
is "its init is in a child" "$(basename "$(cgroup_of "$pid")")" init.scope
is "the directory is its own" "$(stat -c %u "$cgroup")" 200000
is "the limits are not" "$(stat -c %u "$cgroup/pids.max")" 0
check "nor can it lift them" bash -c "! '${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' exec nest sh -c 'echo max >/sys/fs/cgroup/pids.max'"
is "exec goes where init is" "$(oci exec nest cat /proc/self/cgroup)" 0::/init.scope
oci exec nest mkdir /sys/fs/cgroup/other
is "or where it is told" "$(oci exec --cgroup other nest cat /proc/self/cgroup)" 0::/other
check_fails "not to a place that is not there" 'absent' bash -c \
	"'${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' exec --cgroup absent nest true || exit 1"
check_fails "nor out of its tree" 'cgroup|\.\.' bash -c \
	"'${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' exec --cgroup ../.. nest true || exit 1"
is "the limit is still there" "$(cat "$cgroup/pids.max")" 20
like "processes of children are counted" "$(oci events --stats nest | jq .data.pids.current)" '^[1-9]'
oci delete --force nest
check "all of it is removed" test ! -e "$cgroup"
