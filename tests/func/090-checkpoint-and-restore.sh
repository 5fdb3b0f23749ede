#!/bin/bash
# a container goes into images and comes back with its memory, its mounts and its place
# timeout: 200
# host: no
. "$(dirname "$0")/lib.sh"
needs criu jq

# counts in memory, says so, and shows the count in a file; ends when told to
mkdir data
echo bound >data/word
make_bundle b '.process.args = ["sh", "-c", "i=0; while [ ! -e /data/end ]; do i=$((i+1)); echo $i >/tmp/count; echo at $i; usleep 50000; done; exit 7"]
	| .linux.resources.pids.limit = 77
	| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"},
		{destination: "/data", type: "bind", source: $dir, options: ["rbind", "rprivate"]}]' --arg dir "$TEST_DIR/data"
count() { cat "/proc/$(pid_of one)/root/tmp/count"; }
counts_over() { [ "$(count)" -gt "$1" ]; }
# what it says goes into a pipe, as with any caller: CRIU takes no files of the host
start() { oci create --bundle b one > >(exec cat >said 2>&1) 2>&1 </dev/null && oci start one; }
# restore [OPTION...]
# shellcheck disable=SC2120 # once without
restore() { oci restore --bundle b --image-path images2 "$@" one > >(exec cat >said.again 2>&1) 2>&1 </dev/null; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }

cleanup oci delete --force one
start
wait_for 30 counts_over 3
first=$(pid_of one)

check "checkpoint --leave-running" oci checkpoint --image-path images --work-path work --leave-running one
is "it runs on as the same process" "$(pid_of one) $(status_of one)" "$first running"
check "and counts on" wait_for 30 counts_over "$(count)"
is "images and log lie where they were asked for" \
	"$(ls images/inventory.img images/descriptors.json work/dump.log)" $'images/descriptors.json\nimages/inventory.img\nwork/dump.log'

oci pause one
before=$(count)
check "checkpoint, of a paused one" oci checkpoint --image-path images2 one
check_fails "it is gone then" "does not exist" oci state one
check "and its control group" test ! -e /sys/fs/cgroup/cella-oci/one

check "restore --detach" restore --detach --pid-file pid
again=$(pid_of one)
is "state and pid file know the new process" "$(status_of one) $(cat pid)" "running $again"
check "what it says comes to the new descriptors" wait_for 30 grep -q '^at ' said.again
is "the count goes on from where it was" "$((10#$(sed -n '1s/at //p' said.again) - before < 3))" 1
is "it is in the container's control group" "$(cgroup_of "$again")" /cella-oci/one
is "with the limits" "$(cat /sys/fs/cgroup/cella-oci/one/pids.max)" 77
is "the bind mount is there" "$(oci exec one cat /data/word)" bound
is "a masked file is masked" "$(oci exec one stat -c '%t %T' /proc/kcore)" "1 3"
is "a masked directory is empty" "$(oci exec one ls /proc/acpi /sys/firmware 2>/dev/null | grep -v : | tr -d '\n')" ""
is "exec sees the same clock" "$(oci exec one readlink /proc/self/ns/time)" "$(readlink "/proc/$again/ns/time")"
is "nothing of the work is left beside the state" "$(ls "$OCI_ROOT/one")" $'config.json\nstate.json'
is "and no mount on the host" "$(grep -c criu-root /proc/self/mountinfo)" 0
check_fails "a name that is taken" "exists already" oci restore --bundle b --image-path images2 one
is "and that one runs on" "$(pid_of one) $(status_of one)" "$again running"
mkdir bin
ln -s "$(command -v "${CELLA_OCI:-cella-oci}")" bin/cella-oci
check_fails "without criu" "there is no criu on this host: install the package criu" \
	env PATH="$TEST_DIR/bin" cella-oci --root "$OCI_ROOT" checkpoint --image-path images4 one
oci delete --force one

# in the foreground the status is the container's, and it is deleted at its end
touch data/end
# shellcheck disable=SC2119
restore && status=0 || status=$?
is "restore in the foreground gives the status" "$status" 7
check_fails "and deletes it" "does not exist" oci state one

# --- input ---
check_fails "images that are none" "data has no inventory.img" oci restore --bundle b --image-path data one
check_fails "no directory of images" "image-path: open directory none: No such file" oci restore --bundle b --image-path none one
check_fails "no container" "'one' does not exist" oci checkpoint --image-path images4 one
check_fails "--lazy-pages" "use --pre-dump" oci checkpoint --lazy-pages --image-path images4 one
check_fails "--empty-ns" "'uts' cannot be left empty" oci checkpoint --empty-ns uts --image-path images4 one
check_fails "--page-server" "'here' is not ADDRESS:PORT" oci checkpoint --page-server here --image-path images4 one
check "and nothing was made" test ! -e images4
cp -r images2 cut
: >cut/inventory.img
check_fails "broken images" "see cut/restore.log: criu: " oci restore --bundle b --image-path cut one
is "leave no container" "$(oci list -q)" ""
