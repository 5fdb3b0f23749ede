#!/bin/bash
# what cgroup v2 cannot do is one clear line, and leaves nothing behind
# shellcheck disable=SC2016 # the variables are jq's or the container's
. "$(dirname "$0")/lib.sh"
has_controllers memory pids || skip_rest "not all controllers of cgroup v2 here"

base=/cella-test-$$
cleanup rmdir "/sys/fs/cgroup$base"
cleanup rmdir "/sys/fs/cgroup$base/busy"
mkdir -p "/sys/fs/cgroup$base/busy"
sleep 1000 &
sleeper=$!
cleanup kill $sleeper
echo $sleeper >"/sys/fs/cgroup$base/busy/cgroup.procs"

make_bundle b
create_in() { # PATH FILTER
	edit_bundle b ".linux.cgroupsPath = \$path | $2" --arg path "$1"
	oci create --bundle b refused </dev/null
}
check_fails "a cgroup with processes" "$base/busy exists and has processes" create_in "$base/busy" .
check_fails "a parent with processes" "$base/busy, which has processes itself" \
	create_in "$base/busy/child" '.linux.resources.memory.limit = 67108864'
check "and no child is left" test ! -e "/sys/fs/cgroup$base/busy/child"
is "nor a threaded tree" "$(cat "/sys/fs/cgroup$base/busy/cgroup.type")" domain
check_fails "a limit that the kernel refuses" 'cpuset.cpus' \
	create_in "$base/new/deep" '.linux.resources.cpu.cpus = "4000"'
check "takes the new parents away" test ! -e "/sys/fs/cgroup$base/new"
check_fails "a file that is not there" 'nosuch\.max' \
	create_in "$base/new" '.linux.resources |= { unified: { "nosuch.max": "1" } }'
for path in / /../escape /a/../../b "/a\nb"; do
	check_fails "path $path" 'cgroup' create_in "$(printf '%b' "$path")" '.linux.resources = {}'
done
edit_bundle b '.linux.cgroupsPath = "/a/b"'
check_fails "a path that the systemd driver does not understand" 'SLICE:PREFIX:NAME' \
	"${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" --systemd-cgroup create --bundle b refused
is "no container is left" "$(oci list -q)" ""

kill $sleeper
wait_for 5 grep -q 'populated 0' "/sys/fs/cgroup$base/busy/cgroup.events"
mkdir "/sys/fs/cgroup$base/busy/child"
echo +pids >"/sys/fs/cgroup$base/busy/cgroup.subtree_control"
check_fails "one whose children have controllers" 'controllers to its children' create_in "$base/busy" .
echo -pids >"/sys/fs/cgroup$base/busy/cgroup.subtree_control"
rmdir "/sys/fs/cgroup$base/busy/child"
edit_bundle b '.linux.cgroupsPath = $path | .linux.resources = { pids: { limit: 9 } } | .process.args = ["true"]' \
	--arg path "$base/busy"
check "an empty one is taken over" oci run --bundle b taken </dev/null
