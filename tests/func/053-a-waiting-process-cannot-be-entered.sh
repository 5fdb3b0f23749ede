#!/bin/bash
# CVE-2016-9962: a process of ours inside a container's namespaces is not dumpable until the tenant's program runs
. "$(dirname "$0")/lib.sh"

make_bundle b '.linux.namespaces += [{"type": "user"}]
	| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
chown -R 100000:100000 b/rootfs
cleanup oci delete --force wait
oci create --bundle b wait >/dev/null 2>&1 </dev/null
pid=$(pid_of wait)
is "created init runs as the mapped root" "$(proc_status "$pid" Uid | cut -f1)" 100000
# proc_pid(5): the files of a process that is not dumpable belong to root
is "and its /proc files belong to the host's root" "$(stat -c %u "/proc/$pid/environ")" 0
check "nobody of its user may look into it" bash -c "! setpriv --reuid 100000 --regid 100000 --clear-groups cat /proc/$pid/environ"
oci start wait
check "the tenant's program is an ordinary process" wait_for 5 bash -c "[ \$(stat -c %u /proc/$pid/environ) = 100000 ]"
