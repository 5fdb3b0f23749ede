# The runtime with named failure points, and configurations that go through every row of the step
# tables. Sourced by the tests that fail each step.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh
faulty=${CELLA_FAULTY:-/srv/cella/faulty/cella-oci}
[ -x "$faulty" ] || skip_rest "no runtime with failure points (make faults)"

# Rows that only hardware or a manager of its own can reach are not in these: resctrl.
make_fault_bundle() {
	make_bundle "$1" '.hostname = "faulty"
		| .process.oomScoreAdj = 100
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}
		| .linux.resources.memory.limit = 67108864
		| .linux.resources.pids.limit = 50
		| .linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .hooks = {"createRuntime": [{"path": "/bin/true"}], "createContainer": [{"path": "/bin/true"}],
			"startContainer": [{"path": "/bin/true"}]}'
	chown -R 100000:100000 "$1/rootfs"
}

# fault_rows BUNDLE: the rows that creating it goes through, one a line
fault_rows() {
	# to a file: the waiting init would keep a pipe open
	# shellcheck disable=SC2094
	CELLA_FAIL=list "$faulty" --root "$OCI_ROOT" create --bundle "$1" rows >rows 2>&1 </dev/null
	grep -E '^(host|init):' rows | sort -u
	"$faulty" --root "$OCI_ROOT" delete --force rows
}

# nothing_left ID: what it is that is left of it, if anything
nothing_left() {
	local left=''

	[ ! -e "$OCI_ROOT/$1" ] || left+=" state"
	[ ! -e "/sys/fs/cgroup/cella-oci/$1" ] || left+=" cgroup"
	! pgrep '^cella:' >/dev/null || left+=" process"
	[ -z "$left" ] || { echo "left:$left" && return 1; }
}
