#!/bin/bash
# a container with user and time namespaces goes into images and comes back with its ids and devices
# timeout: 200
# host: no
. "$(dirname "$0")/lib.sh"
needs criu jq

make_bundle b '.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/tmp/count; usleep 50000; done"]
	| .linux.namespaces += [{type: "user"}, {type: "time"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .linux.gidMappings = .linux.uidMappings
	| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
chown -R 300000:300000 b/rootfs
count() { cat "/proc/$(pid_of one)/root/tmp/count"; }
counts_over() { [ "$(count)" -gt "$1" ]; }
restore() { oci restore --detach --bundle "$1" --image-path images one 2>&1 >/dev/null </dev/null | cat; return "${PIPESTATUS[0]}"; }

cleanup oci delete --force one
oci create --bundle b one >/dev/null 2>&1 </dev/null
oci start one
wait_for 30 counts_over 3
check_fails "a round before" "--pre-dump: a container with a user namespace is checkpointed in one round" \
	oci checkpoint --pre-dump --image-path images one
oci exec one sleep 1000 </dev/null >/dev/null 2>&1 &
wait_for 20 oci exec one pidof sleep >/dev/null
check_fails "who came in by exec is named" "process [0-9]+ .sleep. was started from outside .* end it first" \
	oci checkpoint --image-path images one
oci exec one sh -c 'kill $(pidof sleep)'
wait || : # of a signal
before=$(count)
check "checkpoint" oci checkpoint --image-path images one

cp -r b other
edit_bundle other '.linux.uidMappings[0].size = 65535'
check_fails "a bundle with other ids" "uidMappings: they are not those of the checkpoint" restore other
is "leaves no container" "$(oci list -q)" ""

check "restore" restore b
pid=$(pid_of one)
check "it counts on" wait_for 30 counts_over "$before"
is "the count went on from where it was" "$(($(count) - before < 1000))" 1
is "it has its ids" "$(tr -s ' ' <"/proc/$pid/uid_map") $(stat -c %u "/proc/$pid/root/tmp/count")" " 0 300000 65536 300000"
check "a clock of its own" test "$(readlink "/proc/$pid/ns/time")" != "$(readlink /proc/self/ns/time)"
is "the host's devices" "$(oci exec one sh -c 'cd /dev; echo x >null && stat -c "%n %t:%T" null tty')" $'null 1:3\ntty 5:0'
is "and a masked file" "$(oci exec one stat -c '%t:%T' /proc/kcore)" 1:3
is "the images are still the host's, in a directory of its alone" "$(stat -c '%u %a' images) $(stat -c %u images/inventory.img)" "0 700 0"
is "and no mount is on them" "$(grep -c "$TEST_DIR/" /proc/self/mountinfo)" 0
