#!/bin/bash
# memory goes ahead of a checkpoint: a pre-dump, a parent, a page server
# timeout: 200
# host: no
. "$(dirname "$0")/lib.sh"
needs criu jq

# 8 MiB that do not change, which dd has read and writes when tail ends, and a count that does
make_bundle b '.process.args = ["sh", "-c", "{ head -c 8388608 /dev/zero | tr \"\\\\0\" x; tail -f /dev/null; } | dd bs=16777216 iflag=fullblock of=/tmp/out 2>/dev/null & i=0; while :; do i=$((i+1)); echo $i >/tmp/count; usleep 50000; done"]
	| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
count() { cat "/proc/$(pid_of one)/root/tmp/count"; }
counts_over() { [ "$(count)" -gt "$1" ]; }
restore() { oci restore --detach --bundle b --image-path "$1" one >/dev/null 2>&1 </dev/null; }
pages() { cat "$1"/pages-*.img | wc -c; }
# the resident pages of dd, in the container's cgroup
# shellcheck disable=SC2046 # a word for each process
dd_pages() { awk '$2 == "(dd)" { print $24 }' $(sed 's|.*|/proc/&/stat|' /sys/fs/cgroup/cella-oci/one/cgroup.procs) 2>/dev/null; }
dd_has_it() { [ "$(dd_pages)" -gt 2048 ]; }

cleanup oci delete --force one
oci create --bundle b one >/dev/null 2>&1 </dev/null
oci start one
wait_for 60 dd_has_it
first=$(pid_of one)
check "pre-dump" oci checkpoint --pre-dump --image-path round one
is "it runs on" "$(pid_of one) $(status_of one)" "$first running"
check_fails "a parent that is not there" "parent-path: open directory ../none below" \
	oci checkpoint --image-path images --parent-path ../none one
check_fails "an absolute parent" "is not relative" oci checkpoint --image-path images --parent-path /round one
is "it still runs on" "$(pid_of one) $(status_of one)" "$first running"
before=$(count)
check "the checkpoint on top of it" oci checkpoint --image-path images --parent-path ../round one
check "the pre-dump has the memory" test "$(pages round)" -gt 8388608
check "the checkpoint only what changed" test "$(pages images)" -lt 4194304
check "restore from both" restore images
check "the count goes on" wait_for 30 counts_over "$before"

mkdir served
criu page-server --images-dir served --address 127.0.0.1 --port 27027 >server.log 2>&1 &
server=$!
cleanup kill $server
wait_for 30 sh -c 'ss -Hlnt sport = :27027 | grep -q .'
check "memory goes to a page server" oci checkpoint --page-server 127.0.0.1:27027 --image-path served one
wait $server || true
check "which has it" test "$(pages served)" -gt 8388608
check "restore from what it got" restore served
oci exec one killall tail
wait_for 30 sh -c '[ -s "$0/tmp/out" ]' "/proc/$(pid_of one)/root" || true
is "and its memory is whole" "$(tr -d x <"/proc/$(pid_of one)/root/tmp/out" | wc -c) $(wc -c <"/proc/$(pid_of one)/root/tmp/out")" "0 8388608"
